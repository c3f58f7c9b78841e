"""Classification at run time: fields that follow from other fields, and where each value came from."""

from __future__ import annotations

from duly.conditions.matchers import matcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Table:
    """One table: it sets one field by the first, the only, or the highest of the rules that hold."""

    __slots__ = (
        "field",
        "hit",
        "input_wins",
        "matcher",
        "otherwise",
        "otherwise_rule",
        "ranks",
        "reads",
        "rules",
        "values",
    )

    def __init__(self, spec: Mapping[str, Any], engine: str) -> None:
        self.field: str = spec["sets"]
        self.reads: list[str] = spec["reads"]
        self.hit: str = spec["hit"]
        self.input_wins: bool = spec["input"] == "wins"
        self.matcher = matcher(spec["match"], engine, f"the table for {self.field}", spec["rules"])
        self.values: list[Any] = spec["values"]
        self.rules: list[str] = spec["rules"]
        self.otherwise: Any = spec["otherwise"]
        self.otherwise_rule: str = spec["otherwise_rule"]
        self.ranks: dict[Any, int] = {value: rank for rank, value in enumerate(spec.get("order", []))}

    def derive(self, facts: Mapping[str, Any]) -> tuple[Any, str]:
        """The value and the rule it came from. Raises ValueError where `unique` rules disagree."""
        if self.hit == "first":
            number = self.matcher.first(facts)
            return (
                (self.otherwise, self.otherwise_rule)
                if number < 0
                else (self.values[number], self.rules[number])
            )
        hits = self.matcher.all(facts)
        if not hits:
            return self.otherwise, self.otherwise_rule
        if self.hit == "unique":
            if len({self.values[number] for number in hits}) > 1:
                names = " and ".join(f"`{self.rules[number]}`" for number in hits)
                raise ValueError(f"{names} hold at once and give `{self.field}` different values")
            return self.values[hits[0]], self.rules[hits[0]]
        best = max(hits, key=lambda number: (self.ranks[self.values[number]], -number))
        return self.values[best], self.rules[best]


def classify(
    tables: list[Table], facts: dict[str, Any], inputs: Mapping[str, str]
) -> tuple[dict[str, tuple[Any, str]], list[dict[str, str]]]:
    """Set every derived field in `facts`, tables in their order of need.

    `inputs` are the fields that came with a value, and from whom (`input` or `agent`). Returns the value
    and the origin of each, and the rule errors; a table in error gives its `otherwise`.
    """
    derived: dict[str, tuple[Any, str]] = {}
    errors: list[dict[str, str]] = []
    for table in tables:
        name = table.field
        if table.input_wins and name in inputs:
            derived[name] = (facts[name], inputs[name])
            continue
        try:
            value, origin = table.derive(facts)
        except ValueError as error:
            value, origin = table.otherwise, table.otherwise_rule
            errors.append({"code": "rule_error", "message": str(error), "rule": table.otherwise_rule})
        facts[name] = value
        derived[name] = (value, origin)
    return derived, errors
