"""Observation: a policy set and a timeline that note what of the policy is used while they run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from duly.acting import ActingSet
from duly.actions import Action
from duly.cases import Event
from duly.machines.clock import Clock
from duly.machines.run import OPEN, STOPPED, Run
from duly.machines.state import State
from duly.machines.turn import Turn
from duly.suites.coverage import AFTER_DUE, AT_DUE, Chart, Watch
from duly.timeline import Timeline


class ObservedSet(ActingSet):
    """A policy set that lets `watch`, where there is one, see every event of a case with the facts after it."""

    watch: Watch | None = None

    def _tell(self, state: State, event: Event, facts: Mapping[str, Any], turn: Turn) -> None:
        super()._tell(state, event, facts, turn)
        if self.watch is not None:
            for rule in self.watch.chart.heard.get(event.type, ()):
                self.watch.ask(rule, facts)
            if self.routing is not None and event.type in self.routing.evaluate_on:
                self._see_route(self.watch, facts)

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

    def take(self, at: int, events: Iterable[Event]) -> list[Action]:
        """As a timeline does; meanwhile the set is watched."""
        self._observed.watch = self.watch
        try:
            return super().take(at, events)
        finally:
            self._observed.watch = None

    def until(self, now: int) -> list[Action]:
        """As a timeline does; meanwhile the set is watched."""
        before, self._observed.watch = self._observed.watch, self.watch
        try:
            return super().until(now)
        finally:
            self._observed.watch = before

    def _settled(self, key: str, state: Any, turn: Turn) -> list[Action]:
        for action in turn.actions:
            self.watch.use(action.rule)
            if action.type in ("clock.breached", "clock.expired") and action.rule is not None:
                self.watch.edges.add((action.rule, AFTER_DUE))
        if isinstance(state, State):
            self._see(state, turn.at)
        return super()._settled(key, state, turn)

    def _see(self, state: State, at: int) -> None:
        """What the case has come to: derived fields, targets, the edges of targets, surveys."""
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
        for survey in policy.surveys:
            plan = state.plans.get(survey.id)
            if plan is not None and plan.status != "not_triggered":
                watch.use(survey.rule)

    def _see_run(self, clock: Clock, run: Run, state: State, at: int) -> None:
        if run.target is not None:
            self.watch.use(run.target.rule)
        if run.phase is OPEN or run.ended_at == at:
            facts = state.facts if run.start_facts is None else {**state.facts, **run.start_facts}
            _ask(self.watch, [target.rule for target in clock.targets], facts, every=False)
        rule = clock.rule if run.target is None else run.target.rule
        if run.due is None:
            return
        if run.due == at and (run.phase is OPEN or run.phase is STOPPED):
            self.watch.edges.add((rule, AT_DUE))
        if run.breached(at):
            self.watch.edges.add((rule, AFTER_DUE))


def _ask(watch: Watch, rules: Sequence[str], facts: Mapping[str, Any], *, every: bool) -> None:
    for rule in rules:
        if watch.ask(rule, facts) and not every:
            return
