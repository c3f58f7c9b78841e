"""The report on a document: its faults so far, and what the document and its schema say at a path."""

from __future__ import annotations

from typing import Any

from duly.diagnostics import Diagnostic, Path, Related, nearest, render_path
from duly.documents import Document
from duly.validation import hints, parts
from duly.validation.schemas import read


class Report:
    """The faults of one document, gathered so that one mistake is reported once."""

    def __init__(self, document: Document, name: str) -> None:
        self.document = document
        self.root = (name, read(name))
        self.unknown: dict[Path, set[str]] = {}
        self._found: dict[tuple[Any, ...], Diagnostic] = {}
        self.of_spec = set(self.root[1].get("properties", {}).get("spec", {}).get("properties", ()))

    def add(
        self, code: str, message: str, path: Path, *, key: bool = False, help: str | None = None,
        found: str | None = None, expected: str | None = None, related: tuple[Related, ...] = (),
    ) -> None:  # fmt: skip
        """Note a fault, once for each place and code."""
        span = self.document.span(path, key=key)
        diagnostic = Diagnostic(code, message, span, path=render_path(path), found=found, expected=expected,
                                help=help, related=related)  # fmt: skip
        self._found.setdefault((code, path, message if code == "D102" else ""), diagnostic)

    def diagnostics(self) -> list[Diagnostic]:
        """The faults noted so far."""
        return list(self._found.values())

    def value(self, path: Path) -> Any:
        """What stands at a path."""
        data = self.document.data
        for step in path:
            data = data[step]
        return data

    def shown(self, path: Path) -> str:
        """What stands at a path, in words."""
        value = self.value(path)
        if isinstance(value, dict):
            return "a mapping" if value else "an empty mapping"
        if isinstance(value, list):
            return "a list" if value else "an empty list"
        if value is None:
            return "nothing" if not self.document.raw(path) else "`null`"
        if value == "":
            return "an empty text"
        text = self.document.raw(path) or parts.written(value)
        return f"`{cut(text)}`"

    def wanted(self, path: Path) -> str | None:
        """What the schema wants to see at a path, in words."""
        for part in parts.at(self.root, self.document.data, path):
            if (found := parts.wanted(part)) is not None:
                return found
        return None

    def properties(self, path: Path) -> dict[str, parts.Part]:
        """The keys that the schema knows at a path, each with the part that describes it."""
        known: dict[str, parts.Part] = {}
        for part in parts.at(self.root, self.document.data, path):
            for name, schema in parts.applying(part, self.value(path)):
                for key, each in schema.get("properties", {}).items():
                    if "description" in each or "$ref" in each:
                        known.setdefault(key, (name, each))
        return known

    def misspelt(self, path: Path, keys: list[str]) -> bool:
        """Whether an unknown key at a path was meant to be one of `keys`: then that one is not missing."""
        unknown = self.unknown.get(path, ())
        return any(nearest(each, keys) or hints.meant_key(each, keys) for each in unknown)


def cut(text: str) -> str:
    """A text of any length, as far as a message can hold it."""
    return text if len(text) <= 80 else text[:77] + "…"
