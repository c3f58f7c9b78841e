"""Routes at run time: which queue a case waits in, and how old it counts there."""

from __future__ import annotations

from duly.conditions.matchers import matcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Routing:
    """A Routing document, compiled: first match wins; a rule with `also` adds its recipient and goes on."""

    __slots__ = ("_routes", "_single", "evaluate_on", "matcher", "otherwise", "rules")

    def __init__(self, spec: Mapping[str, Any], engine: str) -> None:
        self.evaluate_on = frozenset(spec["evaluate_on"])
        self.matcher = matcher(spec["match"], engine, "routing", [rule["rule"] for rule in spec["rules"]])
        self.rules: list[dict[str, Any]] = spec["rules"]
        self.otherwise: dict[str, Any] = spec["otherwise"]
        self._single = not any(rule.get("also") for rule in self.rules)
        self._routes = [_route(rule) for rule in (*self.rules, self.otherwise)]

    def entry(self, rule: str) -> dict[str, Any]:
        """The compiled rule of that name, with its needs and its own way of assigning."""
        return next((each for each in self.rules if each["rule"] == rule), self.otherwise)

    def route(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The route of a case with these facts, in the shape of a decision's `route`."""
        also: list[str] = []
        if self._single:
            chosen = self.matcher.first(facts)
        else:
            chosen = -1
            for number in self.matcher.all(facts):
                rule = self.rules[number]
                if not rule.get("also"):
                    chosen = number
                    break
                if rule["to"] not in also:
                    also.append(rule["to"])
        # The last of the routes is that of `otherwise`.
        route = self._routes[chosen].copy()
        route["also"] = [to for to in also if to != route["to"]] if also else also
        return route


def _route(rule: Mapping[str, Any]) -> dict[str, Any]:
    route = {
        "to": rule["to"],
        "rule": rule["rule"],
        "boost_seconds": rule.get("boost_seconds", 0),
        "also": [],
    }
    for name in ("need", "source"):
        if name in rule:
            route[name] = rule[name]
    return route
