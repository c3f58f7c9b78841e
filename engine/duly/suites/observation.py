"""Observation: a policy set and a timeline that note what of the policy is used while they run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from duly.acting import ActingSet
from duly.actions import Action
from duly.cases import Event
from duly.machines.clock import Clock
from duly.machines.run import OPEN, STOPPED, Run
from duly.machines.state import State
from duly.machines.turn import Turn
from duly.suites.coverage import AFTER_DUE, AT_DUE, Chart, Watch
from duly.suites.suite import Test
from duly.suites.trial import Outcome, run
from duly.timeline import Timeline

if TYPE_CHECKING:
    from duly.machines.machine import Told


class ObservedSet(ActingSet):
    """A policy set that lets `watch`, where there is one, see every event of a case with the facts after it."""

    watch: Watch | None = None

    def _respond(self, state: State, event: Event, facts: Mapping[str, Any], turn: Turn) -> None:
        if self.watch is not None:
            for rule in self.watch.chart.heard.get(event.type, ()):
                self.watch.ask(rule, facts)
            if self.routing is not None and event.type in self.routing.evaluate_on:
                self._see_route(self.watch, facts)
        super()._respond(state, event, facts, turn)

    def _see_route(self, watch: Watch, facts: Mapping[str, Any]) -> None:
        if self.routing is None:
            return
        for rule in self.routing.rules:
            if watch.ask(rule["rule"], facts):
                watch.use(rule["rule"])
                if not rule.get("also"):
                    return
        watch.use(self.routing.otherwise["rule"])


class ObservedTimeline(Timeline):
    """A timeline that notes what every turn used."""

    def __init__(self, policy: ObservedSet, chart: Chart) -> None:
        super().__init__(policy)
        self.watch = Watch(chart)
        self._observed = policy
        self._rounds: dict[str, dict[str, int]] = {}
        self._told: tuple[int, frozenset[str | None]] = (0, frozenset())

    def take(self, at: int, events: Iterable[Event]) -> list[Action]:
        """As a timeline does; meanwhile the set is watched."""
        self._observed.watch = self.watch
        came = list(events)
        self._told = (at, frozenset(event.case for event in came))
        try:
            return super().take(at, came)
        finally:
            self._observed.watch = None

    def until(self, now: int, since: int | None = None, noticed: int | None = None) -> list[Action]:
        """As a timeline does; meanwhile the set is watched."""
        before, self._observed.watch = self._observed.watch, self.watch
        try:
            return super().until(now, since, noticed)
        finally:
            self._observed.watch = before

    def _apply(self, key: str, at: int, told: Sequence[Told]) -> list[Action]:
        actions = super()._apply(key, at, told)
        if not key.startswith("case:"):
            known = getattr(self.entities.get(key), "facts", {})
            for event, facts in told:
                if event.case is None:
                    payload, _ = self.policy.event_intake(event.payload, False)
                    for rule in self.watch.chart.heard.get(event.type, ()):
                        self.watch.ask(rule, {**known, **facts, **payload})
        return actions

    def _settled(self, key: str, state: Any, turn: Turn) -> list[Action]:
        for action in turn.actions:
            self.watch.use(action.rule)
            if action.type in ("clock.breached", "clock.expired") and action.rule is not None:
                self.watch.edges.add((action.rule, AFTER_DUE))
            if action.type == "gate.violated" and action.rule is not None:
                # The event was held back, so nobody else was told of it.
                self.watch.ask(action.rule, getattr(state, "facts", {}))
        self._see_rounds(key, state)
        if isinstance(state, State):
            self._see(state, turn.at)
        return super()._settled(key, state, turn)

    def _see_rounds(self, key: str, state: Any) -> None:
        """Duties that came round: those whose next occurrence is another one than before."""
        coming = getattr(state, "memory", {}).get("duties", {}).get("next", {})
        before = self._rounds.get(key, {})
        for name, (moment, duty, who) in coming.items():
            if before.get(name, moment) != moment:
                customers = getattr(state, "customers", {})
                facts = customers.get(who.get("customer"), getattr(state, "facts", {}))
                self.watch.ask(self.watch.chart.duties[duty], facts)
        self._rounds[key] = {name: row[0] for name, row in coming.items()}

    def _see(self, state: State, at: int) -> None:
        """What the case has come to: derived fields, targets, the edges of targets."""
        watch, policy = self.watch, self._observed
        for table in policy.tables:
            _, origin = state.derived.get(table.field, (None, ""))
            watch.use(origin)
            if origin not in ("input", "agent", ""):
                _ask(watch, table.rules, state.facts, every=table.hit != "first")
        for clock in policy.clocks:
            run = state.runs[clock.id]
            if run.cycle:
                watch.use(clock.rule)
                self._see_run(clock, run, state, at)

    def _see_run(self, clock: Clock, run: Run, state: State, at: int) -> None:
        if run.target is not None:
            self.watch.use(run.target.rule)
        if run.phase is OPEN or run.ended_at == at:
            facts = state.facts if run.start_facts is None else {**state.facts, **run.start_facts}
            _ask(self.watch, [target.rule for target in clock.targets], facts, every=False)
        rule = clock.rule if run.target is None else run.target.rule
        if run.due is None:
            return
        moment, cases = self._told
        if run.due == at == moment and state.id in cases and (run.phase is OPEN or run.phase is STOPPED):
            self.watch.edges.add((rule, AT_DUE))
        if run.breached(at):
            self.watch.edges.add((rule, AFTER_DUE))


def exercised(
    test: Test, policy: ObservedSet, chart: Chart, events: Collection[str] = ()
) -> tuple[Outcome, Watch]:
    """Run a test and note what it uses: `used` of the watch are the entries, by rule, that had a part in it.

    What `duly clauses` asks: a clause is proved by the tests that pass and exercise an entry of it.
    """
    timeline = ObservedTimeline(policy, chart)
    return run(test, policy, events, timeline), timeline.watch


def _ask(watch: Watch, rules: Sequence[str], facts: Mapping[str, Any], *, every: bool) -> None:
    for rule in rules:
        if watch.ask(rule, facts) and not every:
            return
