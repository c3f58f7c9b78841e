"""Reading: a mapping document's text to a mapping, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from duly import documents, validation
from duly.calendars import zones
from duly.conditions.operands import Unsuited
from duly.conditions.patterns import check_pattern
from duly.diagnostics import Diagnostic, Path, Span, ordered, render_path
from duly.documents import Document
from duly.hosts.mapping import instants
from duly.hosts.mapping.mapping import Mapping

_FIELD_EVENTS = ("case.opened", "case.updated")


def read(content: bytes, file: str) -> tuple[Mapping | None, list[Diagnostic]]:
    """The mapping that a file's content says, None where it has faults, and the faults, in order of place."""
    found, faults = documents.load(content, file)
    if not found:
        return None, faults or [_empty(file)]
    for extra in found[1:]:
        faults.append(
            Diagnostic(
                "D216", "a second document; a file of a mapping has one", extra.span(()), help="take it out"
            )
        )
    document, more = validation.validate(found[0], kind="mapping", thorough=True)
    faults += more
    if not faults:
        faults += _meaning(document)
    if faults:
        return None, ordered(faults)
    return Mapping(document.data["spec"], document.name), []


def _empty(file: str) -> Diagnostic:
    start = Span(file, 1, 1, 1, 2)
    return Diagnostic("D219", "no document in this file", start, help="write one of kind `Mapping`")


def _meaning(document: Document) -> Iterator[Diagnostic]:
    """What a schema cannot say."""
    for number, rule in enumerate(document.data["spec"]["rules"]):
        place: Path = ("spec", "rules", number)
        yield from _patterns(document, rule.get("when", {}), (*place, "when"))
        event = rule["event"]
        yield from _values(document, event, (*place, "event"))
        if event["type"] in _FIELD_EVENTS and "data" in event:
            yield _fault(
                document, "D108", f"`{event['type']}` carries fields of the case alone", (*place, "event", "data"),
                "move what stands there to `fields`", key=True,
            )  # fmt: skip


def _patterns(document: Document, condition: Any, place: Path) -> Iterator[Diagnostic]:
    """The regular expressions of a condition that are none."""
    for key, value in condition.items():
        if key in ("any", "all"):
            for number, each in enumerate(value):
                yield from _patterns(document, each, (*place, key, number))
        elif key == "not":
            yield from _patterns(document, value, (*place, key))
        elif key == "header":
            for name, tests in value.items():
                yield from _pattern(document, tests, (*place, key, name))
        else:
            yield from _pattern(document, value, (*place, key))


def _pattern(document: Document, tests: Any, place: Path) -> Iterator[Diagnostic]:
    if isinstance(tests, dict) and "matches" in tests:
        try:
            check_pattern(tests["matches"], str(place[-1]))
        except Unsuited as error:
            yield _fault(document, error.code, error.message, (*place, "matches"), error.help)


def _values(document: Document, data: Any, place: Path) -> Iterator[Diagnostic]:
    """What is wrong within values: forms of instants, zones, keys that do nothing."""
    if isinstance(data, list):
        for number, each in enumerate(data):
            yield from _values(document, each, (*place, number))
        return
    if not isinstance(data, dict):
        return
    for key, value in data.items():
        if key == "form" and isinstance(value, str) and value not in instants.UNITS:
            try:
                instants.pattern(value)
            except ValueError as error:
                yield _fault(document, "D105", str(error), (*place, key), "write it like `%d.%m.%Y %H:%M`")
        elif key == "timezone" and isinstance(value, str) and value not in zones.names():
            yield _fault(
                document, "D404", f"unknown time zone `{value}`", (*place, key), zones.suggestion(value)
            )
        elif key != "table":
            yield from _values(document, value, (*place, key))
    if data.get("as", "instant") != "instant":
        for key in ("form", "timezone"):
            if isinstance(data.get(key), str):
                message = f"`{key}` says how an instant is written, and this is read as `{data['as']}`"
                yield _fault(document, "D108", message, (*place, key), "take one of them away", key=True)
    if "otherwise" in data and "table" not in data and isinstance(data["otherwise"], (str, int, float)):
        message = "`otherwise` is for what a `table` does not have, and there is none"
        yield _fault(document, "D108", message, (*place, "otherwise"), "did you mean `default`?", key=True)


def _fault(
    document: Document, code: str, message: str, place: Path, help: str | None, *, key: bool = False
) -> Diagnostic:
    span = document.span(place, key=key)
    return Diagnostic(code, message, span, path=render_path(place), help=help)
