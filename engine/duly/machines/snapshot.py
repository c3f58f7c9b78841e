"""Snapshots: a clock at an instant, as a decision shows it."""

from __future__ import annotations

from duly.calendars.limits import BeyondCalendar
from duly.instants import render, seconds
from duly.machines.ladder import timetable
from duly.machines.run import OPEN, STOPPED, Run, due_when, elapsed, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.machines.clock import Clock
    from duly.machines.ladder import Ladder


def state_of(clock: Clock, run: Run) -> str:
    """The word of interface.md §3 for where a run stands."""
    phase = run.phase
    if phase is not OPEN and phase is not STOPPED:
        return phase
    if clock.before is None and (run.target is None or run.target.none):
        return "none"
    if phase is OPEN:
        return "paused" if run.since is None else "running"
    return "breached" if run.breached(0) else "met"


def clock(
    clock: Clock, run: Run, now: int, ladders: Mapping[str, Ladder], errors: list[dict[str, Any]]
) -> dict[str, Any]:
    """The clock of interface.md §3: target, due, what has run and what remains, warnings, the ladder.

    What lies beyond the facts of a calendar is left out, and said in `errors`.
    """
    state, target = state_of(clock, run), run.target
    rule = None if target is None else target.rule
    if state == "not_started" or state == "unknown":
        return {"clock": clock.id, "cycle": run.cycle, "target": rule, "owner": clock.owner, "state": state}
    until = now if run.ended_at is None else run.ended_at
    ran = elapsed(run, until)
    shown: dict[str, Any] = {
        "clock": clock.id,
        "cycle": run.cycle,
        "target": rule,
        "owner": clock.owner,
        "state": state,
        "within": None if target is None else target.text,
        "calendar": (run.calendar or clock.calendar).name,
        "started_at": render(run.started_at),
        "due_at": None,
        "remaining_seconds": None,
        "elapsed_seconds": seconds(ran),
        "overdue_seconds": 0,
        "breached": False,
        "warn_at": [],
        "ladder": [],
    }
    if clock.before is not None and target is None:
        shown["target"] = clock.rule
        shown["before"] = clock.before_text
    source = clock.source if target is None else target.source or clock.source
    if source:
        shown["source"] = source
    if run.ended_at is not None:
        shown["ended_at"] = render(run.ended_at)
    if state == "none":
        return shown
    try:
        _promise(shown, clock, run, until, ran)
        if run.due is not None and run.ended_at is None:
            if clock.warn:
                shown["warn_at"] = [render(at) for part in clock.warn if (at := share(run, part)) is not None]
            climbed = clock.ladder if run.climb is None else run.climb.ladder or clock.ladder
            if climbed is not None:
                shown["ladder"] = _ladder(ladders[climbed], run)
    except BeyondCalendar as error:
        errors.append({"code": "beyond_calendar", "message": error.message, "rule": clock.rule})
    return shown


def _promise(shown: dict[str, Any], clock: Clock, run: Run, until: int, ran: int) -> None:
    """When it is due, and how far that is off, in open time of the calendar in force."""
    calendar = run.calendar or clock.calendar
    target, due = run.target, run.due
    amount = 0 if target is None or target.counts_days else target.amount
    if run.breached_by_change:
        shown["reason"] = "breached_by_change"
    elif run.late:
        shown["reason"] = "born_late"
    if run.since is None and run.ended_at is None:
        shown["paused_at"] = None if run.paused_at is None else render(run.paused_at)
        if due is None:
            shown["due_if_resumed_now"] = None
            if amount:
                shown["remaining_seconds"] = seconds(amount - ran)
            due = due_when(run, until)
            shown["due_if_resumed_now"] = None if due is None else render(due)
    if run.due is not None:
        shown["due_at"] = render(run.due)
    if due is None:
        return
    if calendar.spec.get("beyond_calendar") == "estimate" and calendar.is_estimate(due):
        shown["estimated"] = True
    if until > due:
        shown["breached"] = True
        shown["remaining_seconds"] = 0
        if amount:
            late = ran - amount  # what had run at the due is what was promised
        elif target is not None and target.field is None:
            late = ran - elapsed(run, due)
        else:
            # What is promised as an instant is late by the calendar, though the clock may have stood still.
            late = calendar.elapsed(due, until)
        shown["overdue_seconds"] = seconds(late)
    else:
        shown["remaining_seconds"] = seconds(amount - ran if amount else calendar.elapsed(until, due))


def _ladder(ladder: Ladder, run: Run) -> list[dict[str, Any]]:
    return [
        {"ladder": ladder.id, "step": step.id, "loop": loop, "at": render(at), "do": step.actions}
        for at, loop, step in timetable(ladder, run)
    ]
