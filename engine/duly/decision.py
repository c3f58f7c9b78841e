"""Decisions: a policy set, the events of a case and an instant to what the policy says."""

from __future__ import annotations

from duly import instants
from duly.calendars.calendars import Calendars
from duly.calendars.limits import BeyondCalendar
from duly.cases import Case, Event, Refused, batches
from duly.conditions.values import Intake
from duly.machines import cycle, lead, snapshot, survey
from duly.machines.classification import Table, classify
from duly.machines.clock import Clock
from duly.machines.hearing import hearings
from duly.machines.ladder import Ladder
from duly.machines.route import Routing
from duly.machines.run import OPEN, Run, facts_of, failed
from duly.machines.state import State
from duly.machines.survey import Plan, Survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.machines.hearing import Hearing

    Deeds = list[tuple[int, Mapping[str, Any]]]
    Before = tuple[Clock, Run, tuple[Any, ...]]
    """A clock, its run, and what `alarm.differences` compares."""

_NOTHING: dict[str, Any] = {}
_NO_DEEDS: Deeds = []
_UNSTARTED = Run()


class PolicySet:
    """A compiled policy set, ready to decide. `compiled` is the JSON data that `compiler.compile` makes.

    `engine` chooses what matches rule lists: `native`, or `durable-rules` where that extra is installed.
    Never changes once made; may be shared by threads.
    """

    def __init__(self, compiled: Mapping[str, Any], engine: str = "native") -> None:
        self.compiled = compiled
        self.identity = {
            "set": compiled["set"]["name"],
            "version": compiled["set"]["version"],
            "revision": compiled["revision"],
        }
        self.calendars = Calendars(compiled["calendars"])
        self.case_intake = Intake(compiled["vocabulary"], "case")
        self.event_intake = Intake(compiled["vocabulary"], "event")
        self.customer_intake = Intake(compiled["vocabulary"], "customer")
        self.tables = [Table(spec, engine) for spec in compiled["tables"]]
        self.classifies = frozenset(name for table in self.tables for name in (table.field, *table.reads))
        """The fields whose change may change what is derived."""
        routing = compiled.get("routing")
        self.routing = None if routing is None else Routing(routing, engine)
        self.clocks = [Clock(spec, self.calendars, engine) for spec in compiled["clocks"]]
        self.unstarted = [clock.id for clock in self.clocks]
        self.restless = any(clock.restless for clock in self.clocks)
        self.leads = [clock for clock in self.clocks if clock.before is not None]
        self.ladders = {spec["id"]: Ladder(spec, self.calendars) for spec in compiled["ladders"]}
        self.surveys = [Survey(spec, self.calendars) for spec in compiled["surveys"]]
        self.kinds = {survey.id: survey.kind for survey in self.surveys}
        self.ledger: list[dict[str, Any]] = compiled.get("ledger", [])
        self.hearings, self.unheard = hearings(
            self.clocks, self.surveys, self.routing, compiled.get("required", {})
        )

    def begin(self, case: Case) -> State:
        """The state of a case before its first event."""
        state = State(case.id, case.customer)
        # A run that has not started is never changed: its first start makes a new one.
        state.runs = dict.fromkeys(self.unstarted, _UNSTARTED)
        state.plans = {survey.id: Plan() for survey in self.surveys}
        return state

    def apply(self, state: State, at: int, events: Sequence[Event]) -> None:
        """Everything that the events of one instant do to a case; they are given in order of their ids.

        Raises Refused, the state untouched by the refused event, where an event carries a wrong value.
        """
        deeds: dict[str, Deeds] = {}
        changed: set[str] = set()
        for event in events:
            heard = self.hearings.get(event.type, self.unheard)
            facts = self._take(state, event, heard, deeds, changed)
            # What was known of the customer before the case was opened routes nothing yet.
            if heard.routes and self.routing is not None and state.opened_at is not None:
                state.route, state.routed = self.routing.route(facts), facts
            if heard.told:
                self._survey(state, event, heard, facts)
        if deeds or changed or self.restless:
            self._advance(state, at, deeds, changed, None)

    def _take(
        self, state: State, event: Event, heard: Hearing, deeds: dict[str, Deeds], changed: set[str]
    ) -> Mapping[str, Any]:
        """Let the facts of an event into the state, and note what it does to clocks; the facts as it sees them."""
        payload: dict[str, Any] = _NOTHING
        opening = heard.opens and state.opened_at is None
        if event.payload and event.type != "customer.updated":
            payload, faults = self.event_intake(event.payload, False)
            if faults:
                raise _refused(faults, event.path + "data.")
        if heard.by_agent and "event.automated" not in payload:
            payload = {**payload, "event.automated": False}  # Said by those who send automated replies alone.
        for name in heard.required:
            if event.payload.get(name) is None:
                raise Refused(
                    "C203", f"`{name}` is missing; every `{event.type}` has it", f"{event.path}data.{name}"
                )
        if event.changes or opening or heard.learns:
            state.facts = state.facts.copy()
            if event.changes or opening:
                self._change(state, event, opening, changed)
            if heard.learns:
                self._learn(state, event, changed)
        if heard.closes is not None:
            state.closed = heard.closes
        if opening:
            state.opened_at = event.at
        if state.customer is None and event.customer is not None:
            state.customer = event.customer
        if opening or (
            changed and not (self.classifies.isdisjoint(changed) and state.derived and not state.errors)
        ):
            self._classify(state, changed)
        facts = {**state.facts, **payload} if payload else state.facts
        for name, deed, test in heard.deeds:
            if test is None or test(facts):
                if name in deeds:
                    deeds[name].append((deed, payload))
                else:
                    deeds[name] = [(deed, payload)]
        return facts

    def _change(self, state: State, event: Event, opening: bool, changed: set[str]) -> None:
        """What an event says of the fields of the case; an opening says of all of them."""
        given = event.changes
        values, faults = self.case_intake(given, opening)
        if faults:
            raise _refused(faults, event.path + event.field_path)
        facts, inputs = state.facts, state.inputs
        origin = _origin(event.actor)
        facts.update(values)
        changed.update(values)
        if opening:  # what is null then was never there
            inputs.update([(name, origin) for name in given if name in values])
            return
        for name, value in values.items():
            if value is None:
                del facts[name]
                inputs.pop(name, None)
            else:
                inputs[name] = origin

    def _learn(self, state: State, event: Event, changed: set[str]) -> None:
        """What an event says of a case by its very type."""
        if event.type == "customer.updated":
            values, faults = self.customer_intake(event.payload, False)
            if faults:
                raise _refused(faults, event.path + "data.")
        elif event.type == "case.assigned":
            values = {"assignee": event.payload.get("assignee")}
        else:
            values = {"acknowledged": True}
        state.facts.update(values)
        changed.update(values)

    def _classify(self, state: State, changed: set[str]) -> None:
        derived, errors = classify(self.tables, state.facts, state.inputs)
        if derived != state.derived:
            before = state.derived
            for name, found in derived.items():
                if before.get(name) != found:
                    changed.add(name)
            state.derived = derived
        if errors or state.errors:
            state.errors = [error for error in state.errors if error["code"] != "rule_error"] + errors

    def _survey(self, state: State, event: Event, heard: Hearing, facts: Mapping[str, Any]) -> None:
        if event.type == "survey.sent":
            name = str(facts.get("event.survey", ""))
            state.sent.append((event.at, name, self.kinds.get(name, "")))
        for each in heard.surveys:
            customer = state.customer or state.id
            plan = state.plans[each.id]
            try:
                survey.see(each, plan, event.type, event.at, facts, customer, self.ledger, state.sent)
            except BeyondCalendar as error:
                plan.status, plan.gate = "suppressed", "calendar"
                state.errors.append(_unknown(each.rule, error))

    def _advance(
        self, state: State, at: int, deeds: dict[str, Deeds], changed: set[str], before: list[Before] | None
    ) -> None:
        """Move the clocks that the events of an instant may do something to; how they stood goes to `before`."""
        runs, facts = state.runs, state.facts
        # What changes nothing in the case moves no clock but those that it speaks to.
        every = changed or self.restless
        for clock in self.clocks if every else [clock for clock in self.clocks if clock.id in deeds]:
            run = runs[clock.id]
            own = deeds.get(clock.id, _NO_DEEDS)
            looks = True
            if not own:
                # What does not run is moved by no field but those that carry it.
                looks = (run.phase is OPEN or clock.while_ is not None) and not clock.watches.isdisjoint(
                    changed
                )
                if not looks and not clock.restless:
                    continue
            elif len(own) > 1:
                own.sort(key=_first)
            if before is not None:
                before.append((clock, run, facts_of(run)))
            try:
                if clock.every:
                    run = cycle.roll(clock, run, at, facts)
                runs[clock.id] = cycle.advance(clock, run, at, own, facts, looks)
            except BeyondCalendar as error:
                runs[clock.id] = self._fail(state, clock, run, error)
        if self.leads:
            self._place_leads(state, at)

    def _place_leads(self, state: State, at: int) -> None:
        for clock in self.leads:
            assert clock.before is not None
            run = state.runs[clock.id]
            try:
                lead.place(clock, run, state.runs.get(clock.before[0]), at)
            except BeyondCalendar as error:
                state.runs[clock.id] = self._fail(state, clock, run, error)

    def _fail(self, state: State, clock: Clock, run: Run, error: BeyondCalendar) -> Run:
        """A clock without an answer says so; the other clocks of the case run on (semantics §9)."""
        state.errors.append(_unknown(clock.rule, error))
        return failed(run)

    def replay(self, case: Case, at: int) -> State:
        """The state of a case at `at`: its events until then, in the order (instant, opening first, id)."""
        state = self.begin(case)
        for moment, batch in batches(case, at):
            self.apply(state, moment, batch)
        for clock in self.clocks:
            if clock.every:
                run = state.runs[clock.id]
                try:
                    state.runs[clock.id] = cycle.roll(clock, run, at, state.facts)
                except BeyondCalendar as error:
                    state.runs[clock.id] = self._fail(state, clock, run, error)
        return state

    def view(self, state: State, at: int) -> dict[str, Any]:
        """The decision of interface.md §3 for a case as it stands at `at`."""
        errors: list[dict[str, Any]] = []
        decision: dict[str, Any] = {
            "case": state.id,
            "at": instants.render(at),
            "policy": self.identity,
            "fields": {
                name: {"value": value, "from": origin} for name, (value, origin) in state.derived.items()
            },
            "route": state.route,
            "clocks": [
                snapshot.clock(clock, state.runs[clock.id], at, self.ladders, errors) for clock in self.clocks
            ],
            "surveys": [survey.view(each, state.plans[each.id], at) for each in self.surveys],
        }
        if state.errors or errors:
            decision["errors"] = state.errors + errors
        return decision


def decide(policy: PolicySet, case: Case, at: int) -> dict[str, Any]:
    """What the policy says of a case at an instant, given its events until then. Raises Refused."""
    return policy.view(policy.replay(case, at), at)


def _unknown(rule: str, error: BeyondCalendar) -> dict[str, Any]:
    return {"code": "beyond_calendar", "message": error.message, "rule": rule}


def _origin(actor: str | None) -> str:
    """From whom a value came: an agent, a rule of the policy by its name, or whoever sent the case."""
    if actor is not None and actor.startswith("policy:"):
        return actor.removeprefix("policy:")
    return "agent" if actor == "agent" else "input"


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]


def _refused(faults: Sequence[Mapping[str, str]], prefix: str) -> Refused:
    first = faults[0]
    message = "; ".join(fault["message"] for fault in faults[:5])
    return Refused(first["code"], message, prefix + first["path"])
