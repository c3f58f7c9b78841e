"""The timeline: events and what follows from them as time goes on, in order of time, to actions."""

from __future__ import annotations

import heapq

from duly.calendars.limits import NEVER
from duly.cases import Case, Event, Refused
from duly.decision import batches
from duly.machines.keeping import kept, restored
from duly.machines.turn import Turn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Protocol

    from duly.acting import ActingSet
    from duly.actions import Action
    from duly.machines.state import State

    Told = tuple[Event, Mapping[str, Any]]
    """An event, and the facts of the case it comes from."""

    class Entity(Protocol):
        """The state of one case, one customer, the desk or the set: it knows when it acts next by itself."""

        alarm: int | None

    class Machine(Protocol):
        """What runs the entities of one sort. None of them knows the time but from the turn."""

        def begin(self, name: str, at: int, first: Event) -> Any:
            """A new entity, before its first event."""

        def subject(self, state: Any) -> Mapping[str, Any]:
            """Whom the entity's actions are about."""

        def apply(self, state: Any, at: int, told: Sequence[Told], turn: Turn) -> None:
            """What the events of one instant do."""

        def wake(self, state: Any, turn: Turn) -> None:
            """The one thing that is due first at the turn's instant."""


class Cases:
    """The machine of cases, over a set that acts."""

    def __init__(self, policy: ActingSet) -> None:
        self.policy = policy

    def begin(self, name: str, at: int, first: Event) -> State:
        """A case before its first event."""
        case = Case(name, at)
        case.customer = first.customer
        return self.policy.begin(case)

    def subject(self, state: State) -> Mapping[str, Any]:
        """The case, and its customer."""
        return {"case": state.id, "customer": state.customer}

    def apply(self, state: State, at: int, told: Sequence[Told], turn: Turn) -> None:
        """See ActingSet.act."""
        self.policy.act(state, at, [event for event, _ in told], turn)

    def wake(self, state: State, turn: Turn) -> None:
        """See ActingSet.wake."""
        self.policy.wake(state, turn)


class Timeline:
    """A world in virtual time: every case, customer and group that events have spoken of.

    `take` does everything due at or before the events' instant and then the events; `until` everything due by
    an instant. What comes out depends on the events alone, never on when or how often it is asked for. Events
    must come in order of time; `replayed` makes a timeline from events in any order.
    """

    def __init__(self, policy: ActingSet) -> None:
        self.policy = policy
        self.now: int | None = None
        self.entities: dict[str, Any] = {}
        self.present: dict[str, bool] = {}
        self.refused: list[tuple[Event, Refused]] = []
        self._machines: dict[str, Machine] = {"case": Cases(policy), **policy.machines()}
        self._alarms: list[tuple[int, str]] = []
        self._seen: set[str] = set()
        self._last = -NEVER
        self._known_of: dict[str, list[Event]] = {}
        self._cases_of: dict[str, list[str]] = {}

    @property
    def cases(self) -> dict[str, State]:
        """The cases by id."""
        return {key[5:]: state for key, state in self.entities.items() if key.startswith("case:")}

    @property
    def next(self) -> int | None:
        """The next instant at which something may happen by itself; None where nothing is waited for."""
        return self._alarms[0][0] if self._alarms else None

    def take(self, at: int, events: Iterable[Event]) -> list[Action]:
        """Everything due at or before `at`, and then the events of that instant."""
        if "set" in self._machines and "set" not in self.entities:
            self._settled("set", self._begun("set", at, Event("", "", at)), self._turn("set", at))
        actions = self.until(at)
        self._last = at
        seen = self._seen
        by_entity: dict[str, list[Told]] = {}
        for event in sorted(events, key=order):
            if event.id in seen:
                continue
            seen.add(event.id)
            self._note(event)
            for key in self._addressed(event):
                by_entity.setdefault(key, []).append((event, {}))
        for key, told in by_entity.items():
            actions += self._apply(key, at, told)
        return actions

    def until(self, now: int) -> list[Action]:
        """Everything due by `now`, in order of time."""
        actions: list[Action] = []
        while self._alarms and self._alarms[0][0] <= now:
            at, key = heapq.heappop(self._alarms)
            state = self.entities[key]
            if state.alarm is None or state.alarm > at:
                continue
            # A target may have been moved into the past: what it sets off happens when that became known.
            self._last = max(state.alarm, self._last)
            machine = self._machines[key.partition(":")[0]]
            turn = Turn(self._last, machine.subject(state), self.policy.roster, self.present)
            machine.wake(state, turn)
            actions += self._settled(key, state, turn)
        self.now = now if self.now is None else max(now, self.now)
        return actions

    def kept(self) -> dict[str, Any]:
        """The whole timeline as plain JSON data."""
        return {
            "now": self.now,
            "last": self._last,
            "entities": {key: kept(state) for key, state in self.entities.items()},
            "present": dict(self.present),
            "seen": sorted(self._seen),
            "known_of": kept(self._known_of),
            "cases_of": {name: list(keys) for name, keys in self._cases_of.items()},
        }

    @classmethod
    def restored(cls, policy: ActingSet, data: Mapping[str, Any]) -> Timeline:
        """The timeline that `kept` wrote, over the same policy."""
        found = cls(policy)
        targets = {target.rule: target for clock in policy.clocks for target in clock.targets}
        found.now = data["now"]
        found._last = data["last"]
        found.entities = {
            key: restored(state, policy.calendars, targets) for key, state in data["entities"].items()
        }
        found.present = dict(data["present"])
        found._seen = set(data["seen"])
        found._known_of = restored(data["known_of"], policy.calendars, targets)
        found._cases_of = {name: list(keys) for name, keys in data["cases_of"].items()}
        for key, state in found.entities.items():
            if state.alarm is not None:
                heapq.heappush(found._alarms, (state.alarm, key))
        return found

    def view(self, state: State, at: int) -> dict[str, Any]:
        """The decision of interface.md §3, surveys as they stand with the customer."""
        decision = self.policy.view(state, at)
        customer = self.entities.get(f"customer:{state.customer or state.id}")
        decision["surveys"] = self.policy.customers.view(customer, state.id)
        return decision

    def _apply(self, key: str, at: int, told: Sequence[Told]) -> list[Action]:
        sort = key.partition(":")[0]
        machine = self._machines.get(sort)
        if machine is None:
            return []
        state = self.entities.get(key)
        if state is None:
            state = self._begun(key, at, told[0][0])
            customer = told[0][0].customer
            if sort == "case" and customer is not None:
                # A new case knows what was said of its customer before.
                self._cases_of.setdefault(customer, []).append(key)
                told = [*((event, {}) for event in self._known_of.get(customer, ())), *told]
        turn = Turn(at, machine.subject(state), self.policy.roster, self.present)
        machine.apply(state, at, told, turn)
        if turn.refused:
            self.refused += turn.refused
        return self._settled(key, state, turn)

    def _begun(self, key: str, at: int, first: Event) -> Any:
        sort, _, name = key.partition(":")
        state = self.entities[key] = self._machines[sort].begin(name, at, first)
        return state

    def _turn(self, key: str, at: int) -> Turn:
        machine = self._machines[key.partition(":")[0]]
        return Turn(at, machine.subject(self.entities[key]), self.policy.roster, self.present)

    def _settled(self, key: str, state: Entity, turn: Turn) -> list[Action]:
        """The turn's actions, its entity's next alarm set, and what it has to say to others passed on."""
        if state.alarm is not None:
            heapq.heappush(self._alarms, (state.alarm, key))
        actions = turn.actions
        if turn.errors and key.startswith("case:"):
            self.entities[key].errors += turn.errors
        for other, event, facts in turn.messages:
            actions += self._apply(other, turn.at, [(event, facts)])
        return actions

    def _addressed(self, event: Event) -> list[str]:
        """The entities that an event from outside goes to: the first that it names; and whoever counts people."""
        if event.case is not None:
            return [f"case:{event.case}"]
        if event.customer is not None:
            if event.type != "customer.updated":
                return [f"customer:{event.customer}"]
            self._known_of.setdefault(event.customer, []).append(event)
            return [f"customer:{event.customer}", *self._cases_of.get(event.customer, ()), "set"]
        return ["desk", "set"] if event.person is not None and self.policy.desk_hears else ["set"]

    def _note(self, event: Event) -> None:
        if event.person is not None and event.type in ("person.on_duty", "person.off_duty"):
            name = event.person if event.person.startswith("person:") else f"person:{event.person}"
            self.present[name] = event.type == "person.on_duty"


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


def order(event: Event) -> tuple[int, bool, str]:
    """Nothing can happen to a case before it is opened; else the ids decide within an instant."""
    return event.at, event.type != "case.opened", event.id


def replayed(policy: ActingSet, events: Iterable[Event], until: int | None = None) -> tuple[Timeline, list[Action]]:
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
