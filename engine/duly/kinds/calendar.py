"""Calendars: the working time of a policy set, resolved with the facts they rest on."""

from __future__ import annotations

from typing import Any

from duly.calendars.resolution import Facts, resolve
from duly.kinds.scope import Sheet

CODES = {
    "calendar-shape": "D401", "missing-key": "D402", "missing-timezone": "D403", "unknown-time-zone": "D404",
    "unknown-country": "D405", "unknown-subdivision": "D406", "bad-time": "D407", "empty-interval": "D408",
    "overlapping-hours": "D409", "weekday-twice": "D410", "unknown-weekday": "D411", "impossible-date": "D412",
    "date-out-of-range": "D413", "reversed-range": "D414", "era-twice": "D415", "date-contradiction": "D416",
    "unconfirmed-holidays": "D417", "no-open-time": "D418", "closed-for-good": "D419", "calendar-cycle": "D420",
    "two-combinations": "D421", "unknown-calendar": "D422", "reserved-name": "D423",
}  # fmt: skip


_KEYS = frozenset(("weekday-twice", "unknown-weekday", "unknown-key", "date-contradiction"))
"""Faults of a key and not of what stands behind it."""


def names(sheet: Sheet) -> list[str]:
    """The calendars that a document declares."""
    return list(sheet.spec["calendars"])


def compile(sheets: list[Sheet], timezone: str | None, facts: Facts) -> dict[str, dict[str, Any]]:
    """The calendars of all Calendar documents that have no faults, by name, as the runtime reads them."""
    written: dict[str, Any] = {}
    home: dict[str, Sheet] = {}
    twice: set[str] = set()
    for sheet in sheets:
        beyond = sheet.spec.get("beyond_calendar")
        for name, spec in sheet.spec["calendars"].items():
            if not sheet.unique("calendar", name, ("spec", "calendars", name), key=True):
                twice.add(name)
            inherits = beyond is not None and isinstance(spec, dict)
            written.setdefault(name, {"beyond_calendar": beyond, **spec} if inherits else spec)
            home.setdefault(name, sheet)
    resolved, faults = resolve(written, timezone, facts)
    for fault in faults:
        name = str(fault.path[0]) if fault.path else ""
        sheet = home.get(name) or sheets[0]
        if fault.code == "unknown-calendar" and "Calendar" in sheet.scope.lost:
            continue
        key = len(fault.path) == 1 or fault.code in _KEYS or fault.path[-2:-1] == ("dates",)
        sheet.fault(CODES.get(fault.code, "D400"), fault.message, ("spec", "calendars", *fault.path), key=key,
                    help=fault.help, severity=fault.severity)  # fmt: skip
    return {name: resolved[name] for name in sorted(resolved) if name not in twice}
