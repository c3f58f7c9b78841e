"""Effects: whether what a policy does by itself can change what it decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def mark(compiled: dict[str, Any], reads: Iterable[str]) -> None:
    """Note in `acts`, of the set and of each duty, whether its actions can change a decision on a case.

    Where none can, a case can be decided from its events alone, which is many times as fast. `reads` are the
    fields that conditions ask for.
    """
    effects = _Effects(compiled, frozenset(reads))
    ladders = {
        ladder["id"] for ladder in compiled["ladders"]
        if any(map(effects.of, [ladder["on_exhausted"], *(step["do"] for step in ladder["steps"])]))
    }  # fmt: skip
    for duty in compiled["duties"]:
        duty["acts"] = effects.of(duty["do"]) or duty.get("ladder") in ladders
    reactions = compiled["reactions"]
    lists = [clock["on_expiry"] for clock in compiled["clocks"] if "on_expiry" in clock]
    lists += [response["do"] for survey in compiled["surveys"] for response in survey["responses"]]
    lists += [each["do"] for each in reactions["reactions"]]
    lists += [each["rounds"]["then"] for each in reactions["reactions"] if "rounds" in each]
    lists += [each["on_expiry"] for each in reactions["approvals"]]
    compiled["acts"] = (
        bool(ladders)
        or bool(reactions["gates"])
        or any(map(effects.of, lists))
        or any(duty["acts"] for duty in compiled["duties"])
        # A vote that does not decide is held back, which whoever hears of votes must be spared.
        or (bool(reactions["approvals"]) and not effects.heard.isdisjoint(_VOTES))
    )


_VOTES = frozenset(("approval.given", "approval.refused"))


class _Effects:
    """What the set hears of and reads, and with it which actions have an effect on a case."""

    def __init__(self, compiled: Mapping[str, Any], reads: frozenset[str]) -> None:
        routing = compiled.get("routing") or {}
        self.heard = {
            *(
                event
                for clock in compiled["clocks"]
                for triggers in clock["on"].values()
                for event, _ in triggers
            ),
            *routing.get("evaluate_on", ()),
            *(event for survey in compiled["surveys"] for event in (*survey["on"], *survey["cancel_on"])),
            *(event for each in compiled["reactions"]["reactions"] for event in each["on"]),
            *(event for each in compiled["reactions"]["approvals"] for event in each["on"]),
        }
        self.reads = reads | {table["sets"] for table in compiled["tables"]} | {
            target["field"] for clock in compiled["clocks"] for target in clock["targets"] if "field" in target
        }  # fmt: skip
        self.ladders = {
            ladder["id"]: [ladder["on_exhausted"], *(step["do"] for step in ladder["steps"])]
            for ladder in compiled["ladders"]
        }

    def of(self, actions: Iterable[Mapping[str, Any]]) -> bool:
        """Whether any of the actions can change a decision."""
        return any(self._changes(action) for action in actions)

    def _changes(self, action: Mapping[str, Any]) -> bool:
        if "set" in action:
            return "case.updated" in self.heard or not self.reads.isdisjoint(action["set"])
        if "assign" in action:
            return "case.assigned" in self.heard or "assignee" in self.reads
        if "emit" in action:
            return action["emit"] in self.heard
        # A ladder that an action starts has its effects counted with all ladders; a survey is asked for by others.
        return "survey" in action
