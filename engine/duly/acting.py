"""Acting: a policy set that also does things as time goes on. It decides as any PolicySet does, and collects
what follows: actions, facts, the next instant at which a case does something by itself.
"""

from __future__ import annotations

from copy import copy

from duly.admission import admit
from duly.calendars.limits import BeyondCalendar
from duly.calendars.localtime import Zone
from duly.cases import Case, Event, Refused
from duly.decision import PolicySet
from duly.machines import alarm, climb, cycle, escalations
from duly.machines.counting import Counting
from duly.machines.customer import Customers
from duly.machines.desk import HEARS, Desk
from duly.machines.duty import DUTIFUL, Duties, Duty
from duly.machines.reaction import Reactions
from duly.machines.roster import Roster
from duly.machines.run import OPEN, Run, facts_of
from duly.machines.turn import Origin, Turn
from duly.machines.whole import Sets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from duly.decision import Before, Deeds
    from duly.machines.clock import Clock
    from duly.machines.ladder import Ladder
    from duly.machines.state import State


class ActingSet(PolicySet):
    """A compiled policy set, ready to act.

    With `alone`, one case at a time is looked at for a decision: there is no desk and no set, and duties that
    change nothing in the case do not come round.
    """

    def __init__(self, compiled: Mapping[str, Any], engine: str = "native", *, alone: bool = False) -> None:
        super().__init__(compiled, engine)
        self.alone = alone
        facts = compiled["set"]
        self.zone = Zone(facts["timezone"], facts["zone"]["at"], facts["zone"]["offsets"])
        self.roster = Roster(compiled["roster"], self.calendars, self.zone)
        reactions = compiled["reactions"]
        self.reactions = Reactions(reactions, self.calendars)
        duties = [Duty(spec, self.calendars, self.zone) for spec in compiled["duties"]]
        own = [each for each in duties if (each.for_each == "case" or each.on) and (each.acts or not alone)]
        self.has_duties = bool(own)
        self.duties = Duties(own)
        counts = reactions["reactions"]
        self.sets = Sets(
            Duties([duty for duty in duties if duty.for_each != "case"]), Counting(counts, "set"), self.surveys,
            self.ladders, self.calendars, self.zone, list(compiled["roster"]["people"]),
            list(compiled["roster"]["groups"]), self.reactions, self.customer_intake,
        )  # fmt: skip
        self.customers = Customers(
            self.surveys, self.ledger, Counting(counts, "customer"), self.reactions, self.customer_intake
        )
        routing = compiled.get("routing")
        assigning = [] if routing is None else [routing["assign"], *(
            rule["assign"] for rule in routing["rules"] if "assign" in rule
        )]  # fmt: skip
        self.desk = Desk(compiled["roster"]["groups"], assigning[0] if assigning else {"strategy": "none"})
        # A desk that hands nothing out need not hear of anything.
        self.desk_hears = HEARS if any(each["strategy"] != "none" for each in assigning) else frozenset()

        self.answers = self._answers()

    def _answers(self) -> frozenset[str]:
        """The types of events that set anything off beyond what they do to clocks."""
        found = {"case.acknowledged", "ladder.started"} | self.desk_hears | self.reactions.hears
        found |= self.customers.hears | self.sets.hears
        found.update(kind for kind, hearing in self.hearings.items() if hearing.routes)
        return frozenset(found | self.duties.hears | DUTIFUL if self.has_duties else found)

    def machines(self) -> dict[str, Any]:
        """What runs customers, the desk and the set, by the sort of entity; see timeline.Machine."""
        if self.alone:
            return {"customer": self.customers}
        return {"customer": self.customers, "set": self.sets, "desk": self.desk}

    def check(self, event: Event) -> None:
        """See admission.admit."""
        admit(self, event)

    def act(self, state: State, at: int, events: Sequence[Event], turn: Turn) -> None:
        """Everything that the events of one instant do to a case, and what follows from them at once.

        Events that actions emit are taken in the same instant. An event with a wrong value is refused whole,
        and kept in the turn with its reason; the others are taken.
        """
        deeds: dict[str, Deeds] = {}
        changed: set[str] = set()
        waiting = list(events)
        for event in waiting:  # it grows meanwhile
            if event.type not in self.reactions.withholds or not self.reactions.hold_back(state, event, turn):
                heard = self.hearings.get(event.type, self.unheard)
                try:
                    facts = self._take(state, event, heard, deeds, changed)
                except Refused as refused:
                    turn.refused.append((event, refused))
                    continue
                self._respond(state, event, facts, turn)
            if turn.queue:
                waiting += turn.queue
                turn.queue.clear()
        if deeds or changed or self.restless:
            before: list[Before] = []
            self._advance(state, at, deeds, changed, before)
            self._announce(state, before, turn)
        self._set_alarm(state)

    def _respond(self, state: State, event: Event, facts: Mapping[str, Any], turn: Turn) -> None:
        """Route, tell others, do duties, react: what an event that was taken sets off."""
        if event.type not in self.answers and not self.reactions.counts:
            return
        try:
            # What was known of the customer before the case was opened routes nothing yet.
            if state.opened_at is not None and self.hearings.get(event.type, self.unheard).routes:
                self._route(state, facts, turn)
            self._tell(state, event, facts, turn)
            self._do_duties(state, event, facts, turn)
            self.reactions.react(state, event, facts, turn)
        except Refused as refused:
            # A chain of emitted events without an end: what it has done so far stands, the rest is dropped.
            state.errors.append({"code": refused.code, "message": refused.message, "rule": event.type})
            turn.queue.clear()

    def _route(self, state: State, facts: Mapping[str, Any], turn: Turn) -> None:
        if self.routing is None:
            return
        route = self.routing.route(facts)
        if route != state.route:
            origin = Origin(route["rule"], "case.routed", route.get("source", ()), str(turn.at))
            turn.act("case.routed", origin, {"to": [route["to"]], "also": route["also"]})
            if self.desk_hears:
                event = Event(f"queue/{state.id}/{turn.at}", "case.queued", turn.at)
                event.case = state.id
                told = {"route": self.routing.entry(route["rule"]), "opened_at": state.opened_at,
                        "assignee": facts.get("assignee"), "customer": state.customer}  # fmt: skip
                turn.messages.append(("desk", event, told))
        state.route, state.routed = route, facts

    def _tell(self, state: State, event: Event, facts: Mapping[str, Any], turn: Turn) -> None:
        """Let the customer, the desk and the set know of an event that they keep count of."""
        if event.type == "case.acknowledged":
            self._acknowledge(state, turn)
        elif event.type == "ladder.started":
            name = str(event.payload["ladder"])
            if name in self.ladders:
                escalations.begin(state.escalations, self.ladders, name, event.id, self.calendars, turn)
        if event.type in self.customers.hears:
            turn.messages.append((f"customer:{state.customer or state.id}", event, dict(facts)))
        if event.type in self.sets.hears:
            turn.messages.append(("set", event, dict(facts)))
        if event.type in self.desk_hears:
            turn.messages.append(("desk", event, dict(facts)))

    def following(self, before: Iterable[ActingSet]) -> ActingSet:
        """The same set as a later revision: it knows the ladders of those `before` it, to finish what they began."""
        found = copy(self)
        found.ladders = {
            **self.ladders,
            **{_of(name, each): ladder for each in before for name, ladder in each.ladders.items()},
        }
        found.sets = self.sets.over(found.ladders)
        return found

    def inherit(self, state: State, old: ActingSet, turn: Turn) -> None:
        """Take over a case that another revision ran (semantics §8). Clocks go on by their ids, their targets
        are matched again; clocks that are gone are cancelled, those that are new start by later events; ladders
        finish as they began.
        """
        for clock in old.clocks:
            run = state.runs[clock.id]
            if clock.id not in self.unstarted:
                alarm.drop(clock, run, old._ladder(clock, run), turn)
            elif run.climb is not None and clock.ladder is not None and run.climb.ladder is None:
                run.climb.ladder = _of(clock.ladder, old)
        state.escalations = {
            occurrence: (_of(name, old), run) for occurrence, (name, run) in state.escalations.items()
        }
        unstarted = self.begin(Case(state.id, turn.at))
        state.runs = {name: state.runs.get(name, run) for name, run in unstarted.runs.items()}
        state.plans = {name: state.plans.get(name, plan) for name, plan in unstarted.plans.items()}
        self.duties.inherit(state.memory, turn)
        self.reactions.inherit(state, turn)
        if not state.closed:
            self.duties.begin(state.memory, turn.at + 1, "case")
        self._classify(state, set())
        self._match_again(state, old, turn)

    def _match_again(self, state: State, old: ActingSet, turn: Turn) -> None:
        same_time = self.compiled["calendars"] == old.compiled["calendars"]
        before_by_id = {clock.id: clock for clock in old.clocks}
        going = [clock for clock in self.clocks if state.runs[clock.id].phase is OPEN]
        for clock in going:
            cycle.inherit(
                clock, state.runs[clock.id], before_by_id[clock.id], state.facts, same_time=same_time
            )
        before = [(clock, state.runs[clock.id], facts_of(state.runs[clock.id])) for clock in going]
        for clock in going:
            run = state.runs[clock.id]
            try:
                state.runs[clock.id] = cycle.advance(clock, run, turn.at, (), state.facts, True)
            except BeyondCalendar as error:
                state.runs[clock.id] = self._fail(state, clock, run, error)
        if self.leads:
            self._place_leads(state, turn.at)
        self._announce(state, before, turn)
        for clock in going:
            run = state.runs[clock.id]
            run.alarms = alarm.alarms(clock, run, self._ladder(clock, run))
        self._set_alarm(state)

    def _ladder(self, clock: Clock, run: Run) -> Ladder | None:
        """The ladder that a run goes up: the one it began with, else the clock's."""
        name = clock.ladder if run.climb is None else run.climb.ladder or clock.ladder
        return None if name is None else self.ladders[name]

    def _acknowledge(self, state: State, turn: Turn) -> None:
        for clock in self.clocks:
            run = state.runs[clock.id]
            ladder = self._ladder(clock, run)
            if ladder is not None and run.climb is not None:
                climb.acknowledge(ladder, run.climb, run, turn)
                run.alarms = alarm.alarms(clock, run, ladder)
        escalations.acknowledge(state.escalations, self.ladders, turn)

    def _do_duties(self, state: State, event: Event, facts: Mapping[str, Any], turn: Turn) -> None:
        if not self.has_duties:
            return
        if event.type in ("case.opened", "case.reopened"):
            self.duties.begin(state.memory, turn.at, "case")
        elif event.type in ("case.closed", "case.cancelled"):
            self.duties.end(state.memory)
        if event.type in self.duties.hears:
            self.duties.hear(state.memory, event, facts, turn)

    def _announce(self, state: State, before: Sequence[Before], turn: Turn) -> None:
        """The facts of an instant, clock by clock, and the alarms that follow from them."""
        runs = state.runs
        for clock, old, then in before:
            run = runs[clock.id]
            if run is old and facts_of(run) == then:
                continue
            ladder = self._ladder(clock, old)
            alarm.differences(clock, run, then, old, ladder, turn)
            if run is not old:
                ladder = self._ladder(clock, run)
            run.alarms = alarm.alarms(clock, run, ladder, turn)

    def _set_alarm(self, state: State) -> None:
        """The earliest instant at which the case does something by itself."""
        moments = [run.alarms[0][0] for run in state.runs.values() if run.alarms]
        if state.escalations:
            moments += escalations.coming(state.escalations, self.ladders)
        memory = state.memory
        if "approvals" in memory and (moment := self.reactions.alarm(state)) is not None:
            moments.append(moment)
        if "duties" in memory and (moment := self.duties.alarm(memory)) is not None:
            moments.append(moment)
        state.alarm = min(moments) if moments else None

    def wake(self, state: State, turn: Turn) -> None:
        """Do the one thing that is due first at the turn's instant, and what follows from it."""
        at = turn.at
        for clock in self.clocks:
            run = state.runs[clock.id]
            if run.alarms and run.alarms[0][0] <= at:
                now = alarm.ring(clock, run, self._ladder(clock, run), run.alarms[0], state.facts, turn)
                state.runs[clock.id] = now
                now.alarms = alarm.alarms(clock, now, self._ladder(clock, now))
                break
        else:
            self._wake_others(state, turn)
        if turn.queue:
            queue, turn.queue = turn.queue, []
            self.act(state, at, queue, turn)
        self._set_alarm(state)

    def _wake_others(self, state: State, turn: Turn) -> None:
        if escalations.ring(state.escalations, self.ladders, self.duties, state.facts, turn):
            return
        due = self.reactions.alarm(state)
        if due is not None and due <= turn.at:
            self.reactions.ring(state, turn)
            return
        due = self.duties.alarm(state.memory)
        started = None if due is None or due > turn.at else self.duties.ring(state.memory, state.facts, turn)
        if started is not None:
            escalations.begin(state.escalations, self.ladders, *started, self.calendars, turn)


def _of(ladder: str, policy: ActingSet) -> str:
    """A ladder's name among the ladders of a later revision."""
    return ladder if "@" in ladder else f"{ladder}@{policy.identity['revision']}"
