"""Replaying: events in any order to a timeline, from the beginning."""

from __future__ import annotations

from duly.cases import Case, Event, Refused, batches, order
from duly.timeline import Timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from duly.acting import ActingSet
    from duly.actions import Action
    from duly.machines.state import State
    from duly.timeline import Adoption


def played(policy: ActingSet, case: Case, at: int) -> tuple[State, dict[str, Any]]:
    """The state of a case, and what the policy says of it at an instant, where what it does by itself counts:
    its reactions, gates, approvals and ladders until then. Raises Refused for a case that cannot be taken.
    """
    timeline, _ = replayed(policy, [event for _, batch in batches(case, at) for event in batch], at)
    for event, refused in timeline.refused:
        raise Refused(refused.code, refused.message, refused.path or event.path)
    state = timeline.cases.get(case.id)
    if state is None:
        state = policy.begin(case)
    return state, timeline.view(state, at)


def replayed(
    policy: ActingSet, events: Iterable[Event], until: int | None = None, adoptions: Sequence[Adoption] = (),
    outages: Sequence[tuple[int, int]] = (),
) -> tuple[Timeline, list[Action]]:  # fmt: skip
    """The timeline and the actions of events given in any order, up to `until`, else to the last event.

    `adoptions` are the revisions that follow, as (instant, set); `outages` the times (from, to) in which the
    host was down: what was due then, and the events of that time, are taken when it is up again.
    """
    timeline = Timeline(policy)
    actions: list[Action] = []
    batches: dict[int, list[Event]] = {}
    for event in sorted(events, key=order):
        batches.setdefault(event.at, []).append(event)
    last = until if until is not None else max(batches, default=None)
    moments = {*batches, *(at for at, _ in adoptions), *(end for _, end in outages)}
    for at in sorted(moments):
        if last is not None and at > last:
            break
        outage = _outage(outages, at)
        if outage is not None:
            actions += timeline.until(at, *outage)
        for _, following in [each for each in adoptions if each[0] == at]:
            actions += timeline.adopt(following, at)
        if at in batches:
            actions += _noticed(timeline.take(at, batches[at]), outage)
    if until is not None:
        actions += timeline.until(until, *(_outage(outages, until) or ()))
    return timeline, actions


def _outage(outages: Sequence[tuple[int, int]], at: int) -> tuple[int, int] | None:
    return next((outage for outage in outages if outage[0] < at <= outage[1]), None)


def _noticed(actions: list[Action], outage: tuple[int, int] | None) -> list[Action]:
    """What events set off while the host was down is done when it is up."""
    if outage is not None:
        for action in actions:
            action.late_by = max(action.late_by, outage[1] - action.at)
    return actions
