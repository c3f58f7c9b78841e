"""The rules of delivery that need no store: when, where to, how urgent, how often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deliveries import CALENDARS, action
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from duly import documents, durations
from duly.calendars.calendars import Calendars
from duly.diagnostics import render_path
from duly.hosts.delivery import moot, settings
from duly.hosts.delivery.addresses import Addresses
from duly.hosts.delivery.bundles import FULL, Bundles, Bundling
from duly.hosts.delivery.limits import Limit, Window
from duly.hosts.delivery.quiet import Quiet, until
from duly.hosts.delivery.retry import Retry
from duly.hosts.delivery.routes import KEYS
from duly.hosts.delivery.severity import DEFAULTS, severity
from duly.instants import DAY, HOUR, MINUTE, SECOND, parse
from duly.validation import schemas

CASES = Path(__file__).parent / "cases" / "delivery"
START = parse("2026-03-02T09:00:00Z")


def rows(name: str) -> list[Any]:
    """The cases of a file."""
    import yaml

    found: list[Any] = yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))
    return found


@pytest.mark.parametrize("row", rows("retry"), ids=str)
def test_retries_follow_the_published_schedule(row: dict[str, Any]) -> None:
    """What has failed is tried again by the schedule, up to a tenth later, and not before it is asked for."""
    found = Retry().after("a-1", row["attempt"], START, row.get("asked"))
    if row.get("after") == "never":
        assert found is None
        return
    assert found is not None
    low = durations.parse(row.get("at_least") or row["after"]).amount
    high = durations.parse(row["at_most"]).amount if "at_most" in row else low + low // 10
    assert low <= found - START <= high


def test_jitter_is_a_function_of_the_id() -> None:
    """The same message waits the same on every machine; different ones are spread out."""
    waits = [Retry().after(f"a-{number}", 2, 0) for number in range(200)]
    assert waits == [Retry().after(f"a-{number}", 2, 0) for number in range(200)]
    assert len(set(waits)) > 150
    assert Retry(jitter=0).after("a", 2, 0) == 5 * MINUTE


@pytest.mark.parametrize("case", rows("routes"), ids=lambda case: str(case["name"]))
def test_routes(case: dict[str, Any]) -> None:
    """An action goes to the sinks that the rules say."""
    sinks = {name: {"type": "console", **sink} for name, sink in case["sinks"].items()}
    read, faults = settings.read({"sinks": sinks, "deliver": case.get("deliver")})
    assert faults == []
    for row in case["actions"]:
        asked = {"id": "x", "data": {}, **row["action"]}
        cancelled = row.get("cancelled")
        assert row["to"] == read.routes.wanted(asked, cancelled), asked


@pytest.mark.parametrize("row", rows("severity"), ids=str)
def test_severities(row: dict[str, Any]) -> None:
    """The severity is what the policy says, else that of the type."""
    assert row["severity"] == severity(row["action"])


def test_defaults_are_of_types_that_there_are() -> None:
    """Every type with a severity of its own is one of the schema's; every key of a rule stands in the schema."""
    types = schemas.read("action")["properties"]["type"]["enum"]
    assert set() == set(DEFAULTS) - set(types)
    when = schemas.read("config")["$defs"]["delivery"]["properties"]["when"]["properties"]
    assert set(KEYS) == set(when)


@pytest.mark.parametrize("case", rows("settings"), ids=lambda case: str(case["name"]))
def test_what_is_wrong_is_told_where_it_stands(case: dict[str, Any]) -> None:
    """Every fault of a configuration is found, with its place and advice."""
    _, faults = settings.read(case["spec"], ["always", "office"])
    found = {render_path(fault.place): fault for fault in faults}
    assert {each["place"]: each["says"] for each in case["faults"]} == {
        place: fault.message for place, fault in found.items()
    }
    helps = {each["place"]: each["help"] for each in case["faults"] if "help" in each}
    assert helps == {place: found[place].help for place in helps}


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@budget(deadline=None)
@given(JUNK, st.sampled_from(["sinks", "deliver", "addresses", "quiet_hours", "mode"]))
def test_rubbish_never_gets_past_the_schema(junk: Any, key: str) -> None:
    """A configuration is refused with a diagnostic, or read: nothing in between."""
    import json

    from duly import validation

    text = json.dumps({"apiVersion": "duly/v1", "kind": "Config", "spec": {key: junk}}, default=str)
    found, faults = documents.load(text.encode("utf-8", "replace"), "duly.config.yaml")
    if faults or not found:
        return
    document, faults = validation.validate(found[0], kind="config")
    if not faults:
        settings.read(document.data["spec"], ["always"])


QUIET = [
    # now, type, severity, the sink's hours, the recipients' hours, when it goes
    ("09:00", "notify", None, Quiet("office"), [], None),
    ("20:00", "notify", None, Quiet("office"), [], "2026-03-03T08:00:00Z"),
    ("07:59", "message", None, Quiet("office"), [], "2026-03-02T08:00:00Z"),
    ("18:00", "notify", None, Quiet("office"), [], "2026-03-03T08:00:00Z"),
    ("20:00", "clock.breached", None, Quiet("office"), [], None),
    ("20:00", "task", None, Quiet("office"), [], None),
    ("20:00", "action.cancelled", None, Quiet("office"), [], None),
    ("20:00", "notify", "high", Quiet("office", frozenset(["high"])), [], None),
    ("20:00", "notify", "low", Quiet("office", frozenset(["high"])), [], "2026-03-03T08:00:00Z"),
    ("20:00", "notify", None, None, [Quiet("office")], "2026-03-03T08:00:00Z"),
    ("20:00", "notify", None, None, [Quiet("office"), None], None),
    ("20:00", "notify", None, None, [Quiet("office"), Quiet("night")], None),
    ("07:00", "notify", None, Quiet("office"), [Quiet("night")], "2026-03-02T17:00:00Z"),
    ("20:00", "notify", None, Quiet("no such calendar"), [], None),
    ("20:00", "notify", None, Quiet("ends"), [], None),
    ("20:00", "notify", None, Quiet("office"), [Quiet("morning")], None),
]  # fmt: skip
HOURS = {
    **CALENDARS,
    "night": {**CALENDARS["office"], "eras": [{"from": None, "week": [[[17 * 3600, 31 * 3600]]] * 7}]},
    "morning": {**CALENDARS["office"], "eras": [{"from": None, "week": [[[5 * 3600, 6 * 3600]]] * 7}]},
    "ends": {**CALENDARS["office"], "confirmed_through": "2026-03-01"},
}


@pytest.mark.parametrize(("now", "type", "weight", "sink", "people", "goes"), QUIET)
def test_quiet_hours(
    now: str, type: str, weight: str | None, sink: Quiet | None, people: list[Quiet | None], goes: str | None
) -> None:
    """Notifications wait until sink and recipient are awake; nothing else does, and nothing waits for ever."""
    asked = action("a", type, data={"severity": weight})
    found = until(asked, sink, people, Calendars(HOURS), parse(f"2026-03-02T{now}:00Z"))
    assert found == (None if goes is None else parse(goes))


LATER = [
    ({"type": "action.cancelled", "data": {"cancels": "a", "type": "notify"}}, True),
    ({"type": "action.cancelled", "data": {"cancels": "b", "type": "notify"}}, False),
    ({"type": "clock.met", "clock": "c", "cycle": 1}, True),
    ({"type": "clock.cancelled", "clock": "c", "cycle": 1}, True),
    ({"type": "clock.met", "clock": "c", "cycle": 2}, False),
    ({"type": "clock.met", "clock": "d", "cycle": 1}, False),
    ({"type": "escalation.cancelled", "clock": "c", "cycle": 1, "reason": "clock.ended"}, True),
    ({"type": "escalation.cancelled", "clock": "c", "cycle": 1, "reason": "unless"}, False),
]


@pytest.mark.parametrize(("later", "is_moot"), LATER)
def test_what_is_moot(later: dict[str, Any], is_moot: bool) -> None:
    """A step of a ladder that has waited is moot once its clock has ended or it was taken back."""
    fact = action("z", later["type"], (), **{key: value for key, value in later.items() if key != "type"})
    step = action("a", ladder="l", clock="c", cycle=1)
    assert is_moot == (moot.why(step, [fact]) is not None)
    # A fact remains true, and what changes the case has happened.
    assert moot.why(action("a", "clock.breached", (), clock="c", cycle=1), [fact]) is None
    if later["type"] != "action.cancelled":
        assert moot.why(action("a", "assign", ladder="l", clock="c", cycle=1), [fact]) is None
        assert moot.why(action("a", clock="c", cycle=1), [fact]) is None


def test_what_was_ended_and_goes_on_is_not_moot() -> None:
    """A case that was reopened is waited for again."""
    step = action("a", ladder="l", clock="c", cycle=1)
    met = action("m", "clock.met", (), clock="c", cycle=1)
    again = action("r", "clock.resumed", (), clock="c", cycle=1, reason="case.reopened")
    assert moot.why(step, [met]) is not None
    assert moot.why(step, [met, again]) is None
    assert moot.why(step, [met, again, met]) is not None


ADDRESSES = Addresses({
    "role:supervisor": {"mail": "desk@example.com"}, "person:lin": {"mail": "lin@example.com", "chat": "@林"},
    "person:wu": {"mail": "lin@example.com"}, "customer": {"sms": "crm"}, "customer:K-7": {"mail": "k7@example.com"},
})  # fmt: skip


@pytest.mark.parametrize(("to", "people", "sink", "reached"), [
    (["role:supervisor"], ["person:lin"], "mail", [("role:supervisor", "desk@example.com")]),
    (["role:supervisor"], ["person:lin"], "chat", [("person:lin", "@林")]),
    (["assignee"], ["person:lin"], "mail", [("person:lin", "lin@example.com")]),
    (["person:lin", "person:wu"], [], "mail", [("person:lin", "lin@example.com")]),
    (["role:nobody"], [], "mail", [("role:nobody", "")]),
    (["role:nobody", "role:supervisor"], [], "mail", [("role:supervisor", "desk@example.com"), ("role:nobody", "")]),
    (["customer"], [], "mail", [("customer:K-7", "k7@example.com")]),
    (["customer"], [], "sms", [("customer:K-7", "crm")]),
    ([], [], "mail", []),
])  # fmt: skip
def test_recipients(to: list[str], people: list[str], sink: str, reached: list[tuple[str, str]]) -> None:
    """A team with an address is reached there, else those on duty; who shares an address is told once."""
    found = ADDRESSES.recipients(action("a", to=to, customer="K-7", data={"people": people}), sink)
    assert reached == found


def test_limits_slide() -> None:
    """In no stretch of the length are there more than the limit, and room comes as soon as it may."""
    window = Window(Limit(3, 10 * SECOND))
    for at in (0, 1, 2):
        assert window.free_at(at * SECOND) == at * SECOND
        window.take(at * SECOND)
    assert window.room(5 * SECOND) == 0
    assert window.free_at(5 * SECOND) == 10 * SECOND
    window.take(10 * SECOND)
    assert window.free_at(10 * SECOND) == 11 * SECOND
    assert window.room(30 * SECOND) == 3


@budget(deadline=None)
@given(st.lists(st.integers(0, 100), max_size=60), st.integers(1, 5), st.integers(1, 20))
def test_no_window_ever_holds_more(moments: list[int], most: int, per: int) -> None:
    """However messages come, no window of the length has more than the limit."""
    window = Window(Limit(most, per))
    taken = []
    for now in sorted(moments):
        at = window.free_at(now)
        window.take(at)
        taken.append(at)
    assert all(sum(start <= at < start + per for at in taken) <= most for start in taken)


def test_bundles_close_when_they_are_due_or_full() -> None:
    """What comes within the length goes into one bundle; a full one, and one that is due, take no more."""
    bundles = Bundles(Bundling(5 * MINUTE))
    names = [bundles.place(action(str(n)), ("person:lin",), n) for n in range(FULL + 1)]
    assert len(set(names[:FULL])) == 1
    assert names[0] is not None and names[0][1] == 5 * MINUTE
    assert names[FULL] != names[0]
    assert bundles.place(action("x"), ("person:wu",), 0) != names[0]
    later = bundles.place(action("y"), ("person:lin",), 6 * MINUTE)
    assert later is not None and later[1] == 11 * MINUTE
    for type in ("clock.breached", "action.cancelled", "escalation.cancelled", "task"):
        assert bundles.place(action("z", type), ("person:lin",), 0) is None


def test_the_schedule_is_the_published_one() -> None:
    """The schedule adds up to what is published: some 75 hours and 35 minutes."""
    total = sum(Retry().waits)
    assert total == 3 * DAY + 3 * HOUR + 35 * MINUTE + 5 * SECOND
    assert Retry().attempts == 10
