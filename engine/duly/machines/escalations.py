"""Escalations: ladders that an action or a late duty starts; each counts from then, and ends by itself.

They are kept as a dict of occurrence to (ladder, run), in a case or in the set.
"""

from __future__ import annotations

from duly.machines import climb
from duly.machines.climb import Climb
from duly.machines.run import OPEN, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from duly.calendars.calendars import Calendars
    from duly.machines.duty import Duties
    from duly.machines.ladder import Ladder
    from duly.machines.turn import Turn

    Escalations = dict[str, tuple[str, Run]]
    Ladders = Mapping[str, Ladder]


def begin(
    ongoing: Escalations, ladders: Ladders, name: str, occurrence: str, calendars: Calendars, turn: Turn
) -> None:
    """Start a ladder, which counts from the turn's instant."""
    run, at = Run(1), turn.at
    run.phase, run.started_at, run.due, run.since = OPEN, at, at, at
    run.calendar = ladders[name].calendar or calendars["always"]
    run.climb = Climb()
    climb.steps(ladders[name], run.climb, run, turn)
    ongoing[occurrence] = (name, run)


def acknowledge(ongoing: Escalations, ladders: Ladders, turn: Turn) -> None:
    """See climb.acknowledge."""
    for name, run in ongoing.values():
        if run.climb is not None:
            climb.acknowledge(ladders[name], run.climb, run, turn)


def coming(ongoing: Escalations, ladders: Ladders) -> Iterator[int]:
    """The instant of the next step of each."""
    for name, run in ongoing.values():
        for at, _, _ in climb.steps(ladders[name], run.climb, run)[:1]:
            yield at


def ring(
    ongoing: Escalations, ladders: Ladders, duties: Duties, facts: Mapping[str, Any], turn: Turn
) -> bool:
    """Do the next step of the first that has one due; whether there was one."""
    for occurrence, (name, run) in ongoing.items():
        ladder = ladders[name]
        following = climb.steps(ladder, run.climb, run)
        if following and following[0][0] <= turn.at:
            at, loop, step = following[0]
            tags, owner = duties.behind(name, occurrence)
            climb.fire(ladder, run.climb, run, at, loop, step, facts, turn, tags, owner)
            return True
    return False
