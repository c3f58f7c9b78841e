"""Decisions: a policy set, the events of a case and an instant to what the policy says."""

from __future__ import annotations

from duly import instants
from duly.calendars.calendars import Calendars
from duly.calendars.limits import BeyondCalendar
from duly.calendars.localtime import Zone
from duly.cases import Case, Event, Refused
from duly.conditions.values import Intake
from duly.machines import alarm, climb, lead, snapshot, survey
from duly.machines import clock as clocks
from duly.machines.classification import Table, classify
from duly.machines.clock import Clock
from duly.machines.counting import Counting
from duly.machines.customer import Customers
from duly.machines.desk import HEARS, Desk
from duly.machines.duty import Duties, Duty
from duly.machines.ladder import Ladder
from duly.machines.reaction import Reactions
from duly.machines.roster import Roster
from duly.machines.route import Routing
from duly.machines.run import FAILED, OPEN, Run
from duly.machines.state import State
from duly.machines.survey import Plan, Survey
from duly.machines.turn import Origin, Turn
from duly.machines.whole import Sets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Deeds = list[tuple[int, Mapping[str, Any]]]

_NOTHING: dict[str, Any] = {}
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
        routing = compiled.get("routing")
        self.routing = None if routing is None else Routing(routing, engine)
        self.clocks = [Clock(spec, self.calendars, engine) for spec in compiled["clocks"]]
        self.hears: dict[str, list[tuple[str, int, Any]]] = {}
        for clock in self.clocks:
            for event, triggers in clock.on.items():
                self.hears.setdefault(event, []).extend((clock.id, deed, test) for deed, test in triggers)
        self.unstarted = [clock.id for clock in self.clocks]
        self.leads = [clock for clock in self.clocks if clock.before is not None]
        self.ladders = {spec["id"]: Ladder(spec, self.calendars) for spec in compiled["ladders"]}
        self.surveys = [Survey(spec, self.calendars) for spec in compiled["surveys"]]
        facts = compiled["set"]
        zone = Zone(facts["timezone"], facts["zone"]["at"], facts["zone"]["offsets"])
        self.zone = zone
        self.roster = Roster(compiled["roster"], self.calendars, zone)
        self.reactions = Reactions(compiled.get("reactions", {}), self.calendars)
        self.kinds = {survey.id: survey.kind for survey in self.surveys}
        self.required: dict[str, list[str]] = compiled.get("required", {})
        self.ledger: list[dict[str, Any]] = compiled.get("ledger", [])
        specs = compiled.get("reactions", {}).get("reactions", ())
        assign = {"strategy": "none"} if routing is None else routing["assign"]
        self.desk = Desk(compiled["roster"]["groups"], assign)
        # A desk that hands nothing out need not hear of anything.
        hands_out = routing is not None and any(
            each["strategy"] != "none"
            for each in [assign, *(rule["assign"] for rule in routing["rules"] if "assign" in rule)]
        )
        self.desk_hears = HEARS if hands_out else frozenset()
        duties = [Duty(spec, self.calendars, zone) for spec in compiled.get("duties", ())]
        self.duties = Duties([duty for duty in duties if duty.for_each == "case" or duty.on])
        self.sets = Sets(
            Duties([duty for duty in duties if duty.for_each != "case"]), Counting(specs, "set"), self.surveys,
            self.ladders, self.calendars, zone, list(compiled["roster"]["people"]),
            list(compiled["roster"]["groups"]), self.reactions, self.customer_intake,
        )  # fmt: skip
        self.customers = Customers(
            self.surveys, self.ledger, Counting(specs, "customer"), self.reactions, self.customer_intake
        )

    def machines(self) -> dict[str, Any]:
        """What runs customers, the desk and the set, by the sort of entity; see timeline.Machine."""
        return {"customer": self.customers, "set": self.sets, "desk": self.desk}

    def begin(self, case: Case) -> State:
        """The state of a case before its first event."""
        state = State(case.id, case.customer)
        # A run that has not started is never changed: its first start makes a new one.
        state.runs = dict.fromkeys(self.unstarted, _UNSTARTED)
        state.plans = {survey.id: Plan() for survey in self.surveys}
        return state

    def apply(self, state: State, at: int, events: Sequence[Event], turn: Turn | None = None) -> None:
        """Everything that the events of one instant do to a case; they are given in order of their ids.

        With a `turn`, actions and facts are collected in it, and events that they emit are taken in the same
        instant. Raises Refused, the state untouched by the refused event, where an event carries a wrong value.
        """
        deeds: dict[str, Deeds] = {}
        changed: set[str] = set()
        waiting = list(events)
        while waiting:
            event = waiting.pop(0)
            if turn is not None and self.reactions.hold_back(state, event, turn):
                continue
            try:
                payload = self._take(state, event, changed)
            except Refused as refused:
                if turn is None:
                    raise
                turn.refused.append((event, refused))
                continue
            facts = {**state.facts, **payload} if payload else state.facts
            for name, deed, test in self.hears.get(event.type, ()):
                if test is None or test(facts):
                    deeds.setdefault(name, []).append((deed, payload))
            if self.routing is not None and event.type in self.routing.evaluate_on:
                self._route(state, facts, turn)
            if turn is None:
                self._survey(state, event, facts)
                continue
            self._tell(state, event, facts, turn)
            self._do_duties(state, event, facts, turn)
            try:
                self.reactions.react(state, event, facts, turn)
            except Refused as refused:
                state.errors.append({"code": refused.code, "message": refused.message, "rule": event.type})
                turn.queue.clear()
            waiting += turn.queue
            turn.queue.clear()
        if turn is None:
            self._advance(state, at, deeds, changed)
        else:
            before = [(run, alarm.facts_of(run)) for run in state.runs.values()]
            self._advance(state, at, deeds, changed)
            self._announce(state, before, turn)

    def _route(self, state: State, facts: Mapping[str, Any], turn: Turn | None) -> None:
        assert self.routing is not None
        route = self.routing.route(facts)
        if turn is not None and route != state.route:
            origin = Origin(route["rule"], "case.routed", route.get("source", ()), str(turn.at))
            turn.act("case.routed", origin, {"to": [route["to"]], "also": route["also"]})
            if self.desk_hears:
                event = Event(f"queue/{state.id}/{turn.at}", "case.queued", turn.at)
                event.case = state.id
                told = {"route": self.routing.entry(route["rule"]), "opened_at": state.opened_at, "assignee": facts.get("assignee")}
                turn.messages.append(("desk", event, told))
        state.route = route

    def _tell(self, state: State, event: Event, facts: Mapping[str, Any], turn: Turn) -> None:
        """Let the customer, the groups and the set know of an event that they keep count of."""
        if event.type == "case.acknowledged":
            for clock in self.clocks:
                run = state.runs[clock.id]
                if clock.ladder is not None and run.climb is not None:
                    climb.acknowledge(self.ladders[clock.ladder], run.climb, run, turn.at)
                    run.alarms = alarm.alarms(clock, run, self.ladders[clock.ladder])
            for name, run in state.escalations.values():
                if run.climb is not None:
                    climb.acknowledge(self.ladders[name], run.climb, run, turn.at)
        elif event.type == "ladder.started":
            self._escalate(state, event, turn)
        if event.type in self.customers.hears:
            turn.messages.append((f"customer:{state.customer or state.id}", event, dict(facts)))
        if event.type in self.sets.hears:
            turn.messages.append(("set", event, dict(facts)))
        if event.type in self.desk_hears:
            turn.messages.append(("desk", event, dict(facts)))

    def _do_duties(self, state: State, event: Event, facts: Mapping[str, Any], turn: Turn) -> None:
        if event.type in ("case.opened", "case.reopened"):
            self.duties.begin(state.memory, turn.at, "case")
        elif event.type in ("case.closed", "case.cancelled"):
            self.duties.end(state.memory)
        if event.type in self.duties.hears:
            self.duties.hear(state.memory, event, facts, turn)

    def _escalate(self, state: State, event: Event, turn: Turn) -> None:
        """A ladder that an action starts: it counts from now, and nothing stops it but its end."""
        name = str(event.payload["ladder"])
        if name in self.ladders:
            self._climb(state, name, event.id, turn)

    def _climb(self, state: State, name: str, occurrence: str, turn: Turn) -> None:
        run = Run(1)
        run.phase, run.started_at, run.due = OPEN, turn.at, turn.at
        run.calendar = self.ladders[name].calendar or self.calendars["always"]
        run.since, run.climb = turn.at, climb.Climb()
        state.escalations[occurrence] = (name, run)

    def _announce(self, state: State, before: Sequence[tuple[Run, tuple[Any, ...]]], turn: Turn) -> None:
        """The facts of an instant, clock by clock, and the alarms that follow from them."""
        for clock, (old, then) in zip(self.clocks, before, strict=True):
            run = state.runs[clock.id]
            if run is old and alarm.facts_of(run) == then:
                continue
            ladder = None if clock.ladder is None else self.ladders[clock.ladder]
            alarm.differences(clock, run, then, old, ladder, turn)
            run.alarms = alarm.alarms(clock, run, ladder)
        self._set_alarm(state)

    def _set_alarm(self, state: State) -> None:
        """The earliest instant at which the case does something by itself."""
        moments = [run.alarms[0][0] for run in state.runs.values() if run.alarms]
        for name, run in state.escalations.values():
            assert run.climb is not None
            moments += [at for at, _, _ in climb.steps(self.ladders[name], run.climb, run)[:1]]
        for moment in (self.reactions.alarm(state), self.duties.alarm(state.memory)):
            if moment is not None:
                moments.append(moment)
        state.alarm = min(moments, default=None)

    def wake(self, state: State, turn: Turn) -> None:
        """Do the one thing that is due first at the turn's instant, and what follows from it."""
        at = turn.at
        for clock in self.clocks:
            run = state.runs[clock.id]
            if run.alarms and run.alarms[0][0] <= at:
                ladder = None if clock.ladder is None else self.ladders[clock.ladder]
                now = alarm.ring(clock, run, ladder, run.alarms[0], state.facts, turn)
                state.runs[clock.id] = now
                now.alarms = alarm.alarms(clock, now, ladder)
                break
        else:
            self._wake_others(state, turn)
        if turn.queue:
            queue, turn.queue = turn.queue, []
            self.apply(state, at, queue, turn)
        self._set_alarm(state)

    def _wake_others(self, state: State, turn: Turn) -> None:
        for name, run in state.escalations.values():
            ladder = self.ladders[name]
            assert run.climb is not None
            coming = climb.steps(ladder, run.climb, run)
            if coming and coming[0][0] <= turn.at:
                at, loop, step = coming[0]
                tags = {"ladder": name}
                climb.fire(ladder, run.climb, run, at, loop, step, state.facts, turn, tags, None)
                return
        due = self.reactions.alarm(state)
        if due is not None and due <= turn.at:
            self.reactions.ring(state, turn)
            return
        due = self.duties.alarm(state.memory)
        started = None if due is None or due > turn.at else self.duties.ring(state.memory, state.facts, turn)
        if started is not None:
            self._climb(state, started[0], started[1], turn)

    def _take(self, state: State, event: Event, changed: set[str]) -> dict[str, Any]:
        """Let the facts of an event into the state; returns its payload as facts."""
        payload: dict[str, Any] = _NOTHING
        opening = event.type == "case.opened"
        if event.payload and event.type != "customer.updated":
            payload, faults = self.event_intake(event.payload, False)
            _refuse(faults, event.path + "data.")
        for name in self.required.get(event.type, ()):
            if event.payload.get(name) is None:
                raise Refused("C203", f"`{name}` is missing; every `{event.type}` has it", f"{event.path}data.{name}")
        if event.changes or opening:
            values, faults = self.case_intake(event.changes, opening)
            _refuse(faults, event.path + event.field_path)
            self._change(state, event, values, changed)
        if event.type == "customer.updated":
            values, faults = self.customer_intake(event.payload, False)
            _refuse(faults, event.path + "data.")
            state.facts.update(values)
            changed.update(values)
        elif event.type == "case.assigned":
            state.facts["assignee"] = event.payload.get("assignee")
            changed.add("assignee")
        elif event.type == "case.acknowledged":
            state.facts["acknowledged"] = True
            changed.add("acknowledged")
        if opening and state.opened_at is None:
            state.opened_at = event.at
        if event.customer is not None and state.customer is None:
            state.customer = event.customer
        if (changed or opening) and self.tables:
            self._classify(state, changed)
        return payload

    def _change(self, state: State, event: Event, values: dict[str, Any], changed: set[str]) -> None:
        facts, inputs = state.facts, state.inputs
        origin = "agent" if event.actor == "agent" else "input"
        given = event.changes
        for name, value in values.items():
            if value is None:
                facts.pop(name, None)
                inputs.pop(name, None)
            else:
                facts[name] = value
                if name in given:
                    inputs[name] = origin
            changed.add(name)

    def _classify(self, state: State, changed: set[str]) -> None:
        derived, errors = classify(self.tables, state.facts, state.inputs)
        if derived != state.derived:
            before = state.derived
            changed.update(name for name, found in derived.items() if before.get(name) != found)
            state.derived = derived
        if errors:
            state.errors = [error for error in state.errors if error["code"] != "rule_error"] + errors

    def _survey(self, state: State, event: Event, facts: Mapping[str, Any]) -> None:
        if event.type == "survey.sent":
            name = str(facts.get("event.survey", ""))
            state.sent.append((event.at, name, self.kinds.get(name, "")))
        for each in self.surveys:
            if event.type in each.hears:
                customer = state.customer or state.id
                survey.see(each, state.plans[each.id], event.type, event.at, facts, customer, self.ledger, state.sent)

    def _advance(self, state: State, at: int, deeds: dict[str, Deeds], changed: set[str]) -> None:
        runs = state.runs
        for clock in self.clocks:
            own = deeds.get(clock.id)
            touched = bool(changed) and not clock.watches.isdisjoint(changed)
            if own is None and not touched and not clock.every:
                continue
            facts: Mapping[str, Any] = state.facts
            doing: Sequence[int] = ()
            if own:
                if len(own) > 1:
                    own.sort(key=_first)
                payload = own[-1][1]
                facts = {**facts, **payload} if payload else facts
                doing = [deed for deed, _ in own]
            run = runs[clock.id]
            try:
                if clock.every:
                    run = clocks.roll(clock, run, at, facts)
                runs[clock.id] = clocks.advance(clock, run, at, doing, facts, touched)
            except BeyondCalendar as error:
                runs[clock.id] = self._fail(state, clock, run, error)
        if self.leads:
            self._place_leads(state)

    def _place_leads(self, state: State) -> None:
        for clock in self.leads:
            assert clock.before is not None
            run = state.runs[clock.id]
            try:
                lead.place(clock, run, state.runs.get(clock.before[0]))
            except BeyondCalendar as error:
                state.runs[clock.id] = self._fail(state, clock, run, error)

    def _fail(self, state: State, clock: Clock, run: Run, error: BeyondCalendar) -> Run:
        """A clock without an answer says so; the other clocks of the case run on (semantics §9)."""
        state.errors.append({"code": "beyond_calendar", "message": error.message, "rule": clock.rule})
        failed = Run(run.cycle)
        failed.phase = FAILED
        failed.started_at = run.started_at
        return failed

    def replay(self, case: Case, at: int) -> State:
        """The state of a case at `at`: its events until then, in the order (instant, opening first, id)."""
        state = self.begin(case)
        for moment, batch in _batches(case, at):
            self.apply(state, moment, batch)
        for clock in self.clocks:
            if clock.every:
                state.runs[clock.id] = clocks.roll(clock, state.runs[clock.id], at, state.facts)
        return state

    def view(self, state: State, at: int) -> dict[str, Any]:
        """The decision of interface.md §3 for a case as it stands at `at`."""
        decision: dict[str, Any] = {
            "case": state.id,
            "at": instants.render(at),
            "policy": self.identity,
            "fields": {name: {"value": value, "from": origin} for name, (value, origin) in state.derived.items()},
            "route": state.route,
            "clocks": [snapshot.clock(clock, state.runs[clock.id], at, self.ladders) for clock in self.clocks],
            "surveys": [survey.view(each, state.plans[each.id], at) for each in self.surveys],
        }
        if state.errors:
            decision["errors"] = state.errors
        return decision


def decide(policy: PolicySet, case: Case, at: int) -> dict[str, Any]:
    """What the policy says of a case at an instant, given its events until then. Raises Refused."""
    return policy.view(policy.replay(case, at), at)


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]


def _batches(case: Case, at: int) -> list[tuple[int, list[Event]]]:
    """The events of a case until `at`, without repeats, those of one instant together."""
    opening = Event("", "case.opened", case.opened_at)
    opening.changes = case.fields
    opening.field_path = "fields."
    if not case.events:
        return [(opening.at, [opening])] if opening.at <= at else []
    seen: dict[str, Event] = {}
    for number, event in enumerate(case.events):
        if event.case is not None and event.case != case.id:
            raise Refused("E107", f"event of case `{event.case}` in case `{case.id}`", f"events[{number}].case")
        seen.setdefault(event.id, event)
    events = sorted(seen.values(), key=_order)
    given = next((event for event in events if event.type == "case.opened"), None)
    if given is None:
        events = sorted([opening, *events], key=_order)
    elif case.fields:
        given.changes = {**case.fields, **given.changes}
    batches: list[tuple[int, list[Event]]] = []
    for event in events:
        if event.at > at:
            break
        if batches and batches[-1][0] == event.at:
            batches[-1][1].append(event)
        else:
            batches.append((event.at, [event]))
    return batches


def _order(event: Event) -> tuple[int, bool, str]:
    """Nothing can happen to a case before it is opened; else the ids decide within an instant."""
    return event.at, event.type != "case.opened", event.id


def _refuse(faults: Sequence[Mapping[str, str]], prefix: str) -> None:
    if faults:
        first = faults[0]
        message = "; ".join(fault["message"] for fault in faults[:5])
        raise Refused(first["code"], message, prefix + first["path"])
