"""Quiet hours: when people are not to be told anything that can wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from duly.calendars.calendars import Calendars
from duly.calendars.limits import BeyondCalendar
from duly.hosts.delivery.severity import NOTICES, severity


@dataclass(frozen=True, slots=True)
class Quiet:
    """The calendar in whose open time notifications go out, and the severities that go at any time."""

    calendar: str
    through: frozenset[str] = frozenset()


def until(
    action: Mapping[str, Any],
    sink: Quiet | None,
    recipients: Sequence[Quiet | None],
    calendars: Calendars,
    now: int,
) -> int | None:
    """When a notification may go out that may not go now; None where it may.

    `sink` holds for all that the sink sends, `recipients` are those of each recipient: as long as one of them
    may be told, it goes. What no calendar can answer is not put off: nothing is dropped.
    """
    if action["type"] not in NOTICES:
        return None
    weight = severity(action)
    at = now
    for _ in range(_TRIES):
        ready = _opens(sink, calendars, weight, at)
        if recipients:
            ready = min(_opens(each, calendars, weight, ready) for each in recipients)
        if ready == at:
            return None if at == now else at
        at = ready
    return None


_TRIES = 64
"""Hours that have not met by then, of a sink and its recipients, never do."""


def _opens(quiet: Quiet | None, calendars: Calendars, weight: str, at: int) -> int:
    if quiet is None or weight in quiet.through or quiet.calendar not in calendars:
        return at
    try:
        return calendars[quiet.calendar].next_open(at)
    except BeyondCalendar:
        return at
