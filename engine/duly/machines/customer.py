"""Customers at run time: every survey on its way to one customer, under one budget (semantics §5)."""

from __future__ import annotations

from duly.cases import Event
from duly.instants import render
from duly.machines.budget import free_at
from duly.machines.counting import Counting
from duly.machines.doing import do
from duly.machines.length import after
from duly.machines.outlook import ANSWERED, CANCELLED, EXPIRED, PLANNED, SENT, SUPPRESSED, coming, shown
from duly.machines.state import Customer
from duly.machines.survey import sampled
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.conditions.values import Intake
    from duly.machines.reaction import Reactions
    from duly.machines.survey import Survey
    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]
    Told = tuple[Event, Facts]


class Customers:
    """The machine of customers; see machine.Machine."""

    def __init__(
        self, surveys: Sequence[Survey], ledger: Sequence[Mapping[str, Any]], counting: Counting,
        reactions: Reactions, intake: Intake,
    ) -> None:  # fmt: skip
        self._surveys = {survey.id: survey for survey in surveys}
        self._ledger = ledger
        self._counting = counting
        self._reactions = reactions
        self._intake = intake
        self.hears = counting.hears.union(
            {"survey.asked", "survey.sent", "survey.answered"}, *(survey.hears for survey in surveys)
        )

    def begin(self, name: str, at: int, first: Event) -> Customer:
        """A customer of whom nothing has been heard."""
        return Customer(name)

    def subject(self, state: Customer) -> Mapping[str, Any]:
        """The customer; the case is that of each event or plan."""
        return {"customer": state.id}

    def apply(self, state: Customer, at: int, told: Sequence[Told], turn: Turn) -> None:
        """What the events of one instant do to the surveys of a customer, and to the counts over his cases."""
        for event, facts in told:
            if event.type == "customer.updated":
                values, _ = self._intake(event.payload, False)
                state.facts.update(values)
            turn.subject = {"customer": state.id, "case": event.case}
            known = {**state.facts, **facts}
            if event.case is None:
                # A case has put the payload among its facts; an event of the customer alone brings it here.
                known.update({f"event.{name}": value for name, value in event.payload.items()})
                self._reactions.react_without_case(state, event, known, turn)
            self._counting.react(state.memory, event, known, turn)
            self._hear(state, event, known, turn)
            turn.pass_on(event.case)
        self._settle(state, turn)

    def inherit(self, state: Customer, turn: Turn) -> None:
        """Go on with the surveys that another revision planned, by their ids; what is gone is not sent."""
        for plan in state.plans:
            if plan["survey"] not in self._surveys and plan["status"] in (PLANNED, SENT):
                if plan["status"] == PLANNED:
                    turn.subject = {"customer": state.id, "case": plan["case"]}
                    origin = Origin(f"survey#{plan['survey']}", "policy.adopted", (), str(plan["occurrence"]),
                                    survey=plan["survey"])  # fmt: skip
                    turn.act("survey.suppressed", origin)
                plan["status"], plan["gate"], plan["send_at"] = CANCELLED, "policy.adopted", None
        self._settle(state, turn)

    def wake(self, state: Customer, turn: Turn) -> None:
        """Send what is due, remind, or let expire: the one that is first."""
        moment, plan, what = min(coming(self._surveys, state.plans), key=lambda row: row[0])
        if moment <= turn.at:
            survey = self._surveys[plan["survey"]]
            turn.subject = {"customer": state.id, "case": plan["case"]}
            if what == PLANNED:
                self._send(state, survey, plan, turn)
            elif what == "reminder":
                self._remind(state, survey, plan, turn)
            else:
                plan["status"] = EXPIRED
                turn.act("survey.expired", self._origin(survey, plan, "survey.expired"))
        self._settle(state, turn)

    def _hear(self, state: Customer, event: Event, facts: Facts, turn: Turn) -> None:
        if event.type == "survey.answered":
            self._answer(state, event, facts, turn)
            return
        if event.type == "survey.sent":
            self._note_sent(state, event)
            return
        for survey in self._surveys.values():
            if event.type in survey.cancel_on:
                for plan in state.plans:
                    if (
                        plan["survey"] == survey.id
                        and plan["status"] == PLANNED
                        and plan["case"] == event.case
                    ):
                        plan["status"], plan["gate"] = CANCELLED, event.type
                        turn.act("survey.suppressed", self._origin(survey, plan, event.type))
            asked = event.type == "survey.asked" and event.payload.get("survey") == survey.id
            if asked or event.type in survey.on:
                self._trigger(state, survey, event, facts, turn)

    def _trigger(self, state: Customer, survey: Survey, event: Event, facts: Facts, turn: Turn) -> None:
        """The gates, in the order of semantics §5: `when`, sample, ledger, plan; each outcome is recorded."""
        at = event.at
        if any(
            p["survey"] == survey.id and p["case"] == event.case and p["status"] == PLANNED
            for p in state.plans
        ):
            return
        wanted: int | None = at
        send_by: int | None = None
        if survey.send_after is not None:
            wanted = turn.reckon(survey.rule, after, survey.calendar, at, survey.send_after)
        if survey.send_by is not None:
            send_by = turn.reckon(survey.rule, after, survey.calendar, at, survey.send_by)
        plan: dict[str, Any] = {
            "survey": survey.id, "case": event.case, "occurrence": event.id, "status": PLANNED, "gate": None,
            "at": at, "wanted": wanted, "send_at": None, "send_by": send_by,
            "sent_at": None, "reminders": 0, "told": [],
            "facts": {name: value for name, value in facts.items() if "." not in name},
        }  # fmt: skip
        state.plans.append(plan)
        if survey.when is not None and not survey.when(facts):
            self._suppress(survey, plan, "when", turn)
        elif not sampled(survey.id, state.id, survey.sample):
            self._suppress(survey, plan, "sample", turn)
        elif wanted is None:
            self._suppress(survey, plan, "calendar", turn)

    def _suppress(self, survey: Survey, plan: dict[str, Any], gate: str, turn: Turn) -> None:
        plan["status"], plan["gate"], plan["send_at"] = SUPPRESSED, gate, None
        turn.act("survey.suppressed", self._origin(survey, plan, gate))

    def _settle(self, state: Customer, turn: Turn) -> None:
        """Lay all planned surveys out under the ledger, the most important first, and set the alarm."""
        reserved = list(state.sent)
        waiting = [plan for plan in state.plans if plan["status"] == PLANNED]
        waiting.sort(key=lambda plan: (-self._surveys[plan["survey"]].priority, plan["at"], plan["survey"]))
        for plan in waiting:
            survey = self._surveys[plan["survey"]]
            wanted = max(plan["wanted"], turn.at)
            free = free_at(self._ledger, survey.id, survey.kind, reserved, state.answered, wanted)
            limit = survey.when_blocked
            blocked = free > wanted and (limit is None or free > plan["wanted"] + limit["amount"])
            # Nobody is called back in the middle of the night: it goes out in the open time of its calendar.
            turn.subject = {"customer": state.id, "case": plan["case"]}
            at = turn.reckon(survey.rule, survey.calendar.next_open, free)
            if at is None:
                self._suppress(survey, plan, "calendar", turn)
                continue
            if blocked or (plan["send_by"] is not None and at > plan["send_by"]):
                self._suppress(survey, plan, "ledger" if free > wanted else "plan", turn)
                continue
            if at != plan["send_at"]:
                plan["send_at"] = at
                if at in plan["told"]:
                    reserved.append((at, survey.id, survey.kind))
                    continue
                plan["told"].append(at)
                origin = self._origin(survey, plan, "survey.planned", f"{plan['occurrence']}@{at}")
                turn.act("survey.planned", origin, {"send_at": render(at)}, due_by=plan["send_by"])
            reserved.append((at, survey.id, survey.kind))
        state.alarm = min((row[0] for row in coming(self._surveys, state.plans)), default=None)

    def _send(self, state: Customer, survey: Survey, plan: dict[str, Any], turn: Turn) -> None:
        plan["status"], plan["sent_at"] = SENT, turn.at
        state.sent.append((turn.at, survey.id, survey.kind))
        for length in (survey.reminder and survey.reminder["after"], survey.expires):
            if length is not None:
                turn.reckon(survey.rule, after, survey.calendar, turn.at, length)
        data = survey.content({**state.facts, **plan["facts"]})
        turn.act("survey.sent", self._origin(survey, plan, "survey.planned"), data)
        if plan["case"] is not None:
            # The case that it is about hears of it too: a gate may wait for it, a reaction may follow.
            sent = Event(f"{survey.id}/{plan['occurrence']}/sent", "survey.sent", turn.at)
            sent.case, sent.customer, sent.actor = plan["case"], state.id, "policy"
            sent.payload = {"survey": survey.id}
            turn.messages.append((f"case:{plan['case']}", sent, {}))

    def _remind(self, state: Customer, survey: Survey, plan: dict[str, Any], turn: Turn) -> None:
        plan["reminders"] += 1
        plan["reminded_at"] = turn.at
        assert survey.reminder is not None
        if survey.reminder["counts"]:
            state.sent.append((turn.at, survey.id, survey.kind))
        data = {**survey.content({**state.facts, **plan["facts"]}), "reminder": plan["reminders"]}
        turn.act("survey.sent", self._origin(survey, plan, "reminder"), data, index=plan["reminders"])

    def _note_sent(self, state: Customer, event: Event) -> None:
        """Another system says that it sent a survey: it counts in the ledger, once."""
        name = str(event.payload.get("survey", ""))
        survey = self._surveys.get(name)
        for plan in state.plans:
            if plan["survey"] == name and plan["case"] == event.case and plan["status"] in (PLANNED, SENT):
                if plan["status"] == PLANNED:
                    plan["status"], plan["sent_at"] = SENT, event.at
                    state.sent.append((event.at, name, "" if survey is None else survey.kind))
                return
        state.sent.append((event.at, name, "" if survey is None else survey.kind))

    def _answer(self, state: Customer, event: Event, facts: Facts, turn: Turn) -> None:
        """An answer ends the survey that was sent last, and its response rules look at it."""
        name = str(event.payload.get("survey", ""))
        survey = self._surveys.get(name)
        if survey is None:
            return
        state.answered.append((event.at, name, survey.kind))
        open_plans = [
            plan for plan in state.plans
            if plan["survey"] == name and plan["status"] == SENT and event.case in (None, plan["case"])
        ]  # fmt: skip
        known: dict[str, Any] = {}
        if open_plans:
            open_plans[-1]["status"] = ANSWERED
            known = open_plans[-1]["facts"]
            turn.subject = {"customer": state.id, "case": open_plans[-1]["case"]}
        answer = {**facts, **known, "score": event.payload.get("score"), "survey": name}
        answer.update(event.payload.get("dimensions") or {})
        for rule, test, actions, source in survey.responses:
            if test is None or test(answer):
                do(turn, actions, Origin(rule, "survey.answered", source, event.id, survey=name), answer)
        turn.pass_on(turn.subject.get("case"))

    def _origin(
        self, survey: Survey, plan: Mapping[str, Any], reason: str, occurrence: str | None = None
    ) -> Origin:
        return Origin(
            survey.rule, reason, survey.source, occurrence or str(plan["occurrence"]), survey=survey.id
        )

    def view(self, state: Customer | None, case: str | None) -> list[dict[str, Any]]:
        """The surveys of a decision about a case."""
        return shown(self._surveys.values(), () if state is None else state.plans, case)
