"""Triggers: the events, and the states, on which something begins, ends or stands still."""

from __future__ import annotations

from typing import Any

from duly.conditions.packing import pack_condition
from duly.diagnostics import Path
from duly.kinds.scope import Sheet, fields_of

Trigger = tuple[str, Any]
"""An event type and the packed condition under which it counts, or None."""


def events(sheet: Sheet, data: Any, path: Path) -> list[Trigger]:
    """The triggers that an event type, `{on, when}` or a list of these says."""
    if data is None:
        return []
    if isinstance(data, list):
        return [found for number, each in enumerate(data) for found in events(sheet, each, (*path, number))]
    if isinstance(data, str):
        sheet.event(data, path)
        return [(data, None)]
    sheet.event(data["on"], (*path, "on"))
    return [(data["on"], sheet.packed(data.get("when"), (*path, "when"), events={data["on"]}))]


def names(triggers: list[Trigger]) -> list[str]:
    """The event types of triggers, without repeats."""
    return list(dict.fromkeys(name for name, _ in triggers))


def state(sheet: Sheet, data: Any, path: Path) -> tuple[Any, set[str]]:
    """The packed state condition that stands where events could stand too, and the fields it reads."""
    if not isinstance(data, dict) or "on" in data:
        return None, set()
    tree = sheet.condition(data, path)
    return pack_condition(tree), fields_of(tree)
