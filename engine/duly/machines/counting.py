"""Counting: reactions to the so-and-so-many-th event within a time, per case, customer, group or set."""

from __future__ import annotations

from duly.conditions.predicates import predicate
from duly.machines.doing import do
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.cases import Event
    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]
    Json = Mapping[str, Any]


class Counting:
    """The counting reactions of one sort: those `per` case, customer, group or set."""

    __slots__ = ("_specs", "counts", "hears")

    def __init__(self, specs: Sequence[Json], per: str) -> None:
        self._specs = [
            (spec, _test(spec.get("when")), _test(spec["count"].get("where")))
            for spec in specs if "count" in spec and spec["count"]["per"] == per
        ]  # fmt: skip
        self.counts = bool(self._specs)
        self.hears = frozenset(
            name for spec, _, _ in self._specs for name in [*spec["on"], *spec["count"]["of"]]
        )

    def react(self, memory: dict[str, Any], event: Event, facts: Facts, turn: Turn) -> None:
        """Count the event where it counts, and do what follows. `memory` is the entity's own.

        A window is half-open and ends with the event, which counts itself: (at - within, at].
        """
        for spec, when, where in self._specs:
            count = spec["count"]
            seen: list[int] = memory.setdefault("counts", {}).setdefault(spec["rule"], [])
            if event.type in count["of"] and (where is None or where(facts)):
                seen.append(event.at)
                while seen and seen[0] <= event.at - count["within"]:
                    seen.pop(0)
            if event.type not in spec["on"] or (when is not None and not when(facts)):
                continue
            inside = sum(1 for moment in seen if moment > event.at - count["within"])
            if inside >= count["at_least"]:
                origin = Origin(spec["rule"], event.type, spec.get("source", ()), event.id)
                do(turn, spec["do"], origin, facts)


def _test(condition: Any) -> Any:
    return None if condition is None else predicate(condition)
