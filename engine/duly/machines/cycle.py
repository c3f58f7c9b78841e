"""Cycles: what events do to a clock, as a pure function of a case's events."""

from __future__ import annotations

from duly.calendars.limits import BeyondCalendar
from duly.machines.clock import CANCEL, PAUSE, REOPEN, RESET, RESUME, START, STOP
from duly.machines.run import CANCELLED, NOT_STARTED, OPEN, STOPPED, Run, due_when

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.machines.clock import Clock

    Facts = Mapping[str, Any]
    Deeds = Sequence[tuple[int, Facts]]


def advance(clock: Clock, run: Run, at: int, deeds: Deeds, facts: Facts, looks: bool) -> Run:
    """The clock's run after the deeds of one instant, in their order; a new Run where a new cycle began.

    Each deed comes with what its event carries. `facts` are the case after the instant; `looks` says that there are
    deeds, or that a field which the clock watches or its targets read may have changed, so that states and targets
    are looked at again.
    """
    for deed, payload in deeds:
        run = _do(clock, run, at, deed, facts, payload)
    if not looks:
        return run
    if clock.while_ is not None:
        run = _follow(clock, run, at, facts)
    if run.phase is not OPEN:
        return run
    if clock.cancel_while is not None and clock.cancel_while(facts):
        end(run, at, CANCELLED)
        return run
    if run.started_at != at or not deeds:
        rematch(clock, run, at, facts)
    if clock.pause_while is not None or clock.resume_while is not None:
        _pause_by_state(clock, run, at, facts)
    return run


def _do(clock: Clock, run: Run, at: int, deed: int, facts: Facts, payload: Facts) -> Run:
    if deed == START:
        if run.phase is OPEN:
            return run
        if payload:
            facts = {**facts, **payload}
        return start(clock, run, at, facts) if _may_start(clock, facts) else run
    if deed == REOPEN:
        if run.phase is not STOPPED:
            return run
        if clock.reopen == "new_cycle":
            facts = {**facts, **payload}
            return start(clock, run, at, {**run.start_facts, **facts}) if _may_start(clock, facts) else run
        run.phase = OPEN
        run.held = run.freed = False
        run.paused_at = run.ended_at if run.paused_at is None else run.paused_at
        run.ended_at = None
        resume(run, at)
    elif run.phase is not OPEN:
        return run
    elif deed == STOP:
        if clock.every:
            return _next_period(clock, run, at, {**facts, **payload})
        end(run, at, STOPPED)
    elif deed == CANCEL:
        end(run, at, CANCELLED)
    elif deed == RESET:
        _reset(clock, run, at, {**run.start_facts, **facts, **payload})
    elif deed == PAUSE:
        pause(run, at)
    elif deed == RESUME:
        resume(run, at)
    return run


def _may_start(clock: Clock, facts: Facts) -> bool:
    """Whether no state forbids a start: one that cancels the clock, or the lack of the one that carries it."""
    if clock.cancel_while is not None and clock.cancel_while(facts):
        return False
    return clock.while_ is None or clock.while_(facts)


def start(clock: Clock, run: Run, at: int, facts: Facts) -> Run:
    """The first, or the next, cycle of the clock, started at `at`."""
    fresh = Run(run.cycle + 1)
    fresh.phase = OPEN
    fresh.alive = run.alive
    fresh.started_at = fresh.since = at
    _promise(clock, fresh, facts)
    return fresh


def _reset(clock: Clock, run: Run, at: int, facts: Facts) -> None:
    """Begin the same cycle anew; a pause goes on."""
    run.started_at = at
    run.stretches = run.pauses = ()
    run.since = at if run.paused_at is None else None
    if run.paused_at is not None:
        run.paused_at = at
    run.breached_by_change = False
    _promise(clock, run, facts)


def _promise(clock: Clock, run: Run, facts: Facts) -> None:
    """What the facts promise, and when that is due."""
    run.facts = facts
    if clock.reads_event:
        run.start_facts = {name: value for name, value in facts.items() if name.startswith("event.")}
    target = run.target = clock.match if clock.fixed else clock.matched(facts)
    if target is None:
        run.calendar = clock.calendar
        run.promised = run.due = None
    else:
        run.calendar = target.calendar
        run.promised = None if target.field is None else facts.get(target.field)
        run.due = due_when(run, run.since)
    run.matched = target, run.promised


def end(run: Run, at: int, phase: str) -> None:
    """Stop or cancel: the due stays as it stood, so that the verdict can be told."""
    if run.since is None:
        try:
            run.due = due_when(run, at)
        except BeyondCalendar:
            run.due = None  # It stood still before its due, so it is not late, whenever that would have been.
    elif run.calendar is not None and run.since < at:
        run.stretches += ((run.since, at, run.calendar),)
    run.since = None
    run.ended_at = at
    run.phase = phase


def pause(run: Run, at: int) -> None:
    """Stand still from `at` on; nothing where the clock stands still already. A due that has come stays."""
    if run.since is None:
        return
    if run.calendar is not None and run.since < at:
        run.stretches += ((run.since, at, run.calendar),)
    run.since = None
    run.paused_at = at
    if run.due is not None and run.due > at:
        run.due = None


def resume(run: Run, at: int) -> None:
    """Run again from `at` on; nothing where the clock runs."""
    if run.paused_at is None:
        return
    if run.paused_at < at:
        run.pauses += ((run.paused_at, at),)
    run.paused_at = None
    run.since = at
    run.due = due_when(run, at)


def _pause_by_state(clock: Clock, run: Run, at: int, facts: Facts) -> None:
    """Where `resume` is written, entering the one state pauses and entering the other resumes; else being in
    the state pauses.
    """
    asked = clock.pause_while is not None and clock.pause_while(facts)
    freed = clock.resume_while is not None and clock.resume_while(facts)
    if not clock.edges:
        if asked:
            pause(run, at)
        elif run.held:
            resume(run, at)
    elif asked and not run.held:
        pause(run, at)
    elif freed and not run.freed:
        resume(run, at)
    run.held, run.freed = asked, freed


def rematch(clock: Clock, run: Run, at: int, facts: Facts) -> None:
    """Match the targets again and, where another one holds now, answer as `on_change` says (§2.5)."""
    if run.start_facts:
        facts = {**facts, **run.start_facts}
    target = clock.match if clock.fixed else clock.matched(facts)
    promised = facts.get(target.field) if target is not None and target.field is not None else None
    before, run.matched = run.matched, (target, promised)
    if target is run.target and promised == run.promised:
        run.facts = facts
        return
    if run.matched == before:
        return
    now = at if run.since is None else run.since
    old, old_due, old_promised, old_calendar = run.target, due_when(run, now), run.promised, run.calendar
    calendar = clock.calendar if target is None else target.calendar
    moved = run.since is not None and calendar is not old_calendar and run.since < at
    if moved and run.since is not None and old_calendar is not None:
        run.stretches += ((run.since, at, old_calendar),)
        run.since = at
    run.target, run.promised, run.calendar = target, promised, calendar
    new_due = due_when(run, at if run.since is None else run.since)
    stricter = new_due is not None and (old_due is None or new_due < old_due)
    answer = clock.stricter if stricter else clock.looser
    if answer == "keep_target" and new_due != old_due:
        run.target, run.promised, run.calendar = old, old_promised, old_calendar
        if moved:
            run.since = run.stretches[-1][0]
            run.stretches = run.stretches[:-1]
        return
    run.facts = facts
    if answer == "restart" and new_due != old_due:
        run.started_at, run.stretches, run.pauses = at, (), ()
        run.since = None if run.since is None else at
        run.paused_at = None if run.paused_at is None else at
    run.due = due_when(run, run.since)
    judge_change(run, at, old_due)


def inherit(clock: Clock, run: Run, old: Clock, facts: Facts, *, same_time: bool) -> None:
    """Go on as another revision's clock of the same id. A target that promises the same is simply the new one;
    `same_time` says that the calendars of both revisions are equal. Any other is left to be matched again.
    """
    given = {old.warn[number] for number in run.warned if number < len(old.warn)}
    run.warned = {number for number, percent in enumerate(clock.warn) if percent in given}
    if not same_time or run.target is None:
        return
    target = clock.match if clock.fixed else clock.matched({**facts, **run.start_facts})
    if target is not None and target.meaning() == run.target.meaning():
        run.target, run.calendar = target, target.calendar
        run.matched = target, run.promised


def judge_change(run: Run, at: int, old_due: int | None) -> None:
    """Note where a change, not time, has put the due into the past; or out of it again."""
    if run.due is None or run.due >= at:
        run.breached_by_change = False
    elif old_due is None or old_due >= at:
        run.breached_by_change = True


def _follow(clock: Clock, run: Run, at: int, facts: Facts) -> Run:
    """A periodic clock lives while its condition holds; it begins when that comes to hold."""
    assert clock.while_ is not None
    alive = clock.while_(facts)
    if alive and not run.alive and run.phase is not OPEN and not clock.started_by_event:
        run = start(clock, run, at, facts)
    elif not alive and run.phase is OPEN:
        end(run, at, CANCELLED)
    if run.phase is not NOT_STARTED:
        run.alive = alive
    return run


def _next_period(clock: Clock, run: Run, at: int, facts: Facts) -> Run:
    """The evidence of a period came: the next period runs from the due, or from the event.

    Nothing where the period has not begun yet: its evidence came before.
    """
    if at < run.started_at:
        return run
    anchor = at if clock.anchored_to_event or run.due is None or run.since is None else run.due
    return _succeeded(clock, run, anchor, facts)


def _succeeded(clock: Clock, run: Run, at: int, facts: Facts) -> Run:
    """The next period, in which a pause goes on."""
    fresh = start(clock, run, at, facts)
    fresh.held, fresh.freed = run.held, run.freed
    if run.since is None:
        pause(fresh, at)
    return fresh


def roll(clock: Clock, run: Run, now: int, facts: Facts) -> Run:
    """A periodic clock's run at `now`: periods that passed without evidence are left behind, missed."""
    if not clock.every or clock.anchored_to_event:
        return run
    while run.since is not None and run.due is not None and run.started_at < run.due < now:
        run = _succeeded(clock, run, run.due, facts)
    return run
