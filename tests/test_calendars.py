"""Calendars: open intervals, due times, elapsed time, working days, holidays, and what is wrong with them."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

import chinese_calendar  # type: ignore[import-untyped]
import pytest
import yaml

from duly import instants
from duly.calendars.calendars import Calendars, digest
from duly.calendars.facts import holiday_facts
from duly.calendars.localtime import day_number, day_text
from duly.calendars.requests import Refused, Requests
from duly.calendars.resolution import resolve
from duly.diagnostics import render_path

CASES = Path(__file__).parent / "cases"


class _Plain(yaml.SafeLoader):
    """YAML in which instants stay text."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _load(name: str) -> Any:
    return yaml.load((CASES / "calendars" / name).read_text("utf-8"), Loader=_Plain)


def _asks() -> list[Any]:
    return [
        pytest.param(group["calendar"], ask, id=f"{name}-{group['name']}-{index}")
        for name in ("edges", "due", "working_days", "beyond")
        for group in _load(f"{name}.yaml")
        for index, ask in enumerate(group["asks"])
    ]


@cache
def _requests() -> Requests:
    return Requests({})


def _answer(calendar: object, ask: dict[str, Any]) -> dict[str, Any]:
    """The answer, or `{"refused": code}`."""
    asked = {key: value for key, value in ask.items() if key not in ("answer", "refused", "note")}
    try:
        return {"answer": _requests().answer({"calendar": calendar, **asked})}
    except Refused as fault:
        return {"refused": fault.code}


@pytest.mark.parametrize(("calendar", "ask"), _asks())
def test_business_time(calendar: object, ask: dict[str, Any]) -> None:
    """Every case of tests/cases/calendars is answered as written."""
    assert {key: ask[key] for key in ("answer", "refused") if key in ask} == _answer(calendar, ask)


@pytest.mark.parametrize("case", _load("refused.yaml"), ids=str)
def test_requests_are_refused(case: dict[str, Any]) -> None:
    """A request that cannot be answered says why and where."""
    with pytest.raises(Refused) as refused:
        _requests().answer(case["ask"])
    assert (case["code"], case["path"]) == (refused.value.code, refused.value.path)


@pytest.mark.parametrize("case", _load("faults.yaml"), ids=lambda case: str(case["calendars"])[:60])
def test_faults(case: dict[str, Any]) -> None:
    """A calendar that is wrong yields every fault with its place, and is left out."""
    resolved, faults = resolve(case["calendars"], "UTC")
    found = [[fault.code, render_path(fault.path)] for fault in faults]
    assert (case["faults"], case.get("resolved", [])) == (found, sorted(resolved))


# -- what other products assert


def _peers() -> list[dict[str, Any]]:
    lines = (CASES / "peers" / "clocks.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _peer_calendar(case: dict[str, Any]) -> dict[str, Any]:
    """A peer's calendar in our words: holidays are closed dates, breaks are dates with hours cut out."""
    spec = case["calendar"]
    dates = dict(spec.get("date_hours", {}))
    for date, breaks in spec.get("breaks", {}).items():
        weekday = dt.date.fromisoformat(date).strftime("%a").lower()
        hours = dates.get(date, spec["hours"].get(weekday, []))
        for start, end in breaks:
            hours = [
                piece
                for low, high in hours
                for piece in ([low, min(high, start)], [max(low, end), high])
                if piece[0] < piece[1]
            ]
        dates[date] = hours
    closed = [date for date in spec["holidays"] if date not in dates]
    return {"timezone": spec["timezone"], "hours": spec["hours"], "closed": closed, "dates": dates}


def _same_instant(text: str) -> str:
    return instants.render(instants.parse(text))


@pytest.mark.parametrize(
    "case",
    [case for case in _peers() if case["kind"] in ("due", "elapsed")],
    ids=lambda case: str(case["id"]),
)
def test_peers(case: dict[str, Any]) -> None:
    """Due and elapsed cases of other products' suites hold; where one of them rounds, ours is exact."""
    expected = case["expected"] if case["agrees"] else case["expected_exact"]
    ask = {"op": case["kind"], "calendar": _peer_calendar(case), "start": case["start"]}
    if case["kind"] == "due":
        ask |= {"within": case["duration"], "direction": case.get("direction", "forward")}
        assert {"due_at": _same_instant(expected)} == _requests().answer(ask)
    else:
        ask["end"] = case["end"]
        assert {"elapsed_seconds": expected} == _requests().answer(ask)


_OTHERWISE = {
    # An edge in the gap takes effect at the transition (semantics 1.1): 02:30–03:15 is open from 03:00 on,
    # where the source moves 02:30 to 03:30 and drops the interval.
    "biz-22": [
        ["2006-04-02T10:00:00Z", "2006-04-02T10:15:00Z"],
        ["2006-04-03T16:00:00Z", "2006-04-04T00:00:00Z"],
    ],
}


@pytest.mark.parametrize(
    "case",
    [case for case in _peers() if "open_intervals" in str(case["expected"])],
    ids=lambda case: case["id"],
)
def test_peers_open_intervals(case: dict[str, Any]) -> None:
    """The open intervals that another product lists from an instant on are ours."""
    expected = [[_same_instant(edge) for edge in pair] for pair in _intervals_of(case)]
    ask = {
        "op": "intervals",
        "calendar": _peer_calendar(case),
        "start": case["start"],
        "end": expected[-1][1],
    }
    assert {"intervals": expected} == _requests().answer(ask)


def _intervals_of(case: dict[str, Any]) -> list[list[str]]:
    found: list[list[str]] = _OTHERWISE.get(case["id"], case["expected"]["open_intervals"])
    return found


@pytest.mark.parametrize(
    "case", [case for case in _peers() if case["id"] in ("erpnext-30", "rt-18")], ids=str
)
def test_peers_pauses(case: dict[str, Any]) -> None:
    """A hold is worth the open time inside it."""
    expected = case.get("expected_exact", case["expected"])
    (within, due) = (
        list(case["targets"].values())[1 if case["id"] == "erpnext-30" else 0],
        list(expected.values())[-1],
    )
    pauses = [[event["at"] for event in case["events"]]]
    ask = {
        "op": "due",
        "calendar": _peer_calendar(case),
        "start": case["start"],
        "within": within,
        "pauses": pauses,
    }
    assert {"due_at": due} == _requests().answer(ask)


def test_a_target_of_nothing_is_due_at_its_start() -> None:
    """A target of 0 is due at its start, though that lies on closed time or in a pause."""
    office, start = _parts()["office"], instants.parse("2026-03-07T10:00:00Z")
    assert (start, start) == (office.due(start, 0), office.due(start, 0, [(start - 1, start + 1)]))


# -- holidays


def test_china_day_by_day() -> None:
    """Every date from 2010 to 2026 is a working day in China exactly where the official calendar says so."""
    spec = {
        "timezone": "Asia/Shanghai",
        "hours": {"mon-fri": [["09:00", "18:00"]]},
        "holidays": {"country": "CN"},
    }
    resolved, _ = resolve({"office": spec})
    office = Calendars(resolved)["office"]
    days = range(day_number("2010-01-01"), day_number("2026-12-31") + 1)
    ours = [day_text(day) for day in days if office.own(day)]
    official = [
        day_text(day) for day in days if chinese_calendar.is_workday(dt.date.fromisoformat(day_text(day)))
    ]
    assert official == ours


def test_china_make_up_days() -> None:
    """The make-up working days of 2024 to 2026 are known by name."""
    marked = holiday_facts("CN", None, 2024, 2026)["make_up"]
    official = {
        day.isoformat()
        for day in chinese_calendar.constants.workdays
        if 2024 <= day.year <= 2026 and day.weekday() > 4
    }
    assert official == set(marked)
    assert [0, "make-up working day for 2026-02-23"] == marked["2026-02-28"]


def test_china_is_confirmed_as_far_as_announced() -> None:
    """The last year that is confirmed for China is the last one that was announced."""
    announced = max(chinese_calendar.constants.holidays).year
    assert f"{announced}-12-31" == holiday_facts("CN")["confirmed_through"]


def test_estimates_are_not_confirmed() -> None:
    """Where the sighting of a moon decides, a year is confirmed only once its dates are settled."""
    facts = holiday_facts("TR", None, 2024, 2034)
    estimated = [date for date, name in facts["holidays"].items() if "tahmini" in name or "estimated" in name]
    assert min(estimated) > facts["confirmed_through"]


def test_facts_can_be_kept() -> None:
    """A host may hand in the facts it kept; the language asks for each country once."""
    asked: list[tuple[str, str | None]] = []

    def facts(country: str, subdivision: str | None) -> dict[str, Any]:
        asked.append((country, subdivision))
        return {
            "confirmed_from": "2026-01-01",
            "confirmed_through": "2026-12-31",
            "source": "kept",
            "holidays": {"2026-03-02": "Day"},
            "make_up": {},
        }

    spec = {"hours": {"mon": [["09:00", "10:00"]]}, "holidays": {"country": "DE", "subdivision": "BY"}}
    resolved, faults = resolve({"office": spec}, "UTC", facts)
    assert ([("DE", "BY")], [], {"2026-03-02": "Day"}) == (asked, faults, resolved["office"]["holidays"])


# -- combinations and accounts

_PARTS: dict[str, Any] = {
    "office": {
        "timezone": "Asia/Shanghai",
        "hours": {"mon-fri": [["09:00", "18:00"]]},
        "holidays": {"country": "CN"},
        "closed": ["2026-02-12"],
    },
    "berlin": {"timezone": "Europe/Berlin", "hours": {"mon-fri": [["08:00", "16:00"]]}},
    "both": {"all_of": ["office", "berlin"]},
    "either": {"any_of": ["office", "berlin"], "timezone": "Asia/Shanghai"},
    "nested": {"all_of": ["always", "both"]},
}


@cache
def _parts() -> Calendars:
    resolved, faults = resolve(_PARTS, "Asia/Shanghai")
    assert faults == []
    return Calendars(resolved)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("office", 9 * 3600), ("berlin", 8 * 3600), ("both", 3 * 3600), ("either", 14 * 3600)],
)
def test_combinations(name: str, seconds: int) -> None:
    """An intersection is open where all parts are, a union where one is."""
    start, end = instants.parse("2026-03-02T00:00:00+08:00"), instants.parse("2026-03-03T00:00:00+08:00")
    assert seconds * instants.SECOND == _parts()[name].elapsed(start, end)


def test_nested_combination() -> None:
    """A combination may be part of another one, and `always` of any."""
    start, end = instants.parse("2026-01-01T00:00:00Z"), instants.parse("2026-06-01T00:00:00Z")
    assert _parts()["both"].intervals(start, end) == _parts()["nested"].intervals(start, end)


def test_combination_is_confirmed_as_far_as_its_parts() -> None:
    """A combination's due time past a part's confirmed holidays is refused, too."""
    both = _parts()["both"]
    assert ("2026-12-31", True) == (
        both.spec["confirmed_through"],
        both.is_estimate(instants.parse("2027-01-04T00:00:00Z")),
    )


def test_account_of_a_week() -> None:
    """Every second is open, closed, a closed date or a holiday by name."""
    start, end = instants.parse("2026-02-11T17:00:00+08:00"), instants.parse("2026-02-17T00:00:00+08:00")
    account = [
        (instants.render(low), kind, label) for low, _, kind, label in _parts()["office"].segments(start, end)
    ]
    assert [
        ("2026-02-11T09:00:00Z", "open", ""),
        ("2026-02-11T10:00:00Z", "closed", ""),
        ("2026-02-11T16:00:00Z", "closed_date", "closed on 2026-02-12"),
        ("2026-02-12T16:00:00Z", "closed", ""),
        ("2026-02-13T01:00:00Z", "open", ""),
        ("2026-02-13T10:00:00Z", "closed", ""),
        ("2026-02-13T16:00:00Z", "closed", "make-up working day for 2026-02-20"),
        ("2026-02-14T01:00:00Z", "open", "make-up working day for 2026-02-20"),
        ("2026-02-14T10:00:00Z", "closed", "make-up working day for 2026-02-20"),
        ("2026-02-14T16:00:00Z", "closed", ""),
        ("2026-02-15T16:00:00Z", "holiday", "农历除夕"),
    ] == account


def test_account_names_the_part_that_decides() -> None:
    """Closed time of an intersection carries the part that is closed and its reason."""
    start, end = instants.parse("2026-02-16T10:00:00+08:00"), instants.parse("2026-02-16T12:00:00+08:00")
    assert [(start, end, "holiday", "office: 农历除夕")] == _parts()["both"].segments(start, end)


def test_digest_is_of_the_facts() -> None:
    """Calendars with equal facts have equal digests, and other hours another one."""
    one, _ = resolve(
        {"a": {"timezone": "UTC", "hours": {"mon": [["09:00", "10:00"]], "tue": [["09:00", "10:00"]]}}}
    )
    two, _ = resolve({"a": {"hours": {"tue,mon": [["09:00", "10:00"]]}, "timezone": "UTC"}})
    other, _ = resolve({"a": {"hours": {"tue,mon": [["09:00", "10:01"]]}, "timezone": "UTC"}})
    assert digest(one) == digest(two) != digest(other)


def test_resolved_calendars_are_plain_data() -> None:
    """What is resolved survives JSON unchanged."""
    resolved, _ = resolve(_PARTS, "Asia/Shanghai")
    assert resolved == json.loads(json.dumps(resolved))
