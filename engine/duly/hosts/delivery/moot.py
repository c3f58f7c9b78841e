"""Moot: what need not be said any more when its turn comes, as far as the outbox tells (semantics §3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from duly.hosts.delivery.severity import is_fact

TAKING_BACK = (
    "action.cancelled", "approval.cancelled", "clock.cancelled", "clock.met", "clock.resumed", "escalation.cancelled",
)  # fmt: skip
"""The types that can make an action before them moot."""

_TELLING = ("notify", "message")


def why(action: Mapping[str, Any], later: Sequence[Mapping[str, Any]]) -> str | None:
    """Why an action that waits to be delivered is moot, given what was given out since; None where it is not.

    A fact remains a fact. What a ladder has told nobody yet is moot once its clock has ended; what changes a
    case, such as `assign`, is not, because the case has changed.
    """
    if is_fact(str(action["type"])):
        return None
    found: str | None = None
    for each in later:
        type = each["type"]
        if type == "action.cancelled":
            if each["data"].get("cancels") == action["id"]:
                return f"cancelled at {each['at']} ({each['reason']})"
        elif type == "approval.cancelled":
            if action["type"] == "approve" and each["data"].get("approval") == action["data"].get("approval"):
                return f"the approval was cancelled at {each['at']}"
        elif _of_its_clock(action, each):
            if type == "clock.resumed":
                found = None if each["reason"] == "case.reopened" else found
            elif type != "escalation.cancelled" or each["reason"] == "clock.ended":
                found = f"`{each['clock']}` ended at {each['at']} ({type})"
    return found


def _of_its_clock(action: Mapping[str, Any], fact: Mapping[str, Any]) -> bool:
    """Whether a fact is of the clock whose ladder gave rise to an action."""
    return (
        action["type"] in _TELLING
        and action.get("ladder") is not None
        and action.get("clock") is not None
        and all(action.get(name) == fact.get(name) for name in ("case", "clock", "cycle"))
    )
