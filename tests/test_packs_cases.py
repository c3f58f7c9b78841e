"""The cases beside the packs of the plan, the e-commerce rule and the programme: each as its written rule has it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

POLICIES = Path(__file__).parent.parent / "policies"

CASES: list[tuple[str, str, str, str, dict[str, tuple[str, str, bool]]]] = [
    (
        "user-service-plan",
        "01-call-in-the-spring-festival-night",
        "2026-02-17T00:10:00+08:00",
        "group:technical-support",
        {"response 1": ("met", "2026-02-16T16:01:00Z", False)},
    ),
    (
        "user-service-plan",
        "02-chat-at-closing-time",
        "2026-03-12T09:03:30+08:00",
        "group:consultation",
        {"response 2": ("running", "2026-03-12T01:04:00Z", False)},
    ),
    (
        "user-service-plan",
        "03-refund-before-a-weekend",
        "2026-03-14T00:00:00+08:00",
        "group:after-sales",
        {
            "response 1": ("met", "2026-03-14T08:00:00Z", False),
            "after_sales_solution 1": ("running", "2026-03-15T08:00:00Z", False),
        },
    ),
    (
        "user-service-plan",
        "04-suggestion-before-national-day",
        "2026-09-29T00:00:00+08:00",
        "group:consultation",
        {
            "response 1": ("met", "2026-09-28T02:31:00Z", False),
            # The tenth working day: the holiday does not count, the make-up Saturday does.
            "suggestion_answer 1": ("running", "2026-10-16T10:00:00Z", False),
        },
    ),
    (
        "user-service-plan",
        "05-complaint-without-channel",
        "2026-06-05T12:00:00+08:00",
        "group:complaints",
        {"response 1": ("running", "2026-06-06T03:20:00Z", False)},
    ),
    (
        "user-service-plan",
        "06-letter-of-thanks",
        "2026-06-10T22:00:00+08:00",
        "group:service-centre",
        {"response 1": ("running", "2026-06-11T12:05:00Z", False)},
    ),
    (
        "ecommerce-service",
        "01-enquiry-before-closing-time",
        "2026-03-17T09:06:00+08:00",
        "group:service-desk",
        {"intake 1": ("running", "2026-03-17T01:05:00Z", True)},
    ),
    (
        "ecommerce-service",
        "02-delivery-chased",
        "2026-03-18T00:10:00+08:00",
        "group:orders",
        {
            "intake 1": ("met", "2026-03-17T06:17:00Z", False),
            # Handed over a second after it is on record.
            "dispatch 1": ("met", "2026-03-17T06:40:00Z", False),
            "response 1": ("met", "2026-03-17T10:10:01Z", False),
            "resolution 1": ("running", "2026-03-20T13:00:00Z", False),
        },
    ),
    (
        "ecommerce-service",
        "03-refund-before-national-day",
        "2026-09-30T00:00:00+08:00",
        "group:after-sales",
        {
            "intake 1": ("met", "2026-09-29T11:45:00Z", False),
            "dispatch 1": ("met", "2026-09-29T12:03:00Z", False),
            "response 1": ("met", "2026-09-30T03:33:01Z", False),
            "resolution 1": ("running", "2026-10-09T13:00:00Z", False),
        },
    ),
    (
        "ecommerce-service",
        "04-reopened-after-the-solution",
        "2026-06-04T12:00:00+08:00",
        "group:after-sales",
        {
            "intake 1": ("met", "2026-06-02T02:15:00Z", False),
            "dispatch 1": ("met", "2026-06-02T02:35:00Z", False),
            "response 1": ("met", "2026-06-02T06:05:01Z", False),
            "resolution 2": ("running", "2026-06-09T13:00:00Z", False),
            "feedback 1": ("cancelled", "2026-06-04T13:00:00Z", False),
        },
    ),
    ("ecommerce-service", "05-praise-on-social-media", "2026-06-12T12:00:00+08:00", "group:feedback", {}),
    (
        "satisfaction-programme",
        "01-failure-on-new-years-eve",
        "2027-01-01T00:00:00+08:00",
        "group:technical-support",
        {
            "acceptance 1": ("met", "2026-12-31T15:20:00Z", False),
            "first_response 1": ("met", "2026-12-31T15:40:00Z", False),
            "fault_repair 1": ("running", "2026-12-31T17:10:00Z", False),
        },
    ),
    (
        "satisfaction-programme",
        "02-gold-member-with-a-question",
        "2026-04-08T09:35:00+08:00",
        "group:advisors",
        {
            "acceptance 1": ("running", "2026-04-08T01:40:00Z", False),
            "first_response 1": ("running", "2026-04-08T02:00:00Z", False),
        },
    ),
    (
        "satisfaction-programme",
        "03-defect-of-a-key-account",
        "2026-06-08T10:00:00+08:00",
        "group:key-accounts",
        {
            "acceptance 1": ("running", "2026-06-05T10:00:00Z", True),
            "first_response 2": ("running", "2026-06-08T02:20:00Z", False),
            # 24 of the 48 hours had run when it was solved; the weekend in which it was closed does not count.
            "complex_resolution 1": ("running", "2026-06-09T01:50:00Z", False),
        },
    ),
    (
        "satisfaction-programme",
        "04-bad-rating",
        "2026-09-12T00:10:00+08:00",
        "group:quality",
        {"feedback_transfer 1": ("running", "2026-09-13T08:00:00Z", False)},
    ),
    (
        "satisfaction-programme",
        "05-pilot-of-online-booking",
        "2026-04-10T12:00:00+08:00",
        "group:programme-office",
        {},
    ),
]


@pytest.mark.parametrize(
    ("pack", "case", "at", "route", "clocks"), CASES, ids=[f"{pack}/{case}" for pack, case, *_ in CASES]
)
def test_case_is_decided(pack: str, case: str, at: str, route: str, clocks: dict[str, Any]) -> None:
    """A case beside a pack gets the route, the clocks and the due times that the written rule gives it."""
    folder = POLICIES / pack
    command = [
        sys.executable,
        "-m",
        "duly_cli.main",
        "decide",
        str(folder),
        str(folder / "cases" / f"{case}.json"),
    ]
    command += ["--at", at, "--params", str(folder / "params.example.yaml")]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (0, "") == (result.returncode, result.stderr)
    decision = json.loads(result.stdout)
    found = {
        f"{clock['clock']} {clock['cycle']}": (clock["state"], clock["due_at"], clock["breached"])
        for clock in decision["clocks"]
        if clock["state"] not in ("not_started", "none")
    }
    assert (route, clocks) == (decision["route"]["to"], found)


def test_every_case_is_tried() -> None:
    """There is no case beside these packs that is not in the table."""
    packs = {pack for pack, *_ in CASES}
    beside = {(pack, path.stem) for pack in packs for path in (POLICIES / pack / "cases").glob("*.json")}
    assert beside == {(pack, case) for pack, case, *_ in CASES}
