"""The support policy written by hand on other libraries: rules by one, business time by another, the rest in Python.

Both are given every advantage: tables and route are flattened into four rules by hand, the input is taken as it is,
holidays are a plain list without make-up days, and only what is needed to show the same clocks is worked out.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
HOLIDAYS = [
    dt.date(2026, *day) for day in ((1, 1), (2, 16), (2, 17), (2, 18), (2, 19), (2, 20), (4, 6), (5, 1))
]
OUTCOMES = (  # urgency, route, minutes and calendar of the first response, hours of the resolution
    ("urgent", "group:vip-desk", 5, "always", 8),
    ("urgent", "group:service-centre", 30, "office", 16),
    ("normal", "group:service-centre", 30, "office", 8),
    ("normal", "group:service-centre", 30, "office", 16),
)

Rules = Callable[[dict[str, Any]], int]
Add = Callable[[dt.datetime, float], dt.datetime]
Between = Callable[[dt.datetime, dt.datetime], float]
Decide = Callable[[dict[str, Any], dt.datetime], dict[str, Any]]


def zen_rules() -> Rules:
    """The four rules as a decision table of GoRules ZEN."""
    import zen  # type: ignore[import-not-found]

    cells = (('"vip"', '"outage"'), ("", '"outage"'), ('"vip"', ""), ("", ""))
    rows = [
        {"_id": str(number), "tier": tier, "category": category, "rule": str(number)}
        for number, (tier, category) in enumerate(cells)
    ]
    place = {"x": 0, "y": 0}
    inputs = [
        {"id": name, "name": name, "type": "expression", "field": name} for name in ("tier", "category")
    ]
    output = {"id": "rule", "name": "rule", "type": "expression", "field": "rule"}
    content = {"hitPolicy": "first", "inputs": inputs, "outputs": [output], "rules": rows}
    graph = {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": place},
            {
                "id": "table",
                "type": "decisionTableNode",
                "name": "table",
                "content": content,
                "position": place,
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": place},
        ],
        "edges": [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(graph))
    return lambda fields: int(decision.evaluate(fields)["result"]["rule"])


def expression_rules() -> Rules:
    """The four rules as expressions of rule-engine, tried in order."""
    from rule_engine import Rule  # type: ignore[import-not-found]

    texts = ('tier == "vip" and category == "outage"', 'category == "outage"', 'tier == "vip"', "true")
    rules = [Rule(text) for text in texts]
    return lambda fields: next(number for number, rule in enumerate(rules) if rule.matches(fields))


def workclock_time() -> tuple[Add, Between]:
    """Open time of the office by workclock, which is written in Rust."""
    import workclock

    days = (0, 1, 2, 3, 4)
    office = workclock.Schedule(
        [workclock.WorkDay(dt.time(9), dt.time(18), days=days), workclock.Break(dt.time(12), dt.time(13), days=days),
         workclock.Holidays(HOLIDAYS)],
        time_zone="Asia/Shanghai",
    )  # fmt: skip
    return (lambda start, seconds: office.add(start, seconds=seconds)), (
        lambda start, end: office.between(start, end).total_seconds()
    )


def businesstimedelta_time() -> tuple[Add, Between]:
    """Open time of the office by businesstimedelta."""
    import businesstimedelta as business  # type: ignore[import-not-found]
    import pytz  # type: ignore[import-untyped]

    zone = pytz.timezone("Asia/Shanghai")
    days = [0, 1, 2, 3, 4]
    office = business.Rules(
        [business.WorkDayRule(start_time=dt.time(9), end_time=dt.time(18), working_days=days, tz=zone),
         business.LunchTimeRule(start_time=dt.time(12), end_time=dt.time(13), working_days=days, tz=zone),
         business.HolidayRule(HOLIDAYS, tz=zone)]
    )  # fmt: skip

    def between(start: dt.datetime, end: dt.datetime) -> float:
        found = office.difference(start, end)
        return float(found.hours * 3600 + found.seconds)

    return (
        lambda start, seconds: start + business.BusinessTimeDelta(office, hours=0, seconds=seconds)
    ), between


PEERS: dict[str, tuple[Callable[[], Rules], Callable[[], tuple[Add, Between]]]] = {
    "zen-engine + workclock": (zen_rules, workclock_time),
    "rule-engine + businesstimedelta": (expression_rules, businesstimedelta_time),
}


def decider(name: str) -> Decide:
    """The policy on the libraries of `name`. Raises ImportError where one is missing."""
    make_rules, make_time = PEERS[name]
    match, (add, between) = make_rules(), make_time()

    def decide(case: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
        fields = {"tier": "normal", **case["fields"]}
        opened = dt.datetime.fromisoformat(case["opened_at"]).astimezone(SHANGHAI)
        urgency, route, minutes, calendar, hours = OUTCOMES[match(fields)]
        first = _always if calendar == "always" else (add, between)
        clocks = [
            _clock("first_response", opened, now, minutes * 60, first, (0.5, 0.8)),
            {"clock": "next_response", "state": "not_started"},
            _clock("resolution", opened, now, hours * 3600, (add, between), (0.75,)),
            _written(opened, now, between),
        ]
        due = clocks[0]["due"]
        clocks[0]["ladder"] = [
            {
                "step": "remind",
                "at": _text(first[0](opened, minutes * 60 * 0.8)),
                "do": [{"notify": "assignee"}],
            },
            {"step": "manager", "at": _text(due), "do": [{"notify": "role:supervisor"}]},
            {"step": "takeover", "at": _text(first[0](due, 7200)), "do": [{"assign": "group:vip-desk"}]},
        ]
        return {"case": case["id"], "urgency": urgency, "route": route, "clocks": clocks}

    return decide


_always: tuple[Add, Between] = (
    lambda start, seconds: start + dt.timedelta(seconds=seconds),
    lambda start, end: (end - start).total_seconds(),
)


def _clock(
    name: str,
    opened: dt.datetime,
    now: dt.datetime,
    seconds: int,
    time: tuple[Add, Between],
    warn: tuple[float, ...],
) -> dict[str, Any]:
    add, between = time
    due = add(opened, seconds)
    ran = between(opened, now)
    return {
        "clock": name, "state": "running", "due": due, "due_at": _text(due), "elapsed_seconds": int(ran),
        "remaining_seconds": 0 if now > due else int(seconds - ran), "breached": now > due,
        "overdue_seconds": int(between(due, now)) if now > due else 0,
        "warn_at": [_text(add(opened, seconds * share)) for share in warn],
    }  # fmt: skip


def _written(opened: dt.datetime, now: dt.datetime, between: Between) -> dict[str, Any]:
    """Five working days: the day after the opening is the first, the end of the last one is due."""
    day, left = opened.date(), 5
    while left:
        day += dt.timedelta(days=1)
        if day.weekday() < 5 and day not in HOLIDAYS:
            left -= 1
    due = dt.datetime(day.year, day.month, day.day, 18, tzinfo=SHANGHAI)
    return {
        "clock": "written", "state": "running", "due_at": _text(due), "elapsed_seconds": int(between(opened, now)),
        "remaining_seconds": int(between(now, due)) if now < due else 0, "breached": now > due,
        "overdue_seconds": int(between(due, now)) if now > due else 0, "warn_at": [],
    }  # fmt: skip


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
