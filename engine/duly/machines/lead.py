"""Lead times: clocks whose latest instant lies before another clock's due."""

from __future__ import annotations

from duly.machines.cycle import judge_change
from duly.machines.run import OPEN, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from duly.machines.clock import Clock


def place(clock: Clock, run: Run, reference: Run | None, at: int) -> None:
    """Put the due of a lead-time clock where the due of the clock it refers to says, at `at`.

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
    old_due, run.due = run.due, max(latest, run.started_at)
    if run.started_at == at:
        run.late = latest < at
    else:
        judge_change(run, at, old_due)
