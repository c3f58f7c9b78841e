"""The shipped packs, through the command line: they validate, and they decide the cases beside them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from duly.documents import load

POLICIES = Path(__file__).parent.parent / "policies"
PACK = POLICIES / "standard-service"
PARAMS = PACK / "params.example.yaml"

SLA_TARGETS = {"S1-06", "S1-09", "S1-15", "S1-18", "S1-26", "S1-29", "S1-32", "S1-34"}
ROUTING = {"S1-05", "S1-08", "S1-10", "S1-11", "S1-12"}
SURVEYS = {"S1-36", "S1-37", "S1-40", "S1-41"}
LEFT_OPEN = {"S1-05", "S1-08", "S1-12", "S1-26", "S1-29", "S1-32"}
"""The clauses of the kinds above that leave a value open."""


def duly(*words: str, params: bool = True) -> subprocess.CompletedProcess[str]:
    """One run of the command line on the pack."""
    command = [sys.executable, "-m", "duly_cli.main", words[0], str(PACK), *words[1:]]
    if params:
        command += ["--params", str(PARAMS)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def documents() -> list[Any]:
    """The data of every document of the pack."""
    found = []
    for path in sorted(PACK.rglob("*.yaml")):
        if path != PARAMS:
            read, diagnostics = load(path.read_text(encoding="utf-8"), str(path))
            assert diagnostics == []
            found += [document.data for document in read]
    return found


def entries(data: Any) -> list[dict[str, Any]]:
    """Every mapping in a document that has an `id`."""
    if isinstance(data, list):
        return [entry for item in data for entry in entries(item)]
    if isinstance(data, dict):
        own = [data] if isinstance(data.get("id"), str) else []
        return own + [entry for value in data.values() for entry in entries(value)]
    return []


def sources(data: Any) -> set[str]:
    """Every clause that a document names."""
    if isinstance(data, list):
        return {clause for item in data for clause in sources(item)}
    if isinstance(data, dict):
        own = data.get("source")
        named = set(own) if isinstance(own, list) else set()
        return named.union(*(sources(value) for value in data.values()))
    return set()


def told(decision: dict[str, Any]) -> dict[str, Any]:
    """What a test looks at: where the case goes, and every clock that has started, with its due."""
    clocks = {
        f"{clock['clock']} {clock['cycle']}": (clock["state"], clock["due_at"], clock["breached"])
        for clock in decision["clocks"]
        if clock["state"] not in ("not_started", "none")
    }
    return {
        "route": decision["route"] and decision["route"]["to"],
        "urgency": decision["fields"]["urgency"]["value"],
        **clocks,
    }


def clock_of(decision: dict[str, Any], name: str) -> dict[str, Any]:
    """The clock of that name in a decision."""
    return next(clock for clock in decision["clocks"] if clock["clock"] == name)


def test_pack_is_valid() -> None:
    """The pack validates with its example parameters."""
    result = duly("validate")
    assert 0 == result.returncode, result.stdout + result.stderr


def test_open_values_must_be_supplied() -> None:
    """Without parameters the pack is invalid, and each missing one is named with its clause."""
    declared = next(data for data in documents() if data["kind"] == "PolicySet")["spec"]["parameters"]
    assert [] == [name for name, each in declared.items() if "default" in each]
    result = duly("validate", params=False)
    report = result.stdout + result.stderr
    assert 1 == result.returncode
    assert [] == [name for name in declared if f"`{name}`" not in report]
    assert [] == sorted(clause for clause in LEFT_OPEN if clause not in report)
    assert LEFT_OPEN == LEFT_OPEN & sources(declared)


def test_every_clause_is_implemented() -> None:
    """Every clause that sets a time limit, assigns a case or asks the customer is named by an entry."""
    policies = [data for data in documents() if data["kind"] != "PolicySet"]
    assert set() == (SLA_TARGETS | ROUTING | SURVEYS) - sources(policies)


def test_every_entry_has_titles_in_both_languages() -> None:
    """Whoever reads the pack finds each entry named in Chinese and in English."""
    named = [entry for data in documents() for entry in entries(data["spec"])]
    assert [] == [entry["id"] for entry in named if set(entry.get("title", ())) != {"zh", "en"}]


CASES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "01-vip-outage-before-spring-festival",
        "2026-02-14T10:00:00+08:00",
        {
            "route": "group:vip-desk",
            "urgency": "urgent",
            "first_response 1": ("met", "2026-02-13T09:47:00Z", False),
            # Saturday the 14th is a make-up working day and counts; the next one is Tuesday the 24th.
            "requirement_confirmation 1": ("running", "2026-02-24T10:00:00Z", False),
        },
    ),
    (
        "02-consultation-at-lunch",
        "2026-03-11T12:15:00+08:00",
        {
            "route": "group:customer-service",
            "urgency": "normal",
            "first_response 1": ("running", "2026-03-11T05:30:00Z", False),
        },
    ),
    (
        "07-acceptance-fails-twice",
        "2026-03-13T16:30:00+08:00",
        {
            "route": "group:technical-support",
            "urgency": "normal",
            "first_response 1": ("met", "2026-03-02T01:50:00Z", False),
            "requirement_confirmation 1": ("met", "2026-03-04T10:00:00Z", False),
            "customer_confirmation 1": ("met", "2026-03-04T10:00:00Z", False),
            "task 1": ("met", "2026-03-06T09:00:00Z", False),
            "delivery 1": ("met", "2026-03-09T10:00:00Z", False),
            "customer_acceptance 2": ("met", "2026-03-17T10:00:00Z", False),
            "rework 2": ("running", "2026-03-17T10:00:00Z", False),
        },
    ),
    (
        "07-acceptance-fails-twice",
        "2026-03-18T12:00:00+08:00",
        {
            "route": "group:technical-support",
            "urgency": "normal",
            "first_response 1": ("met", "2026-03-02T01:50:00Z", False),
            "requirement_confirmation 1": ("met", "2026-03-04T10:00:00Z", False),
            "customer_confirmation 1": ("met", "2026-03-04T10:00:00Z", False),
            "task 1": ("met", "2026-03-06T09:00:00Z", False),
            "delivery 1": ("met", "2026-03-09T10:00:00Z", False),
            "customer_acceptance 3": ("met", "2026-03-20T10:00:00Z", False),
            # Resubmitted at closing time of the second day: exactly at the limit is in time.
            "rework 2": ("met", "2026-03-17T10:00:00Z", False),
        },
    ),
    (
        "04-reopened-on-friday-evening",
        "2026-04-10T18:00:00+08:00",
        {
            "route": "group:customer-service",
            "urgency": "normal",
            "first_response 2": ("running", "2026-04-13T01:20:00Z", False),
        },
    ),
    (
        "03-suggestion-on-make-up-saturday",
        "2026-05-09T18:00:00+08:00",
        {
            "route": "group:customer-service",
            "urgency": "normal",
            "first_response 1": ("running", "2026-05-11T01:15:00Z", False),
        },
    ),
    (
        "05-customer-silent-over-mid-autumn",
        "2026-09-29T09:00:00+08:00",
        {
            "route": "group:after-sales",
            "urgency": "normal",
            "first_response 1": ("met", "2026-09-23T02:35:00Z", False),
            "requirement_confirmation 1": ("met", "2026-09-28T10:00:00Z", False),
            "customer_confirmation 1": ("running", "2026-09-28T10:00:00Z", True),
        },
    ),
    (
        "06-delay-noticed-late",
        "2026-06-17T20:30:00+08:00",
        {
            "route": "group:vip-desk",
            "urgency": "urgent",
            "first_response 1": ("met", "2026-06-10T01:35:00Z", False),
            "task 1": ("running", "2026-06-18T09:00:00Z", False),
            # 24 hours before the task is due had passed when the delay was noticed: due at once.
            "delay_notice 1": ("running", "2026-06-17T12:00:00Z", True),
        },
    ),
]


@pytest.mark.parametrize(
    ("case", "at", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_case_is_decided(case: str, at: str, expected: dict[str, Any]) -> None:
    """A case beside the pack gets the route, the clocks and the due times that the written rule gives it."""
    result = duly("decide", str(PACK / "cases" / f"{case}.json"), "--at", at)
    assert (0, "") == (result.returncode, result.stderr)
    assert expected == told(json.loads(result.stdout))


def test_call_back_is_planned_after_acceptance() -> None:
    """The call-back after acceptance is planned, within three working days of it."""
    case = PACK / "cases" / "07-acceptance-fails-twice.json"
    result = duly("decide", str(case), "--at", "2026-03-18T12:00:00+08:00")
    surveys = {each["survey"]: each for each in json.loads(result.stdout)["surveys"]}
    call_back = surveys["acceptance-follow-up"]
    assert ("planned", "2026-03-23T10:00:00Z") == (call_back["status"], call_back["send_by"])
    assert "not_triggered" == surveys["intake-score"]["status"]


def test_lines_of_cases_are_decided_in_order() -> None:
    """The JSON Lines beside the pack give one decision a line, in order."""
    result = duly("decide", str(PACK / "cases.jsonl"), "--at", "2026-10-01T00:00:00+08:00")
    decisions = [json.loads(line) for line in result.stdout.splitlines()]
    expected = [
        ("C-0001", "group:customer-service", "urgent", "2026-02-13T09:47:00Z"),
        ("C-0002", "group:customer-service", "normal", "2026-03-11T05:30:00Z"),
        ("C-0003", "group:customer-service", "normal", "2026-05-11T01:15:00Z"),
        ("C-0004", "group:technical-support", "normal", "2026-03-02T01:50:00Z"),
        ("C-0005", "group:technical-support", "urgent", "2026-03-14T14:20:00Z"),
        ("C-0006", "group:vip-desk", "normal", "2026-03-16T05:25:00Z"),
        ("C-0007", "group:product-consulting", "normal", "2026-03-16T06:30:00Z"),
        ("C-0008", "group:after-sales", "normal", "2026-03-17T01:40:00Z"),
        ("C-0009", "group:customer-service", "urgent", "2026-03-17T02:05:00Z"),
        ("C-0010", "group:product-consulting", "normal", "2026-09-21T02:00:00Z"),
        ("C-0011", "group:technical-support", "urgent", "2026-02-28T01:05:00Z"),
        ("C-0012", "group:customer-service", "normal", "2026-06-10T02:00:00Z"),
    ]
    found = [
        (
            each["case"],
            each["route"]["to"],
            each["fields"]["urgency"]["value"],
            clock_of(each, "first_response")["due_at"],
        )
        for each in decisions
    ]
    assert expected == found


def test_first_target_read_again_breaches_by_change() -> None:
    """A request made urgent after its five minutes is breached, and the decision says by what."""
    result = duly("decide", str(PACK / "cases.jsonl"), "--at", "2026-03-17T10:25:00+08:00")
    lines = {each["case"]: each for each in map(json.loads, result.stdout.splitlines())}
    clock = clock_of(lines["C-0009"], "first_response")
    assert ("breached_by_change", True) == (clock["reason"], clock["breached"])
