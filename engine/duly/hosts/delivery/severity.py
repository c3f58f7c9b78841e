"""Severity: how much an action matters to whoever is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Severity = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")

DEFAULTS: Mapping[str, Severity] = {
    "clock.breached": "high",
    "escalation.exhausted": "high",
    "escalation.unmanned": "high",
    "duty.missed": "high",
    "rule_error": "high",
    "clock.warned": "medium",
    "clock.expired": "medium",
    "duty.late": "medium",
    "gate.violated": "medium",
    "action.cancelled": "medium",
    "escalation.cancelled": "medium",
    "survey.sent": "medium",
}
"""What types of facts matter; other facts are low, and what is to be done (`notify`, `task`, …) is medium."""

NOTICES = frozenset(("notify", "message", "recommend", "survey.sent"))
"""What is told to people, and so can wait until they are awake, and go out together."""

CANCELLING = frozenset(("action.cancelled", "escalation.cancelled", "approval.cancelled", "duty.cancelled"))
"""What takes something back, and so waits for nothing."""


def is_fact(type: str) -> bool:
    """Whether it says what has become true, rather than what is to be done."""
    return type == "rule_error" or ("." in type and type != "survey.sent")


def severity(action: Mapping[str, Any]) -> Severity:
    """The severity that the policy gives an action (`data: {severity: high}`), else that of its type."""
    data = action.get("data")
    found = data.get("severity") if isinstance(data, Mapping) else None
    for each in SEVERITIES:
        if found == each:
            return each
    type = str(action.get("type", ""))
    return DEFAULTS.get(type, "low" if is_fact(type) else "medium")
