"""The timeline: events and what follows from them as time goes on, in order of time, to actions."""

from __future__ import annotations

import heapq

from duly.calendars.limits import NEVER
from duly.cases import Case, Event, Refused, batches, order
from duly.machines.keeping import kept, restored
from duly.machines.state import State
from duly.machines.turn import Turn
from duly.versions import KEEP, NOW, Versions, answer, revision, say, shelves, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Protocol

    from duly.acting import ActingSet
    from duly.actions import Action

    Told = tuple[Event, Mapping[str, Any]]
    """An event, and the facts of the case it comes from."""
    Adoption = tuple[int, ActingSet]
    """The instant from which a revision is in force."""

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
    """The machine of cases, each of which is run by the revision that it is pinned to."""

    def __init__(self, versions: Versions) -> None:
        self.versions = versions

    def begin(self, name: str, at: int, first: Event) -> State:
        """A case before its first event."""
        case = Case(name, at)
        case.customer = first.customer
        policy = self.versions.chosen(name, first)
        state = policy.begin(case)
        state.revision = revision(policy)
        return state

    def subject(self, state: State) -> Mapping[str, Any]:
        """The case, and its customer."""
        return {"case": state.id, "customer": state.customer}

    def apply(self, state: State, at: int, told: Sequence[Told], turn: Turn) -> None:
        """See ActingSet.act."""
        self.versions[state.revision].act(state, at, [event for event, _ in told], turn)

    def wake(self, state: State, turn: Turn) -> None:
        """See ActingSet.wake."""
        self.versions[state.revision].wake(state, turn)


class Timeline:
    """A world in virtual time: every case, customer and group that events have spoken of.

    `take` does everything due at or before the events' instant and then the events; `until` everything due by
    an instant. What comes out depends on the events alone, never on when or how often it is asked for. Events
    must come in order of time; `replayed` makes a timeline from events in any order.
    """

    def __init__(self, policy: ActingSet) -> None:
        self.versions = Versions(policy)
        self.now: int | None = None
        self.entities: dict[str, Any] = {}
        self.present: dict[str, bool] = {}
        self.refused: list[tuple[Event, Refused]] = []
        self._machines: dict[str, Machine] = {"case": Cases(self.versions), **policy.machines()}
        self._alarms: list[tuple[int, str]] = []
        self._seen: set[str] = set()
        self._last = -NEVER
        self._late: tuple[int, int] | None = None
        self._known_of: dict[str, list[Event]] = {}
        self._cases_of: dict[str, list[str]] = {}

    @property
    def policy(self) -> ActingSet:
        """The set that runs what belongs to no case."""
        return self.versions.current

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
            begun = self._begun("set", at, Event("", "", at))
            self._arm("set", begun)
            self._settled("set", begun, self._turn("set", at))
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
            state = self.entities.get(key)
            if isinstance(state, State) and state.pending is not None:
                actions += self._switch(key, state, state.pending, at)
            actions += self._apply(key, at, told)
        return actions

    def adopt(self, policy: ActingSet, at: int) -> list[Action]:
        """Let another revision be in force from `at` on: before the events of that instant (semantics §8)."""
        if revision(policy) == self.versions.names()[-1]:
            return self.until(at)
        actions = self.until(at)
        self._last, before = max(at, self._last), self.versions.current
        new = self.versions.adopt(policy)
        turn = Turn(at, {}, new.roster, self.present)
        say(before, new, turn)
        actions += self._signed(turn.actions, new)
        if self.versions.current is new:
            self._machines.update(new.machines())
            for key, state in list(self.entities.items()):
                if not isinstance(state, State):
                    turn = self._turn(key, at)
                    machine: Any = self._machines[key.partition(":")[0]]
                    machine.inherit(state, turn)
                    self._arm(key, state)
                    actions += self._settled(key, state, turn)
        wanted = answer(new)
        for key, state in list(self.entities.items()):
            if isinstance(state, State) and not state.closed and wanted != KEEP:
                state.pending = revision(new)
                if wanted == NOW:
                    actions += self._switch(key, state, state.pending, at)
        return actions + self.until(at)

    def until(self, now: int, since: int | None = None, noticed: int | None = None) -> list[Action]:
        """Everything due by `now`, in order of time.

        A host that was down since `since` says so: then what was due after that is done late, at `noticed` (by
        default `now`), every action carries its `late_by`, and of ladders that catch up on the latest step
        only that is sent.
        """
        if since is None:
            return self._due(now)
        actions = self._due(min(since, now))
        self._late = (now, now if noticed is None else noticed)
        actions += self._due(now)
        self._late = None
        return actions

    def _due(self, now: int) -> list[Action]:
        actions: list[Action] = []
        while self._alarms and self._alarms[0][0] <= now:
            at, key = heapq.heappop(self._alarms)
            state = self.entities[key]
            if state.alarm is None or state.alarm > at:
                continue
            # A target may have been moved into the past: what it sets off happens when that became known.
            self._last = max(state.alarm, self._last)
            machine = self._machines[key.partition(":")[0]]
            turn = self._turn(key, self._last)
            machine.wake(state, turn)
            self._arm(key, state)
            actions += self._settled(key, state, turn)
        self.now = now if self.now is None else max(now, self.now)
        return actions

    def kept(self) -> dict[str, Any]:
        """The whole timeline as plain JSON data."""
        versions = {"versions": self.versions.names()} if len(self.versions) > 1 else {}
        marks = self.versions.marks() if versions else {}
        return {
            **versions,
            "now": self.now,
            "last": self._last,
            "entities": {key: kept(state, marks) for key, state in self.entities.items()},
            "present": dict(self.present),
            "seen": sorted(self._seen),
            "known_of": kept(self._known_of),
            "cases_of": {name: list(keys) for name, keys in self._cases_of.items()},
        }

    @classmethod
    def restored(
        cls, policy: ActingSet, data: Mapping[str, Any], others: Iterable[ActingSet] = ()
    ) -> Timeline:
        """The timeline that `kept` wrote, over the same policy, and the `others` that it had adopted since.

        Raises KeyError for a revision that is not among them.
        """
        found = cls(policy)
        known = {revision(each): each for each in (policy, *others)}
        for name in data.get("versions", ())[1:]:
            found.versions.adopt(known[name])
        found._machines.update(found.policy.machines())
        calendars, targets = shelves(found.versions)
        found.now = data["now"]
        found._last = data["last"]
        found.entities = {key: restored(state, calendars, targets) for key, state in data["entities"].items()}
        found.present = dict(data["present"])
        found._seen = set(data["seen"])
        found._known_of = restored(data["known_of"], calendars, targets)
        found._cases_of = {name: list(keys) for name, keys in data["cases_of"].items()}
        for key, state in found.entities.items():
            if state.alarm is not None:
                heapq.heappush(found._alarms, (state.alarm, key))
        return found

    def view(self, state: State, at: int) -> dict[str, Any]:
        """The decision of interface.md §3, surveys as they stand with the customer."""
        decision = self.versions[state.revision or self.versions.names()[0]].view(state, at)
        customer = self.entities.get(f"customer:{state.customer or state.id}")
        decision["surveys"] = self.policy.customers.view(customer, state.id)
        return decision

    def _apply(self, key: str, at: int, told: Sequence[Told]) -> list[Action]:
        sort = key.partition(":")[0]
        machine = self._machines.get(sort)
        if machine is None:
            return []
        state = self.entities.get(key)
        rings = None if state is None else state.alarm
        if state is None:
            state = self._begun(key, at, told[0][0])
            customer = told[0][0].customer
            if sort == "case" and customer is not None:
                # A new case knows what was said of its customer before.
                self._cases_of.setdefault(customer, []).append(key)
                told = [*((event, {}) for event in self._known_of.get(customer, ())), *told]
        turn = self._turn(key, at)
        machine.apply(state, at, told, turn)
        if turn.refused:
            self.refused += turn.refused
        self._arm(key, state, rings)
        return self._settled(key, state, turn)

    def _begun(self, key: str, at: int, first: Event) -> Any:
        sort, _, name = key.partition(":")
        state = self.entities[key] = self._machines[sort].begin(name, at, first)
        return state

    def _turn(self, key: str, at: int) -> Turn:
        machine = self._machines[key.partition(":")[0]]
        state = self.entities[key]
        turn = Turn(at, machine.subject(state), self._by(state).roster, self.present)
        if self._late is not None:
            turn.up_to = self._late[0]
        return turn

    def _by(self, state: Entity) -> ActingSet:
        """The set that runs an entity."""
        return self.versions[state.revision] if isinstance(state, State) else self.versions.current

    def _switch(self, key: str, state: State, name: str, at: int) -> list[Action]:
        """Let a case go on under another revision."""
        if name == state.revision:
            state.pending = None
            return []
        turn = self._turn(key, at)
        switch(state, self._by(state), self.versions[name], turn)
        self._arm(key, state)
        return self._settled(key, state, turn)

    def _signed(self, actions: list[Action], policy: ActingSet) -> list[Action]:
        """The actions, each with the revision it comes from, and how late it is noticed."""
        for action in actions:
            if len(self.versions) > 1:
                action.policy = policy.identity
            if self._late is not None:
                action.late_by = max(0, self._late[1] - action.at)
        return actions

    def _arm(self, key: str, state: Entity, rings: int | None = None) -> None:
        """Set the next alarm of an entity, unless it `rings` then already."""
        if state.alarm is not None and state.alarm != rings:
            heapq.heappush(self._alarms, (state.alarm, key))

    def _settled(self, key: str, state: Entity, turn: Turn) -> list[Action]:
        """The turn's actions, and what it has to say to others passed on."""
        actions = turn.actions
        if len(self.versions) > 1 or self._late is not None:
            actions = self._signed(actions, self._by(state))
        if turn.errors and isinstance(state, State):
            state.errors += turn.errors
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
