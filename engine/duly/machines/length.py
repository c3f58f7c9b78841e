"""Lengths at run time: a duration of the language laid along a calendar."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.calendars.calendar import Calendar


def after(calendar: Calendar, start: int, length: Mapping[str, Any]) -> int:
    """The instant that lies `length` after `start`.

    `length` is a compiled duration, `{"unit", "amount", "text"}`: open time and working days count in
    `calendar`, plain days are 24 hours each whatever the calendar.
    """
    unit, amount = length["unit"], length["amount"]
    if unit == "working_days":
        return calendar.due_working_days(start, amount)
    if unit == "plain":
        return int(start + amount)
    return calendar.due(start, amount)
