"""Packed: one entity as a few bytes of JSON, and back, quickly; the long form that anybody can read is `kept`.

What is written is a list by position, so a new field goes to its end and the first number, the form, goes up.
"""

from __future__ import annotations

from duly.machines.climb import Climb
from duly.machines.desk import Queues
from duly.machines.keeping import kept, restored
from duly.machines.known import Known
from duly.machines.rows import NO_SHELF, dumps, event_row, facts_row, loads, to_event, to_facts
from duly.machines.run import CANCELLED, FAILED, NOT_STARTED, OPEN, STOPPED, Run
from duly.machines.state import Customer, State
from duly.machines.survey import Plan
from duly.machines.whole import Whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from duly.calendars.calendar import Calendar
    from duly.calendars.calendars import Calendars
    from duly.machines.target import Target

    Shelf = tuple[Calendars, Mapping[str, Target]]
    """The calendars and the targets of one revision, by name and by rule."""

FORM = 1
_PHASES = (NOT_STARTED, OPEN, STOPPED, CANCELLED, FAILED)
_PHASE = {phase: number for number, phase in enumerate(_PHASES)}
_UNSTARTED = Run()
_NO_ENTRIES: dict[str, Any] = {}


class Packing:
    """Packs and unpacks entities whose calendars and targets are those of some revisions."""

    def __init__(self, shelves: Mapping[str, Shelf]) -> None:
        self._shelves = shelves
        self._owners = {
            id(each): name
            for name, (calendars, targets) in shelves.items()
            for each in (*(calendars[calendar] for calendar in calendars), *targets.values())
        }

    def packed(self, entity: Any) -> bytes:
        """An entity as bytes."""
        return dumps(_ROWS[type(entity)](self, entity))

    def unpacked(self, data: bytes) -> Any:
        """The entity that `packed` wrote. Raises ValueError for a form that this version does not know."""
        row = loads(data)
        if row[0] != FORM:
            raise ValueError(f"an entity of form {row[0]}; this version of Duly reads form {FORM}")
        return _ENTITIES[row[1]](self, row)

    def state(self, state: State) -> list[Any]:
        """A case."""
        pool: dict[int, int] = {}
        facts: list[Any] = []
        at_home = self._shelves.get(state.revision)
        runs = {
            name: None if run.cycle == 0 and run.phase is NOT_STARTED and not run.alive
            else self._run(run, pool, facts, at_home)
            for name, run in state.runs.items()
        }  # fmt: skip
        return [
            FORM, "s", state.id, state.customer, state.opened_at, state.closed, state.inputs,
            _pooled(state.facts, pool, facts), _pooled(state.routed, pool, facts),
            facts_row({name: value for name, (value, _) in state.derived.items()}),
            [origin for _, origin in state.derived.values()], state.errors, state.route, runs,
            {name: None if plan.status == "not_triggered"
             else (plan.status, plan.gate, plan.at, plan.send_at, plan.send_by)
             for name, plan in state.plans.items()},
            state.sent, state.alarm,
            {name: (ladder, self._run(run, pool, facts, at_home))
             for name, (ladder, run) in state.escalations.items()},
            kept(state.memory) if state.memory else None, state.revision, state.pending, state.at, facts,
        ]  # fmt: skip

    def _run(self, run: Run, pool: dict[int, int], facts: list[Any], at_home: Shelf | None) -> list[Any]:
        target, calendar, climb = run.target, run.calendar, run.climb
        matched, promised = run.matched
        flags = (
            run.held | run.freed << 1 | run.alive << 2 | run.late << 3 | run.noted << 4
            | run.breached_by_change << 5
        )  # fmt: skip
        return [
            run.cycle, _PHASE[run.phase], run.started_at, self._target(target, at_home),
            0 if target is not None and calendar is target.calendar else self._calendar(calendar, at_home),
            [(start, end, self._calendar(each, at_home)) for start, end, each in run.stretches],
            run.since, run.paused_at, run.pauses, flags, run.ended_at, run.promised, run.due,
            None if matched is target and promised == run.promised
            else (self._target(matched, at_home), promised),
            _pooled(run.facts, pool, facts), facts_row(run.start_facts) if run.start_facts else None,
            run.alarms, sorted(run.warned) if run.warned else (), sorted(run.told) if run.told else (),
            None if climb is None else (
                sorted(climb.fired), [(*key, at) for key, at in climb.put_off.items()], climb.lease,
                climb.restarted, climb.restarts, climb.exhausted, climb.done, climb.ladder,
            ),
        ]  # fmt: skip

    def _target(self, target: Target | None, at_home: Shelf | None) -> Any:
        if target is None:
            return None
        if at_home is not None and at_home[1].get(target.rule) is target:
            return target.rule
        return target.rule, self._owners[id(target)]

    def _calendar(self, calendar: Calendar | None, at_home: Shelf | None) -> Any:
        if calendar is None:
            return None
        name = calendar.name
        if at_home is not None and name in at_home[0] and at_home[0][name] is calendar:
            return name
        return name, self._owners[id(calendar)]

    def customer(self, customer: Customer) -> list[Any]:
        """A customer."""
        return [
            FORM, "c", customer.id, customer.alarm, customer.at, facts_row(customer.facts), kept(customer.memory),
            [kept(plan) for plan in customer.plans], customer.sent, customer.answered,
        ]  # fmt: skip

    def known(self, known: Known) -> list[Any]:
        """What is known of a customer."""
        return [FORM, "k", known.alarm, known.at, [event_row(event) for event in known.said], known.cases]

    def queues(self, queues: Queues) -> list[Any]:
        """The desk."""
        return [
            FORM, "q", queues.alarm, queues.at, queues.waiting, queues.owned, queues.customers, queues.served,
            queues.last,
        ]  # fmt: skip

    def whole(self, whole: Whole) -> list[Any]:
        """The set."""
        pool: dict[int, int] = {}
        facts: list[Any] = []
        return [
            FORM, "w", whole.alarm, whole.at, kept(whole.memory),
            {name: facts_row(known) for name, known in whole.customers.items()},
            {name: (ladder, self._run(run, pool, facts, None)) for name, (ladder, run) in whole.escalations.items()},
            whole.waves, facts,
        ]  # fmt: skip

    def to_state(self, row: list[Any]) -> State:
        """See state."""
        state = State.__new__(State)
        (
            _, _, state.id, state.customer, state.opened_at, state.closed, state.inputs, here, routed, derived,
            origins, state.errors, state.route, runs, plans, sent, state.alarm, escalations, memory,
            state.revision, state.pending, state.at, packs,
        ) = row  # fmt: skip
        facts = [to_facts(each) for each in packs]
        at_home = self._shelves.get(state.revision)
        state.facts = facts[here]
        state.routed = facts[routed]
        state.derived = {
            name: (value, origin)
            for (name, value), origin in zip(to_facts(derived).items(), origins, strict=True)
        }
        state.runs = {
            name: _UNSTARTED if run is None else self._to_run(run, facts, at_home)
            for name, run in runs.items()
        }
        state.plans = {name: _to_plan(plan) for name, plan in plans.items()}
        state.sent = [tuple(each) for each in sent]
        state.escalations = {
            name: (ladder, self._to_run(run, facts, at_home)) for name, (ladder, run) in escalations.items()
        }
        state.memory = {} if memory is None else restored(memory, *NO_SHELF)
        return state

    def _to_run(self, row: list[Any], facts: list[Any], at_home: Shelf | None) -> Run:
        run = Run.__new__(Run)
        (
            run.cycle, phase, run.started_at, target, calendar, stretches, run.since, run.paused_at, pauses, flags,
            run.ended_at, run.promised, run.due, matched, seen, start_facts, alarms, warned, told, climb,
        ) = row  # fmt: skip
        run.phase = _PHASES[phase]
        run.target = target = self._to_target(target, at_home)
        run.calendar = target.calendar if calendar == 0 else self._to_calendar(calendar, at_home)  # type: ignore[union-attr]
        run.stretches = tuple(
            [(start, end, self._to_calendar(each, at_home)) for start, end, each in stretches]  # type: ignore[misc]
        )
        run.pauses = tuple([tuple(each) for each in pauses])
        run.held, run.freed, run.alive = bool(flags & 1), bool(flags & 2), bool(flags & 4)
        run.late, run.noted, run.breached_by_change = bool(flags & 8), bool(flags & 16), bool(flags & 32)
        if matched is None:
            run.matched = target, run.promised
        else:
            run.matched = self._to_target(matched[0], at_home), matched[1]
        run.facts = facts[seen]
        run.start_facts = _NO_ENTRIES if start_facts is None else to_facts(start_facts)
        run.alarms = tuple([tuple(each) for each in alarms])
        run.warned, run.told = frozenset(warned), frozenset(told)
        run.climb = None if climb is None else _to_climb(climb)
        return run

    def _to_target(self, target: Any, at_home: Shelf | None) -> Target | None:
        if target is None:
            return None
        if target.__class__ is str:
            assert at_home is not None
            return at_home[1][target]
        return self._shelves[target[1]][1][target[0]]

    def _to_calendar(self, calendar: Any, at_home: Shelf | None) -> Calendar | None:
        if calendar is None:
            return None
        if calendar.__class__ is str:
            assert at_home is not None
            return at_home[0][calendar]
        return self._shelves[calendar[1]][0][calendar[0]]

    def to_customer(self, row: list[Any]) -> Customer:
        """See customer."""
        customer = Customer(row[2])
        customer.alarm, customer.at, customer.facts = row[3], row[4], to_facts(row[5])
        customer.memory = restored(row[6], *NO_SHELF)
        customer.plans = [restored(plan, *NO_SHELF) for plan in row[7]]
        customer.sent = [tuple(each) for each in row[8]]
        customer.answered = [tuple(each) for each in row[9]]
        return customer

    def to_known(self, row: list[Any]) -> Known:
        """See known."""
        known = Known()
        _, _, known.alarm, known.at, said, known.cases = row
        known.said = [to_event(each) for each in said]
        return known

    def to_queues(self, row: list[Any]) -> Queues:
        """See queues."""
        queues = Queues()
        (
            _, _, queues.alarm, queues.at, queues.waiting, queues.owned, queues.customers, queues.served,
            queues.last,
        ) = row  # fmt: skip
        return queues

    def to_whole(self, row: list[Any]) -> Whole:
        """See whole."""
        whole = Whole()
        _, _, whole.alarm, whole.at, memory, customers, escalations, whole.waves, packs = row
        facts = [to_facts(each) for each in packs]
        whole.memory = restored(memory, *NO_SHELF)
        whole.customers = {name: to_facts(known) for name, known in customers.items()}
        whole.escalations = {
            name: (ladder, self._to_run(run, facts, None)) for name, (ladder, run) in escalations.items()
        }
        return whole


def _pooled(facts: Mapping[str, Any], pool: dict[int, int], rows: list[Any]) -> int:
    """The place of facts among those that a case and its runs share: each is written once."""
    number = pool.get(id(facts))
    if number is None:
        number = pool[id(facts)] = len(rows)
        rows.append(facts_row(facts))
    return number


def _to_plan(row: list[Any] | None) -> Plan:
    plan = Plan()
    if row is not None:
        plan.status, plan.gate, plan.at, plan.send_at, plan.send_by = row
    return plan


def _to_climb(row: list[Any]) -> Climb:
    climb = Climb()
    (
        fired,
        put_off,
        climb.lease,
        climb.restarted,
        climb.restarts,
        climb.exhausted,
        climb.done,
        climb.ladder,
    ) = row
    climb.fired = {(loop, step) for loop, step in fired}
    climb.put_off = {(loop, step): at for loop, step, at in put_off}
    return climb


_ROWS: dict[type, Callable[[Packing, Any], list[Any]]] = {
    State: Packing.state, Customer: Packing.customer, Known: Packing.known, Queues: Packing.queues,
    Whole: Packing.whole,
}  # fmt: skip
_ENTITIES: dict[str, Callable[[Packing, list[Any]], Any]] = {
    "s": Packing.to_state, "c": Packing.to_customer, "k": Packing.to_known, "q": Packing.to_queues,
    "w": Packing.to_whole,
}  # fmt: skip
