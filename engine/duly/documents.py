"""Documents: YAML text to plain data, with the place of every key and value."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from duly.decoding import decoded, foreign
from duly.diagnostics import Diagnostic, Path, Related, Span, render_path
from duly.scalars import is_not_finite, typed

try:
    from yaml import CLoader as _Loader
except ImportError:  # pragma: no cover - wheels without libyaml
    from yaml import Loader as _Loader  # type: ignore[assignment]

MAX_DEPTH = 64
MAX_NODES_FROM_ALIASES = 100_000
_ENVELOPE = ("apiVersion", "kind", "metadata", "spec")

Place: TypeAlias = tuple[int, int, int, int]
"""Line, column, end line, end column, each from 0, as the YAML parser counts."""
Event: TypeAlias = Any
"""An event of the parser: one of the classes of yaml.events, whose stubs leave out most of what they have."""


class _Marks:
    """The place of a node; of a mapping also its keys' places, of a list its elements'."""

    __slots__ = ("children", "height", "keys", "place", "raw", "size")

    def __init__(self, place: Place, raw: str | None = None) -> None:
        self.place = place
        self.raw = raw
        self.size = 1
        self.height = 0
        self.keys: dict[str, Place] | None = None
        self.children: dict[str, _Marks] | list[_Marks] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document as plain data. `index` counts the documents of a file from 0."""

    data: Any
    file: str
    index: int
    marks: _Marks

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
        return _span(self.file, place)

    def raw(self, path: Path) -> str | None:
        """The text of an unquoted scalar that was read as a number, boolean or null."""
        node: _Marks | None = self.marks
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


class _Fault(Exception):
    """What ends the reading of a file; carries the diagnostic."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def load(content: str | bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    """The YAML 1.2 documents of a file, and what is wrong with it as YAML.

    `file` is the name that diagnostics carry. Documents before the first syntax error are returned too;
    empty documents are skipped, and so are those with keys that YAML reads otherwise than they were meant
    (D011), of which nothing else can be said. Never raises for any input.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _load(content, file)
    finally:
        if collecting:
            gc.enable()


def _load(content: str | bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    documents: list[Document] = []
    faults: list[Diagnostic] = []
    text = decoded(content, file)
    if isinstance(text, Diagnostic):
        return [], [text]
    try:
        reader = _Reader(file, faults)
        events = yaml.parse(text, Loader=_Loader)
        for index, (data, marks) in enumerate(reader.documents(events)):
            if data is not None and not reader.torn:
                documents.append(Document(data, file, index, marks))
    except _Fault as fault:
        faults.append(fault.diagnostic)
    except yaml.reader.ReaderError as error:
        faults.append(_bad_character(error, text, file))
    except yaml.MarkedYAMLError as error:
        faults.append(_syntax(error, text, file))
    return documents, faults


class _Reader:
    """Builds plain data from the parser's events; collects the faults that need not end the reading."""

    def __init__(self, file: str, faults: list[Diagnostic]) -> None:
        self.file = file
        self.faults = faults
        self.anchors: dict[str, tuple[Any, _Marks] | None] = {}
        self.expanded = 0
        self.torn = False

    def documents(self, events: Iterator[Event]) -> Iterator[tuple[Any, _Marks]]:
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self.anchors = {}
                self.torn = False
                first = next(events)
                yield self.node(first, events, 0, ())
            elif isinstance(event, DocumentEndEvent):
                continue

    def node(self, event: Event, events: Iterator[Event], depth: int, path: Path) -> tuple[Any, _Marks]:
        if isinstance(event, AliasEvent):
            return self.alias(event, path)
        if isinstance(event, ScalarEvent):
            result = self.scalar(event, path)
        else:
            if depth >= MAX_DEPTH:
                self.too_deep(event, path)
            if event.anchor:
                self.anchors[event.anchor] = None
            if isinstance(event, MappingStartEvent):
                result = self.mapping(event, events, depth, path)
            else:
                result = self.sequence(event, events, depth, path)
        if event.tag:
            self.tag(event, path)
        if event.anchor:
            self.anchors[event.anchor] = result
        return result

    def tag(self, event: Event, path: Path) -> None:
        if isinstance(event, ScalarEvent) and event.tag == "!":
            return
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self.fault("D006", f"a tag `{tag}`, which means nothing in a policy", event, path,
                   help="take it away; types come from the key, and a text that starts with `!` is quoted")  # fmt: skip

    def too_deep(self, event: Event, path: Path) -> NoReturn:
        self.stop("D005", f"nested more than {MAX_DEPTH} deep", event, path, help="write it flatter")

    def scalar(self, event: Event, path: Path) -> tuple[Any, _Marks]:
        text = event.value
        if not event.implicit[0]:
            return text, _Marks(_place(event))
        value = typed(text)
        if value is text:
            if is_not_finite(text):
                self.fault("D009", f"`{text}` is not a number a policy can use", event, path,
                           help=f"write a finite number, or quote the text: `'{text}'`")  # fmt: skip
            return text, _Marks(_place(event))
        return value, _Marks(_place(event), text)

    def mapping(self, event: Event, events: Iterator[Event], depth: int, path: Path) -> tuple[Any, _Marks]:
        data: dict[str, Any] = {}
        marks = _Marks(_place(event))
        keys: dict[str, Place] = {}
        children: dict[str, _Marks] = {}
        merged: list[tuple[Any, _Marks]] = []
        while not isinstance(key_event := next(events), MappingEndEvent):
            if not isinstance(key_event, ScalarEvent):
                self.stop("D007", "a key that is not a text", key_event, path,
                          help="write each key out; quote one that starts with `[`, `{`, `*` or `&`")  # fmt: skip
            key = key_event.value
            key_path = (*path, key)
            if key_event.anchor:
                self.anchors[key_event.anchor] = (key, _Marks(_place(key_event)))
            if key_event.tag:
                self.tag(key_event, key_path)
            value_event = next(events)
            if key_event.implicit[0]:
                valued = _end(value_event) > _end(key_event)
                if not (valued and key.isidentifier()):
                    self.odd(key_event, key_path, valued)
            value, child = self.node(value_event, events, depth + 1, key_path)
            marks.size += child.size
            if child.height >= marks.height:
                marks.height = child.height + 1
            if key == "<<" and key_event.implicit[0]:
                merged.append((value, child))
                continue
            if key in data:
                self.twice(key_event, key_path, keys[key])
                continue
            data[key] = value
            keys[key] = _place(key_event)
            children[key] = child
        for value, child in merged:
            # Reported; its keys are taken in, so that they are not called missing.
            if isinstance(value, dict) and child.keys and isinstance(child.children, dict):
                data, keys, children = value | data, child.keys | keys, child.children | children
        marks.keys, marks.children = keys, children
        if keys and event.start_mark.index == event.end_mark.index:
            # A block mapping has no bracket to point at: its first key stands for it.
            marks.place = next(iter(keys.values()))
        return data, marks

    def sequence(self, event: Event, events: Iterator[Event], depth: int, path: Path) -> tuple[Any, _Marks]:
        data: list[Any] = []
        marks = _Marks(_place(event))
        children: list[_Marks] = []
        while not isinstance(item := next(events), SequenceEndEvent):
            value, child = self.node(item, events, depth + 1, (*path, len(data)))
            marks.size += child.size
            if child.height >= marks.height:
                marks.height = child.height + 1
            data.append(value)
            children.append(child)
        marks.children = children
        return data, marks

    def alias(self, event: Event, path: Path) -> tuple[Any, _Marks]:
        if event.anchor not in self.anchors:
            self.stop("D003", f"alias `*{event.anchor}` without an anchor", event, path,
                      help=f"write `&{event.anchor}` before the value it repeats, above this line")  # fmt: skip
        found = self.anchors[event.anchor]
        if found is None:
            self.stop("D003", f"alias `*{event.anchor}` inside its own anchor", event, path,
                      help="nothing can hold itself; write out what is meant")  # fmt: skip
        data, marks = found
        if len(path) + marks.height > MAX_DEPTH:
            self.too_deep(event, path)
        self.expanded += marks.size
        if self.expanded > MAX_NODES_FROM_ALIASES:
            self.stop("D010", f"aliases expand to more than {MAX_NODES_FROM_ALIASES:,} values", event, path,
                      help="write the values out, or use fewer aliases of aliases")  # fmt: skip
        return data, marks

    def odd(self, event: Event, path: Path, valued: bool) -> None:
        """Report a key that cannot be what its author meant."""
        from duly.misreadings import odd_key

        key = event.value
        if key == "<<":
            self.fault("D008", "merge key `<<`", event, path,
                       help="write the keys out; a policy says everything where it stands")  # fmt: skip
        elif found := odd_key(key, valued):
            self.torn = True
            self.fault("D011", found[0], event, path, help=found[1])

    def twice(self, event: ScalarEvent, path: Path, before: Place) -> None:
        """Report a key that is there twice; two documents without a line between them only once."""
        remedy = "keep one of the two"
        if len(path) == 1 and event.value in _ENVELOPE:
            if self.torn:
                return
            self.torn, remedy = (
                True,
                "begin the second of two documents with a line `---`, or keep one of the two",
            )
        first = Related("first written here", _span(self.file, before))
        self.fault("D004", f"duplicate key `{event.value}`", event, path, related=(first,), help=remedy)

    def fault(self, code: str, message: str, event: Event, path: Path, **more: Any) -> None:
        self.faults.append(
            Diagnostic(code, message, _span(self.file, _place(event)), path=render_path(path), **more)
        )

    def stop(self, code: str, message: str, event: Event, path: Path, help: str | None = None) -> NoReturn:
        span = _span(self.file, _place(event))
        raise _Fault(Diagnostic(code, message, span, path=render_path(path), help=help))


def _place(event: Event) -> Place:
    start, end = event.start_mark, event.end_mark
    return start.line, start.column, end.line, end.column


def _end(event: Event) -> int:
    return int(event.end_mark.index)


def _span(file: str, place: Place) -> Span:
    line, column, end_line, end_column = place
    if (end_line, end_column) <= (line, column):
        end_line, end_column = line, column + 1
    return Span(file, line + 1, column + 1, end_line + 1, end_column + 1)


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    from duly.misreadings import misreading

    begun, mark = _of_mark(error.context_mark), _of_mark(error.problem_mark)
    found = misreading(error.problem or "not readable", mark or begun or (0, 0), error.context, begun, text)
    related: tuple[Related, ...] = ()
    if found.beginning is not None:
        words, line, column = found.beginning
        related = (Related(words, _span(file, (line, column, line, column))),)
    span = _span(file, (found.line, found.column, found.line, found.column + 1))
    return Diagnostic(
        "D003", f"not readable as YAML: {found.message}", span, help=found.help, related=related
    )


def _of_mark(mark: Any) -> tuple[int, int] | None:
    return None if mark is None else (mark.line, mark.column)


def _bad_character(error: yaml.reader.ReaderError, text: str, file: str) -> Diagnostic:
    # The C parser counts the bytes of UTF-8, the error's position is the first bad one.
    position = len(text.encode("utf-8")[: error.position].decode("utf-8", "ignore"))
    return foreign(text, position, file)
