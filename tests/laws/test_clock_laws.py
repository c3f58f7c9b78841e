"""Law: clocks agree with an oracle that walks quarters of an hour, for random clocks and random timelines."""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duly import instants
from duly.cases import read_case
from duly.compiler import Source, compile
from duly.decision import PolicySet, decide

if TYPE_CHECKING:
    import clock_oracle as oracle
else:
    sys.path.insert(0, str(Path(__file__).parent))
    oracle = import_module("clock_oracle")

TIMELINES = 2_400
SETS, CLOCKS = 12, 6
LEVELS = ("a", "b", "c", "d")
STATUSES = ("open", "waiting", "working", "spam")
SPAN = 12 * 96
"""Twelve days of quarters, in which everything happens."""


def rules(random: Random, name: str) -> oracle.Rules:
    """A random clock; one that counts working days never stands still."""
    days = random.random() < 0.2
    promises = [_promise(random, number, days) for number in range(random.randint(1, 4))]
    if random.random() < 0.8:
        promises.append(_promise(random, 9, days, last=True))
    on: dict[str, tuple[str, ...]] = {
        "start": random.choice([("case.opened",), ("case.opened", "customer.replied")])
    }
    on["stop"] = random.choice([("agent.replied",), ("agent.replied", "case.resolved")])
    if random.random() < 0.4:
        on["reset"] = ("case.assigned",)
    if random.random() < 0.5:
        on["cancel"] = ("case.cancelled",)
    if not days:
        on.update(random.choice([
            {}, {"pause": ("=waiting",)}, {"pause": ("=waiting",), "resume": ("hold.ended",)},
            {"pause": ("=waiting",), "resume": ("=working",)}, {"pause": ("hold.begun",), "resume": ("hold.ended",)},
            {"pause": ("hold.begun", "case.assigned"), "resume": ("=working",)},
        ]))  # fmt: skip
    answers = ["keep_start", "restart", "keep_target", "keep_target"]
    return oracle.Rules(
        name, random.choice(["always", "plain", "office"]), on, tuple(promises),
        random.choice(["new_cycle", "keep_stopped"] if days else ["resume", "new_cycle", "keep_stopped"]),
        random.choice(answers), random.choice(answers),
        random.choice([None, None, "spam"]) if "cancel" not in on else None,
    )  # fmt: skip


def _promise(random: Random, number: int, days: bool, last: bool = False) -> oracle.Promise:
    levels = None if last else tuple(sorted(random.sample(LEVELS, random.randint(1, 2))))
    sort = random.choice(["amount"] * 5 + ["days" if days else "promised"] * 2 + ["none"])
    calendar = random.choice(["plain", "office"] if sort == "days" else [*oracle.HOURS])
    amount = random.choice([0, 1, 4, 10, 16, 32, 80, 200]) if sort == "amount" else None
    return oracle.Promise(
        f"p{number}",
        levels,
        calendar,
        amount,
        random.randint(1, 4) if sort == "days" else None,
        sort == "promised",
    )


def written(each: oracle.Rules) -> dict[str, Any]:
    """The clock as a policy says it."""
    clock: dict[str, Any] = {
        "id": each.id, "owner": "assignee", "calendar": each.calendar, "reopen": each.reopen,
        "on_change": {"stricter": each.stricter, "looser": each.looser}, "targets": [],
    }  # fmt: skip
    for deed, events in each.on.items():
        state = each.state(deed)
        clock[deed] = {"status": state} if state else [
            {"on": event, "when": {"event.automated": False}} if event == "agent.replied" else event for event in events
        ]  # fmt: skip
    if each.cancel_status:
        clock["cancel"] = {"status": each.cancel_status}
    for promise in each.promises:
        when: dict[str, Any] = {"level": list(promise.levels)} if promise.levels else {}
        target: dict[str, Any] = {"id": promise.id}
        if promise.promised:
            when["promised"] = {"exists": True}
            target["due"] = {"field": "promised"}
        elif promise.days is not None:
            target["within"] = f"{promise.days}wd"
        elif promise.amount is not None:
            target["within"] = f"{promise.amount * 15}m"
        else:
            target["none"] = True
        clock["targets"].append({**target, "calendar": promise.calendar, **({"when": when} if when else {})})
    return clock


def documents(clocks: list[oracle.Rules]) -> list[dict[str, Any]]:
    """A policy set of these clocks."""
    week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    calendars = {
        name: {
            "timezone": zone, "hours": {week[day]: [list(each) for each in spans] for day, spans in hours.items()},
            "closed": sorted(closed), "working_days": "cn_civil_code",
        }
        for name, (zone, hours, closed) in oracle.HOURS.items() if name != "always"
    }  # fmt: skip
    fields = {"level": {"type": "enum", "values": list(LEVELS)}, "status": {"type": "enum", "values": list(STATUSES)},
              "promised": {"type": "instant"}}  # fmt: skip
    return [
        _document("PolicySet", {"timezone": "UTC", "adoption": {"open_cases": "keep"}}),
        _document("Vocabulary", {"fields": fields, "events": {"hold.begun": {}, "hold.ended": {}}}),
        _document("Calendar", {"calendars": calendars}),
        _document("ServiceLevel", {"clocks": [written(each) for each in clocks]}),
    ]


def _document(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "duly/v1",
        "kind": kind,
        "metadata": {"name": "law", "version": "1.0.0"},
        "spec": spec,
    }


@cache
def compiled(number: int) -> tuple[list[oracle.Rules], PolicySet]:
    """The policy set of that number and the clocks in it."""
    random = Random(f"clocks {number}")
    clocks = [rules(random, f"clock-{index}") for index in range(CLOCKS)]
    texts = "\n---\n".join(json.dumps(each) for each in documents(clocks))
    found = compile([Source("duly.yaml", texts.encode())])
    assert [each.message for each in found.diagnostics] == []
    assert found.compiled is not None
    return clocks, PolicySet(json.loads(json.dumps(found.compiled)))


EVENTS = ("agent.replied", "agent.replied", "case.resolved", "customer.replied", "case.assigned", "hold.begun",
          "hold.ended", "case.reopened", "case.cancelled", "case.updated", "case.updated", "case.updated")  # fmt: skip


@st.composite
def timelines(draw: st.DrawFn) -> tuple[int, dict[str, Any], list[oracle.Event], list[int]]:
    """When a case was opened, its first fields, what happened in some order, and instants to look at it."""
    opened = draw(st.integers(0, 3 * 96))
    moments = draw(st.lists(st.integers(opened, SPAN), min_size=1, max_size=7))
    near = st.one_of(st.sampled_from([opened, *moments]), st.integers(opened, SPAN))
    level, status = st.sampled_from(LEVELS), st.sampled_from(STATUSES)
    changes = st.one_of(
        st.fixed_dictionaries({"level": level}, optional={"status": status}),
        st.fixed_dictionaries({"status": status}, optional={"promised": st.none() | near}),
    )
    happening = st.tuples(
        st.sampled_from(moments), st.sampled_from(EVENTS), st.just({}) | changes, st.booleans()
    )  # fmt: skip
    count = draw(st.integers(0, 12))
    happened = draw(st.lists(happening, min_size=count, max_size=count))
    events = [
        oracle.Event(at, f"e{number:02d}", kind, changed, automated and kind == "agent.replied")
        for number, (at, kind, changed, automated) in enumerate(happened)
    ]
    looks = draw(st.lists(near, min_size=1, max_size=2))
    fields = {"level": draw(level), **draw(changes)}
    return opened, fields, events, looks


def case(opened: int, fields: dict[str, Any], events: list[oracle.Event]) -> dict[str, Any]:
    """The same as a case for `decide`."""
    return {
        "id": "C",
        "opened_at": oracle.instant(opened),
        "fields": _plain(fields),
        "events": [_event(e) for e in events],
    }


def _event(event: oracle.Event) -> dict[str, Any]:
    changes = _plain(event.changes)
    data: dict[str, Any] = changes if event.type == "case.updated" else {"case": changes}
    if event.type == "agent.replied":
        data["automated"] = event.automated
    return {"id": event.id, "at": oracle.instant(event.at), "type": event.type, "data": data}


def _plain(changes: Any) -> dict[str, Any]:
    return {
        name: oracle.instant(value) if name == "promised" and value is not None else value
        for name, value in changes.items()
    }


def lively(random: Random) -> tuple[int, dict[str, Any], list[oracle.Event], list[int]]:
    """The same by chance alone: longer stories than Hypothesis tells, with more that happens at one instant."""
    opened = random.randrange(3 * 96)
    moments = sorted(random.randrange(opened, SPAN) for _ in range(random.randint(2, 10)))
    events = []
    for number in range(random.randint(3, 16)):
        changes: dict[str, Any] = {}
        kind = random.choice(EVENTS)
        for name, chance in (("level", 0.5), ("status", 0.3), ("promised", 0.1)):
            if random.random() < (chance if kind == "case.updated" else chance / 3):
                later = random.choice([None, *moments, random.randrange(opened, SPAN)])
                changes[name] = {
                    "level": random.choice(LEVELS),
                    "status": random.choice(STATUSES),
                    "promised": later,
                }[name]
        automated = kind == "agent.replied" and random.random() < 0.3
        events.append(oracle.Event(random.choice(moments), f"e{number:02d}", kind, changes, automated))
    fields = {"level": random.choice(LEVELS), "status": random.choice(STATUSES[:3])}
    looks = [random.choice(moments), random.randrange(opened, SPAN)]
    return opened, fields, events, looks


def compared(number: int, timeline: Any, random: Any) -> None:
    """Every clock of a set shows what the oracle says, events shuffled and some of them repeated."""
    clocks, policy = compiled(number)
    opened, fields, events, looks = timeline
    given_events = [*events, *random.choices(events, k=2)] if events else []
    random.shuffle(given_events)
    for now in looks:
        decision = decide(
            policy, read_case(case(opened, fields, given_events)), instants.parse(oracle.instant(now))
        )
        for each, clock in zip(clocks, decision["clocks"], strict=True):
            expected = oracle.told(each, opened, fields, events, now)
            found = {name: clock.get(name) for name in expected}
            if found.get("target"):
                found["target"] = found["target"].rsplit("/", 1)[-1]
            assert found == expected, (each, timeline, now)


@settings(max_examples=TIMELINES // 4, derandomize=True, deadline=None, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(st.integers(0, SETS - 1), timelines(), st.randoms(use_true_random=False))
def test_clocks(number: int, timeline: Any, random: Any) -> None:
    """Small stories, of which Hypothesis shows the smallest that goes wrong."""
    compared(number, timeline, random)


@pytest.mark.parametrize("number", range(SETS))
def test_lively_clocks(number: int) -> None:
    """Long stories, of every set of clocks the same count."""
    for story in range(TIMELINES // SETS + 1):
        random = Random(f"story {number} {story}")
        compared(number, lively(random), random)
