"""Laws of calendars, against an oracle that shares no code with them.

The oracle walks a window of nine days in small steps, reads each step's wall clock from the standard
library, keeps the highest reading so far, and calls a step open where that lies in some date's interval. It
knows neither UTC edges nor arrays of them.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workclock import Holidays, Schedule, WorkDay

from duly import instants
from duly.calendars.calendar import Calendar
from duly.calendars.calendars import Calendars
from duly.calendars.resolution import resolve

WINDOWS = [
    ("Europe/Berlin", "2024-03-27"),
    ("Europe/Berlin", "2024-10-23"),
    ("America/New_York", "2024-03-06"),
    ("America/New_York", "2024-10-30"),
    ("America/Los_Angeles", "2006-03-29"),
    ("America/Sao_Paulo", "2018-10-31"),  # midnight does not exist
    ("America/Havana", "2024-10-30"),  # midnight comes twice
    ("America/St_Johns", "2006-10-25"),  # the hour before 00:01 comes twice
    ("Australia/Lord_Howe", "2024-10-02"),  # half an hour
    ("Australia/Lord_Howe", "2024-04-03"),
    ("Antarctica/Troll", "2024-03-27"),  # two hours
    ("Pacific/Chatham", "2024-09-25"),  # +12:45
    ("Pacific/Apia", "2011-12-27"),  # a date is skipped
    ("Pacific/Kwajalein", "1993-08-17"),  # a date is skipped
    ("Pacific/Kwajalein", "1969-09-27"),  # a date comes twice
    ("Asia/Kathmandu", "1985-12-29"),  # a quarter of an hour
    ("Africa/Casablanca", "2024-03-07"),
    ("Asia/Shanghai", "2025-12-28"),
    ("Pacific/Auckland", "2025-12-28"),
]
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAYS = 9


@dataclass(frozen=True)
class Window:
    """Nine days of a zone in steps: their first second, and the highest wall-clock minute so far at each."""

    zone: str
    start: int
    step: int
    readings: tuple[int, ...]


@cache
def window(zone: str, date: str) -> Window:
    """The wall clock of a window, read from the standard library."""
    with resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        clock = zoneinfo.ZoneInfo.from_file(file, zone)
    step = 60 if zone == "America/St_Johns" else 300
    start = round((dt.datetime.fromisoformat(date).replace(tzinfo=dt.UTC) - _EPOCH).total_seconds())
    readings, highest = [], -(10**9)
    for second in range(start - 3 * 86_400, start + _DAYS * 86_400, step):
        local = (_EPOCH + dt.timedelta(seconds=second)).astimezone(clock).replace(tzinfo=dt.UTC)
        highest = max(highest, int((local - _EPOCH).total_seconds()) // 60)
        if second >= start:
            readings.append(highest)
    return Window(zone, start, step, tuple(readings))


Plan = tuple[tuple[str, str], ...]
_PLANS: list[Plan] = [
    (),
    (("00:00", "24:00"),),
    (("09:00", "17:00"),),
    (("09:00", "12:00"), ("13:00", "18:00")),
    (("22:00", "06:00"),),
    (("02:30", "03:15"),),
    (("01:00", "02:30"), ("02:35", "09:05")),
    (("00:00", "00:30"), ("23:30", "24:00")),
    (("23:00", "00:30"),),
    (("18:00", "17:55"),),
    (("08:00", "12:00"), ("11:00", "14:00")),
]


def _slot(number: int) -> str:
    return f"{number % 288 // 12:02d}:{number % 12 * 5:02d}"


def _span(number: int) -> tuple[str, str]:
    """A start and a later end, perhaps past midnight, in steps of five minutes."""
    start, length = divmod(number, 287)
    return _slot(start), _slot(start + length + 1)


_PLAN = st.sampled_from(_PLANS) | st.lists(st.integers(0, 288 * 287 - 1).map(_span), max_size=2).map(tuple)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Example:
    """A calendar within a window: seven plans, Monday first, a closed date and a date with hours of its own."""

    place: int
    week: tuple[Plan, ...]
    closed: int | None
    special: tuple[int, Plan] | None

    def date(self, day: int) -> str:
        """The date of a day of the window."""
        return (dt.date.fromisoformat(WINDOWS[self.place][1]) + dt.timedelta(days=day)).isoformat()

    def plan(self, date: dt.date) -> Plan:
        """The hours of a date: its own, none where it is closed, else the weekday's."""
        if self.special and date.isoformat() == self.date(self.special[0]):
            return self.special[1]
        if self.closed is not None and date.isoformat() == self.date(self.closed):
            return ()
        return self.week[date.weekday()]

    def written(self) -> dict[str, Any]:
        """As an owner writes it; a closed date is written as a range, so that hours on it win."""
        spec: dict[str, Any] = {
            "timezone": WINDOWS[self.place][0],
            "hours": {
                name: [list(span) for span in plan] for name, plan in zip(_WEEKDAYS, self.week, strict=True)
            },
            "working_days": "cn_civil_code",
        }
        if self.closed is not None:
            spec["closed"] = [f"{self.date(self.closed)}/{self.date(self.closed)}"]
        if self.special:
            spec["dates"] = {self.date(self.special[0]): [list(span) for span in self.special[1]]}
        return spec


def _week(one: Plan, two: Plan, three: Plan, pattern: int) -> tuple[Plan, ...]:
    """Three plans spread over the week."""
    return tuple((one, two, three)[pattern // 3**day % 3] for day in range(7))


EXAMPLES = st.builds(
    Example,
    st.integers(0, len(WINDOWS) - 1),
    st.builds(_week, _PLAN, _PLAN, _PLAN, st.integers(0, 3**7 - 1)),
    st.none() | st.integers(0, _DAYS - 1),
    st.none() | st.tuples(st.integers(0, _DAYS - 1), _PLAN),
)
SECONDS = st.integers(86_400, (_DAYS - 1) * 86_400)


def calendar_of(example: Example) -> Calendar | None:
    """The calendar under test, or None where the example is never open."""
    resolved, faults = resolve({"it": example.written()})
    assert {fault.code for fault in faults} <= {"no-open-time", "overlapping-hours"}
    return Calendars(resolved)["it"] if resolved else None


class Oracle:
    """Open seconds before each step of the window."""

    def __init__(self, example: Example) -> None:
        self.window = window(*WINDOWS[example.place])
        base = (self.window.readings[0] // 1440 - 2) * 1440
        marks = bytearray(self.window.readings[-1] - base + 3 * 1440)
        for day in range(base, self.window.readings[-1] + 1, 1440):
            date = dt.date(1970, 1, 1) + dt.timedelta(days=day // 1440)
            for start, end in example.plan(date):
                low, high = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
                high += 1440 if high <= low else 0
                marks[day - base + low : day - base + high] = b"\1" * (high - low)
        self.open = [marks[reading - base] for reading in self.window.readings]
        self.sums = [0, *accumulate(step * self.window.step for step in self.open)]

    def before(self, second: int) -> int:
        """Open seconds before `second`, counted from the window's start."""
        step, rest = divmod(second, self.window.step)
        return self.sums[step] + (self.open[step] * rest if rest else 0)

    def due(self, second: int, amount: int) -> int | None:
        """The earliest second by which `amount` is open after `second`; None past the window."""
        target = self.before(second) + amount
        step = bisect_left(self.sums, target)
        if step == len(self.sums):
            return None
        return (step - 1) * self.window.step + target - self.sums[step - 1]

    def due_back(self, second: int, amount: int) -> int | None:
        """The latest second from which `amount` is open until `second`; None before the window."""
        target = self.before(second) - amount
        if target < 0:
            return None
        step = bisect_right(self.sums, target) - 1
        return step * self.window.step + target - self.sums[step]


def law(examples: int) -> settings:
    """A property that is tried so many times."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, database=None, suppress_health_check=slow)


def at(oracle: Oracle, second: int) -> int:
    """A second of the window as an instant."""
    return (oracle.window.start + second) * instants.SECOND


@law(2_000)
@given(EXAMPLES, SECONDS, SECONDS)
def test_elapsed(example: Example, one: int, other: int) -> None:
    """Elapsed time is what a walk along the wall clock counts."""
    calendar = calendar_of(example)
    if calendar is None:
        return
    oracle = Oracle(example)
    start, end = sorted((one, other))
    counted = (oracle.before(end) - oracle.before(start)) * instants.SECOND
    assert counted == calendar.elapsed(at(oracle, start), at(oracle, end))


@law(2_200)
@given(EXAMPLES, SECONDS, st.integers(1, 200_000))
def test_due(example: Example, start: int, amount: int) -> None:
    """Due is the earliest instant at which a walk along the wall clock has counted enough."""
    calendar = calendar_of(example)
    if calendar is None:
        return
    oracle = Oracle(example)
    counted = oracle.due(start, amount)
    if counted is not None:
        assert at(oracle, counted) == calendar.due(at(oracle, start), amount * instants.SECOND)


@law(1_500)
@given(EXAMPLES, SECONDS, st.integers(1, 200_000))
def test_due_back(example: Example, reference: int, amount: int) -> None:
    """A lead time is the latest instant from which a walk along the wall clock counts enough."""
    calendar = calendar_of(example)
    if calendar is None:
        return
    oracle = Oracle(example)
    counted = oracle.due_back(reference, amount)
    if counted is not None:
        assert at(oracle, counted) == calendar.due_back(at(oracle, reference), amount * instants.SECOND)


SLOTS = st.integers(288, (_DAYS - 2) * 288)


@law(1_200)
@given(EXAMPLES, SLOTS, st.integers(1, 100_000), st.lists(st.tuples(SLOTS, st.integers(0, 300)), max_size=4))
def test_pauses(example: Example, start: int, amount: int, pauses: list[tuple[int, int]]) -> None:
    """Around pauses, due is the first instant with enough elapsed time, counted step by step."""
    calendar = calendar_of(example)
    if calendar is None or not any(example.week):
        return
    oracle = Oracle(example)
    stopped = [(at(oracle, low * 300), at(oracle, (low + length) * 300)) for low, length in pauses]
    begin = at(oracle, start * 300)
    due = calendar.due(begin, amount * instants.SECOND, stopped)
    assert amount * instants.SECOND == calendar.elapsed(begin, due, stopped)
    assert calendar.elapsed(begin, due - 1, stopped) < amount * instants.SECOND
    last, rest = divmod(due // instants.SECOND - oracle.window.start, oracle.window.step)
    if last < len(oracle.open):
        runs = bytearray(oracle.open)
        per = 300 // oracle.window.step
        for low, length in pauses:
            runs[low * per : (low + length) * per] = bytes(length * per)
        assert amount == sum(runs[start * per : last]) * oracle.window.step + (
            runs[last] * rest if rest else 0
        )


@law(1_500)
@given(EXAMPLES, SECONDS, SECONDS, st.integers(1, 10**12))
def test_forward_and_back(example: Example, one: int, other: int, amount: int) -> None:
    """Going forward and back meets again: due and lead time invert each other up to closed time, and grow."""
    calendar = calendar_of(example)
    if calendar is None or not any(example.week):
        return
    oracle = Oracle(example)
    start, later = (at(oracle, second) for second in sorted((one, other)))
    due = calendar.due(start, amount)
    assert amount == calendar.elapsed(start, due)
    assert calendar.elapsed(start, due - 1) < amount
    back = calendar.due_back(due, amount)
    assert back >= start and calendar.elapsed(start, back) == 0
    assert due <= calendar.due(later, amount) and due < calendar.due(start, amount + 1)
    first = calendar.next_open(start)
    assert calendar.is_open(first) and calendar.elapsed(start, first) == 0


@law(800)
@given(EXAMPLES, SECONDS, SECONDS)
def test_account(example: Example, one: int, other: int) -> None:
    """An account leaves no gap, its open segments are the open intervals, and they add up to the elapsed time."""
    calendar = calendar_of(example)
    if calendar is None:
        return
    oracle = Oracle(example)
    start, end = (at(oracle, second) for second in sorted((one, other)))
    account = calendar.segments(start, end)
    edges = [start, *(high for _, high, _, _ in account)]
    assert edges[:-1] == [low for low, *_ in account] and edges[-1] == end
    total = sum(high - low for low, high, kind, _ in account if kind == "open")
    listed = sum(high - low for low, high in calendar.intervals(start, end))
    assert total == listed == calendar.elapsed(start, end)


@law(1_000)
@given(EXAMPLES, SECONDS, st.integers(1, 4))
def test_working_days(example: Example, start: int, days: int) -> None:
    """The n-th working day is the n-th later date with open time, and lands on its last close."""
    calendar = calendar_of(example)
    if calendar is None or not any(example.week):
        return
    oracle = Oracle(example)
    moment = at(oracle, start)
    local = _EPOCH + dt.timedelta(microseconds=calendar.zone.local(moment))
    date, left = local.date(), days
    for _ in range(400):
        date += dt.timedelta(days=1)
        left -= bool(_opens(calendar, example, date))
        if not left:
            break
    assert not left
    assert max(_opens(calendar, example, date)) == calendar.due_working_days(moment, days)


def _opens(calendar: Calendar, example: Example, date: dt.date) -> list[int]:
    """The closing instants of a date's own intervals that do not vanish in a gap."""
    midnight = (date - dt.date(1970, 1, 1)).days * instants.DAY
    ends = []
    for start, end in example.plan(date):
        low, high = (int(text[:2]) * instants.HOUR + int(text[3:]) * instants.MINUTE for text in (start, end))
        high += instants.DAY if high <= low else 0
        opening, closing = calendar.zone.reach(midnight + low), calendar.zone.reach(midnight + high)
        ends += [closing] if opening < closing else []
    return ends


@law(300)
@given(
    st.sampled_from(
        ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham"]
    ),
    st.lists(st.tuples(st.integers(5, 11), st.integers(12, 22)), min_size=7, max_size=7),
    st.sets(st.integers(0, 400), max_size=8),
    st.integers(0, 400 * 86_400),
    st.integers(1, 400 * 3_600),
)
def test_workclock(
    zone: str, hours: list[tuple[int, int]], closed: set[int], start: int, amount: int
) -> None:
    """Day shifts with closed dates are due when the workclock package says so, forward and back."""
    first = dt.date(2024, 1, 1)
    dates = [first + dt.timedelta(days=day) for day in sorted(closed)]
    spec = {
        "timezone": zone,
        "hours": {
            name: [[f"{low:02d}:00", f"{high:02d}:00"]]
            for name, (low, high) in zip(_WEEKDAYS, hours, strict=True)
        },
        "closed": [date.isoformat() for date in dates],
    }
    calendar = Calendars(resolve({"it": spec})[0])["it"]
    peer = Schedule(
        [WorkDay(dt.time(low), dt.time(high), days=[day]) for day, (low, high) in enumerate(hours)]
        + [Holidays(dates)],
        time_zone=zone,
    )
    moment = dt.datetime(2024, 1, 2, tzinfo=dt.UTC) + dt.timedelta(seconds=start)
    begin = instants.parse(moment.isoformat())
    length = dt.timedelta(seconds=amount)
    assert instants.parse(peer.add(moment, length).isoformat()) == calendar.due(
        begin, amount * instants.SECOND
    )
    assert peer.between(moment, moment + length) == dt.timedelta(
        microseconds=calendar.elapsed(begin, begin + amount * instants.SECOND)
    )


_WORDS = [
    "mon-fri",
    "2026-02-14",
    "09:00",
    "24:00",
    "CN",
    "UTC",
    "close",
    "it",
    "always",
    "2026-01-01/2026-02-01",
]
_KEYS = [
    "timezone",
    "hours",
    "closed",
    "dates",
    "holidays",
    "country",
    "eras",
    "from",
    "working_days",
    "land",
    "mon",
]
_KEYS += ["count_from", "cutoff", "at", "beyond_calendar", "all_of", "any_of", "2026-02-14"]
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(_WORDS) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)


@law(300)
@given(
    st.dictionaries(st.sampled_from(["it", "other"]), st.dictionaries(st.sampled_from(_KEYS), _ANYTHING))
    | _ANYTHING
)
def test_anything_is_read(written: object) -> None:
    """Whatever stands where calendars should gives calendars or faults with a message, never an exception."""
    resolved, faults = resolve(written, "UTC")
    assert all(fault.message and fault.code for fault in faults)
    for name in resolved:
        calendar = Calendars(resolved)[name]
        calendar.elapsed(0, 10**12)
