"""Alarms: what a run will do by itself as time goes on, and the doing of it when its instant has come."""

from __future__ import annotations

from duly.calendars.limits import BeyondCalendar
from duly.machines import climb as climbs
from duly.machines.climb import Climb
from duly.machines.cycle import end, start
from duly.machines.doing import do
from duly.machines.run import CANCELLED, OPEN, STOPPED, failed, share
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.machines.clock import Clock
    from duly.machines.ladder import Ladder
    from duly.machines.run import Run
    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]
    Alarm = tuple[int, int, int, int]
    """Instant, what (below), and two numbers: of a warning its place, of a step its loop and number."""

WARN, BREACH, STEP, ROLL = range(4)


def alarms(clock: Clock, run: Run, ladder: Ladder | None, turn: Turn | None = None) -> Sequence[Alarm]:
    """The next thing that is to come of a run, alone; nothing while it stands still.

    A breach is noticed a microsecond after the due, and so is a step `at: due`: an event at the very due still
    meets it (semantics §1.3). What is done then is dated at the due all the same. A `turn`
    is told of what lies beyond the facts of a calendar; it never comes.
    """
    if run.phase is not OPEN or run.due is None:
        return ()
    found: list[Alarm] = []
    if not run.noted:
        found.append((run.due + 1, BREACH, 0, 0))
    elif clock.every and not clock.anchored_to_event:
        found.append((run.due + 1, ROLL, 0, 0))
    if clock.warn:
        _warnings(clock, run, turn, found)
    if ladder is not None and run.climb is not None:
        for at, loop, step in climbs.steps(ladder, run.climb, run, turn):
            found.append((at + 1 if at == run.due and step.base == "due" else at, STEP, loop, step.number))
    return (min(found),) if found else ()


def _warnings(clock: Clock, run: Run, turn: Turn | None, found: list[Alarm]) -> None:
    """Add the warnings to come; of those that come in order the first is enough."""
    for number, percent in enumerate(clock.warn):
        if number not in run.warned:
            try:
                at = share(run, percent)
            except BeyondCalendar as error:
                at = None
                if turn is not None:
                    turn.fail(clock.rule, error)
            if at is not None:
                found.append((at, WARN, number, 0))
                # A promised instant may be known while some of the way to it is not, which has to be said at once.
                if clock.warns_in_order and run.target is not None and run.target.field is None:
                    return


def ring(clock: Clock, run: Run, ladder: Ladder | None, alarm: Alarm, facts: Facts, turn: Turn) -> Run:
    """Do what an alarm is for; the run, or the next one where a period ended."""
    at, what, first, second = alarm
    if turn.at == at and at - 1 == run.due:
        turn.at = at = run.due
    tags: dict[str, Any] = {"clock": clock.id, "cycle": run.cycle}
    if what == WARN:
        run.warned |= {first}
        origin = Origin(clock.rule, "clock.warned", clock.source, str(clock.warn[first]), **tags)
        turn.act("clock.warned", origin, {"percent": clock.warn[first]})
    elif what == STEP:
        assert ladder is not None
        assert run.climb is not None
        climbed = {**tags, "ladder": ladder.id, "occurrence": str(run.climb.restarts or "")}
        climbs.fire(
            ladder, run.climb, run, at, first, ladder.steps[second], facts, turn, climbed, clock.owner
        )
    elif what == BREACH:
        run.noted = True
        breach(clock, run, turn)
        if clock.on_expiry:
            origin = Origin(clock.rule, "clock.expired", clock.source, **tags)
            do(turn, clock.on_expiry, origin, facts, clock.owner)
    elif run.due is not None:
        following = turn.reckon(clock.rule, start, clock, run, run.due, facts)
        return failed(run) if following is None else begin(clock, following, ladder, turn)
    return run


def breach(clock: Clock, run: Run, turn: Turn) -> None:
    """Say that a due was missed, dated at the due; a customer's own clock only expires (semantics §2.8).

    The same due is missed but once, however often targets change back and forth.
    """
    if run.due is None or run.due in run.told:
        return
    run.told |= {run.due}
    reason = "breached_by_change" if run.breached_by_change else "due_passed"
    kind = "clock.expired" if clock.owner == "customer" else "clock.breached"
    turn.act(kind, _origin(clock, run, reason, run.due), at=run.due)


def begin(clock: Clock, run: Run, ladder: Ladder | None, turn: Turn) -> Run:
    """Announce a new cycle and set its ladder up."""
    target = run.target
    if clock.before is None and (target is None or target.none):
        return run
    turn.act("clock.started", _origin(clock, run, "clock.started"), due_by=run.due)
    if ladder is not None:
        run.climb = Climb()
    return run


def differences(
    clock: Clock, run: Run, before: tuple[Any, ...], old: Run, ladder: Ladder | None, turn: Turn
) -> None:
    """The facts that the events of an instant made of a clock: what is now, against what was `before`.

    `before` is `facts_of(old)` as taken before the instant; `old` is the run then, perhaps ended since.
    """
    phase, standing, target, due, _ = before
    if phase is OPEN and (old.phase is not OPEN or run is not old):
        _ended(clock, old, turn, due)
        if ladder is not None and old.climb is not None:
            tags = {"clock": clock.id, "cycle": old.cycle, "ladder": ladder.id}
            climbs.end(ladder, old.climb, old, turn, tags, "clock.ended")
    if run is not old:
        begin(clock, run, ladder, turn)
        return
    if run.phase is not OPEN:
        return
    if phase is not OPEN:
        turn.act("clock.resumed", _origin(clock, old, "case.reopened", turn.at), due_by=run.due)
        if ladder is not None and run.climb is not None:
            run.climb.done = False
    elif standing and run.since is None:
        turn.act("clock.paused", _origin(clock, old, "clock.paused", turn.at))
    elif not standing and run.since is not None:
        turn.act("clock.resumed", _origin(clock, old, "clock.resumed", turn.at), due_by=run.due)
    if run.target is not target or (run.due != due and standing and run.since is not None):
        turn.act("clock.retargeted", _origin(clock, old, "clock.retargeted", turn.at), due_by=run.due)
        if run.due is not None and run.due >= turn.at:
            run.noted = False


def _origin(clock: Clock, run: Run, reason: str, moment: int | str = "") -> Origin:
    target = run.target
    rule = clock.rule if target is None else target.rule
    source = clock.source if target is None or not target.source else target.source
    return Origin(rule, reason, source, str(moment), clock=clock.id, cycle=run.cycle)


def _ended(clock: Clock, run: Run, turn: Turn, due: int | None) -> None:
    if run.phase is not STOPPED and run.phase is not OPEN:
        turn.act("clock.cancelled", _origin(clock, run, "clock.cancelled"))
        return
    known = run.due if run.due is not None else due
    if run.target is not None and run.target.none:
        return
    late = known is not None and turn.at > known
    if not late:
        turn.act("clock.met", _origin(clock, run, "clock.met"), due_by=known)
    elif not run.noted:
        run.noted = True
        breach(clock, run, turn)


def drop(clock: Clock, run: Run, ladder: Ladder | None, turn: Turn) -> None:
    """End a clock that the revision taking over does not know."""
    if run.phase is not OPEN:
        return
    end(run, turn.at, CANCELLED)
    rule = clock.rule if run.target is None else run.target.rule
    tags: dict[str, Any] = {"clock": clock.id, "cycle": run.cycle}
    turn.act("clock.cancelled", Origin(rule, "policy.adopted", clock.source, **tags))
    if ladder is not None and run.climb is not None:
        climbs.end(ladder, run.climb, run, turn, {**tags, "ladder": ladder.id}, "policy.adopted")
