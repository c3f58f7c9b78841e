"""A document: plain data with the place of every key and value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from duly.diagnostics import Path, Span

Place: TypeAlias = tuple[int, int, int, int]
"""Line, column, end line, end column, each from 0, as the YAML parser counts."""


class Marks:
    """The place of a node; of a mapping also its keys' places, of a list its elements'."""

    __slots__ = ("children", "height", "keys", "place", "raw", "size")

    def __init__(self, place: Place, raw: str | None = None) -> None:
        self.place = place
        self.raw = raw
        self.size = 1
        self.height = 0
        self.keys: dict[str, Place] | None = None
        self.children: dict[str, Marks] | list[Marks] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document as plain data. `index` counts the documents of a file from 0."""

    data: Any
    file: str
    index: int
    marks: Marks

    @property
    def kind(self) -> str:
        """The document's `kind`, or an empty text."""
        kind = self.data.get("kind") if isinstance(self.data, dict) else None
        return kind if isinstance(kind, str) else ""

    @property
    def name(self) -> str:
        """`metadata.name`, or an empty text."""
        metadata = self.data.get("metadata") if isinstance(self.data, dict) else None
        name = metadata.get("name") if isinstance(metadata, dict) else None
        return name if isinstance(name, str) else ""

    def span(self, path: Path, *, key: bool = False) -> Span:
        """Where the value at `path` stands (its key with `key`); the nearest parent where there is none."""
        node, place = self.marks, self.marks.place
        for position, part in enumerate(path):
            children = node.children
            if isinstance(children, dict) and isinstance(part, str) and part in children:
                last = position == len(path) - 1
                child = children[part]
                place = node.keys[part] if key and last and node.keys else child.place
                node = child
            elif isinstance(children, list) and isinstance(part, int) and 0 <= part < len(children):
                node = children[part]
                place = node.place
            else:
                break
        return span_of(self.file, place)

    def raw(self, path: Path) -> str | None:
        """The text of an unquoted scalar that was read as a number, boolean or null."""
        node: Marks | None = self.marks
        for part in path:
            children = node.children if node else None
            if isinstance(children, dict) and isinstance(part, str):
                node = children.get(part)
            elif isinstance(children, list) and isinstance(part, int) and part < len(children):
                node = children[part]
            else:
                return None
        return node.raw if node else None

    def part(self, path: Path) -> Document:
        """What stands at `path` as a document of its own; its places are those of the file."""
        data, marks = self.data, self.marks
        for step in path:
            data = data[step]
            children: Any = marks.children
            marks = children[step]
        return replace(self, data=data, marks=marks)

    def with_data(self, data: Any) -> Document:
        """The same document, its places kept, with other data."""
        return replace(self, data=data)


def span_of(file: str, place: Place) -> Span:
    """The place as diagnostics give it: from 1, and never empty."""
    line, column, end_line, end_column = place
    if (end_line, end_column) <= (line, column):
        end_line, end_column = line, column + 1
    return Span(file, line + 1, column + 1, end_line + 1, end_column + 1)
