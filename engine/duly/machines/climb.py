"""A climb: one ladder being gone up, step by step (semantics §3)."""

from __future__ import annotations

from duly.machines.doing import do, references
from duly.machines.ladder import Ladder, Step, timetable
from duly.machines.length import after
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.calendars.limits import BeyondCalendar
    from duly.machines.run import Run
    from duly.machines.turn import Turn

    Key = tuple[int, int]
    """Loop and number of a step."""


class Climb:
    """Where a ladder stands: which steps have fired, what was put off, and until when it is silent.

    `ladder` names the ladder where it is not the clock's: that of the revision under which the climb began.
    """

    __slots__ = ("done", "exhausted", "fired", "ladder", "lease", "put_off", "restarted", "restarts")

    def __init__(self) -> None:
        self.fired: set[Key] = set()
        self.put_off: dict[Key, int] = {}
        self.lease: int | None = None
        self.restarted: int | None = None
        self.restarts = 0
        self.exhausted = False
        self.done = False
        self.ladder: str | None = None


def steps(
    ladder: Ladder, climb: Climb | None, run: Run, turn: Turn | None = None
) -> list[tuple[int, int, Step]]:
    """The steps still to come, as (instant, loop, step), in order of time.

    Instants follow from the run's start and due alone, never from when an earlier step ran. A restart moves
    the whole timetable so that its first step comes at the end of the lease. A `turn` is told of the steps
    whose instant no calendar knows.
    """
    if climb is None or climb.done or climb.exhausted:
        return []
    lost: list[tuple[str, BeyondCalendar]] = []
    rows = timetable(ladder, run, lost)
    if turn is not None:
        for rule, error in lost:
            turn.fail(rule, error)
    shift = climb.restarted - rows[0][0] if rows and climb.restarted is not None else 0
    found = []
    for at, loop, step in rows:
        key = (loop, step.number)
        if key not in climb.fired:
            moved = climb.put_off.get(key, at + shift)
            found.append((moved if climb.lease is None else max(moved, climb.lease), loop, step))
    if climb.put_off or climb.lease is not None:  # else the timetable's own order
        found.sort(key=lambda row: (row[0], row[1], row[2].number))
    return found


def acknowledge(ladder: Ladder, climb: Climb, run: Run, turn: Turn) -> None:
    """An acknowledgement is a lease: the ladder is silent until it ends; then it resumes or restarts."""
    if ladder.lease is None or climb.done or climb.exhausted:
        return
    calendar = ladder.calendar or run.calendar
    assert calendar is not None
    lease = turn.reckon(ladder.rule, after, calendar, turn.at, ladder.lease)
    if lease is None:
        return
    climb.lease = lease
    if ladder.restarts:
        climb.restarted = climb.lease
        climb.restarts += 1
        climb.fired = set()
        climb.put_off = {}


def end(ladder: Ladder, climb: Climb, run: Run, turn: Turn, tags: Mapping[str, Any], reason: str) -> None:
    """The clock has stopped: the steps to come are moot, which is said once where there are any."""
    if climb.done or climb.exhausted:
        return
    climb.done = True
    if climb.fired and len(climb.fired) < len(ladder.steps) * ladder.loops:
        turn.act("escalation.cancelled", Origin(ladder.rule, reason, **tags), {"fired": len(climb.fired)})


def fire(
    ladder: Ladder, climb: Climb | None, run: Run, at: int, loop: int, step: Step, facts: Mapping[str, Any],
    turn: Turn, tags: Mapping[str, Any], owner: str | None,
) -> None:  # fmt: skip
    """Do one step, or say why not: `unless` holds, it is quiet, or nobody is on duty."""
    if climb is None:
        return
    key = (loop, step.number)
    origin = Origin(step.rule, "ladder.step", step.source, **tags, step=step.id, loop=loop)
    if ladder.quiet is not None and not ladder.quiet.is_open(at) and step.tells:
        climb.put_off[key] = turn.reckon(step.rule, ladder.quiet.next_open, at)
        if climb.put_off[key] is not None:
            return
        del climb.put_off[key]
    climb.fired.add(key)
    if _overtaken(ladder, climb, run, turn):
        turn.act(
            "escalation.cancelled", Origin(step.rule, "skipped", step.source, **tags, step=step.id, loop=loop)
        )
        return
    if step.unless is not None and step.unless(facts):
        turn.act(
            "escalation.cancelled", Origin(step.rule, "unless", step.source, **tags, step=step.id, loop=loop)
        )
    elif not _manned(step, facts, turn, owner):
        _unmanned(ladder, climb, run, loop, step, facts, turn, tags, owner)
    else:
        do(turn, step.actions, origin, facts, owner)
    if not climb.exhausted and not steps(ladder, climb, run):
        climb.exhausted = True
        last = Origin(ladder.rule, "ladder.exhausted", ladder.source, **tags)
        turn.act("escalation.exhausted", last)
        do(turn, ladder.on_exhausted, last, facts, owner)


def _overtaken(ladder: Ladder, climb: Climb, run: Run, turn: Turn) -> bool:
    """Whether, after downtime, a later step is due as well, and only the newest is wanted."""
    if turn.up_to is None or ladder.catch_up != "latest":
        return False
    following = steps(ladder, climb, run)
    return bool(following) and following[0][0] <= turn.up_to


def _manned(step: Step, facts: Mapping[str, Any], turn: Turn, owner: str | None) -> bool:
    """Whether somebody is there for the step: every team it turns to has a member on duty, or it turns to none."""
    asked = [
        reference
        for action in step.actions
        for verb in ("notify", "assign")
        if verb in action
        for reference in references(action[verb], owner)
        if reference != "customer"
    ]
    return not asked or bool(turn.people(asked, facts))


def _unmanned(
    ladder: Ladder, climb: Climb, run: Run, loop: int, step: Step, facts: Mapping[str, Any], turn: Turn,
    tags: Mapping[str, Any], owner: str | None,
) -> None:  # fmt: skip
    """Nobody is on duty for the step: `on_empty` says what then; nothing is dropped."""
    key = (loop, step.number)
    asked = [each for action in step.actions for verb in ("notify", "assign") if verb in action
             for each in references(action[verb], owner)]  # fmt: skip
    origin = Origin(step.rule, "nobody on duty", step.source, **tags, step=step.id, loop=loop)
    if key not in climb.put_off:
        turn.act("escalation.unmanned", origin, {"to": asked, "on_empty": ladder.on_empty})
    if isinstance(ladder.on_empty, dict):
        fallback = ladder.on_empty["fallback"]
        told = Origin(step.rule, "ladder.fallback", step.source, **tags, step=step.id, loop=loop)
        do(turn, [{**action, "notify": fallback} if "notify" in action else action for action in step.actions],
           told, facts, owner)  # fmt: skip
        return
    if ladder.on_empty == "next":
        following = steps(ladder, climb, run)
        if following:
            _, next_loop, next_step = following[0]
            climb.put_off[(next_loop, next_step.number)] = turn.at
        return
    moments = [turn.roster.next_on_duty(reference, turn.at, turn.present) for reference in asked]
    known = [moment for moment in moments if moment is not None]
    if not known:
        return
    climb.fired.discard(key)
    climb.put_off[key] = min(known)
    if ladder.on_empty == "hold":
        for at, later_loop, later in steps(ladder, climb, run):
            if at < min(known):
                climb.put_off[(later_loop, later.number)] = min(known)
