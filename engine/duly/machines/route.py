"""Routes at run time: which queue a case waits in, and how old it counts there."""

from __future__ import annotations

from duly.conditions.matchers import matcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Routing:
    """A Routing document, compiled: first match wins; a rule with `also` adds its recipient and goes on."""

    __slots__ = ("evaluate_on", "matcher", "otherwise", "rules")

    def __init__(self, spec: Mapping[str, Any], engine: str) -> None:
        self.evaluate_on = frozenset(spec["evaluate_on"])
        self.matcher = matcher(spec["match"], engine, "routing", [rule["rule"] for rule in spec["rules"]])
        self.rules: list[dict[str, Any]] = spec["rules"]
        self.otherwise: dict[str, Any] = spec["otherwise"]

    def entry(self, rule: str) -> dict[str, Any]:
        """The compiled rule of that name, with its needs and its own way of assigning."""
        return next((each for each in self.rules if each["rule"] == rule), self.otherwise)

    def route(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The route of a case with these facts, in the shape of a decision's `route`."""
        also: list[str] = []
        chosen = self.otherwise
        for number in self.matcher.all(facts):
            rule = self.rules[number]
            if not rule.get("also"):
                chosen = rule
                break
            if rule["to"] not in also:
                also.append(rule["to"])
        route = {
            "to": chosen["to"],
            "rule": chosen["rule"],
            "boost_seconds": chosen.get("boost_seconds", 0),
            "also": [to for to in also if to != chosen["to"]],
        }
        if "need" in chosen:
            route["need"] = chosen["need"]
        if "source" in chosen:
            route["source"] = chosen["source"]
        return route
