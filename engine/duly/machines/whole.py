"""The set itself at run time: duties that belong to no case, waves of surveys, and counts over everything."""

from __future__ import annotations

from copy import copy

from duly.calendars.limits import NEVER
from duly.cases import Event
from duly.conditions.predicates import predicate
from duly.machines import escalations
from duly.machines.schedule import Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.calendars.calendars import Calendars
    from duly.calendars.localtime import Zone
    from duly.conditions.values import Intake
    from duly.machines.counting import Counting
    from duly.machines.duty import Duties
    from duly.machines.ladder import Ladder
    from duly.machines.reaction import Reactions
    from duly.machines.run import Run
    from duly.machines.survey import Survey
    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]
    Told = tuple[Event, Facts]


class Whole:
    """What the set keeps: its duties, the customers it has heard of, the next wave of each survey."""

    __slots__ = ("alarm", "at", "customers", "escalations", "memory", "waves")

    def __init__(self) -> None:
        self.alarm: int | None = None
        self.at = -NEVER
        self.memory: dict[str, Any] = {}
        self.customers: dict[str, dict[str, Any]] = {}
        self.escalations: dict[str, tuple[str, Run]] = {}
        self.waves: dict[str, int] = {}


class Sets:
    """The machine of the set; see machine.Machine. There is one such entity, called `set`."""

    def __init__(
        self, duties: Duties, counting: Counting, surveys: Sequence[Survey], ladders: Mapping[str, Ladder],
        calendars: Calendars, zone: Zone, people: Sequence[str], groups: Sequence[str], reactions: Reactions,
        intake: Intake,
    ) -> None:  # fmt: skip
        self._intake = intake
        self._duties = duties
        self._counting = counting
        self._reactions = reactions
        self._ladders = ladders
        self._calendars = calendars
        self._people = [{"person": f"person:{name}"} for name in people]
        self._groups = [{"group": f"group:{name}"} for name in groups]
        self._waves = {
            survey.id: (survey, Schedule(survey.schedule, calendars, zone),
                        None if survey.audience is None else predicate(survey.audience))
            for survey in surveys if survey.schedule is not None
        }  # fmt: skip
        self._meets = keeps_customers = bool(self._waves) or duties.for_each("customer")
        self.hears = duties.hears | counting.hears | ({"case.opened"} if keeps_customers else frozenset())

    def begin(self, name: str, at: int, first: Event) -> Whole:
        """The set from `at` on."""
        state = Whole()
        self._start_all(state, at)
        self._set_alarm(state)
        return state

    def _start_all(self, state: Whole, at: int) -> None:
        self._duties.begin(state.memory, at, "set")
        self._duties.begin(state.memory, at, "person", self._people)
        self._duties.begin(state.memory, at, "group", self._groups)
        for survey, (_, schedule, _) in self._waves.items():
            moment = schedule.after(at - 1)
            if moment is not None:
                state.waves[survey] = moment

    def subject(self, state: Whole) -> Mapping[str, Any]:
        """Nobody in particular."""
        return {}

    def apply(self, state: Whole, at: int, told: Sequence[Told], turn: Turn) -> None:
        """What the events of one instant do to the duties and counts of the set."""
        for event, facts in told:
            if self._meets and event.customer is not None:
                self._meet(state, event, facts, at)
            turn.subject = {"case": event.case, "customer": event.customer} if event.case is not None else {}
            if event.person is not None:
                turn.subject = {}
            self._counting.react(state.memory, event, facts, turn)
            told_facts = {**facts, **_payload(event)}
            if event.case is None and event.customer is None:
                self._reactions.react_without_case(state, event, told_facts, turn)
            self._duties.hear(state.memory, event, told_facts, turn, births=event.case is None)
            turn.pass_on(event.case)
        self._set_alarm(state)

    def _meet(self, state: Whole, event: Event, facts: Facts, at: int) -> None:
        """Note a customer and what is known of him; duties for each customer begin when he is first heard of."""
        customer = str(event.customer)
        if customer not in state.customers:
            state.customers[customer] = {}
            self._duties.begin(state.memory, at, "customer", [{"customer": customer}])
        known = state.customers[customer]
        known.update({name: value for name, value in facts.items() if name.startswith("customer.")})
        if event.type == "customer.updated":
            values, _ = self._intake(event.payload, False)
            known.update(values)

    def over(self, ladders: Mapping[str, Ladder]) -> Sets:
        """The same, with more ladders."""
        found = copy(self)
        found._ladders = ladders  # noqa: SLF001 - its own kind
        return found

    def inherit(self, state: Whole, turn: Turn) -> None:
        """Go on with what another revision left: duties and waves by their ids, what is new from now on."""
        self._duties.inherit(state.memory, turn)
        state.waves = {}
        self._start_all(state, turn.at + 1)
        for customer in state.customers:
            self._duties.begin(state.memory, turn.at + 1, "customer", [{"customer": customer}])
        self._set_alarm(state)

    def wake(self, state: Whole, turn: Turn) -> None:
        """A duty comes round or is late, a wave of surveys goes out, a ladder goes on: the one that is first."""
        for name, moment in sorted(state.waves.items()):
            if moment <= turn.at:
                self._wave(state, name, turn)
                self._set_alarm(state)
                return
        if escalations.ring(state.escalations, self._ladders, self._duties, {}, turn):
            self._set_alarm(state)
            return
        started = self._duties.ring(state.memory, {}, turn, state.customers)
        if started is not None:
            escalations.begin(state.escalations, self._ladders, *started, self._calendars, turn)
        turn.pass_on(None)
        self._set_alarm(state)

    def _wave(self, state: Whole, name: str, turn: Turn) -> None:
        """A scheduled survey goes to every customer of its audience that the set has heard of."""
        survey, schedule, audience = self._waves[name]
        moment = state.waves[name]
        following = schedule.after(moment)
        if following is None:
            del state.waves[name]
        else:
            state.waves[name] = following
        for customer, facts in sorted(state.customers.items()):
            if audience is None or audience(facts):
                event = Event(f"{survey.id}/{moment}/{customer}", "survey.asked", turn.at)
                event.customer, event.payload, event.actor = customer, {"survey": survey.id}, "policy"
                turn.messages.append((f"customer:{customer}", event, dict(facts)))

    def _set_alarm(self, state: Whole) -> None:
        moments = [*state.waves.values()]
        duty = self._duties.alarm(state.memory)
        if duty is not None:
            moments.append(duty)
        moments += escalations.coming(state.escalations, self._ladders)
        state.alarm = min(moments, default=None)


def _payload(event: Event) -> dict[str, Any]:
    return {f"event.{name}": value for name, value in event.payload.items()}
