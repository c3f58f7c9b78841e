"""Laws of time: what a policy does depends on the events alone, not on when, how often or in which order it is told."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from duly.acting import ActingSet
from duly.cases import Event, order, read_event
from duly.compiler import Source, compile
from duly.instants import DAY, HOUR, MINUTE, parse, render
from duly.preservation import preserved, revived
from duly.reconciliation import CANCELLED, Reconciled
from duly.replaying import replayed
from duly.timeline import Timeline

CASES = Path(__file__).parents[1] / "cases"
START = parse("2026-02-10T01:00:00Z")
END = START + 14 * DAY
RUNS = 2_000
CHUNKS = 8

_TYPES: tuple[tuple[str, dict[str, list[Any]]], ...] = (
    ("case.updated", {"status": ["waiting", "working", "open"]}), ("case.updated", {"tier": ["vip", "normal"]}),
    ("case.updated", {"priority": ["low", "high", "urgent"]}), ("case.updated", {"stage": ["execution", "done"]}),
    ("agent.replied", {"automated": [True, False]}), ("customer.replied", {}), ("case.resolved", {}),
    ("case.reopened", {}), ("case.closed", {}), ("case.cancelled", {}), ("case.acknowledged", {}),
    ("case.assigned", {"assignee": ["person:lin", "person:wu"]}), ("delivery.accepted", {}), ("report.sent", {}),
    ("approval.given", {"by": ["role:supervisor", "person:wu"]}), ("approval.refused", {"by": ["role:supervisor"]}),
    ("survey.answered", {"survey": ["after"], "score": [1, 5]}),
)  # fmt: skip


@cache
def policy() -> ActingSet:
    """The policy with something of everything."""
    files = (
        ("duly.yaml", CASES / "decisions" / "base.yaml"),
        ("all.yaml", CASES / "timelines" / "everything.yaml"),
    )
    compilation = compile([Source(name, path.read_bytes()) for name, path in files])
    assert [each.message for each in compilation.diagnostics] == []
    return ActingSet(json.loads(json.dumps(compilation.compiled)))


def story(seed: int) -> list[Event]:
    """Random events of a few cases of two customers, with instants that coincide now and then."""
    draw = random.Random(seed)
    found: list[dict[str, Any]] = []
    for case in range(draw.randint(1, 3)):
        at = START + draw.randint(0, 3 * 24 * 12) * 5 * MINUTE
        fields = {"tier": draw.choice(["vip", "normal"]), "category": draw.choice(["question", "outage"])}
        about = {"case": f"C-{case}", "customer": f"K-{draw.randint(0, 1)}"}
        found.append({**about, "type": "case.opened", "at": at, "data": fields})
        for _ in range(draw.randint(0, 9)):
            at += draw.choice([0, 5 * MINUTE, HOUR, 4 * HOUR, DAY, draw.randint(0, 3 * DAY)])
            kind, payload = draw.choice(_TYPES)
            data = {name: draw.choice(values) for name, values in payload.items()}
            found.append({**about, "type": kind, "at": at, "data": data})
    for number, each in enumerate(found):
        each.update(id=f"e-{number:02d}", at=render(each["at"]))
    return [read_event(each) for each in found]


def shown(actions: Any) -> list[str]:
    """Actions as comparable text, in a settled order."""
    identity = policy().identity
    return sorted(
        json.dumps({**action.shown(identity), "late_by_seconds": 0}, default=str) for action in actions
    )


def state(timeline: Timeline) -> str:
    """Everything that a timeline keeps."""
    return json.dumps(preserved(timeline), sort_keys=True, default=str)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_laws_of_time(chunk: int) -> None:
    """For each random story: replay is incremental, halves are a whole, order and repeats change nothing."""
    for seed in range(chunk, RUNS, CHUNKS):
        events = story(seed)
        whole, actions = replayed(policy(), events, END)
        steps = _stepwise(events, seed)
        assert shown(steps[1]) == shown(actions), seed
        assert state(steps[0]) == state(whole), seed
        twice, again = replayed(policy(), [*reversed(events), *events], END)
        assert (state(twice), shown(again)) == (state(whole), shown(actions)), seed
        _obey(actions, seed)


def _stepwise(events: list[Event], seed: int) -> tuple[Timeline, list[Any]]:
    """The same one instant at a time, woken at random in between, kept and restored halfway."""
    draw = random.Random(-seed - 1)
    timeline, actions = Timeline(policy()), []
    instants = sorted({event.at for event in events})
    for number, at in enumerate(instants):
        if number and draw.random() < 0.5:
            actions += timeline.until(draw.randint(instants[number - 1], at))
        actions += timeline.take(at, [event for event in events if event.at == at])
        if number == len(instants) // 2:
            timeline = revived(policy(), json.loads(json.dumps(preserved(timeline))))
    return timeline, actions + timeline.until(END)


def _obey(actions: list[Any], seed: int) -> None:
    """No action comes twice, no step fires twice, nothing comes before its instant, every ladder ends."""
    ids = [action.id("laws") for action in actions]
    assert len(ids) == len(set(ids)), (seed, [a.type for a in actions if ids.count(a.id("laws")) > 1])
    assert all(START <= action.at <= END for action in actions)
    for action in actions:
        if action.type == "clock.breached":
            assert action.reason == "breached_by_change" or action.at <= END


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_order_of_arrival(chunk: int) -> None:
    """Whatever the order in which events arrive, the same actions stand in the end, and none is given twice."""
    for seed in range(chunk, RUNS, CHUNKS):
        events = story(seed)
        draw = random.Random(seed * 7 + 1)
        straight = Reconciled(policy())
        for event in sorted(events, key=order):
            straight.arrive([event])
        straight.until(END)
        mixed = Reconciled(policy())
        given = []
        for event in draw.sample(events, len(events)):
            given += mixed.arrive([event])
        given += mixed.until(END)
        assert sorted(mixed.standing) == sorted(straight.standing), seed
        assert state(mixed.timeline) == state(straight.timeline), seed
        acted = [action.id("base") for action in given if action.type != CANCELLED]
        cancelled = [action.data["cancels"] for action in given if action.type == CANCELLED]
        assert all(acted.count(key) <= 1 + cancelled.count(key) for key in set(acted)), seed
