"""Ladders at run time: the timetable of the steps that a clock sets off."""

from __future__ import annotations

from duly.calendars.limits import BeyondCalendar
from duly.conditions.predicates import predicate
from duly.machines.run import Run, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.calendars.calendar import Calendar
    from duly.calendars.calendars import Calendars


class Step:
    """One step: `base` is `share`, `due` or `start`; `offset` is µs from it, `percent` the share used up."""

    __slots__ = (
        "actions", "base", "id", "kind", "number", "offset", "percent", "rule", "source", "tells", "unless",
    )  # fmt: skip

    def __init__(self, spec: Mapping[str, Any], number: int) -> None:
        self.number = number
        self.tells = any("notify" in action or "message" in action for action in spec["do"])
        self.unless = None if spec.get("unless") is None else predicate(spec["unless"])
        self.id: str = spec["id"]
        self.rule: str = spec["rule"]
        self.base: str = spec["base"]
        self.percent: float = spec.get("percent", 0)
        self.offset: int = spec.get("offset", 0)
        self.actions: list[dict[str, Any]] = spec["do"]
        self.kind: str | None = spec.get("kind")
        self.source: list[str] = spec.get("source", [])


class Ladder:
    """One ladder of an Escalation, compiled. `loops` is how often its steps are gone through, `every` the
    µs between two rounds; `calendar` is what offsets count in, None for the clock's own.
    """

    __slots__ = (
        "calendar", "catch_up", "every", "id", "lease", "loops", "on_empty", "on_exhausted", "quiet", "restarts",
        "rule", "source", "steps",
    )  # fmt: skip

    def __init__(self, spec: Mapping[str, Any], calendars: Calendars) -> None:
        self.id: str = spec["id"]
        self.rule: str = spec["rule"]
        self.source: list[str] = spec.get("source", [])
        self.steps = [Step(step, number) for number, step in enumerate(spec["steps"])]
        self.on_empty: str | dict[str, str] = spec["on_empty"]
        self.on_exhausted: list[dict[str, Any]] = spec["on_exhausted"]
        self.catch_up: str = spec["catch_up"]
        lease = spec.get("acknowledge")
        self.lease: dict[str, Any] | None = None if lease is None else lease["lease"]
        self.restarts: bool = lease is not None and lease["on_expiry"] == "restart"
        quiet = spec.get("quiet")
        self.quiet = None if quiet is None or quiet["mode"] != "defer" else calendars[quiet["calendar"]]
        self.loops: int = spec.get("loops", 1)
        self.every: int = spec.get("every", 0)
        name = spec.get("calendar")
        self.calendar = None if name is None else calendars[name]


def timetable(
    ladder: Ladder, run: Run, lost: list[tuple[str, BeyondCalendar]] | None = None
) -> list[tuple[int, int, Step]]:
    """Every step as (instant, loop, step) in order of time, from the run's start and due (semantics §3.1).

    Empty while there is no due: a paused clock, or one without a promise. Steps whose instant lies beyond the
    facts of a calendar go to `lost`, as (rule, error); without it BeyondCalendar is raised.
    """
    if run.due is None or run.calendar is None:
        return []
    calendar = ladder.calendar or run.calendar
    rows: list[tuple[int, int, Step]] = []
    latest, in_order = run.started_at, ladder.loops == 1
    for step in ladder.steps:
        try:
            first = _first(step, run, calendar)
            if first is None:
                continue
            rows.append((first, 0, step))
            for loop in range(1, ladder.loops):
                rows.append((calendar.due(first, loop * ladder.every), loop, step))
        except BeyondCalendar as error:
            if lost is None:
                raise
            lost.append((step.rule, error))
        else:
            in_order = in_order and first >= latest
            latest = first
    if not in_order:
        rows.sort(key=lambda row: (row[0], row[1], row[2].number))
    return rows


def _first(step: Step, run: Run, calendar: Calendar) -> int | None:
    if step.base == "share":
        return share(run, step.percent)
    assert run.due is not None
    origin = run.due if step.base == "due" else run.started_at
    if step.offset == 0:
        return origin
    if step.offset > 0:
        return calendar.due(origin, step.offset)
    return max(calendar.due_back(origin, -step.offset), run.started_at)
