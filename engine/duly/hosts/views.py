"""Views: what may be looked at of a service, as plain JSON data; see hosts.contract.Views."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from duly import instants
from duly.acting import ActingSet
from duly.cases import Case, Event, Refused, read_case
from duly.decision import PolicySet
from duly.hosts import hearsay
from duly.hosts.store.contract import Store
from duly.hosts.store.records import HUB, Line
from duly.instants import DAY, SECOND, render
from duly.machines.desk import Queues
from duly.machines.packed import Packing
from duly.machines.state import Customer, State
from duly.replaying import played
from duly.reports.account import account
from duly.reports.trace import trace
from duly.versions import Versions, revision, shelf

LONGEST = 20 * 365 * DAY
"""Between the first event of a case and the instant it is decided at: what comes round each day is played through."""
MOST = 10_000
"""Events, or actions, of one answer."""


class Views:
    """See hosts.contract.Views. `acting` gives the set of a revision that was adopted; `places` says where the rules
    of the policy in force stand, as far as that is known.
    """

    def __init__(
        self, store: Store, acting: Callable[[str], ActingSet], matcher: str = "native",
        places: Callable[[], Mapping[str, dict[str, Any]]] = dict,
    ) -> None:  # fmt: skip
        self._store, self._acting, self._matcher, self._places = store, acting, matcher, places
        self._lock = threading.Lock()
        self._known: tuple[str, ...] = ()
        self._versions: Versions | None = None
        self._packing: Packing | None = None
        self._alone: tuple[str, PolicySet] | None = None

    # A case that is given whole

    def decide(self, case: Any, at: int) -> Mapping[str, Any]:
        """See hosts.contract.Views."""
        return self._seen(read_case(case), at)[1]

    def explain(self, case: Any, at: int) -> Mapping[str, Any]:
        """See hosts.contract.Views."""
        state, decision = self._seen(read_case(case), at)
        return self._explained(self._deciding(), state, decision, at)

    def _seen(self, case: Case, at: int) -> tuple[State, dict[str, Any]]:
        if at - min([case.opened_at, *(event.at for event in case.events)]) > LONGEST:
            years = LONGEST // (365 * DAY)
            raise Refused(
                "E119", f"more than {years} years lie between its first event and what counts as now"
            )
        policy = self._deciding()
        if isinstance(policy, ActingSet):
            return played(policy, case, at)
        state = policy.replay(case, at)
        return state, policy.view(state, at)

    def _deciding(self) -> PolicySet:
        """The policy in force, for one case at a time."""
        current = self._current()
        name = revision(current)
        if self._alone is None or self._alone[0] != name:
            compiled = current.compiled
            alone = (
                ActingSet(compiled, self._matcher, alone=True)
                if compiled["acts"]
                else PolicySet(compiled, self._matcher)
            )
            self._alone = name, alone
        return self._alone[1]

    def _explained(
        self, policy: PolicySet, state: State, decision: dict[str, Any], at: int
    ) -> dict[str, Any]:
        decision["trace"] = trace(policy, state, self._places())
        for clock in decision["clocks"]:
            clock["account"] = [
                {
                    "from": render(row.start), "to": render(row.end), "kind": row.kind, "label": row.label or None,
                    "calendar": row.calendar, "counted_seconds": instants.seconds(row.counted),
                }
                for row in account(state.runs[clock["clock"]], at)
            ]  # fmt: skip
        return decision

    # What is kept

    def case(self, name: str, at: int) -> Mapping[str, Any] | None:
        """See hosts.contract.Views."""
        state = self._entity(f"case:{name}")
        return self._decision(state, at) if isinstance(state, State) else None

    def _decision(self, state: State, at: int) -> dict[str, Any]:
        versions, _ = self._adopted()
        policy = versions[state.revision or versions.names()[0]]
        decision = policy.view(state, at)
        customer = self._entity(f"customer:{state.customer or state.id}")
        decision["surveys"] = versions.current.customers.view(
            customer if isinstance(customer, Customer) else None, state.id
        )
        return decision

    def history(self, name: str) -> Mapping[str, Any] | None:
        """See hosts.contract.Views."""
        kept = self._store.entity(f"case:{name}")
        lines = [line for line in self._store.history(name) if line.case in (None, name)]
        if kept is None and not lines:
            return None
        group = kept.group if kept is not None else lines[-1].group
        actions = [action for action in self._actions(group) if action.get("case") in (None, name)]
        return {"case": name, "events": [_event(line) for line in lines[-MOST:]], "actions": actions[-MOST:]}

    def _actions(self, group: str) -> Iterator[dict[str, Any]]:
        after = (0, 0)
        while found := self._store.outbox(group, after, 1000):
            for out in found:
                yield orjson.loads(out.body)
            after = found[-1].shard, found[-1].seq

    def due(self, limit: int, at: int) -> Sequence[Mapping[str, Any]]:
        """See hosts.contract.Views."""
        return [self._upcoming(alarm, key, at) for alarm, key in self._store.upcoming(limit)]

    def _upcoming(self, alarm: int, key: str, at: int) -> dict[str, Any]:
        sort, _, name = key.partition(":")
        found: dict[str, Any] = {"at": render(alarm), "in_seconds": instants.seconds(alarm - at), "of": sort}
        if name:
            found["id"] = name
        state = self._entity(key)
        if isinstance(state, State):
            found["clocks"] = [
                {
                    each: clock.get(each)
                    for each in ("clock", "state", "due_at", "remaining_seconds", "breached")
                }
                for clock in self._decision(state, at)["clocks"]
                if clock["state"] in ("running", "paused")
            ]
        return found

    def queue(self, group: str, at: int) -> Mapping[str, Any] | None:
        """See hosts.contract.Views."""
        desk = self._entity("desk")
        waiting = desk.waiting if isinstance(desk, Queues) else {}
        names = {group} if ":" in group else {f"group:{group}", f"queue:{group}"}
        rows = sorted((row["age"], case) for case, row in waiting.items() if row["to"] in names)
        if not rows and not names & self._groups():
            return None
        return {
            "group": group,
            "at": render(at),
            "waiting": [
                {
                    "position": position, "case": case, "to": waiting[case]["to"],
                    "since": render(waiting[case]["since"]),
                    "waiting_seconds": (at - waiting[case]["since"]) // SECOND,
                    "counts_from": render(age), "rule": waiting[case]["rule"],
                }
                for position, (age, case) in enumerate(rows, 1)
            ],
        }  # fmt: skip

    def _groups(self) -> set[str]:
        """The groups and queues that the policy in force speaks of."""
        compiled = self._current().compiled
        return {f"group:{name}" for name in compiled["roster"].get("groups", {})}

    def policy(self) -> Mapping[str, Any]:
        """See hosts.contract.Views."""
        current = self._current()
        adopted = [{"revision": name, "from": render(at)} for at, name in self._store.adoptions()]
        return {
            "policy": current.identity,
            "adopted": adopted,
            "clocks": [clock.id for clock in current.clocks],
            "groups": sorted(self._groups()),
        }

    # What they are made of

    def _current(self) -> ActingSet:
        return self._adopted()[0].latest

    def _adopted(self) -> tuple[Versions, Packing]:
        """The revisions adopted so far; read again where there is a new one."""
        names = tuple(name for _, name in self._store.adoptions())
        with self._lock:
            if self._versions is None or self._packing is None or names != self._known:
                sets = [self._acting(name) for name in names]
                versions = Versions(sets[0])
                for each in sets[1:]:
                    versions.adopt(each)
                self._versions, self._known = versions, names
                self._packing = Packing({name: shelf(versions[name]) for name in versions.names()})
            return self._versions, self._packing

    def _entity(self, key: str) -> Any:
        kept = self._store.entity(key)
        return None if kept is None else self._adopted()[1].unpacked(kept.body)


def _event(line: Line) -> dict[str, Any]:
    """A line of the journal as JSON."""
    event = _said(hearsay.read(line).event) if line.origin == HUB else orjson.loads(line.body)
    origin = "desk" if line.origin == HUB else line.origin
    return {"event": event, "origin": origin, "received_at": render(line.received_at), "seq": line.seq}


def _said(event: Event) -> dict[str, Any]:
    """What the desk or the set told a case, in the envelope of events."""
    found: dict[str, Any] = {"id": event.id, "type": event.type, "at": render(event.at)}
    for name in ("case", "customer", "person"):
        if getattr(event, name) is not None:
            found[name] = getattr(event, name)
    return {**found, "data": {**event.payload, **event.changes}}
