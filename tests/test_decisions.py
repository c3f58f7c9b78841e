"""Decisions: what a policy says of a case, given its events; the cases stand in cases/decisions/*.yaml."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from duly import instants
from duly.cases import read_case
from duly.compiler import Source, compile
from duly.decision import PolicySet, decide

HERE = Path(__file__).parent / "cases" / "decisions"
BASE = (HERE / "base.yaml").read_text(encoding="utf-8")


def policy_of(documents: str) -> PolicySet:
    """The policy set of the base documents and these."""
    sources = [Source("duly.yaml", BASE.encode()), Source("policy.yaml", documents.encode())]
    compilation = compile(sources, thorough=True)
    assert [f"{each.span.line}: {each.message}" for each in compilation.diagnostics] == []
    assert compilation.compiled is not None
    return PolicySet(json.loads(json.dumps(compilation.compiled)))


def scenarios() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.yaml")):
        if path.name != "base.yaml":
            for chapter in yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader):
                for case in chapter["cases"]:
                    yield pytest.param(chapter["policy"], case, id=f"{path.stem}-{case['name']}")


def opened(case: dict[str, Any]) -> dict[str, Any]:
    """The case as JSON: events are written `[instant, type, data]`."""
    events = [
        {"id": f"e-{number:03d}", "at": at, "type": kind, "data": json.loads(rest[0]) if rest else {}}
        for number, (at, kind, *rest) in enumerate(case.get("events", []))
    ]
    fields = json.loads(case.get("fields", "{}"))
    found = {"id": "C-1", "opened_at": case["opened_at"], "customer": "K-1", "fields": fields}
    return {**found, "events": events} if events else found


def subset(found: Any, expected: Any) -> Any:
    """What of `found` the expectation speaks of, in its shape; texts as YAML writes them."""
    if isinstance(expected, dict):
        return (
            {key: subset(found.get(key), value) for key, value in expected.items()}
            if isinstance(found, dict)
            else found
        )
    if isinstance(expected, list) and isinstance(found, list):
        return [subset(one, two) for one, two in itertools.zip_longest(found, expected)]
    if isinstance(found, bool):
        return str(found).lower()
    return "null" if found is None else str(found)


@pytest.mark.parametrize(("policy", "case"), [*scenarios()])
def test_scenario(policy: str, case: dict[str, Any]) -> None:
    """Each case is decided as its expectation says, at each of the instants it names."""
    compiled = policy_of(policy)
    for at, expected in case["expect"].items():
        decision = decide(compiled, read_case(opened(case)), instants.parse(at))
        shown = {**decision, **{clock["clock"]: clock for clock in decision["clocks"]}}
        shown.update({survey["survey"]: survey for survey in decision["surveys"]})
        assert {at: subset(shown, expected)} == {at: expected}


@pytest.mark.parametrize(("policy", "case"), [*scenarios()])
def test_order_of_arrival(policy: str, case: dict[str, Any]) -> None:
    """The order in which events are given, and their repetition, change nothing."""
    compiled = policy_of(policy)
    data = opened(case)
    last = instants.parse(list(case["expect"])[-1])
    straight = decide(compiled, read_case(data), last)
    turned = {**data, "events": [*reversed(data.get("events", [])), *data.get("events", [])]}
    assert decide(compiled, read_case(turned if data.get("events") else data), last) == straight
