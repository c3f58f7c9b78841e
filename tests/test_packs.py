"""The shipped packs, through the command line: they validate, keep their tests, and decide the cases beside them."""

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

CLAUSES = {
    "user-service-plan": "S0: 02 09 10 11 12 13 14 15 16 17 20 21 22 25 27 28 29",
    "standard-service": "S1: 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 "
    "32 33 34 35 36 37 38 39 40 41",
    "user-service-regulation": "S2: 06 07 09 10 11 12 13 15 16 17 18 19 20 21 23 24 25 26 27 28 29 30 31 32 33 34 35 "
    "36 37 38 39 41 43 44 45 46 50 51 52 53 54 56 57 58 59 62 63 65 66",
    "ecommerce-service": "S3: 05 06 07 10 12 14 15 16 17 18 25 28",
    "satisfaction-programme": "S4: 02 03 07 08 10 13 16 18 23 25 26 27 28 29 30 31 33 37 39 42 45 46 50 52 53 54 56 57",
}
"""The clauses of each written rule that an engine can carry out or check, scorecards apart."""

LEFT_OPEN = {
    "S1-03", "S1-05", "S1-07", "S1-08", "S1-12", "S1-13", "S1-19", "S1-20", "S1-22", "S1-23", "S1-24", "S1-26", "S1-27",
    "S1-28", "S1-29", "S1-32", "S1-35", "S1-38", "S1-39",
}  # fmt: skip
"""The clauses of the standard service that leave a value open."""


def run(pack: Path, *words: str, params: bool = True) -> subprocess.CompletedProcess[str]:
    """One run of the command line on a pack."""
    command = [sys.executable, "-m", "duly_cli.main", words[0], str(pack), *words[1:]]
    if params:
        command += ["--params", str(pack / "params.example.yaml")]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def duly(*words: str) -> subprocess.CompletedProcess[str]:
    """One run of the command line on the standard service."""
    return run(PACK, *words)


def documents(pack: Path) -> list[Any]:
    """The data of every policy document of a pack, its tests and example values apart."""
    found = []
    for path in sorted(pack.rglob("*.yaml")):
        if path.name != "params.example.yaml" and not path.name.endswith(".test.yaml"):
            read, diagnostics = load(path.read_text(encoding="utf-8"), str(path))
            assert diagnostics == []
            found += [document.data for document in read]
    return found


def clauses(pack: str) -> set[str]:
    """The clauses of a pack's written rule, spelt out."""
    rule, _, numbers = CLAUSES[pack].partition(": ")
    return {f"{rule}-{number}" for number in numbers.split()}


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


@pytest.mark.parametrize("pack", CLAUSES)
def test_pack_is_valid(pack: str) -> None:
    """A pack validates with its example parameters."""
    result = run(POLICIES / pack, "validate")
    assert 0 == result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("pack", CLAUSES)
def test_open_values_must_be_supplied(pack: str) -> None:
    """Without parameters a pack is invalid, and each missing one is named with its clauses."""
    declared = next(data for data in documents(POLICIES / pack) if data["kind"] == "PolicySet")["spec"][
        "parameters"
    ]
    assert [] == [name for name, each in declared.items() if "default" in each]
    result = run(POLICIES / pack, "validate", params=False)
    report = result.stdout + result.stderr
    assert 1 == result.returncode
    assert [] == [name for name in declared if f"`{name}`" not in report]
    assert [] == sorted(clause for clause in sources(declared) if clause not in report)


def test_what_the_rule_leaves_open_is_a_parameter() -> None:
    """Every clause of the standard service that leaves a value open has a parameter."""
    manifest = next(data for data in documents(PACK) if data["kind"] == "PolicySet")
    assert set() == LEFT_OPEN - sources(manifest["spec"]["parameters"])


@pytest.mark.parametrize("pack", CLAUSES)
def test_every_clause_is_implemented(pack: str) -> None:
    """Every clause that can be carried out is named by an entry of a policy."""
    policies = [data for data in documents(POLICIES / pack) if data["kind"] != "PolicySet"]
    assert set() == clauses(pack) - sources(policies)


@pytest.mark.parametrize("pack", CLAUSES)
def test_every_entry_has_titles_in_both_languages(pack: str) -> None:
    """Whoever reads a pack finds each entry named in Chinese and in English."""
    named = [entry for data in documents(POLICIES / pack) for entry in entries(data["spec"])]
    assert [] == [entry["id"] for entry in named if set(entry.get("title", ())) != {"zh", "en"}]


@pytest.mark.parametrize("pack", CLAUSES)
def test_scenarios_pass_and_cover_the_pack(pack: str) -> None:
    """The tests beside a pack pass, and use at least 95 % of its entries."""
    result = run(POLICIES / pack, "test", "--coverage-threshold", "95")
    assert 0 == result.returncode, result.stdout + result.stderr


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
            "customer_confirmation 1": ("breached", "2026-09-28T10:00:00Z", True),
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


def test_call_back_follows_acceptance() -> None:
    """The call-back after acceptance is made in office hours, within three working days of it."""
    case = PACK / "cases" / "07-acceptance-fails-twice.json"
    result = duly("decide", str(case), "--at", "2026-03-18T12:00:00+08:00")
    surveys = {each["survey"]: each for each in json.loads(result.stdout)["surveys"]}
    call_back = surveys["acceptance-follow-up"]
    assert ("sent", "2026-03-23T10:00:00Z") == (call_back["status"], call_back["send_by"])
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
