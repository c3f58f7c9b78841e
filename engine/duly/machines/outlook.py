"""Outlooks: what the surveys planned for a customer wait for, and how a decision shows them."""

from __future__ import annotations

from duly.calendars.limits import BeyondCalendar
from duly.instants import render
from duly.machines.length import after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from duly.machines.survey import Survey

    Plan = dict[str, Any]
    """See state.Customer."""

PLANNED, SENT, ANSWERED, EXPIRED, SUPPRESSED, CANCELLED = (
    "planned", "sent", "answered", "expired", "suppressed", "cancelled",
)  # fmt: skip


def coming(surveys: Mapping[str, Survey], plans: Iterable[Plan]) -> list[tuple[int, Plan, str]]:
    """What each plan waits for, as (instant, plan, what): to be sent, to remind, to expire."""
    return [(at, plan, what) for at, plan, what in _waited_for(surveys, plans) if at is not None]


def _waited_for(surveys: Mapping[str, Survey], plans: Iterable[Plan]) -> list[tuple[int | None, Plan, str]]:
    found: list[tuple[int | None, Plan, str]] = []
    for plan in plans:
        survey = surveys.get(plan["survey"])
        if survey is None:
            continue
        if plan["status"] == PLANNED and plan["send_at"] is not None:
            found.append((plan["send_at"], plan, PLANNED))
        elif plan["status"] == SENT:
            if survey.reminder is not None and plan["reminders"] < survey.reminder["times"]:
                since = plan["reminded_at"] if plan["reminders"] else plan["sent_at"]
                found.append((_known(survey, since, survey.reminder["after"]), plan, "reminder"))
            if survey.expires is not None:
                found.append((_known(survey, plan["sent_at"], survey.expires), plan, EXPIRED))
    return found


def _known(survey: Survey, since: int, length: Mapping[str, Any]) -> int | None:
    """`length` after `since`; None where the calendar does not know, which was said when the survey went out."""
    try:
        return after(survey.calendar, since, length)
    except BeyondCalendar:
        return None


def shown(surveys: Iterable[Survey], plans: Sequence[Plan], case: str | None) -> list[dict[str, Any]]:
    """The surveys of a decision: the latest plan of each for the case, else one that is for no case."""
    found: list[dict[str, Any]] = []
    for survey in surveys:
        own = [plan for plan in plans if plan["survey"] == survey.id]
        own = [plan for plan in own if plan["case"] == case] or [plan for plan in own if plan["case"] is None]
        if own:
            found.append(_shown(survey, own[-1]))
        else:
            status = "scheduled" if survey.scheduled else "not_triggered"
            found.append({"survey": survey.id, "status": status})
    return found


def _shown(survey: Survey, plan: Plan) -> dict[str, Any]:
    shown = {"survey": survey.id, "status": plan["status"], "rule": survey.rule, "at": render(plan["at"])}
    if plan["gate"] is not None:
        shown["gate"] = plan["gate"]
    for key in ("send_at", "send_by"):
        shown[key] = None if plan[key] is None else render(plan[key])
    shown["channels"] = survey.channels
    return shown
