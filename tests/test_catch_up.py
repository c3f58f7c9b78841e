"""Catching up: what is done, and how, when the engine was down while things fell due; and beyond the calendar."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from duly.acting import ActingSet
from duly.actions import Action
from duly.cases import Event, read_event
from duly.compiler import Source, compile
from duly.instants import DAY, parse, render, seconds
from duly.replaying import replayed

CASES = Path(__file__).parent / "cases"
OPENED = "2026-03-02T02:00:00Z"


@cache
def policy(catch_up: str) -> ActingSet:
    """A response clock of one hour, a ladder of three steps, a daily duty, and a duty that no calendar can date."""
    text = (CASES / "versions" / "down.yaml").read_text(encoding="utf-8").replace("CATCH_UP", catch_up)
    base = (CASES / "decisions" / "base.yaml").read_bytes()
    found = compile([Source("duly.yaml", base), Source("down.yaml", text.encode())])
    assert [each.message for each in found.diagnostics] == []
    return ActingSet(json.loads(json.dumps(found.compiled)))


def opened(at: str = OPENED) -> Event:
    """A case is opened."""
    return read_event({"id": "e-1", "type": "case.opened", "case": "C-1", "at": at, "data": {}})


def run(catch_up: str, until: str, down: tuple[str, str] | None) -> list[Action]:
    """What is done until an instant, with the engine down in between."""
    outages = [] if down is None else [(parse(down[0]), parse(down[1]))]
    return replayed(policy(catch_up), [opened()], parse(until), (), outages)[1]


def test_latest_sends_only_the_newest_step() -> None:
    """Of a ladder that catches up on the latest, the steps overtaken are recorded as skipped."""
    actions = run("latest", "2026-03-02T06:00:00Z", ("2026-03-02T02:30:00Z", "2026-03-02T04:40:00Z"))
    found = [(each.type, each.step, each.reason) for each in actions if each.step is not None]
    assert found == [
        ("escalation.cancelled", "remind", "skipped"),
        ("escalation.cancelled", "lead", "skipped"),
        ("notify", "manager", "ladder.step"),
    ]


def test_all_sends_every_step_late() -> None:
    """Of a ladder that catches up on all, every step is sent, in the order in which it was due, and says how late."""
    actions = run("all", "2026-03-02T06:00:00Z", ("2026-03-02T02:30:00Z", "2026-03-02T04:40:00Z"))
    found = [
        (each.step, render(each.at)[11:16], seconds(each.late_by))
        for each in actions
        if each.step is not None
    ]
    assert found == [("remind", "02:45", 6900), ("lead", "03:00", 6000), ("manager", "04:00", 2400)]


def test_without_downtime_nothing_is_late() -> None:
    """The same actions, none of them late: the ids are those of the late ones."""
    up = run("all", "2026-03-02T06:00:00Z", None)
    down = run("all", "2026-03-02T06:00:00Z", ("2026-03-02T02:30:00Z", "2026-03-02T04:40:00Z"))
    assert [each.id("base") for each in up] == [each.id("base") for each in down]
    assert {each.late_by for each in up} == {0}


def test_every_missed_duty_is_opened() -> None:
    """Each occurrence of a duty in the downtime is still opened, marked late."""
    actions = run("all", "2026-03-06T00:00:00Z", ("2026-03-02T03:00:00Z", "2026-03-05T03:00:00Z"))
    found = [(render(each.at)[:10], each.late_by > 0) for each in actions
             if each.type == "duty.opened" and each.duty == "daily"]  # fmt: skip
    assert found == [("2026-03-03", True), ("2026-03-04", True), ("2026-03-05", True)]


def test_beyond_the_calendar() -> None:
    """What no calendar can date is an error of its rule, and the rest runs on."""
    timeline, actions = replayed(
        policy("all"), [opened("2026-12-30T02:00:00Z")], parse("2026-12-30T02:00:00Z") + DAY
    )
    errors = {each.rule: each.data["code"] for each in actions if each.type == "rule_error"}
    assert errors == {"duty/rounds#far": "beyond_calendar", "reaction/rounds#file": "beyond_calendar"}
    assert {each.type for each in actions} >= {"task", "duty.opened", "clock.breached"}
    assert {each["rule"] for each in timeline.cases["C-1"].errors} == set(errors)
