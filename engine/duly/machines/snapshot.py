"""Snapshots: a clock at an instant, as a decision shows it."""

from __future__ import annotations

from duly.instants import render, seconds
from duly.machines.ladder import timetable
from duly.machines.lead import born_late
from duly.machines.run import CANCELLED, FAILED, NOT_STARTED, STOPPED, Run, due_when, elapsed, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.machines.clock import Clock
    from duly.machines.ladder import Ladder


def state_of(clock: Clock, run: Run) -> str:
    """The word of interface.md §3 for where a run stands."""
    phase = run.phase
    if phase is NOT_STARTED or phase is CANCELLED or phase is FAILED:
        return phase
    if clock.before is None and (run.target is None or run.target.none):
        return "none"
    if phase is STOPPED:
        return "breached" if run.breached(0) else "met"
    return "running" if run.since is not None else "paused"


def clock(clock: Clock, run: Run, now: int, ladders: Mapping[str, Ladder]) -> dict[str, Any]:
    """The clock of interface.md §3: target, due, what has run and what remains, warnings, the ladder."""
    state = state_of(clock, run)
    target = run.target
    shown: dict[str, Any] = {
        "clock": clock.id,
        "cycle": run.cycle,
        "target": None if target is None else target.rule,
        "owner": clock.owner,
        "state": state,
    }
    if state == "not_started" or state == "unknown":
        return shown
    if target is not None:
        shown["within"] = target.text
        source = target.source or clock.source
    else:
        shown["within"] = None
        source = clock.source
        if clock.before is not None:
            shown["target"] = clock.rule
            shown["before"] = clock.before_text
    shown["calendar"] = (run.calendar or clock.calendar).name
    until = now if run.ended_at is None else run.ended_at
    ran = elapsed(run, until)
    shown["started_at"] = render(run.started_at)
    shown["due_at"] = None
    shown["remaining_seconds"] = None
    shown["elapsed_seconds"] = seconds(ran)
    shown["overdue_seconds"] = 0
    shown["breached"] = False
    shown["warn_at"] = []
    shown["ladder"] = []
    if source:
        shown["source"] = source
    if run.ended_at is not None:
        shown["ended_at"] = render(run.ended_at)
    if state == "none":
        return shown
    _promise(shown, clock, run, until, ran)
    if run.due is not None and run.ended_at is None:
        if clock.warn:
            shown["warn_at"] = [render(at) for at in (share(run, percent) for percent in clock.warn) if at is not None]
        if clock.ladder is not None:
            shown["ladder"] = _ladder(ladders[clock.ladder], run)
    return shown


def _promise(shown: dict[str, Any], clock: Clock, run: Run, until: int, ran: int) -> None:
    """When it is due, and how far that is off, in open time of the calendar in force."""
    calendar = run.calendar or clock.calendar
    due = run.due
    if run.breached_by_change:
        shown["reason"] = "breached_by_change"
    elif clock.before is not None and born_late(clock, run):
        shown["reason"] = "born_late"
    if due is not None:
        shown["due_at"] = render(due)
    elif run.since is None and run.ended_at is None:
        due = due_when(run, until)
        shown["paused_at"] = None if run.paused_at is None else render(run.paused_at)
        shown["due_if_resumed_now"] = None if due is None else render(due)
    if due is None:
        return
    if until > due:
        shown["breached"] = True
        shown["remaining_seconds"] = 0
        shown["overdue_seconds"] = seconds(calendar.elapsed(due, until))
    elif run.target is not None and run.target.amount and not run.target.counts_days:
        shown["remaining_seconds"] = seconds(run.target.amount - ran)
    else:
        shown["remaining_seconds"] = seconds(calendar.elapsed(until, due))


def _ladder(ladder: Ladder, run: Run) -> list[dict[str, Any]]:
    return [
        {"ladder": ladder.id, "step": step.id, "loop": loop, "at": render(at), "do": step.actions}
        for at, loop, step in timetable(ladder, run)
    ]
