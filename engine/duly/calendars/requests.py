"""Requests: business-time arithmetic asked and answered in JSON, one request at a time.

`{"op": "due" | "elapsed" | "next_open" | "is_open" | "intervals", "calendar": name or a calendar as in a
Calendar document, "start": …}` and, by op, `within`, `direction`, `end`, `pauses`; an `id` comes back.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from duly import durations, instants
from duly.calendars.calendar import Calendar
from duly.calendars.calendars import ALWAYS, Calendars
from duly.calendars.facts import holiday_facts
from duly.calendars.limits import BeyondCalendar, NoWorkingDays
from duly.calendars.resolution import Facts, resolve
from duly.diagnostics import Path, did_you_mean, render_path

LONGEST = 256 * 1024
"""The longest request, in bytes."""
_KEYS = ("op", "calendar", "start", "end", "within", "direction", "pauses", "id")
_KEPT = 1_000


class Refused(ValueError):
    """A request that cannot be answered: a stable code, a message, and the place within the request."""

    def __init__(self, code: str, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = render_path(path)


class Requests:
    """Answers requests about named calendars (resolved JSON by name), `always`, and inline ones."""

    def __init__(
        self, specs: Mapping[str, dict[str, Any]], timezone: str | None = None, facts: Facts = holiday_facts
    ) -> None:
        """`timezone` is the zone of inline calendars that name none, `facts` where their holidays come from."""
        self._named = Calendars(specs)
        self._timezone = timezone
        self._inline: dict[str, Calendar | Refused] = {}
        self._facts = cache(facts)

    def answer_text(self, line: bytes) -> dict[str, Any]:
        """The answer to one request as JSON text. Raises Refused."""
        if len(line) > LONGEST:
            raise Refused("too-long", f"a request is at most {LONGEST // 1024} KiB long")
        try:
            request = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as fault:
            raise Refused("not-utf-8", f"the line is not UTF-8 at byte {fault.start + 1}") from None
        except json.JSONDecodeError as fault:
            raise Refused("not-json", f"no JSON: {fault.msg.lower()} at column {fault.colno}") from None
        except (RecursionError, ValueError) as fault:
            message = "nested too deeply" if isinstance(fault, RecursionError) else "a number is too long"
            raise fault if isinstance(fault, Refused) else Refused("not-json", message) from None
        return self.answer(request)

    def answer(self, request: object) -> dict[str, Any]:
        """The answer to one request. Raises Refused."""
        if not isinstance(request, dict):
            raise Refused("not-a-request", 'a request is an object such as {"op": "due", …}')
        for key in request.keys() - set(_KEYS):
            if near := difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.8):
                raise Refused("unknown-key", f"unknown key `{key}`; did you mean `{near[0]}`?", (key,))
        op = request.get("op")
        if not isinstance(op, str) or op not in _OPS:
            hint = did_you_mean(str(op), _OPS)
            raise Refused("unknown-op", f"unknown op `{op}`; {hint}" if op else "`op` is missing", ("op",))
        calendar = self.calendar(request.get("calendar", ALWAYS))
        try:
            answer: dict[str, Any] = _OPS[op](calendar, request)
        except BeyondCalendar as fault:
            raise Refused("beyond-calendar", fault.message) from None
        except NoWorkingDays as fault:
            hint = "give it `working_days`, such as `cn_civil_code`"
            raise Refused("no-working-days", f"{fault}; {hint}", ("calendar",)) from None
        return {"id": request["id"], **answer} if "id" in request else answer

    def calendar(self, asked: object) -> Calendar:
        """A calendar by its name, or written inline. Raises Refused."""
        if isinstance(asked, str):
            if asked not in self._named:
                raise Refused(
                    "unknown-calendar",
                    "; ".join(
                        filter(None, (f"unknown calendar `{asked}`", did_you_mean(asked, self._named)))
                    ),
                    ("calendar",),
                )
            return self._named[asked]
        key = json.dumps(asked)
        found = self._inline.get(key)
        if found is None:
            if len(self._inline) >= _KEPT:
                self._inline.pop(next(iter(self._inline)))
            found = self._inline[key] = self._built(asked)
        if isinstance(found, Refused):
            raise found
        return found

    def _built(self, asked: object) -> Calendar | Refused:
        resolved, faults = resolve({"calendar": asked}, self._timezone, self._facts)
        if "calendar" in resolved:
            return Calendars(resolved)["calendar"]
        fault = next(fault for fault in faults if fault.severity == "error")
        return Refused(fault.code, "; ".join(filter(None, (fault.message, fault.help))), fault.path)


def _refuse_constant(text: str) -> object:
    raise Refused("not-json", f"`{text}` is not JSON")


def _due(calendar: Calendar, request: dict[str, Any]) -> dict[str, Any]:
    start, within = _instant(request, "start"), _within(calendar, request)
    direction = request.get("direction", "forward")
    if direction not in ("forward", "backward"):
        raise Refused(
            "bad-direction", f"`direction` is forward or backward, not `{direction}`", ("direction",)
        )
    back, pauses = direction == "backward", _pauses(request)
    if within.unit != durations.WORKING_DAYS:
        if within.amount == 0 and not back:
            start = _first_counted(calendar, start, pauses)
        due = (calendar.due_back if back else calendar.due)(start, within.amount, pauses)
    elif not back:
        due = calendar.due_working_days(start, within.amount, None, pauses)
    elif pauses:
        raise Refused("bad-pauses", "working days cannot be counted backward around pauses", ("pauses",))
    else:
        due = calendar.due_back_working_days(start, within.amount)
    return {"due_at": _rendered(due), **_estimate(calendar, start, due)}


def _first_counted(calendar: Calendar, start: int, pauses: list[tuple[int, int]]) -> int:
    """The first open moment outside `pauses`: what 0 s from `start` means, as 0 s back is the last one.

    A *target* of 0 is due at its start (semantics 1.2): that is what Calendar.due gives.
    """
    start = calendar.next_open(start)
    for pause, resume in sorted(pauses):
        if pause <= start < resume:
            start = calendar.next_open(resume)
    return start


def _elapsed(calendar: Calendar, request: dict[str, Any]) -> dict[str, Any]:
    start, end = _instant(request, "start"), _instant(request, "end")
    open_time = calendar.elapsed(start, end, _pauses(request))
    _sound(calendar, start, end)
    return {"elapsed_seconds": instants.seconds(open_time), **_estimate(calendar, start, end)}


def _next_open(calendar: Calendar, request: dict[str, Any]) -> dict[str, Any]:
    found = calendar.next_open(_instant(request, "start"))
    return {"open_at": _rendered(found), **_estimate(calendar, found)}


def _is_open(calendar: Calendar, request: dict[str, Any]) -> dict[str, Any]:
    start = _instant(request, "start")
    _sound(calendar, start)
    return {"open": calendar.is_open(start), **_estimate(calendar, start)}


def _intervals(calendar: Calendar, request: dict[str, Any]) -> dict[str, Any]:
    start, end = _instant(request, "start"), _instant(request, "end")
    found = [[_rendered(low), _rendered(high)] for low, high in calendar.intervals(start, end)]
    _sound(calendar, start, end)
    return {"intervals": found, **_estimate(calendar, start, end)}


_OPS = {
    "due": _due,
    "elapsed": _elapsed,
    "next_open": _next_open,
    "is_open": _is_open,
    "intervals": _intervals,
}


def _instant(request: dict[str, Any], key: str) -> int:
    if key not in request:
        raise Refused("missing-key", f"`{key}` is missing", (key,))
    return _parsed(request[key], (key,))


def _parsed(value: object, path: Path) -> int:
    try:
        return instants.parse(value)  # type: ignore[arg-type]
    except ValueError as fault:
        raise Refused("bad-instant", str(fault), path) from None


def _rendered(instant: int) -> str:
    try:
        return instants.render(instant)
    except (ValueError, OverflowError):
        raise Refused("beyond-calendar", "the answer lies outside the years 1 to 9999") from None


def _within(calendar: Calendar, request: dict[str, Any]) -> durations.Duration:
    """A duration of the language, or a number of seconds."""
    value = request.get("within")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value < 1e13 or not math.isfinite(value):
            raise Refused("bad-duration", "`within` is a number of seconds from 0", ("within",))
        return durations.Duration(durations.OPEN, round(value * instants.SECOND), str(value))
    if value is None:
        raise Refused("missing-key", "`within` is missing", ("within",))
    try:
        within = durations.parse(value)  # type: ignore[arg-type]
    except ValueError as fault:
        raise Refused("bad-duration", str(fault), ("within",)) from None
    if within.unit == durations.PLAIN and calendar.name != ALWAYS:
        hint = "write hours, working days such as `2wd`, or use `always`"
        raise Refused(
            "bad-duration", f"`{value}` is plain days, which no calendar counts; {hint}", ("within",)
        )
    return within


def _pauses(request: dict[str, Any]) -> list[tuple[int, int]]:
    value = request.get("pauses", [])
    if not isinstance(value, list):
        raise Refused("bad-pauses", "`pauses` is a list of [from, to]", ("pauses",))
    pauses = []
    for index, pair in enumerate(value):
        if not isinstance(pair, list) or len(pair) != 2:
            raise Refused("bad-pauses", "a pause is [from, to]", ("pauses", index))
        start, end = (_parsed(edge, ("pauses", index, side)) for side, edge in enumerate(pair))
        if end < start:
            raise Refused("bad-pauses", "the pause ends before it begins", ("pauses", index))
        pauses.append((start, end))
    return pauses


def _sound(calendar: Calendar, *moments: int) -> None:
    """Refuse what rests on unconfirmed holidays where the calendar wants no estimates."""
    if calendar.spec.get("beyond_calendar", "error") == "error" and calendar.is_estimate(*moments):
        raise calendar.beyond("this time", back=not calendar.is_estimate(max(moments)))


def _estimate(calendar: Calendar, *moments: int) -> dict[str, bool]:
    return {"estimate": True} if calendar.is_estimate(*moments) else {}
