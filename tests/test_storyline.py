"""The storyline: what `duly simulate --timeline` tells a person."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from duly.acting import ActingSet
from duly.actions import Action
from duly.cases import Event, read_event
from duly.compiler import Source, compile
from duly.instants import parse
from duly_cli.storyline import told

BASE = Path(__file__).parent / "cases" / "decisions" / "base.yaml"
AT = "2026-03-02T02:00:00Z"  # a Monday, 10:00 in Shanghai


@cache
def policy() -> ActingSet:
    """A policy whose time zone is Asia/Shanghai."""
    found = compile([Source("duly.yaml", BASE.read_bytes())])
    return ActingSet(json.loads(json.dumps(found.compiled)))


def event(number: int, at: str, **data: object) -> Event:
    """A case is changed."""
    return read_event({"id": f"e-{number}", "type": "case.updated", "case": "C-1", "at": at, "data": data})


def action(type: str, at: str, **data: object) -> Action:
    """Something that the policy did."""
    found = Action(type, parse(at), type, None)
    found.case, found.data = "C-1", data
    return found


def test_instants_are_local() -> None:
    """An instant in what an action or event carries is told in the set's own time zone, like the stamps."""
    events = [event(1, AT, promised="2026-03-04T16:30:00Z")]
    story = told(policy(), events, [action("survey.planned", AT, send_at="2026-03-03T02:00:00Z")], None)
    assert story.splitlines() == [
        "Mon 2026-03-02 10:00 ▶ case.updated  C-1  promised=Thu 2026-03-05 00:30",
        "                       survey.planned       C-1  send_at=Tue 2026-03-03 10:00",
    ]


def test_stamps_stand_in_a_column() -> None:
    """Where one instant has seconds, all lines leave room for them."""
    story = told(policy(), [event(1, AT, a=1), event(2, "2026-03-02T02:00:07Z", a=2)], [], None)
    assert story.splitlines() == [
        "Mon 2026-03-02 10:00    ▶ case.updated  C-1  a=1",
        "Mon 2026-03-02 10:00:07 ▶ case.updated  C-1  a=2",
    ]


def test_just_after_is_told_as_the_instant() -> None:
    """The microsecond by which something comes after a due time is not told."""
    story = told(policy(), [], [action("duty.late", "2026-03-02T02:00:00.000001Z")], None)
    assert story == "Mon 2026-03-02 10:00   duty.late            C-1\n"


def test_revisions_are_short() -> None:
    """An adoption names the versions and the beginnings of their digests."""
    old, new = ({"set": "desk", "version": v, "revision": f"sha256:{v[0] * 64}"} for v in ("1.0.0", "2.0.0"))
    change = {"from": old, "to": new, "open_cases": "now"}
    story = told(policy(), [], [action("policy.adopted", AT, **change)], None)
    assert story.endswith("from=desk 1.0.0 (11111111) desk 2.0.0 (22222222) open_cases=now\n")
