"""Rows: events and facts as lists and objects of plain JSON, and those as bytes."""

from __future__ import annotations

from duly.cases import Event
from duly.machines.keeping import kept, restored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PLAIN = frozenset((str, int, float, bool, type(None), list, dict))
NO_SHELF: Any = ({}, {})
"""What knows no calendar and no target: where there are none."""


def event_row(event: Event) -> list[Any]:
    """An event as plain JSON data, with what only the engine gives it."""
    return [
        event.id, event.type, event.at, event.case, event.customer, event.person, event.actor,
        facts_row(event.changes), facts_row(event.payload), event.path, event.field_path,
    ]  # fmt: skip


def to_event(row: list[Any]) -> Event:
    """The event that `event_row` wrote."""
    event = Event(row[0], row[1], row[2])
    (
        _,
        _,
        _,
        event.case,
        event.customer,
        event.person,
        event.actor,
        changes,
        payload,
        event.path,
        event.field_path,
    ) = row
    event.changes, event.payload = to_facts(changes), to_facts(payload)
    return event


def facts_row(facts: Mapping[str, Any]) -> Any:
    """Facts as they are, or, where JSON has no form for some of them, as [all, those that were kept]."""
    for value in facts.values():
        if value.__class__ not in _PLAIN:
            return [None, {name: kept(each) for name, each in facts.items()}]
    return facts


def to_facts(row: Any) -> dict[str, Any]:
    """The facts that `facts_row` wrote."""
    if row.__class__ is dict:
        return row
    return {name: restored(each, *NO_SHELF) for name, each in row[1].items()}


def dumps(row: Any) -> bytes:
    """Plain JSON data as bytes."""
    try:
        return _fast.dumps(row) if _fast is not None else _slow_dumps(row)
    except TypeError:  # a number of more than 64 bits, or half a character
        return _slow_dumps(row)


def _slow_dumps(row: Any) -> bytes:
    import json

    return b" " + json.dumps(row, separators=(",", ":")).encode()


def loads(data: bytes) -> Any:
    """What `dumps` wrote."""
    if _fast is not None and data[:1] != b" ":
        return _fast.loads(data)
    import json

    return json.loads(data)


def _import() -> Any:
    try:
        import orjson
    except ImportError:  # pragma: no cover - it is there wherever Duly was installed by its own list
        return None
    return orjson


_fast = _import()
