"""Reactions at run time: event, condition, actions; with rounds, gates and approvals."""

from __future__ import annotations

from duly.conditions.predicates import predicate
from duly.machines.approval import VOTES, Approvals
from duly.machines.counting import Counting
from duly.machines.doing import do
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.calendars.calendars import Calendars
    from duly.cases import Event
    from duly.machines.state import State
    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]
    Json = Mapping[str, Any]


class Reactions:
    """The reactions, gates and approvals of a set, as they look at one case.

    A case remembers in `state.memory`: `rounds` (rule to count), `counts` (see counting), `seen` (the events
    that gates ask for), `approvals` (see approval).
    """

    __slots__ = (
        "_approvals", "_by_event", "_counting", "_gates", "_resets", "_wanted", "counts", "hears", "withholds",
    )  # fmt: skip

    def __init__(self, spec: Json, calendars: Calendars) -> None:
        self._by_event: dict[str, list[tuple[Json, Any]]] = {}
        self._resets: dict[str, list[str]] = {}
        for reaction in spec.get("reactions", ()):
            if "count" in reaction:
                continue
            test = None if reaction.get("when") is None else predicate(reaction["when"])
            for event in reaction["on"]:
                self._by_event.setdefault(event, []).append((reaction, test))
            for event in reaction.get("rounds", {}).get("reset_on", ()):
                self._resets.setdefault(event, []).append(reaction["rule"])
        self._counting = Counting(spec.get("reactions", ()), "case")
        self._approvals = Approvals(spec.get("approvals", ()), calendars)
        self._gates: dict[str, list[tuple[Json, Any, Any]]] = {}
        self._wanted: dict[str, list[tuple[str, Any]]] = {}
        for gate in spec.get("gates", ()):
            test = None if gate.get("when") is None else predicate(gate["when"])
            holds = None if gate.get("condition") is None else predicate(gate["condition"])
            for event in gate["before"]:
                self._gates.setdefault(event, []).append((gate, test, holds))
            for number, (event, condition) in enumerate(gate["events"]):
                wanted = None if condition is None else predicate(condition)
                self._wanted.setdefault(event, []).append((f"{gate['rule']}:{number}", wanted))

        self.withholds = frozenset(self._gates) | VOTES
        """The types of events that `hold_back` has to be asked about."""
        self.hears = frozenset((*self._by_event, *self._resets, *self._wanted)) | self._approvals.hears
        """The types of events that `react` may do something on; on every one, where it `counts`."""
        self.counts = self._counting.counts

    def hold_back(self, state: State, event: Event, turn: Turn) -> bool:
        """Whether the event does not count: a gate is not satisfied, or it is a vote that does not decide."""
        if self._approvals.held_back(state.memory, event):
            self._approvals.next_in_turn(state.memory, event, turn)
            return True
        for gate, test, holds in self._gates.get(event.type, ()):
            facts = {**state.facts, **{f"event.{name}": value for name, value in event.payload.items()}}
            if event.changes:
                facts.update(event.changes)
            if test is not None and not test(facts):
                continue
            missing = self._missing(state, gate, holds, facts)
            if missing:
                origin = Origin(gate["rule"], "gate.violated", gate.get("source", ()), event.id)
                turn.act("gate.violated", origin, {"event": event.type, "missing": missing})
                do(turn, gate["otherwise"], origin, facts)
                return True
        return False

    def _missing(self, state: State, gate: Json, holds: Any, facts: Facts) -> list[str]:
        seen = state.memory.get("seen", {})
        missing = [name for name in gate["fields"] if facts.get(name) is None]
        missing += [
            name
            for number, (name, _) in enumerate(gate["events"])
            if not seen.get(f"{gate['rule']}:{number}")
        ]
        missing += [name for name in gate["approvals"] if not self._approvals.given(state.memory, name)]
        if holds is not None and not holds(facts):
            missing.append("condition")
        return missing

    def react(self, state: State, event: Event, facts: Facts, turn: Turn) -> None:
        """Do what every matching reaction says, in file order; rules see the case after the event."""
        for mark, wanted in self._wanted.get(event.type, ()):
            if wanted is None or wanted(facts):
                state.memory.setdefault("seen", {})[mark] = True
        for rule in self._resets.get(event.type, ()):
            state.memory.get("rounds", {}).pop(rule, None)
        for reaction, test in self._by_event.get(event.type, ()):
            if test is None or test(facts):
                origin = Origin(reaction["rule"], event.type, reaction.get("source", ()), event.id)
                do(turn, self._round(state, reaction), origin, facts)
        self._counting.react(state.memory, event, facts, turn)
        self._approvals.react(state.memory, event, facts, turn)

    def react_without_case(self, state: Any, event: Event, facts: Facts, turn: Turn) -> None:
        """Do what every matching reaction says on an event of no case; `state` remembers the rounds.

        Nobody approves, counts or holds back here: those look at cases. What is emitted, or would change a
        case, is left in the turn's queue.
        """
        for reaction, test in self._by_event.get(event.type, ()):
            if test is None or test(facts):
                origin = Origin(reaction["rule"], event.type, reaction.get("source", ()), event.id)
                do(turn, self._round(state, reaction), origin, facts)

    def _round(self, state: Any, reaction: Json) -> Any:
        """`do`, or once there have been as many rounds as there may be what comes `then`."""
        rounds = reaction.get("rounds")
        if rounds is None:
            return reaction["do"]
        counts = state.memory.setdefault("rounds", {})
        counts[reaction["rule"]] = counts.get(reaction["rule"], 0) + 1
        return reaction["do"] if counts[reaction["rule"]] <= rounds["max"] else rounds["then"]

    def alarm(self, state: State) -> int | None:
        """When the next approval is due."""
        return self._approvals.alarm(state.memory)

    def inherit(self, state: State, turn: Turn) -> None:
        """Go on with a case that another revision ran."""
        self._approvals.inherit(state.memory, turn)

    def ring(self, state: State, turn: Turn) -> None:
        """Do what is due of the approvals at the turn's instant."""
        self._approvals.ring(state.memory, state.facts, turn)
