"""Laws of surveys: who is asked does not depend on chance, and a higher rate asks everybody whom a lower one asks."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from duly import instants
from duly.cases import read_case
from duly.compiler import Source, compile
from duly.decision import PolicySet, decide

RATES = ("0%", "0.5%", "7%", "25%", "29%", "100%")
CUSTOMERS = [f"客户-{number}" for number in range(1_500)]
DOCUMENTS = [
    {"kind": "PolicySet", "spec": {"timezone": "UTC", "adoption": {"open_cases": "keep"}}},
    {"kind": "Survey", "spec": {"surveys": [
        {"id": f"s-{rate.rstrip('%').replace('.', '-')}", "class": "care", "on": "case.closed", "sample": rate,
         "when_blocked": "drop"}
        for rate in RATES
    ]}},
]  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> dict[str, set[str]]:
    """Survey to the customers whom it asks when their cases are closed."""
    header = {"apiVersion": "duly/v1", "metadata": {"name": "law", "version": "1.0.0"}}
    text = "\n---\n".join(json.dumps({**header, **each}) for each in DOCUMENTS)
    compiled = compile([Source("duly.yaml", text.encode())]).compiled
    assert compiled is not None
    policy = PolicySet(compiled)
    found: dict[str, set[str]] = {}
    for customer in CUSTOMERS:
        at = "2026-03-02T09:00:00Z"
        case: dict[str, Any] = {"id": "C", "opened_at": at, "customer": customer}
        case["events"] = [{"id": "e", "type": "case.closed", "at": at}]
        for survey in decide(policy, read_case(case), instants.parse(at))["surveys"]:
            found.setdefault(survey["survey"], set())
            if survey["status"] == "planned":
                found[survey["survey"]].add(customer)
            else:
                assert (survey["status"], survey["gate"]) == ("suppressed", "sample")
    return found


@pytest.mark.parametrize("rate", RATES)
def test_samples_are_those_of_the_formula(asked: dict[str, set[str]], rate: str) -> None:
    """A customer is asked where a hash of the survey and the customer, in ten thousandths, lies below the rate."""
    survey = f"s-{rate.rstrip('%').replace('.', '-')}"
    below = {"0%": 0, "0.5%": 50, "7%": 700, "25%": 2_500, "29%": 2_900, "100%": 10_000}[rate]

    def place(customer: str) -> int:
        digest = hashlib.sha256(f"{survey}:{customer}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % 10_000

    assert asked[survey] == {customer for customer in CUSTOMERS if place(customer) < below}
