"""Versions: which revision of a policy set decides on what (semantics §8)."""

from __future__ import annotations

from duly.cases import Case, Refused
from duly.conditions.predicates import predicate
from duly.machines.state import State
from duly.machines.survey import sampled
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.acting import ActingSet
    from duly.cases import Event
    from duly.machines.machine import Told
    from duly.machines.turn import Turn

KEEP, NEXT_EVENT, NOW = "keep", "next_event", "now"


class Versions:
    """The revisions of one policy set, in the order in which they were adopted.

    `current` runs what belongs to no case: customers, the desk, the set. A revision with a pilot is only for
    those new cases that the pilot chooses; all else stays with the one before.
    """

    __slots__ = ("_all", "_by_revision", "_pilots", "current")

    def __init__(self, first: ActingSet) -> None:
        self._all = [first]
        self._by_revision = {revision(first): first}
        self._pilots: dict[str, tuple[Any, float]] = {}
        self.current = first

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, name: str) -> ActingSet:
        """The set of a revision; KeyError where it was never adopted."""
        return self._by_revision[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_revision

    def adopt(self, policy: ActingSet) -> ActingSet:
        """Let a revision follow the others; the set to run it by, which knows the ladders of those before it."""
        name = revision(policy)
        following = self._by_revision.get(name) or policy.following(self._all)
        self._by_revision[name] = following
        self._all.append(following)
        pilot = (policy.compiled["set"].get("adoption") or {}).get("pilot")
        self._pilots.pop(name, None)
        if pilot is None:
            self.current = following
        else:
            test = None if pilot["when"] is None else predicate(pilot["when"])
            self._pilots[name] = (test, pilot["share"])
        return following

    def chosen(self, case: str, opening: Event) -> ActingSet:
        """The revision that a new case is pinned to: the latest whose pilot, if it has one, chooses it."""
        for policy in reversed(self._all):
            pilot = self._pilots.get(revision(policy))
            if pilot is None:
                return policy
            test, share = pilot
            in_sample = sampled(policy.identity["set"], case, share)
            if in_sample and (test is None or test(_facts(policy, case, opening))):
                return policy
        return self._all[0]

    @property
    def latest(self) -> ActingSet:
        """The set adopted last, which a pilot may keep from being the current one."""
        return self._all[-1]

    def names(self) -> list[str]:
        """The revisions, in the order of their adoption."""
        return [revision(policy) for policy in self._all]

    def marks(self) -> dict[int, str]:
        """Whose each calendar and each target is: the identity of the object to its revision."""
        found: dict[int, str] = {}
        for name, policy in self._by_revision.items():
            objects = [policy.calendars[each] for each in policy.calendars]
            for each in [*objects, *(target for clock in policy.clocks for target in clock.targets)]:
                found[id(each)] = name
        return found


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


class Shelf:
    """Calendars or targets of one revision by name, and those of any other by (name, revision)."""

    __slots__ = ("_others", "_own")

    def __init__(self, own: Any, others: Mapping[str, Any]) -> None:
        self._own = own
        self._others = others

    def __getitem__(self, name: Any) -> Any:
        if isinstance(name, str):
            return self._own[name]
        plain, revision = name
        return self._others[revision][plain]


def shelves(versions: Versions) -> tuple[Any, Any]:
    """The calendars and the targets that a stored timeline speaks of."""
    names = versions.names()
    found = {name: shelf(versions[name]) for name in names}
    calendars = {name: calendars for name, (calendars, _) in found.items()}
    targets = {name: targets for name, (_, targets) in found.items()}
    return Shelf(calendars[names[0]], calendars), Shelf(targets[names[0]], targets)


def shelf(policy: ActingSet) -> tuple[Any, dict[str, Any]]:
    """The calendars of a set by name, and its targets by rule."""
    return policy.calendars, {target.rule: target for clock in policy.clocks for target in clock.targets}


def revision(policy: ActingSet) -> str:
    """The revision of a set."""
    return str(policy.identity["revision"])


def answer(policy: ActingSet) -> str:
    """What a new revision does to open cases. While it is on trial, only new cases are its."""
    adoption = policy.compiled["set"].get("adoption") or {}
    return KEEP if adoption.get("pilot") else str(adoption.get("open_cases", KEEP))


def switch(state: State, old: ActingSet, new: ActingSet, turn: Turn) -> None:
    """Let a case go on under another revision: its clocks, ladders and duties are carried over by their ids."""
    state.revision, state.pending = revision(new), None
    say(old, new, turn)
    new.inherit(state, old, turn)


def say(old: ActingSet, new: ActingSet, turn: Turn) -> None:
    """Record an adoption."""
    short = {"from": dict(old.identity), "to": dict(new.identity), "open_cases": answer(new)}
    origin = Origin(f"policy-set/{new.identity['set']}", "policy.adopted", (), f"{revision(new)}/{turn.at}")
    turn.act("policy.adopted", origin, short)


def _facts(policy: ActingSet, case: str, opening: Event) -> Mapping[str, Any]:
    """What the set makes of a case as it is opened; nothing where it refuses the event."""
    state = policy.begin(Case(case, opening.at))
    try:
        policy.apply(state, opening.at, [opening])
    except Refused:
        return {}
    return state.facts
