"""State: what the engine keeps of one case, and of one customer, between events."""

from __future__ import annotations

from duly.calendars.limits import NEVER
from duly.machines.run import Run
from duly.machines.survey import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class State:
    """One case as its events have left it.

    `inputs` says of each field that came with a value from whom (`input` or `agent`); `facts` holds those
    values, typed, the derived fields and what is known of the customer; `derived` each derived value with
    its origin; `runs` the current cycle of each clock, `sent` what went to the customer, in order of time.
    `facts` is replaced, never changed, by an event that changes it, so that `routed`, the facts by which the
    case was routed, and those that runs keep stay as they were.
    """

    __slots__ = (
        "alarm", "at", "closed", "customer", "derived", "errors", "escalations", "facts", "id", "inputs", "memory",
        "opened_at", "pending", "plans", "revision", "route", "routed", "runs", "sent",
    )  # fmt: skip

    def __init__(self, id: str, customer: str | None) -> None:
        self.id = id
        self.customer = customer
        self.opened_at: int | None = None
        self.closed = False
        self.inputs: dict[str, str] = {}
        self.facts: dict[str, Any] = {}
        self.derived: dict[str, tuple[Any, str]] = {}
        self.errors: list[dict[str, Any]] = []
        self.route: dict[str, Any] | None = None
        self.routed: Mapping[str, Any] = {}
        self.runs: dict[str, Run] = {}
        self.plans: dict[str, Plan] = {}
        self.sent: list[tuple[int, str, str]] = []
        # What only a timeline keeps: its next alarm, the instant of its last turn, ladders started by an action,
        # and the memory of reactions.
        self.alarm: int | None = None
        self.at = -NEVER
        self.escalations: dict[str, tuple[str, Run]] = {}
        self.memory: dict[str, Any] = {}
        # The revision that the case is pinned to, and the one that takes it over at its next event.
        self.revision = ""
        self.pending: str | None = None


class Customer:
    """One customer: what is known of him, what went to him, and what is planned.

    `plans` are dicts of plain data: survey, case, occurrence, status, gate, at (triggered), wanted, send_at,
    send_by, sent_at, reminders, facts (of the case when it was triggered: attribution is taken then).
    """

    __slots__ = ("alarm", "answered", "at", "facts", "id", "memory", "plans", "sent")

    def __init__(self, name: str) -> None:
        self.id = name
        self.alarm: int | None = None
        self.at = -NEVER
        self.facts: dict[str, Any] = {}
        self.memory: dict[str, Any] = {}
        self.plans: list[dict[str, Any]] = []
        self.sent: list[tuple[int, str, str]] = []
        self.answered: list[tuple[int, str, str]] = []
