"""How far calendars reach, and what is raised beyond."""

from __future__ import annotations

from duly.instants import DAY

FIRST_YEAR = 1900
LAST_YEAR = 2199
FIRST_DAY = -25_567
"""1900-01-01, in days since 1970-01-01."""
LAST_DAY = 84_005
"""2199-12-31, in days since 1970-01-01."""
FIRST = FIRST_DAY * DAY
LAST = (LAST_DAY + 1) * DAY
NEVER = 1 << 62
"""An instant later than every other one."""


class BeyondCalendar(ValueError):
    """An answer lies where the calendar has no facts: past its confirmed holidays, or past the horizon.

    `confirmed_through` is the last confirmed local date (`2026-12-31`), or None where no facts are missing
    and the search ran to the horizon (the year 2199) without enough open time.
    """

    def __init__(self, message: str, confirmed_through: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.confirmed_through = confirmed_through


class NoWorkingDays(ValueError):
    """Working days were asked of a calendar that does not say how they count."""
