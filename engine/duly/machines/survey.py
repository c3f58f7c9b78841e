"""Surveys at run time: the gates between an event and a question to the customer."""

from __future__ import annotations

from duly.conditions.predicates import predicate
from duly.instants import render
from duly.machines.length import after
from duly.machines.mention import mentioned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.calendars.calendars import Calendars

    Sent = Sequence[tuple[int, str, str]]


class Survey:
    """One survey, compiled."""

    __slots__ = (
        "audience",
        "calendar",
        "cancel_on",
        "channels",
        "expires",
        "fields",
        "hears",
        "id",
        "kind",
        "on",
        "priority",
        "reminder",
        "responses",
        "rule",
        "sample",
        "schedule",
        "scheduled",
        "send_after",
        "send_by",
        "sheet",
        "source",
        "when",
        "when_blocked",
    )  # fmt: skip

    def __init__(self, spec: Mapping[str, Any], calendars: Calendars) -> None:
        self.id: str = spec["id"]
        self.rule: str = spec["rule"]
        self.kind: str = spec["class"]
        self.on = frozenset(spec.get("on", ()))
        self.scheduled: bool = spec.get("scheduled", False)
        self.schedule: dict[str, Any] | None = spec.get("schedule")
        self.audience: Any = spec.get("audience")
        self.when = None if spec.get("when") is None else predicate(spec["when"])
        self.sample: float = spec.get("sample", 1.0)
        self.priority: int = spec.get("priority", 0)
        self.calendar = calendars[spec["calendar"]]
        self.send_after: dict[str, Any] | None = spec.get("after")
        self.send_by: dict[str, Any] | None = spec.get("by")
        self.cancel_on = frozenset(spec.get("cancel_on", ()))
        self.hears = self.on | self.cancel_on | {"survey.sent", "survey.answered"}
        self.when_blocked: dict[str, Any] | None = spec.get("when_blocked")
        self.expires: dict[str, Any] | None = spec.get("expires")
        self.channels: list[str] = spec.get("channels", [])
        self.reminder: dict[str, Any] | None = spec.get("reminder")
        self.responses: list[tuple[str, Any, list[dict[str, Any]], list[str]]] = [
            (
                each["rule"],
                None if each["when"] is None else predicate(each["when"]),
                each["do"],
                each["source"],
            )
            for each in spec.get("responses", ())
        ]
        self.sheet: dict[str, Any] = spec.get("sheet", {})
        self.fields: Mapping[str, str] | None = spec.get("fields")
        self.source: list[str] = spec.get("source", [])

    def content(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What a sink needs to put the questions; the assignee is who the answer is about."""
        found = {"channels": self.channels, **self.sheet, "assignee": facts.get("assignee")}
        return {**found, **mentioned(self.fields, facts)}


class Plan:
    """What has become of one survey for one case: its status, since when, and the gate that decided."""

    __slots__ = ("at", "gate", "send_at", "send_by", "status")

    def __init__(self) -> None:
        self.status = "not_triggered"
        self.gate: str | None = None
        self.at: int | None = None
        self.send_at: int | None = None
        self.send_by: int | None = None


def sampled(survey: str, customer: str, rate: float) -> bool:
    """Whether a customer is in the sample of a survey: stable on every machine, monotone in the rate (§5)."""
    if rate >= 1:
        return True
    from hashlib import sha256

    digest = sha256(f"{survey}:{customer}".encode()).digest()
    # Rounded, since 0.07 × 10,000 is a little more than 700 in binary.
    return int.from_bytes(digest[:8], "big") % 10_000 < round(rate * 10_000, 6)


def blocked_until(ledger: Sequence[Mapping[str, Any]], survey: Survey, sent: Sent, at: int) -> int | None:
    """When the ledger's budget lets the survey out again; None where it may go at `at`.

    `sent` are the (instant, survey id, class) of all that went to the customer, in order of time.
    """
    free = at
    for limit in ledger:
        scope = limit["scope"]
        own = [
            moment for moment, name, kind in sent
            if scope == "any" or (scope == "class" and kind == survey.kind) or (scope == "survey" and name == survey.id)
        ]  # fmt: skip
        if "gap" in limit and own:
            free = max(free, own[-1] + limit["gap"])
        if "max" in limit and len(own) >= limit["max"]:
            free = max(free, own[-limit["max"]] + limit["per"])
    return free if free > at else None


def see(
    survey: Survey, plan: Plan, event: str, at: int, facts: Mapping[str, Any], customer: str,
    ledger: Sequence[Mapping[str, Any]], sent: Sent,
) -> None:  # fmt: skip
    """What an event of the case does to the survey: the gates, in the order of semantics §5."""
    if plan.status == "planned" and event in survey.cancel_on:
        plan.status, plan.gate, plan.at = "cancelled", event, at
        return
    if event == "survey.sent" and facts.get("event.survey") == survey.id:
        plan.status, plan.gate, plan.at = "sent", None, at
        return
    if event == "survey.answered" and facts.get("event.survey") == survey.id:
        plan.status, plan.gate, plan.at = "answered", None, at
        return
    if event not in survey.on or plan.status == "planned":
        return
    plan.at, plan.send_at, plan.send_by = at, None, None
    if survey.when is not None and not survey.when(facts):
        plan.status, plan.gate = "suppressed", "when"
        return
    if not sampled(survey.id, customer, survey.sample):
        plan.status, plan.gate = "suppressed", "sample"
        return
    _plan(survey, plan, at, ledger, sent)


def _plan(survey: Survey, plan: Plan, at: int, ledger: Sequence[Mapping[str, Any]], sent: Sent) -> None:
    send_at = at if survey.send_after is None else after(survey.calendar, at, survey.send_after)
    send_by = None if survey.send_by is None else after(survey.calendar, at, survey.send_by)
    free = blocked_until(ledger, survey, sent, send_at)
    if free is not None:
        limit = survey.when_blocked
        if limit is None or free > send_at + limit["amount"] or (send_by is not None and free > send_by):
            plan.status, plan.gate = "suppressed", "ledger"
            return
        send_at = free
    send_at = survey.calendar.next_open(send_at)
    if send_by is not None and send_at > send_by:
        plan.status, plan.gate = "suppressed", "plan"
        return
    plan.status, plan.gate, plan.send_at, plan.send_by = "planned", None, send_at, send_by


def view(survey: Survey, plan: Plan, now: int) -> dict[str, Any]:
    """The survey as a decision shows it."""
    status = plan.status
    if status == "not_triggered":
        return {"survey": survey.id, "status": "scheduled" if survey.scheduled else status}
    waits = status == "sent" and survey.expires is not None and plan.at is not None
    if waits and after(survey.calendar, plan.at or 0, survey.expires or {}) < now:
        status = "expired"
    shown: dict[str, Any] = {"survey": survey.id, "status": status, "rule": survey.rule}
    if plan.at is not None:
        shown["at"] = render(plan.at)
    if plan.gate is not None:
        shown["gate"] = plan.gate
    if status == "planned":
        shown["send_at"] = None if plan.send_at is None else render(plan.send_at)
        shown["send_by"] = None if plan.send_by is None else render(plan.send_by)
        shown["channels"] = survey.channels
    return shown
