"""The desk at run time: queues of cases, and who of those on duty takes the next one (semantics §4)."""

from __future__ import annotations

from duly.calendars.limits import NEVER
from duly.cases import Event
from duly.instants import SECOND
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]
    Told = tuple[Event, Facts]
    Waiting = dict[str, Any]

DONE = frozenset(("case.closed", "case.cancelled", "case.merged"))
HEARS = DONE | {"case.queued", "case.assigned", "case.reopened", "person.on_duty", "person.off_duty"}


class Queues:
    """What the desk keeps, all plain data: the cases that wait, who has which case, whose turn it was, whose
    case each is, and who served each customer last.
    """

    __slots__ = ("alarm", "at", "customers", "last", "owned", "served", "waiting")

    def __init__(self) -> None:
        self.alarm: int | None = None
        self.at = -NEVER
        self.waiting: dict[str, Waiting] = {}
        self.owned: dict[str, str] = {}
        self.customers: dict[str, str] = {}
        self.served: dict[str, str] = {}
        self.last: dict[str, str] = {}


class Desk:
    """The machine of assignment; see machine.Machine. There is one such entity, called `desk`.

    `groups` are those of the Roster, for skills and capacity; `assign` is the Routing's strategy.
    """

    def __init__(self, groups: Mapping[str, Any], assign: Mapping[str, Any]) -> None:
        self._groups = {f"group:{name}": group for name, group in groups.items()}
        self._assign = assign

    def begin(self, name: str, at: int, first: Event) -> Queues:
        """Empty queues."""
        return Queues()

    def subject(self, state: Queues) -> Mapping[str, Any]:
        """Nobody in particular; each action names its case."""
        return {}

    def apply(self, state: Queues, at: int, told: Sequence[Told], turn: Turn) -> None:
        """What the events of one instant do to the queues; then whoever is free takes what waits."""
        fresh: list[str] = []
        freed = False
        for event, facts in told:
            case = event.case
            if case is None:
                freed = True
                continue
            if event.type == "case.queued":
                freed = freed or case in state.owned
                self._queue(state, case, event, facts, at)
                fresh.append(case)
            elif event.type in DONE:
                freed = True
                state.waiting.pop(case, None)
                state.owned.pop(case, None)
                state.customers.pop(case, None)
            elif event.type == "case.assigned":
                assignee = str(event.payload.get("assignee", ""))
                freed = freed or state.owned.get(case, assignee) != assignee
                self._taken(state, case, assignee)
            elif event.type == "case.reopened" and case in state.owned:
                freed = True
                self._back(state, case, turn)
        if freed:
            self._drain(state, turn)
        elif fresh:
            # Nobody has become free for those who waited before; what they hope for is in the alarm.
            self._drain(state, turn, fresh)

    def inherit(self, state: Queues, turn: Turn) -> None:
        """Whatever waits goes on waiting, by what its route said; who is free is looked at anew."""
        self._drain(state, turn)

    def wake(self, state: Queues, turn: Turn) -> None:
        """A need is relaxed, somebody comes on duty, or a case has waited too long."""
        for case, waiting in sorted(state.waiting.items()):
            overflow = waiting.get("overflow_at")
            if overflow is not None and overflow <= turn.at:
                waiting["overflow_at"] = None
                waiting["to"] = waiting["assign"]["on_no_agent"]["overflow"]
                origin = Origin(waiting["rule"], "overflow", waiting["source"], str(waiting["since"]))
                turn.subject = {"case": case}
                turn.act("case.routed", origin, {"to": [waiting["to"]]})
        self._drain(state, turn)

    def _queue(self, state: Queues, case: str, event: Event, facts: Facts, at: int) -> None:
        route = facts["route"]
        assign = route.get("assign") or self._assign
        if assign["strategy"] == "none":
            return
        state.owned.pop(case, None)
        customer = facts.get("customer")
        if customer is not None:
            state.customers[case] = customer
        no_agent = assign.get("on_no_agent")
        overflow = no_agent.get("after_us") if isinstance(no_agent, dict) else None
        state.waiting[case] = {
            "to": route["to"], "rule": route["rule"], "source": route.get("source", []), "since": at,
            "age": (facts.get("opened_at") or at) - route.get("boost_seconds", 0) * SECOND,
            "need": route.get("needs", []), "assign": assign,
            "sticky": facts.get("assignee") or state.served.get(str(customer)),
            "overflow_at": at + overflow if overflow is not None else at if isinstance(no_agent, dict) else None,
        }  # fmt: skip

    def _taken(self, state: Queues, case: str, assignee: str) -> None:
        if assignee.startswith("person:"):
            state.waiting.pop(case, None)
            self._give(state, case, assignee)

    def _give(self, state: Queues, case: str, person: str) -> None:
        """The case is the person's, who from now on is the one who had the customer before."""
        state.owned[case] = person
        if case in state.customers:
            state.served[state.customers[case]] = person

    def _back(self, state: Queues, case: str, turn: Turn) -> None:
        """A reopened case stays with whoever had it only while that person is on duty."""
        person = state.owned[case]
        if not turn.roster.on_duty(person, turn.at, turn.present):
            del state.owned[case]

    def _drain(self, state: Queues, turn: Turn, fresh: Sequence[str] | None = None) -> None:
        """Hand out what waits, or only the `fresh` of it, the oldest first: (opened_at - boost, case id), so that
        nothing starves.
        """
        waiting = state.waiting if fresh is None else {
            case: state.waiting[case] for case in fresh if case in state.waiting
        }  # fmt: skip
        look, left = _Look(self._groups, state, turn), list[str]()
        moments = [] if fresh is None else [state.alarm]
        for case, each in sorted(waiting.items(), key=lambda row: (row[1]["age"], row[0])):
            person = self._choose(state, each, look, turn)
            if person is None:
                left.append(each["to"])
                moments += (_need(each, turn.at)[1], each["overflow_at"])
            else:
                self._hand_over(state, case, each, person, turn)
                look.took(person)
        moments += look.back(left)
        state.alarm = min((each for each in moments if each is not None and each > turn.at), default=None)

    def _hand_over(self, state: Queues, case: str, waiting: Waiting, person: str, turn: Turn) -> None:
        del state.waiting[case]
        self._give(state, case, person)
        state.last[waiting["to"]] = person
        turn.subject = {"case": case}
        origin = Origin(waiting["rule"], "assigned", waiting["source"], str(waiting["since"]))
        turn.act("assign", origin, {"to": [person], "people": [person], "queue": waiting["to"]})
        event = Event(f"desk/{case}/{turn.at}", "case.assigned", turn.at)
        event.case, event.actor, event.payload = case, "policy", {"assignee": person}
        turn.messages.append((f"case:{case}", event, {}))

    def _choose(self, state: Queues, waiting: Waiting, look: _Look, turn: Turn) -> str | None:
        """Who of those on duty, free, and able takes the case."""
        to = waiting["to"]
        group = self._groups.get(to, {})
        able = [person for person in look.free(to) if self._suits(group, person, waiting, turn.at)]
        if not able:
            return None
        strategy = waiting["assign"]["strategy"]
        if strategy == "sticky" and waiting["sticky"] in able:
            return str(waiting["sticky"])
        if strategy == "round_robin":
            members = turn.roster.members(to)
            start = members.index(state.last[to]) + 1 if state.last.get(to) in members else 0
            return next(person for person in [*members[start:], *members[:start]] if person in able)
        return min(able, key=lambda person: (look.loads.get(person, 0), able.index(person)))

    def _suits(self, group: Mapping[str, Any], person: str, waiting: Waiting, at: int) -> bool:
        """Whether the need in force lets the person take it; needs are relaxed one after the other."""
        need = _need(waiting, at)[0]
        if need is None or need == "any":
            return True
        skills = group.get("skills", {}).get(person.removeprefix("person:"), {})
        return bool(skills.get(need["skill"], 0) >= need.get("level", 1))


class _Look:
    """One look of the desk at its queues: who has how many cases, who is on duty where and free."""

    __slots__ = ("_free", "_groups", "_turn", "loads")

    def __init__(self, groups: Mapping[str, Any], state: Queues, turn: Turn) -> None:
        self._groups = groups
        self._turn = turn
        self._free: dict[str, list[str]] = {}
        self.loads: dict[str, int] = {}
        for person in state.owned.values():
            self.loads[person] = self.loads.get(person, 0) + 1

    def free(self, to: str) -> list[str]:
        """Those on duty there who may have one more case; in the roster's order."""
        found = self._free.get(to)
        if found is None:
            turn = self._turn
            found = [
                each for each in turn.roster.on_duty(to, turn.at, turn.present) if not self._full(to, each)
            ]
            self._free[to] = found
        return found

    def took(self, person: str) -> None:
        """One more case is the person's."""
        self.loads[person] = self.loads.get(person, 0) + 1
        for to, free in self._free.items():
            if person in free and self._full(to, person):
                free.remove(person)

    def _full(self, to: str, person: str) -> bool:
        capacity = self._groups.get(to, {}).get("capacity")
        return capacity is not None and self.loads.get(person, 0) >= capacity

    def back(self, queues: Iterable[str]) -> list[int | None]:
        """When somebody comes on duty next, queue by queue."""
        turn = self._turn
        return [turn.roster.next_on_duty(to, turn.at, turn.present) for to in dict.fromkeys(queues)]


def _need(waiting: Waiting, at: int) -> tuple[Any, int | None]:
    """The need in force at an instant, and when the next one takes its place."""
    until = waiting["since"]
    for need in waiting["need"]:
        if need == "any" or "for_us" not in need:
            return need, None
        until += need["for_us"]
        if at < until:
            return need, until
    return None, None
