"""The timeline: events and what follows from them as time goes on, in order of time, to actions."""

from __future__ import annotations

import heapq

from duly.cases import Case, Event, Refused
from duly.machines.turn import Turn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from duly.actions import Action
    from duly.decision import PolicySet
    from duly.machines.state import State


class Timeline:
    """A world in virtual time: every case, customer and group that events have spoken of.

    `take` does everything due at or before the events' instant and then the events; `until` everything due by
    an instant. What comes out depends on the events alone, never on when or how often it is asked for. Events
    must come in order of time; `replayed` makes a timeline from events in any order.
    """

    def __init__(self, policy: PolicySet) -> None:
        self.policy = policy
        self.now: int | None = None
        self.cases: dict[str, State] = {}
        self.present: dict[str, bool] = {}
        self.refused: list[tuple[Event, Refused]] = []
        self._alarms: list[tuple[int, str]] = []
        self._seen: set[str] = set()

    def take(self, at: int, events: Iterable[Event]) -> list[Action]:
        """Everything due at or before `at`, and then the events of that instant."""
        actions = self.until(at)
        by_entity: dict[str, list[Event]] = {}
        for event in sorted(events, key=order):
            if event.id in self._seen:
                continue
            self._seen.add(event.id)
            self._note(event)
            by_entity.setdefault(_entity(event), []).append(event)
        for key, own in by_entity.items():
            actions += self._apply(key, at, own, {})
        return actions

    def until(self, now: int) -> list[Action]:
        """Everything due by `now`, in order of time."""
        actions: list[Action] = []
        while self._alarms and self._alarms[0][0] <= now:
            at, key = heapq.heappop(self._alarms)
            state = self.cases.get(key)
            if state is None or state.alarm is None or state.alarm > at:
                continue
            turn = self._turn(state, state.alarm)
            self.policy.wake(state, turn)
            actions += turn.actions
            actions += self._settle(key, state, turn)
        self.now = now if self.now is None else max(now, self.now)
        return actions

    def _turn(self, state: State, at: int) -> Turn:
        subject: Mapping[str, Any] = {"case": state.id, "customer": state.customer}
        return Turn(at, subject, self.policy.roster, self.present)

    def _apply(self, key: str, at: int, events: list[Event], facts: Mapping[str, Any]) -> list[Action]:
        if not key.startswith("case:"):
            return []
        state = self.cases.get(key)
        if state is None:
            case = Case(key.removeprefix("case:"), at)
            case.customer = events[0].customer
            state = self.cases[key] = self.policy.begin(case)
        turn = self._turn(state, at)
        self.policy.apply(state, at, events, turn)
        self.refused += turn.refused
        return turn.actions + self._settle(key, state, turn)

    def _settle(self, key: str, state: State, turn: Turn) -> list[Action]:
        """Set the alarm clock of an entity, and pass on what it has to say to others."""
        if state.alarm is not None:
            heapq.heappush(self._alarms, (state.alarm, key))
        actions: list[Action] = []
        for other, event, facts in turn.messages:
            actions += self._apply(other, turn.at, [event], facts)
        return actions

    def _note(self, event: Event) -> None:
        if event.type in ("person.on_duty", "person.off_duty") and event.person is not None:
            name = event.person if event.person.startswith("person:") else f"person:{event.person}"
            self.present[name] = event.type == "person.on_duty"


def order(event: Event) -> tuple[int, bool, str]:
    """Nothing can happen to a case before it is opened; else the ids decide within an instant."""
    return event.at, event.type != "case.opened", event.id


def replayed(policy: PolicySet, events: Iterable[Event], until: int | None = None) -> tuple[Timeline, list[Action]]:
    """The timeline and the actions of events given in any order, up to `until`, else to the last event."""
    timeline = Timeline(policy)
    actions: list[Action] = []
    batch: list[Event] = []
    for event in sorted(events, key=order):
        if until is not None and event.at > until:
            break
        if batch and batch[0].at != event.at:
            actions += timeline.take(batch[0].at, batch)
            batch = []
        batch.append(event)
    if batch:
        actions += timeline.take(batch[0].at, batch)
    if until is not None:
        actions += timeline.until(until)
    return timeline, actions


def _entity(event: Event) -> str:
    if event.case is not None:
        return f"case:{event.case}"
    if event.customer is not None:
        return f"customer:{event.customer}"
    return "set"
