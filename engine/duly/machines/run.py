"""A run: one cycle of a clock, and the arithmetic of its time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from typing import Any

    from duly.calendars.calendar import Calendar
    from duly.machines.climb import Climb
    from duly.machines.target import Target

_NONE: frozenset[int] = frozenset()
_NOTHING: dict[str, Any] = {}

NOT_STARTED, OPEN, STOPPED, CANCELLED, FAILED = "not_started", "open", "stopped", "cancelled", "unknown"


class Run:
    """One cycle of a clock: where it stands, with nothing in it that could drift.

    `stretches` are the finished pieces of running time as (from, to, calendar): each keeps the calendar it
    ran in. `since` is the start of the piece still running, None while the clock is paused or has ended.
    `due` is None without a promise, and while the clock is paused before its due. `held`, `freed`
    and `alive` are what the states that pause, resume and carry it were last, `late` says that a lead time had
    passed when it was born. `matched` is the (target, promised instant) that held last, which a change may
    not have put in force; `facts` are those by which the one in force was chosen, `start_facts` what of them
    the start event said.
    """

    __slots__ = (
        "alarms", "alive", "breached_by_change", "calendar", "climb", "cycle", "due", "ended_at", "facts", "freed",
        "held", "late", "matched", "noted", "paused_at", "pauses", "phase", "promised", "since", "start_facts",
        "started_at", "stretches", "target", "told", "warned",
    )  # fmt: skip

    def __init__(self, cycle: int = 0) -> None:
        self.cycle = cycle
        self.phase = NOT_STARTED
        self.started_at = 0
        self.target: Target | None = None
        self.calendar: Calendar | None = None
        self.stretches: tuple[tuple[int, int, Calendar], ...] = ()
        self.since: int | None = None
        self.paused_at: int | None = None
        self.pauses: tuple[tuple[int, int], ...] = ()
        self.held = False
        self.freed = False
        self.alive = False
        self.late = False
        self.ended_at: int | None = None
        self.promised: int | None = None
        self.due: int | None = None
        self.breached_by_change = False
        self.matched: tuple[Target | None, int | None] = (None, None)
        self.facts: Mapping[str, Any] = _NOTHING
        self.start_facts: Mapping[str, Any] = _NOTHING
        # What only a timeline keeps: its alarms, warnings given, the breach noticed, the ladder gone up.
        self.alarms: Sequence[tuple[int, int, int, int]] = ()
        self.warned: AbstractSet[int] = _NONE
        self.noted = False
        self.told: AbstractSet[int] = _NONE
        self.climb: Climb | None = None

    def promises(self) -> bool:
        """Whether the cycle has a target with a promise in it."""
        return self.target is not None and not self.target.none

    def breached(self, now: int) -> bool:
        """Whether the target was missed: strictly after its due (semantics §1.3)."""
        if self.due is None:
            return False
        return (now if self.ended_at is None else self.ended_at) > self.due


def facts_of(run: Run) -> tuple[Any, ...]:
    """What `alarm.differences` compares: phase, whether it runs, target, due, cycle."""
    return run.phase, run.since is not None, run.target, run.due, run.cycle


def failed(run: Run) -> Run:
    """What is left of a clock without an answer: it says so, the other clocks of the case run on (semantics §9)."""
    found = Run(run.cycle if run.phase is OPEN else run.cycle + 1)
    found.phase = FAILED
    found.started_at = run.started_at
    found.alive = True
    return found


def elapsed(run: Run, now: int) -> int:
    """Open time that the cycle has run until `now`, or will have, each stretch in its own calendar, in µs."""
    since, here = run.since, run.calendar
    if not run.stretches:
        return here.elapsed(since, now) if since is not None and here is not None and since < now else 0
    total = 0
    for start, end, calendar in run.stretches:
        if start < now:
            total += calendar.elapsed(start, min(end, now))
    if since is not None and here is not None and since < now:
        total += here.elapsed(since, now)
    return total


def reached(run: Run, amount: int, since: int | None) -> int | None:
    """The earliest instant at which the cycle has run for `amount` µs of open time.

    `since` is when it runs on from; None: it does not, so an amount not yet run is never reached.
    """
    if amount <= 0:
        return run.started_at
    for start, end, calendar in run.stretches:
        done = calendar.elapsed(start, end)
        if done >= amount:
            return calendar.due(start, amount)
        amount -= done
    if since is None or run.calendar is None:
        return None
    return run.calendar.due(since, amount)


def due_when(run: Run, since: int | None) -> int | None:
    """When the promise of the cycle is used up, were it running on from `since` (None: standing still)."""
    target = run.target
    if target is None or target.none:
        return None
    if target.plain and since is not None and not run.stretches:
        return target.calendar.due(since, target.amount)
    if target.field is not None:
        late = run.promised is not None and run.paused_at is not None and run.promised <= run.paused_at
        return run.promised if since is not None or late else None
    if not target.counts_days:
        return reached(run, target.amount, since)
    calendar = run.calendar
    if calendar is None:
        return None
    if since is None:
        # Standing still: used up only where the last day had already ended when the pause began.
        due = calendar.due_working_days(run.started_at, target.amount, pauses=run.pauses)
        return due if run.paused_at is not None and due <= run.paused_at else None
    pauses: Sequence[tuple[int, int]] = run.pauses
    if run.paused_at is not None and since > run.paused_at:
        pauses = [*pauses, (run.paused_at, since)]
    return calendar.due_working_days(run.started_at, target.amount, pauses=pauses)


def share(run: Run, percent: float) -> int | None:
    """The instant at which `percent` of the target is used up; None where that is not known yet."""
    target = run.target
    if target is None or target.none or run.calendar is None:
        return None
    if target.field is None and not target.counts_days:
        amount = int(target.amount * percent / 100)
        if amount > 0 and run.since is not None and not run.stretches:
            return run.calendar.due(run.since, amount)
        return reached(run, amount, run.since)
    if run.due is None:
        return None
    return reached(run, int(elapsed(run, run.due) * percent / 100), run.since)
