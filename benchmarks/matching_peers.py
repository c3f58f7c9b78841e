"""The engines of the matching benchmark: each takes the same rules and answers the first that holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from matching_rules import SPEC

First = Callable[[dict[str, Any]], int]
CHUNK = 20
"""Rules in one CEL expression: one expression a rule is slower, and a longer one is refused."""
RULESET = 30
"""Rules in one ruleset of durable-rules: with more branches open on one fact it fires nothing."""


def duly(whens: list[dict[str, Any]]) -> First:
    """The native matcher, on typed facts."""
    from duly.conditions.index import Matcher

    matcher = Matcher(_packed(whens))
    matcher.build()
    return matcher.first


def duly_by_durable_rules(whens: list[dict[str, Any]]) -> First:
    """Duly's second matcher: durable-rules behind the fence."""
    from duly.conditions.durable import DurableMatcher

    return DurableMatcher(_packed(whens)).first


def _packed(whens: list[dict[str, Any]]) -> Any:
    from duly.conditions.packing import pack_rules
    from duly.conditions.syntax import read
    from duly.conditions.vocabulary import read_vocabulary

    vocabulary, faults = read_vocabulary(SPEC)
    conditions = []
    for when in whens:
        condition, more = read(when, vocabulary)
        faults += more
        conditions.append(condition)
    if faults:
        raise ValueError(faults[0].message)
    return pack_rules(conditions)


def zen_engine(whens: list[dict[str, Any]]) -> First:
    """A decision table of GoRules ZEN, hit policy first."""
    import zen  # type: ignore[import-not-found]

    fields = list(SPEC["fields"])
    rows = [
        {"_id": str(number), "rule": str(number)}
        | {field: _zen_cell(field, when.get(field)) for field in fields}
        for number, when in enumerate(whens)
    ]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": field, "name": field, "type": "expression", "field": field} for field in fields],
        "outputs": [{"id": "rule", "name": "rule", "type": "expression", "field": "rule"}],
        "rules": rows,
    }
    graph = {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
            {"id": "table", "type": "decisionTableNode", "name": "table", "content": content,
             "position": {"x": 0, "y": 0}},
            {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}},
        ],
        "edges": [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }  # fmt: skip
    decision = zen.ZenEngine().create_decision(json.dumps(graph))

    def first(case: dict[str, Any]) -> int:
        result = decision.evaluate(case)["result"]
        return int(result["rule"]) if result and "rule" in result else -1

    return first


def rule_engine(whens: list[dict[str, Any]]) -> First:
    """rule-engine: one compiled expression a rule, tried in order."""
    from rule_engine import Rule  # type: ignore[import-not-found]

    rules = [Rule(_expression(when, "and", "or")) for when in whens]

    def first(case: dict[str, Any]) -> int:
        for number, rule in enumerate(rules):
            if rule.matches(case):
                return number
        return -1

    return first


def common_expression_language(whens: list[dict[str, Any]]) -> First:
    """CEL in Rust: compiled expressions `rule ? number : …`, some rules each, tried in order."""
    import cel  # type: ignore[import-not-found]

    programs = []
    for start in range(0, len(whens), CHUNK):
        text = "-1"
        for number in range(min(start + CHUNK, len(whens)) - 1, start - 1, -1):
            text = f"({_expression(whens[number], '&&', '||', decimals=True)}) ? {number} : ({text})"
        programs.append(cel.compile(text))

    def first(case: dict[str, Any]) -> int:
        for program in programs:
            found: int = program.execute(case)
            if found >= 0:
                return found
        return -1

    return first


def durable_rules(whens: list[dict[str, Any]]) -> First:
    """durable-rules: its C module called directly, small rulesets in order, one constant session."""
    import durable_rules_engine as engine  # type: ignore[import-not-found]

    handles = []
    for start in range(0, len(whens), RULESET):
        chunk = range(start, min(start + RULESET, len(whens)))
        rules = {f"r{number}": {"all": [{"m": {"$and": _durable(whens[number])}}]} for number in chunk}
        handles.append(engine.create_ruleset(f"bench{start}", json.dumps(rules)))

    def first(case: dict[str, Any]) -> int:
        fact = json.dumps({"id": "1", "sid": "0", **case})
        for handle in handles:
            fired: set[int] = set()
            outcome, state = engine.assert_fact(handle, fact)
            if outcome == 0:
                started = engine.start_action_for_state(handle, state)
                action = started[1] if started else None
                while action:
                    fired.add(int(next(iter(json.loads(action)))[1:]))
                    action = engine.complete_and_start_action(handle, state)
                engine.retract_fact(handle, '{"id": "1", "sid": "0"}')
            if fired:
                return min(fired)
        return -1

    return first


PEERS: dict[str, Callable[[list[dict[str, Any]]], First]] = {
    "duly": duly,
    "zen-engine": zen_engine,
    "durable-rules": durable_rules,
    "duly by durable-rules": duly_by_durable_rules,
    "rule-engine": rule_engine,
    "common-expression-language": common_expression_language,
}


def _values(field: str, operator: str, value: str) -> list[str]:
    """An order of an enum written out, which no peer knows."""
    values: list[str] = SPEC["fields"][field]["values"]
    assert operator == "at_least"
    return values[values.index(value) :]


def _tests(when: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """A condition as (field, operator, value); operators are `in`, `>`, `>=`, `<`, `<=`."""
    signs = {"over": ">", "at_least": ">=", "below": "<", "at_most": "<="}
    tests: list[tuple[str, str, Any]] = []
    for field, asked in when.items():
        if not isinstance(asked, dict):
            tests.append((field, "in", asked if isinstance(asked, list) else [asked]))
        elif "values" in SPEC["fields"][field]:
            tests += [(field, "in", _values(field, operator, value)) for operator, value in asked.items()]
        else:
            tests += [(field, signs[operator], value) for operator, value in asked.items()]
    return tests


def _expression(when: dict[str, Any], both: str, either: str, *, decimals: bool = False) -> str:
    """A condition in the syntax that most expression languages share."""
    parts = []
    for field, operator, value in _tests(when):
        if operator == "in":
            parts.append("(" + f" {either} ".join(f'{field} == "{each}"' for each in value) + ")")
        else:
            written = f"{value}.0" if decimals and SPEC["fields"][field]["type"] == "number" else str(value)
            parts.append(f"{field} {operator} {written}")
    return f" {both} ".join(parts)


def _zen_cell(field: str, asked: Any) -> str:
    if asked is None:
        return ""
    tests = _tests({field: asked})
    if tests[0][1] == "in":
        return ", ".join(f'"{each}"' for each in tests[0][2])
    return (
        " and ".join(f"$ {operator} {value}" for _, operator, value in tests)
        if len(tests) > 1
        else (f"{tests[0][1]} {tests[0][2]}")
    )


def _durable(when: dict[str, Any]) -> list[dict[str, Any]]:
    names = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
    tests: list[dict[str, Any]] = []
    for field, operator, value in sorted(_tests(when), key=lambda test: test[1] != "in"):
        if operator != "in":
            tests.append({names[operator]: {field: value}})
        elif len(value) == 1:
            tests.append({field: value[0]})
        else:
            tests.append({"$or": [{field: each} for each in value]})
    return tests
