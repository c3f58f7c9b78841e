"""A trial: one test run in virtual time, and what came of it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from duly.acting import ActingSet
from duly.actions import Action
from duly.cases import Event, Refused, order
from duly.machines.desk import Queues
from duly.machines.state import State
from duly.suites.comparison import Difference, compare
from duly.suites.script import Script, Unplayable, script
from duly.suites.suite import Test
from duly.timeline import Timeline


@dataclass(slots=True)
class Outcome:
    """What came of a test. It passed where there is no `fault` and no difference.

    `fault` says why it could not be run. `decision` is that of the case looked at, at `at`, None where there
    is no case.
    """

    test: Test
    policy: ActingSet | None = None
    fault: str | None = None
    at: int = 0
    decision: Mapping[str, Any] | None = None
    state: State | None = None
    actions: list[Action] = field(default_factory=list)
    refused: list[tuple[Event, Refused]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return self.fault is None and not self.differences


def run(
    test: Test, policy: ActingSet, events: Collection[str] = (), timeline: Timeline | None = None
) -> Outcome:
    """Run a test over a policy set.

    `events` are the event types that are known, where a misspelt one is to be told; `timeline` is a fresh
    one, such as a watched one of coverage.
    """
    outcome = Outcome(test, policy)
    if test.faults:
        outcome.fault = test.faults[0][1]
        return outcome
    try:
        played = script(test, events)
    except Unplayable as error:
        outcome.fault = str(error)
        return outcome
    timeline = Timeline(policy) if timeline is None else timeline
    _hand_out(timeline, played.load)
    outcome.actions = play(timeline, played)
    outcome.at = played.until
    outcome.refused = timeline.refused
    outcome.state = timeline.cases.get(played.case) if played.case is not None else None
    if outcome.state is not None:
        outcome.decision = timeline.view(outcome.state, played.until)
    elif played.customer is not None:
        known = timeline.entities.get(f"customer:{played.customer}")
        outcome.decision = {"surveys": policy.customers.view(known, played.case)}
    outcome.differences = compare(
        test.expect, policy, outcome.state, outcome.decision, outcome.actions, outcome.refused
    )
    return outcome


def _hand_out(timeline: Timeline, load: Mapping[str, int]) -> None:
    """Let people hold as many cases from the start as the test says."""
    if load:
        queues = timeline.entities["desk"] = Queues()
        for person, count in load.items():
            queues.owned.update({f"given/{person}/{number}": person for number in range(count)})


def play(timeline: Timeline, played: Script) -> list[Action]:
    """Everything that happens up to the script's end, surveys answered as they are sent."""
    number = itertools.count()
    coming = [(*order(event), next(number), event) for event in played.events]
    heapq.heapify(coming)
    actions: list[Action] = []
    while True:
        moments = [at for at in (coming[0][0] if coming else None, timeline.next) if at is not None]
        if not moments or min(moments) > played.until:
            break
        at = min(moments)
        batch: list[Event] = []
        while coming and coming[0][0] == at:
            batch.append(heapq.heappop(coming)[-1])
        came = timeline.take(at, batch) if batch else timeline.until(at)
        actions += came
        sent: list[Action | Event] = [
            each for each in came if each.type == "survey.sent" and each.reason != "reminder"
        ]
        for each in sent or [event for event in batch if event.type == "survey.sent"]:
            answer = played.answer(each)
            if answer is not None:
                heapq.heappush(coming, (*order(answer), next(number), answer))
    actions += timeline.until(played.until)
    return actions
