"""Documents: YAML text to plain data, with the place of every key and value."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from duly.diagnostics import Diagnostic, Path, Related, Span, render_path

try:
    from yaml import CLoader as _Loader
except ImportError:  # pragma: no cover - wheels without libyaml
    from yaml import Loader as _Loader  # type: ignore[assignment]

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES_FROM_ALIASES = 100_000

Place: TypeAlias = tuple[int, int, int, int]
"""Line, column, end line, end column, each from 0, as the YAML parser counts."""

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_EXACT_DIGITS = 15
_MAX_DIGITS = 400


class _Marks:
    """The place of a node; of a mapping also its keys' places, of a list its elements'."""

    __slots__ = ("children", "keys", "place", "raw", "size")

    def __init__(self, place: Place, raw: str | None = None) -> None:
        self.place = place
        self.raw = raw
        self.size = 1
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

    def with_data(self, data: Any) -> Document:
        """The same document, its places kept, with other data."""
        return replace(self, data=data)


class _Fault(Exception):
    """What ends the reading of a file; carries the diagnostic."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def load(text: str | bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    """The YAML 1.2 documents of `text`, and what is wrong with it as YAML.

    `file` is the name that diagnostics carry. Documents before the first syntax error are returned too;
    empty documents are skipped. Never raises for any input.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _load(text, file)
    finally:
        if collecting:
            gc.enable()


def _load(text: str | bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    documents: list[Document] = []
    faults: list[Diagnostic] = []
    try:
        decoded = _decode(text, file)
        reader = _Reader(file, faults)
        events = yaml.parse(decoded, Loader=_Loader)
        for index, (data, marks) in enumerate(reader.documents(events)):
            if data is not None:
                documents.append(Document(data, file, index, marks))
    except _Fault as fault:
        faults.append(fault.diagnostic)
    except yaml.reader.ReaderError as error:
        faults.append(_bad_character(error, decoded, file))
    except yaml.MarkedYAMLError as error:
        faults.append(_syntax(error, decoded, file))
    return documents, faults


def _decode(text: str | bytes, file: str) -> str:
    start = Span(file, 1, 1, 1, 1)
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _Fault(
            Diagnostic("D001", f"file of {size:,} bytes; at most {MAX_BYTES:,} are read", start,
                       help="split it into several documents")
        )  # fmt: skip
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            good = text[: error.start].decode("utf-8")
            line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
            raise _Fault(
                Diagnostic("D002", f"byte 0x{text[error.start]:02x} is not UTF-8",
                           Span(file, line, column, line, column + 1), help="save the file as UTF-8")
            ) from None  # fmt: skip
    for position, sign in enumerate(text) if not text.isascii() else ():
        if "\ud800" <= sign <= "\udfff":
            raise _Fault(_foreign(text, position, sign, file))
    return text.removeprefix("\ufeff")


class _Reader:
    """Builds plain data from the parser's events; collects the faults that need not end the reading."""

    def __init__(self, file: str, faults: list[Diagnostic]) -> None:
        self.file = file
        self.faults = faults
        self.anchors: dict[str, tuple[Any, _Marks] | None] = {}
        self.expanded = 0

    def documents(self, events: Iterator[Event]) -> Iterator[tuple[Any, _Marks]]:
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self.anchors = {}
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
                self.stop("D005", f"nested more than {MAX_DEPTH} deep", event, path)
            if event.anchor:
                self.anchors[event.anchor] = None
            if isinstance(event, MappingStartEvent):
                result = self.mapping(event, events, depth, path)
            else:
                result = self.sequence(event, events, depth, path)
        if event.tag and not (isinstance(event, ScalarEvent) and event.tag == "!"):
            self.fault("D006", f"tag `{event.tag}`", event, path, help="take the tag away; types come from the key")
        if event.anchor:
            self.anchors[event.anchor] = result
        return result

    def scalar(self, event: ScalarEvent, path: Path) -> tuple[Any, _Marks]:
        text = event.value
        if not event.implicit[0]:
            return text, _Marks(_place(event))
        value = _typed(text)
        if value is text:
            if _NOT_FINITE.match(text):
                self.fault("D009", f"`{text}` is not a number a policy can use", event, path,
                           help=f"write a finite number, or quote the text: '{text}'")  # fmt: skip
            return text, _Marks(_place(event))
        return value, _Marks(_place(event), text)

    def mapping(
        self, event: MappingStartEvent, events: Iterator[Event], depth: int, path: Path
    ) -> tuple[Any, _Marks]:
        data: dict[str, Any] = {}
        marks = _Marks(_place(event))
        keys: dict[str, Place] = {}
        children: dict[str, _Marks] = {}
        while not isinstance(key_event := next(events), MappingEndEvent):
            if not isinstance(key_event, ScalarEvent):
                self.stop("D007", "a key that is not a text", key_event, path)
            key = key_event.value
            key_path = (*path, key)
            if key == "<<" and key_event.implicit[0]:
                self.fault("D008", "merge key `<<`", key_event, key_path,
                           help="write the keys out; a policy says everything where it stands")  # fmt: skip
            if key_event.anchor:
                self.anchors[key_event.anchor] = (key, _Marks(_place(key_event)))
            value, child = self.node(next(events), events, depth + 1, key_path)
            marks.size += child.size
            if key in data:
                first = Related("first written here", _span(self.file, keys[key]))
                self.fault("D004", f"duplicate key `{key}`", key_event, key_path, related=(first,),
                           help="keep one of the two")  # fmt: skip
                continue
            data[key] = value
            keys[key] = _place(key_event)
            children[key] = child
        marks.keys, marks.children = keys, children
        if keys and event.start_mark.index == event.end_mark.index:
            # A block mapping has no bracket to point at: its first key stands for it.
            marks.place = next(iter(keys.values()))
        return data, marks

    def sequence(
        self, event: SequenceStartEvent, events: Iterator[Event], depth: int, path: Path
    ) -> tuple[Any, _Marks]:
        data: list[Any] = []
        marks = _Marks(_place(event))
        children: list[_Marks] = []
        while not isinstance(item := next(events), SequenceEndEvent):
            value, child = self.node(item, events, depth + 1, (*path, len(data)))
            marks.size += child.size
            data.append(value)
            children.append(child)
        marks.children = children
        return data, marks

    def alias(self, event: AliasEvent, path: Path) -> tuple[Any, _Marks]:
        if event.anchor not in self.anchors:
            self.stop("D003", f"alias `*{event.anchor}` without an anchor", event, path,
                      help=f"write `&{event.anchor}` before the value it repeats, above this line")  # fmt: skip
        found = self.anchors[event.anchor]
        if found is None:
            self.stop("D003", f"alias `*{event.anchor}` inside its own anchor", event, path)
        data, marks = found
        self.expanded += marks.size
        if self.expanded > MAX_NODES_FROM_ALIASES:
            self.stop("D010", f"aliases expand to more than {MAX_NODES_FROM_ALIASES:,} values", event, path,
                      help="write the values out, or use fewer aliases of aliases")  # fmt: skip
        return data, marks

    def fault(self, code: str, message: str, event: Event, path: Path, **more: Any) -> None:
        self.faults.append(
            Diagnostic(code, message, _span(self.file, _place(event)), path=render_path(path), **more)
        )

    def stop(self, code: str, message: str, event: Event, path: Path, help: str | None = None) -> Any:
        span = _span(self.file, _place(event))
        raise _Fault(Diagnostic(code, message, span, path=render_path(path), help=help))


def _typed(text: str) -> Any:
    """A plain scalar under the YAML 1.2 core schema; the very same object where it is a text."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in "+-.0123456789" or len(text) > _MAX_DIGITS:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _OTHER_BASE.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        number = Decimal(text)
        exact = len(number.as_tuple().digits) <= _EXACT_DIGITS and abs(number.adjusted()) < 300
        return float(number) if exact else number
    return text


def _place(event: Event) -> Place:
    start, end = event.start_mark, event.end_mark
    return start.line, start.column, end.line, end.column


def _span(file: str, place: Place) -> Span:
    line, column, end_line, end_column = place
    if (end_line, end_column) <= (line, column):
        end_line, end_column = line, column + 1
    return Span(file, line + 1, column + 1, end_line + 1, end_column + 1)


_HINTS = (
    ("found character '\\t'", "a tab", "indent with spaces"),
    ("found a tab", "a tab", "indent with spaces"),
    ("found character that cannot start any token", "a character that cannot start a value",
     "quote the text, or indent with spaces where it is a tab"),
    ("mapping values are not allowed", "a second `: ` on the line, or a line indented too deep",
     "quote a text that has `: ` in it, and line keys up under each other"),
    ("could not find expected ':'", "a line without `: `", "write `key: value`"),
    ("did not find expected key", "a line that does not line up with the keys above it",
     "line keys up under each other, and quote texts that start with a quote, `[`, `{`, `*`, `&` or `!`"),
    ("did not find expected '-' indicator", "a line that does not line up with the list above it",
     "start each entry of the list with `- ` in the same column"),
    ("did not find expected ',' or ']'", "a list `[` that is not closed", "close it with `]`, entries parted by `, `"),
    ("did not find expected ',' or '}'", "a mapping `{` that is not closed",
     "close it with `}`, entries parted by `, `"),
    ("unexpected end of stream", "a quote that is not closed", "close the quote"),
    ("found unexpected document indicator", "a quote that is not closed before `---`", "close the quote"),
    ("unknown escape character", "an unknown escape in a double-quoted text",
     "use single quotes, or write the backslash twice"),
    ("found undefined tag handle", "a tag", "quote a text that starts with `!`"),
)  # fmt: skip
_FULL_WIDTH = {"：": "`: `", "，": "`, `", "“": '`"`', "”": '`"`', "‘": "`'`", "’": "`'`", "　": "a plain space"}


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = error.problem or "not readable"
    message, help_text = problem, None
    for start, plain, remedy in _HINTS:
        if start in problem:
            message, help_text = plain, remedy
            break
    rows = text.split("\n")
    near = "".join(rows[max(0, line - 1) : line + 1])
    wide = next((sign for sign in _FULL_WIDTH if sign in near), None)
    row = rows[line] if line < len(rows) else ""
    if "\t" in row[: len(row) - len(row.lstrip())] or row[column : column + 1] == "\t":
        message, help_text = "a tab", "indent with spaces, not with tabs"
    elif wide is not None:
        help_text = f"the full-width sign `{wide}` means nothing to YAML: write {_FULL_WIDTH[wide]}"
    related = ()
    if error.context_mark and error.context and error.context_mark.line != line:
        start = _span(file, (error.context_mark.line, error.context_mark.column) * 2)
        related = (Related(error.context, start),)
    span = _span(file, (line, column, line, column + 1))
    return Diagnostic("D003", f"not readable as YAML: {message}", span, help=help_text, related=related)


def _bad_character(error: yaml.reader.ReaderError, text: str, file: str) -> Diagnostic:
    return _foreign(text, error.position, text[error.position : error.position + 1], file)


def _foreign(text: str, position: int, sign: str, file: str) -> Diagnostic:
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    message = f"character U+{ord(sign or chr(0)):04X} may not stand in a policy"
    return Diagnostic("D002", message, Span(file, line, column, line, column + 1), help="take it away")
