"""Reactions at run time: event, condition, actions; with rounds, gates and approvals."""

from __future__ import annotations

from duly.conditions.predicates import predicate
from duly.machines.doing import do
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.calendars.calendars import Calendars
    from duly.cases import Event
    from duly.machines.state import State
    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]


class Reactions:
    """The reactions, gates and approvals of a set that look at one case alone."""

    __slots__ = ("_by_event",)

    def __init__(self, specs: Sequence[Mapping[str, Any]], calendars: Calendars) -> None:
        self._by_event: dict[str, list[Mapping[str, Any]]] = {}
        for spec in specs:
            test = None if spec.get("when") is None else predicate(spec["when"])
            for event in spec["on"]:
                self._by_event.setdefault(event, []).append({**spec, "test": test})

    def hold_back(self, state: State, event: Event, turn: Turn) -> bool:
        """Whether a gate keeps the event from counting; then what the gate says instead has been done."""
        return False

    def react(self, state: State, event: Event, facts: Facts, turn: Turn) -> None:
        """Do what every matching reaction says, in file order; rules see the case after the event."""
        for spec in self._by_event.get(event.type, ()):
            if spec["test"] is None or spec["test"](facts):
                origin = Origin(spec["rule"], event.type, spec.get("source", ()), event.id)
                do(turn, spec["do"], origin, facts)

    def alarm(self, state: State) -> int | None:
        """When the next approval is due."""
        return None

    def ring(self, state: State, turn: Turn) -> None:
        """Do what is due of the approvals at the turn's instant."""
