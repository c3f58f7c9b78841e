"""A turn: what one instant does to one entity; it collects the actions, and the events they give rise to."""

from __future__ import annotations

from duly.actions import Action
from duly.calendars.limits import BeyondCalendar
from duly.cases import Event, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from duly.machines.roster import Roster

MOST_EMITTED = 32
POLICY = "policy:"
"""What the actor of an event begins with that a rule of the policy gave rise to; the rule follows."""


class Origin:
    """Why something is done: the rule, the reason, and what it belongs to."""

    __slots__ = ("occurrence", "reason", "rule", "source", "tags")

    def __init__(
        self, rule: str, reason: str, source: Sequence[str] = (), occurrence: str = "", **tags: Any
    ) -> None:
        self.rule = rule
        self.reason = reason
        self.source = source
        self.occurrence = occurrence
        self.tags = tags


class Turn:
    """The doings of one instant.

    `subject` says whom actions are about: {"case": id, "customer": id}, or one of them, or nobody. `queue` holds the
    events that are still to be taken by the same entity, `messages` those for other entities, as (entity
    key such as `customer:K-7`, event, the facts of the case then). `present` is who said to be on duty or not.
    """

    __slots__ = (
        "actions", "at", "calendars", "chain", "errors", "messages", "present", "queue", "refused", "roster", "subject",
        "up_to",
    )  # fmt: skip

    def __init__(
        self, at: int, subject: Mapping[str, Any], roster: Roster, present: Mapping[str, bool]
    ) -> None:
        self.at = at
        self.subject = subject
        self.roster = roster
        self.calendars = roster.calendars
        self.present = present
        self.actions: list[Action] = []
        self.queue: list[Event] = []
        self.messages: list[tuple[str, Event, Mapping[str, Any]]] = []
        self.chain: list[str] = []
        self.refused: list[tuple[Event, Refused]] = []
        # After downtime: until when everything due is being done late.
        self.up_to: int | None = None
        self.errors: list[dict[str, Any]] = []

    def act(self, type: str, origin: Origin, data: Mapping[str, Any] | None = None, *, at: int | None = None,
            index: int = 0, due_by: int | None = None) -> Action:  # fmt: skip
        """Add one action or fact."""
        now, subject = self.at, self.subject
        action = Action(type, now if at is None else at, origin.reason, origin.rule)
        action.case = subject.get("case")
        action.customer = subject.get("customer")
        for name, value in origin.tags.items():
            setattr(action, name, value)
        action.source = origin.source
        action.occurrence = origin.occurrence
        action.index = index
        action.due_by = due_by
        if data is not None:
            action.data = data
        if at is not None and at < now and type not in _DATED:
            action.late_by = now - at
        self.actions.append(action)
        return action

    def reckon(self, rule: str, sum: Callable[..., Any], *terms: Any) -> Any:
        """The instant that a sum over calendars comes to; None where it lies beyond their facts, which is then
        an error of the rule and stops nothing else (semantics §9).
        """
        try:
            return sum(*terms)
        except BeyondCalendar as error:
            self.fail(rule, error)
            return None

    def fail(self, rule: str, error: BeyondCalendar) -> None:
        """Say that a rule has no answer: an error of the entity, and the fact `rule_error`."""
        found = {"code": "beyond_calendar", "message": error.message, "rule": rule}
        if found not in self.errors:
            self.errors.append(found)
            origin = Origin(rule, "beyond_calendar", (), f"{self.at}/{error.message}")
            self.act("rule_error", origin, {"code": "beyond_calendar", "message": error.message})

    def emit(
        self, type: str, origin: Origin, payload: Mapping[str, Any] | None = None, index: int = 0
    ) -> Event:
        """Add an event to the same instant. Raises Refused where a chain of them does not end."""
        self.chain.append(type)
        if len(self.chain) > MOST_EMITTED:
            chain = " → ".join(f"`{name}`" for name in self.chain[-6:])
            raise Refused("E109", f"more than {MOST_EMITTED} events in one step, ending {chain}")
        event = Event(
            f"{origin.rule}/{origin.occurrence or self.at}/{index}/{len(self.chain)}", type, self.at
        )
        event.actor = POLICY + origin.rule
        for name, value in self.subject.items():
            if name in ("case", "customer", "person"):
                setattr(event, name, value)
        event.payload = payload or {}
        self.queue.append(event)
        return event

    def pass_on(self, case: str | None) -> None:
        """Let the events that actions gave rise to go to the case that they are about."""
        for event in self.queue:
            if case is not None:
                event.case = case
                self.messages.append((f"case:{case}", event, {}))
        self.queue.clear()

    def people(self, references: Sequence[str], facts: Mapping[str, Any]) -> list[str]:
        """Who on duty stands behind references; `assignee` is the case's, `owner` that of the clock."""
        found: list[str] = []
        for reference in references:
            named = facts.get("assignee") if reference == "assignee" else reference
            if named is None or reference == "customer":
                continue
            for person in self.roster.on_duty(str(named), self.at, self.present):
                if person not in found:
                    found.append(person)
        return found


_DATED = frozenset(("clock.breached", "duty.late"))
"""Facts that carry the instant they came true at, whenever they were noticed."""
