"""The account of a clock: every second from its start to its due, its end or now, and what it counted for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duly.calendars.calendar import Calendar
    from duly.machines.run import Run

PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch of time: from, to (exclusive), its kind (`open`, `closed`, `holiday`, `closed_date`,
    `paused`), a label such as the holiday's name, and the calendar it was read in. Only open time counts.
    """

    start: int
    end: int
    kind: str
    label: str
    calendar: str

    @property
    def counted(self) -> int:
        """What the stretch adds to the clock, in µs."""
        return self.end - self.start if self.kind == "open" else 0


def account(run: Run, now: int) -> list[Row]:
    """Rows without gaps from the run's start to its end; of an open run, to the later of its due and now."""
    if run.calendar is None or run.cycle == 0:
        return []
    end = max(run.due or run.started_at, now) if run.ended_at is None else run.ended_at
    rows: list[Row] = []
    place = run.started_at
    for start, until, calendar in run.stretches:
        rows += _still(place, start, calendar)
        rows += _read(calendar, start, until)
        place = until
    if run.since is not None:
        rows += _still(place, run.since, run.calendar)
        rows += _read(run.calendar, max(run.since, place), end)
    else:
        rows += _still(place, end, run.calendar)
    return merged(rows)


def _still(start: int, end: int, calendar: Calendar) -> list[Row]:
    return [Row(start, end, PAUSED, "", calendar.name)] if start < end else []


def _read(calendar: Calendar, start: int, end: int) -> list[Row]:
    if start >= end:
        return []
    return [
        Row(low, high, kind, label, calendar.name) for low, high, kind, label in calendar.segments(start, end)
    ]


def merged(rows: list[Row]) -> list[Row]:
    """Neighbours of one kind and label as one row."""
    found: list[Row] = []
    for row in rows:
        last = found[-1] if found else None
        same = last is not None and (last.kind, last.label, last.calendar) == (
            row.kind,
            row.label,
            row.calendar,
        )
        if last is not None and same and last.end == row.start:
            found[-1] = replace(last, end=row.end)
        else:
            found.append(row)
    return found
