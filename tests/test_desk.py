"""The desk: whatever frees somebody lets the case that has waited longest go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from duly.acting import ActingSet
from duly.cases import read_event
from duly.compiler import Source, compile
from duly.replaying import replayed

DESK = Path(__file__).parent / "cases/suites/desk/duly.yaml"
PLACES = 6
"""How many cases the two people of the desk may have."""
FREEING: dict[str, dict[str, Any]] = {
    "closed": {"type": "case.closed", "case": "C-0"},
    "cancelled": {"type": "case.cancelled", "case": "C-0"},
    "taken over by a colleague who has none to spare": {
        "type": "case.assigned", "case": "C-0", "data": {"assignee": "person:wu"}
    },
}  # fmt: skip


def handed_out(*more: dict[str, Any]) -> list[tuple[str | None, str]]:
    """The cases that the desk gives to people: one more is opened than there are places, then `more` happens."""
    compiled = compile([Source("duly.yaml", DESK.read_bytes())], {}).compiled
    assert compiled is not None
    events = [
        {
            "id": f"e-{number}",
            "type": "case.opened",
            "case": f"C-{number}",
            "at": f"2026-03-11T09:0{number}:00Z",
        }
        for number in range(PLACES + 1)
    ]
    events += [
        {"id": f"m-{number}", "at": f"2026-03-11T10:0{number}:00Z", **each}
        for number, each in enumerate(more)
    ]
    _, actions = replayed(ActingSet(compiled), [read_event(event) for event in events])
    return [(each.case, each.data["people"][0]) for each in actions if each.type == "assign"]


def test_the_last_waits() -> None:
    """Six cases are handed out in turn; the seventh finds nobody free."""
    assert [
        (f"C-{number}", f"person:{'lin' if number % 2 == 0 else 'wu'}") for number in range(PLACES)
    ] == handed_out()


@pytest.mark.parametrize("what", FREEING)
def test_whoever_is_freed_takes_what_waits(what: str) -> None:
    """A case that is done, or that a colleague takes over, makes room for the one that waits."""
    assert [("C-6", "person:lin")] == handed_out(FREEING[what])[PLACES:]


def test_a_newer_case_does_not_jump_the_queue() -> None:
    """A case that is opened while another waits goes behind it."""
    later = {"type": "case.opened", "case": "C-9"}
    assert [] == handed_out(later)[PLACES:]
    assert [("C-6", "person:lin")] == handed_out(later, FREEING["closed"])[PLACES:]
    both = handed_out(later, FREEING["closed"], {"type": "case.closed", "case": "C-2"})
    assert [("C-6", "person:lin"), ("C-9", "person:lin")] == both[PLACES:]
