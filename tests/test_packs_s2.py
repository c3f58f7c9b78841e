"""The user-service regulation: its eleven printed blanks, and the cases beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACK = Path(__file__).parent.parent / "policies" / "user-service-regulation"
PARAMS = PACK / "params.example.yaml"

BLANKS = {
    "S2-12": "onboarding_training",
    "S2-16": "consultation_response",
    "S2-18": "complex_reply",
    "S2-23": "complaint_record",
    "S2-26": "preliminary_solution",
    "S2-27": "complaint_transfer",
    "S2-29": "investigation",
    "S2-37": "suggestion_reply",
    "S2-65": "monthly_award",
    "S2-66": "annual_award",
    "S2-70": "fine_cap",
}
"""The clauses in which the written rule prints `[X]`, each with the parameter that fills it."""


def duly(*words: str) -> subprocess.CompletedProcess[str]:
    """One run of the command line."""
    command = [sys.executable, "-m", "duly_cli.main", *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_a_blank_left_blank_is_an_error_that_names_its_clause(tmp_path: Path) -> None:
    """With everything decided but the eleven blanks, these and no others are missing, each with its clause."""
    lines = PARAMS.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition(":")[0] not in BLANKS.values()]
    values = tmp_path / "params.yaml"
    values.write_text("\n".join(kept), encoding="utf-8")
    result = duly("validate", str(PACK), "--params", str(values), "--format", "json")
    assert 1 == result.returncode
    found = {each["message"] for each in json.loads(result.stdout)["diagnostics"]}
    expected = {
        f"parameter `{name}` has no value; {clause} leaves it open" for clause, name in BLANKS.items()
    }
    assert expected == found


def told(decision: dict[str, Any]) -> dict[str, Any]:
    """Where the case goes, and every clock that promises something, with its due."""
    clocks = {
        clock["clock"]: (clock["state"], clock["due_at"], clock["breached"])
        for clock in decision["clocks"]
        if clock["state"] not in ("not_started", "none")
    }
    return {"route": decision["route"]["to"], **clocks}


CASES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "01-complex-question-before-national-day",
        "2026-09-30T10:00:00+08:00",
        {
            "route": "group:corporate-users",
            "service_record": ("met", "2026-09-30T05:55:00Z", False),
            # Five minutes on Tuesday evening, five on Wednesday morning: exactly at the limit.
            "first_response": ("met", "2026-09-30T01:05:00Z", False),
            # 1 to 7 October are holidays: two working days end on Friday the 9th.
            "complex_reply": ("running", "2026-10-09T10:00:00Z", False),
        },
    ),
    (
        "02-urgent-complaint-on-friday-evening",
        "2026-04-17T18:00:00+08:00",
        {
            "route": "group:product-department",
            "complaint_record": ("met", "2026-04-20T01:05:00Z", False),
            "preliminary_solution": ("running", "2026-04-17T13:58:00Z", False),
            "investigation": ("running", "2026-04-22T10:00:00Z", False),
        },
    ),
    (
        "03-complaint-handed-over-late",
        "2026-03-18T09:00:00+08:00",
        {
            "route": "group:logistics-department",
            "complaint_record": ("met", "2026-03-10T05:05:00Z", False),
            "complaint_transfer": ("breached", "2026-03-11T10:00:00Z", True),
            "investigation": ("met", "2026-03-17T10:00:00Z", False),
        },
    ),
    (
        "04-suggestion-of-value",
        "2026-06-13T09:00:00+08:00",
        {
            "route": "group:product-department",
            "service_record": ("met", "2026-06-12T02:20:00Z", False),
            # The Dragon Boat holiday falls in it.
            "suggestion_reply": ("running", "2026-06-22T10:00:00Z", False),
        },
    ),
    (
        "05-overspend-planned-too-late",
        "2026-08-03T11:00:00+08:00",
        {
            "route": "role:service-supervisor",
            "spending": ("running", "2026-08-06T04:00:00Z", False),
            # Five working days before that had passed when it was planned: due at once.
            "overspend_application": ("running", "2026-08-03T02:05:00Z", True),
        },
    ),
]


@pytest.mark.parametrize(("case", "at", "expected"), CASES, ids=[each[0] for each in CASES])
def test_case_is_decided(case: str, at: str, expected: dict[str, Any]) -> None:
    """A case beside the pack gets the route, the clocks and the due times that the written rule gives it."""
    result = duly(
        "decide", str(PACK), str(PACK / "cases" / f"{case}.json"), "--params", str(PARAMS), "--at", at
    )
    assert (0, "") == (result.returncode, result.stderr)
    assert expected == told(json.loads(result.stdout))
