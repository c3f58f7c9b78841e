"""The timeline: events and what follows from them as time goes on, in order of time, to actions."""

from __future__ import annotations

import heapq

from duly.alarms import Alarms
from duly.calendars.limits import NEVER
from duly.cases import Event, Refused, order, presence
from duly.machines.known import Known
from duly.machines.state import State
from duly.machines.turn import Turn
from duly.versions import KEEP, NOW, Cases, Versions, answer, revision, say, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
    from typing import Any

    from duly.acting import ActingSet
    from duly.actions import Action
    from duly.doings import Doings
    from duly.machines.machine import Entity, Machine, Told

    Adoption = tuple[int, ActingSet]
    """The instant from which a revision is in force."""
    Later = tuple[int, int, str, Event, Mapping[str, Any]]
    """What an entity will be told: the instant, a number, its key, the event and the facts."""


HUB = frozenset(("desk", "set"))
"""The entities that everybody talks to. They never go back in time; all others have a time of their own group."""


class Timeline:
    """A world in virtual time: every case, customer and group that events have spoken of.

    `take` does everything due at or before the events' instant and then the events; `until` everything due by
    an instant. What comes out depends on the events alone, never on when or how often it is asked for. Events
    must come in order of time within a case and its customer; `replaying.replayed` takes them in any order.

    `entities` may be a mapping that fetches them when they are asked for. Alarms beyond the `horizon` are not
    waited for: who fetches entities says with `await_alarm` which ring before it. What is said to the hub (the
    desk and the set) goes `elsewhere`, where that is given. A `log` hears of everything.
    """

    def __init__(
        self, policy: ActingSet, entities: MutableMapping[str, Any] | None = None,
        elsewhere: Callable[[str, int, Sequence[Told]], list[Action]] | None = None, *,
        log: Doings | None = None, remembers: bool = True,
    ) -> None:  # fmt: skip
        """Where it does not remember the ids of events, each of them must be given but once."""
        self.versions = Versions(policy)
        self.now: int | None = None
        self.horizon = NEVER
        self.entities: MutableMapping[str, Any] = {} if entities is None else entities
        self.present: dict[str, bool] = {}
        self.refused: list[tuple[Event, Refused]] = []
        self.later: list[Later] = []
        self.log = log
        self._elsewhere = elsewhere
        self._machines: dict[str, Machine] = {}
        self._run_by(policy)
        self._alarms = Alarms()
        self.seen: set[str] | None = set() if remembers else None
        self.spoke: dict[str, int] = {}
        self._moment = -NEVER
        self._late: int | None = None

    def _run_by(self, policy: ActingSet) -> None:
        machines = policy.machines()
        if self._elsewhere is not None:
            machines = {sort: machine for sort, machine in machines.items() if sort not in HUB}
        self._machines = {"case": Cases(self.versions), **machines}

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
        return self._alarms.first

    def take(self, at: int, events: Iterable[Event]) -> list[Action]:
        """Everything due at or before `at`, and then the events of that instant."""
        if "set" in self._machines and "set" not in self.entities:
            self._moment = at
            begun = self._begun("set", at, Event("", "", at))
            self._arm("set", begun)
            self._settled("set", begun, self._turn("set", at))
        actions = self.until(at)
        self._moment = at
        by_entity: dict[str, list[Told]] = {}
        for event in sorted(events, key=order):
            if self.seen is not None:
                if event.id in self.seen:
                    continue
                self.seen.add(event.id)
            self._note(event)
            for key in self._addressed(event):
                by_entity.setdefault(key, []).append((event, {}))
        for key, told in by_entity.items():
            state = self.entities.get(key)
            if isinstance(state, State) and state.pending is not None:
                actions += self._switch(key, state, state.pending, at)
            actions += self._apply(key, at, told)
        return actions

    def tell(self, key: str, at: int, told: Sequence[Told]) -> list[Action]:
        """What an entity does that is told something by another; everything due before has been done."""
        self._moment = max(at, self._moment)
        return self._apply(key, at, told)

    def adopt(self, policy: ActingSet, at: int) -> list[Action]:
        """Let another revision be in force from `at` on: before the events of that instant (semantics §8)."""
        if revision(policy) == self.versions.names()[-1]:
            return self.until(at)
        actions = self.announce(policy, at)
        keys = sorted(self.entities)
        for key in [key for key in keys if key[:5] != "case:"] + [key for key in keys if key[:5] == "case:"]:
            actions += self.hand_over(key, at)
        return actions + self.until(at)

    def resume(self, policies: Iterable[ActingSet]) -> None:
        """Know of the revisions that were adopted before what there is was fetched, in their order."""
        for policy in policies:
            self.versions.adopt(policy)
        self._run_by(self.policy)

    def announce(self, policy: ActingSet, at: int) -> list[Action]:
        """The first part of an adoption: it is said, and in force for what is new. What there is already is
        handed over next, each entity by itself; first those that are no cases.
        """
        actions = self.until(at)
        self._moment, before = at, self.versions.current
        new = self.versions.adopt(policy)
        turn = Turn(at, {}, new.roster, self.present)
        if self._elsewhere is None:
            say(before, new, turn)
        if self.versions.current is new:
            self._run_by(new)
        if self.log is not None:
            self.log.turn("set", turn.actions)
        return actions + self._signed(turn.actions, new)

    def hand_over(self, key: str, at: int) -> list[Action]:
        """Let an entity go on under the revision that was announced last, as far as that is for it."""
        self._moment = at
        new = self.versions.latest
        state = self.entities[key]
        if isinstance(state, State):
            wanted = answer(new)
            if state.closed or wanted == KEEP:
                return []
            state.pending = revision(new)
            self._touch(key)
            return self._switch(key, state, state.pending, at) if wanted == NOW else []
        if self.versions.current is not new or isinstance(state, Known):
            return []
        turn = self._turn(key, max(at, state.at))
        machine: Any = self._machines[key.partition(":")[0]]
        machine.inherit(state, turn)
        self._arm(key, state)
        return self._settled(key, state, turn)

    def until(self, now: int, since: int | None = None, noticed: int | None = None) -> list[Action]:
        """Everything due by `now`, in order of time.

        A host that was down since `since` says so: then what was due after that is done late, at `noticed` (by
        default `now`), every action carries its `late_by`, and of ladders that catch up on the latest step
        only that is sent.
        """
        if since is None:
            return self._due(now)
        actions = self._due(min(since, now))
        self._late = now if noticed is None else noticed
        actions += self._due(now)
        self._late = None
        return actions

    def await_alarm(self, at: int, key: str) -> None:
        """Let the alarm of an entity ring that nobody has fetched yet."""
        self._alarms.set(at, key)

    def _due(self, now: int) -> list[Action]:
        actions: list[Action] = []
        alarms = self._alarms
        while True:
            first = alarms.first
            if self.later and self.later[0][0] <= now and (first is None or self.later[0][0] < first):
                at, _, key, event, facts = heapq.heappop(self.later)
                self._moment = at
                actions += self._apply(key, at, [(event, facts)])
                continue
            if first is None or first > now:
                break
            at, key = alarms.take()
            state = self.entities.get(key)
            if state is None or state.alarm is None or state.alarm > at:
                continue
            # A target may have been moved into the past: what it sets off happens when that became known.
            self._moment = max(state.alarm, state.at)
            if self.log is not None:
                self.log.rang.append(state.alarm)
            machine = self._machines[key.partition(":")[0]]
            turn = self._turn(key, self._moment)
            machine.wake(state, turn)
            self._arm(key, state)
            actions += self._settled(key, state, turn)
        self.now = now if self.now is None else max(now, self.now)
        return actions

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
            return [] if self._elsewhere is None else self._elsewhere(key, at, told)
        state = self.entities.get(key)
        rings = None if state is None else state.alarm
        if state is None:
            state = self._begun(key, at, told[0][0])
            customer = told[0][0].customer
            if sort == "case" and customer is not None:
                # A new case knows what was said of its customer before.
                known = self._known(customer)
                known.cases.append(key)
                told = [*((event, {}) for event in known.said), *told]
        elif state.at > self._moment and key in HUB:
            at = state.at
        turn = self._turn(key, at)
        machine.apply(state, at, told, turn)
        if turn.refused:
            self.refused += turn.refused
        self._arm(key, state, rings)
        return self._settled(key, state, turn)

    def _begun(self, key: str, at: int, first: Event) -> Any:
        sort, _, name = key.partition(":")
        state = self.entities[key] = self._machines[sort].begin(name, at, first)
        if self.log is not None:
            self.log.begun.append((key, self.log.speaker))
        return state

    def _known(self, customer: str) -> Known:
        key = f"known:{customer}"
        found: Known | None = self.entities.get(key)
        if found is None:
            found = self.entities[key] = Known()
        found.at = max(found.at, self._moment)
        self._touch(key)
        return found

    def _touch(self, key: str) -> None:
        if self.log is not None:
            self.log.touched[key] = None

    def _turn(self, key: str, at: int) -> Turn:
        machine = self._machines[key.partition(":")[0]]
        state = self.entities[key]
        turn = Turn(at, machine.subject(state), self._by(state).roster, self.present)
        if self._late is not None:
            turn.up_to = self._late
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
                action.late_by = max(0, self._late - action.at)
        return actions

    def _arm(self, key: str, state: Entity, rings: int | None = None) -> None:
        """Set the next alarm of an entity, unless it `rings` then already."""
        if state.alarm is not None and state.alarm != rings and state.alarm <= self.horizon:
            self._alarms.set(state.alarm, key)

    def _settled(self, key: str, state: Entity, turn: Turn) -> list[Action]:
        """The turn's actions, and what it has to say to others passed on."""
        actions = turn.actions
        if len(self.versions) > 1 or self._late is not None:
            actions = self._signed(actions, self._by(state))
        if turn.errors and isinstance(state, State):
            state.errors += turn.errors
        # The hub may be ahead of whom it answers: its word comes when that is there too.
        ahead = state.at > self._moment
        if not ahead:
            state.at = self._moment
        if self.log is not None:
            self.log.turn(key, actions)
        for other, event, facts in turn.messages:
            if ahead and key in HUB and other not in HUB:
                self._say_later(key, other, turn.at, event, facts)
            elif self.log is None:
                actions += self._apply(other, turn.at, [(event, facts)])
            else:
                before = self.log.speak(key, other, turn.at, event, facts)
                actions += self._apply(other, turn.at, [(event, facts)])
                self.log.fall_silent(before)
        return actions

    def _say_later(self, key: str, other: str, at: int, event: Event, facts: Mapping[str, Any]) -> None:
        if self.log is not None:
            self.log.fall_silent(self.log.speak(key, other, at, event, facts))
        number = max((row[1] for row in self.later), default=0) + 1
        heapq.heappush(self.later, (at, number, other, event, facts))

    def _addressed(self, event: Event) -> list[str]:
        """The entities that an event from outside goes to: the first that it names; and whoever counts people."""
        if event.case is not None:
            return [f"case:{event.case}"]
        if event.customer is not None:
            if event.type != "customer.updated":
                return [f"customer:{event.customer}"]
            known = self._known(event.customer)
            known.said.append(event)
            return [f"customer:{event.customer}", *known.cases, "set"]
        return ["desk", "set"] if event.person is not None and self.policy.desk_hears else ["set"]

    def _note(self, event: Event) -> None:
        if event.person is not None and presence(event):
            name = event.person if event.person.startswith("person:") else f"person:{event.person}"
            if event.at >= self.spoke.get(name, event.at):
                self.spoke[name] = event.at
                self.present[name] = event.type == "person.on_duty"
