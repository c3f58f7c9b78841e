"""The reader: the events of the YAML parser to plain data and its places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, TypeAlias

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from duly.diagnostics import Diagnostic, Path, Related, render_path
from duly.documents.document import Marks, Place, span_of
from duly.scalars import is_not_finite, typed

MAX_DEPTH = 64
MAX_NODES_FROM_ALIASES = 100_000
_ENVELOPE = ("apiVersion", "kind", "metadata", "spec")

Event: TypeAlias = Any
"""An event of the parser: one of the classes of yaml.events, whose stubs leave out most of what they have."""


class Unreadable(Exception):
    """What ends the reading of a file; carries the diagnostic."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def read(events: Iterator[Event], file: str, faults: list[Diagnostic]) -> Iterator[tuple[Any, Marks]]:
    """Each document of a file with its places; None in place of one that is empty, or of which nothing more can
    be said. Faults that need not end the reading are added to `faults`; raises Unreadable for the others.
    """
    return _Reader(file, faults).documents(events)


class _Reader:
    """Builds plain data from the parser's events; collects the faults that need not end the reading."""

    def __init__(self, file: str, faults: list[Diagnostic]) -> None:
        self.file = file
        self.faults = faults
        self.anchors: dict[str, tuple[Any, Marks] | None] = {}
        self.expanded = 0
        self.torn = False

    def documents(self, events: Iterator[Event]) -> Iterator[tuple[Any, Marks]]:
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self.anchors = {}
                self.torn = False
                data, marks = self.node(next(events), events, 0, ())
                yield None if self.torn else data, marks
            elif isinstance(event, DocumentEndEvent):
                continue

    def node(self, event: Event, events: Iterator[Event], depth: int, path: Path) -> tuple[Any, Marks]:
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

    def scalar(self, event: Event, path: Path) -> tuple[Any, Marks]:
        text = event.value
        if not event.implicit[0]:
            return text, Marks(_place(event))
        value = typed(text)
        if value is text:
            if is_not_finite(text):
                self.fault("D009", f"`{text}` is not a number a policy can use", event, path,
                           help=f"write a finite number, or quote the text: `'{text}'`")  # fmt: skip
            return text, Marks(_place(event))
        return value, Marks(_place(event), text)

    def mapping(self, event: Event, events: Iterator[Event], depth: int, path: Path) -> tuple[Any, Marks]:
        data: dict[str, Any] = {}
        marks = Marks(_place(event))
        keys: dict[str, Place] = {}
        children: dict[str, Marks] = {}
        merged: list[tuple[Any, Marks]] = []
        while not isinstance(key_event := next(events), MappingEndEvent):
            if not isinstance(key_event, ScalarEvent):
                self.stop("D007", "a key that is not a text", key_event, path,
                          help="write each key out; quote one that starts with `[`, `{`, `*` or `&`")  # fmt: skip
            key = key_event.value
            key_path = (*path, key)
            if key_event.anchor:
                self.anchors[key_event.anchor] = (key, Marks(_place(key_event)))
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

    def sequence(self, event: Event, events: Iterator[Event], depth: int, path: Path) -> tuple[Any, Marks]:
        data: list[Any] = []
        marks = Marks(_place(event))
        children: list[Marks] = []
        while not isinstance(item := next(events), SequenceEndEvent):
            value, child = self.node(item, events, depth + 1, (*path, len(data)))
            marks.size += child.size
            if child.height >= marks.height:
                marks.height = child.height + 1
            data.append(value)
            children.append(child)
        marks.children = children
        return data, marks

    def alias(self, event: Event, path: Path) -> tuple[Any, Marks]:
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
        first = Related("first written here", span_of(self.file, before))
        self.fault("D004", f"duplicate key `{event.value}`", event, path, related=(first,), help=remedy)

    def fault(self, code: str, message: str, event: Event, path: Path, **more: Any) -> None:
        self.faults.append(
            Diagnostic(code, message, span_of(self.file, _place(event)), path=render_path(path), **more)
        )

    def stop(self, code: str, message: str, event: Event, path: Path, help: str | None = None) -> NoReturn:
        span = span_of(self.file, _place(event))
        raise Unreadable(Diagnostic(code, message, span, path=render_path(path), help=help))


def _place(event: Event) -> Place:
    start, end = event.start_mark, event.end_mark
    return start.line, start.column, end.line, end.column


def _end(event: Event) -> int:
    return int(event.end_mark.index)
