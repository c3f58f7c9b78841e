"""Lead times: clocks whose latest instant lies before another clock's due."""

from __future__ import annotations

from duly.machines.run import OPEN, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from duly.machines.clock import Clock


def place(clock: Clock, run: Run, reference: Run | None) -> None:
    """Put the due of a lead-time clock where the due of the clock it refers to says.

    The latest `t` with `elapsed(t, reference due) ≥ by`; where that is past already when the clock starts,
    it is due at its start (semantics §1.5). Without a due to refer to there is none.
    """
    if clock.before is None or run.phase is not OPEN:
        return
    _, amount, counts_days = clock.before
    if reference is None or reference.due is None or run.since is None:
        run.due = None
        return
    if counts_days:
        latest = clock.calendar.due_back_working_days(reference.due, amount)
    else:
        latest = clock.calendar.due_back(reference.due, amount)
    run.due = max(latest, run.started_at)


def born_late(clock: Clock, run: Run) -> bool:
    """Whether the latest instant had passed already when the clock started."""
    return clock.before is not None and run.due is not None and run.due <= run.started_at
