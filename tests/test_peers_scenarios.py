"""Scenarios of other products' own tests, written as policies: the same events give the same due times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from duly import instants
from duly.cases import read_case
from duly.compiler import Source, compile
from duly.decision import PolicySet, decide

PEERS = Path(__file__).parent / "cases" / "peers"
CASES = {
    case["id"]: case for case in map(json.loads, (PEERS / "clocks.jsonl").read_text("utf-8").splitlines())
}
WRITTEN = {each["id"]: each for each in yaml.safe_load((PEERS / "scenarios.yaml").read_text("utf-8"))}
BASE = """
apiVersion: duly/v1
kind: PolicySet
metadata: {name: peers, version: 1.0.0}
spec: {timezone: UTC, adoption: {open_cases: keep}}
---
apiVersion: duly/v1
kind: Vocabulary
metadata: {name: words}
spec:
  fields:
    level: {type: text}
    opened_by: {type: enum, values: [customer, agent], default: customer}
    requester_is_owner: {type: boolean, default: false}
    status: {type: enum, values: [open, stalled], default: open}
    promised: {type: instant}
---
apiVersion: duly/v1
kind: ServiceLevel
metadata: {name: peers}
spec:
  calendar: always
  clocks:
"""


def policy(clocks: str) -> PolicySet:
    """The policy set with these clocks."""
    indented = "".join(f"    {line}\n" for line in clocks.splitlines())
    found = compile([Source("duly.yaml", (BASE + indented).encode())], thorough=True)
    assert [each.message for each in found.diagnostics] == []
    assert found.compiled is not None
    return PolicySet(found.compiled)


def case(peer: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """The peer's case with its events as ours."""
    events = []
    for number, event in enumerate(peer["events"]):
        kind, data = written["events"][event["type"]]
        events.append({"id": f"e{number}", "at": event["at"], "type": kind, "data": data})
    return {"id": "C", "opened_at": peer["start"], "fields": written.get("fields", {}), "events": events}


def due(decision: dict[str, Any]) -> str | None:
    """The one due time that such a product shows: the earliest of what runs."""
    running = [clock["due_at"] for clock in decision["clocks"] if clock["state"] == "running"]
    return min((each for each in running if each is not None), default=None)


@pytest.mark.parametrize("name", WRITTEN)
def test_scenario(name: str) -> None:
    """The due time is what the peer's test says, at each instant that it looks."""
    peer, written = CASES[name], WRITTEN[name]
    compiled, asked = policy(written["clocks"]), read_case(case(peer, written))
    found = {key: due(decide(compiled, asked, instants.parse(at))) for key, at in written["look"].items()}
    assert found == peer["expected"]


def test_every_scenario_is_written() -> None:
    """Every scenario of clocks that we agree with is written; those of opening hours are tests of calendars."""
    scenarios = {
        name
        for name, each in CASES.items()
        if each["kind"] == "scenario" and each["agrees"] and "open_intervals" not in each["expected"]
    }
    assert scenarios == set(WRITTEN)
