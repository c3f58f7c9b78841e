"""An oracle of clocks: what a clock shows, found by walking a ledger of quarters of an hour, sharing no code.

Time is a number of quarters since `START`. A ledger says of each past quarter in which calendar the clock ran
in it, if it ran; every question (how much has run, when is it used up) is answered by walking that ledger
quarter by quarter. Of calendars it knows weekly hours, closed dates and a zone, read from the standard library.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

START = dt.datetime(2026, 3, 22, 16, tzinfo=dt.UTC)
"""Monday 2026-03-23 at 00:00 in Shanghai; six days before the clocks of Berlin go forward."""
QUARTER = dt.timedelta(minutes=15)
HORIZON = 70 * 96

WEEK = range(5)
OFFICE = [("09:00", "12:00"), ("13:00", "18:00")]
HOURS: Mapping[str, tuple[str, Mapping[int, Sequence[tuple[str, str]]], frozenset[str]]] = {
    "always": ("UTC", {day: [("00:00", "24:00")] for day in range(7)}, frozenset()),
    "plain": ("Asia/Shanghai", {day: [("09:00", "17:00")] for day in WEEK}, frozenset()),
    "office": ("Asia/Shanghai", dict.fromkeys(WEEK, OFFICE), frozenset(["2026-03-26", "2026-04-06"])),
    "berlin": (
        "Europe/Berlin",
        {day: [("00:00", "06:00"), ("08:00", "16:30")] for day in range(7)},
        frozenset(),
    ),
    "night": ("Asia/Shanghai", {day: [("22:00", "06:00")] for day in WEEK}, frozenset(["2026-03-25"])),
}


def instant(quarter: int) -> str:
    """A quarter as the instant that decisions show."""
    return (START + quarter * QUARTER).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _local(zone: str, quarter: int) -> dt.datetime:
    return (START + quarter * QUARTER).astimezone(zoneinfo.ZoneInfo(zone))


@cache
def open_quarters(calendar: str) -> list[bool]:
    """Of each quarter, whether the calendar is open in it."""
    zone, hours, closed = HOURS[calendar]

    def is_open(quarter: int) -> bool:
        local = _local(zone, quarter)
        minute = local.hour * 60 + local.minute
        for day, reading in ((local.date(), minute), (local.date() - dt.timedelta(1), minute + 1440)):
            for low, high in hours.get(day.weekday(), ()) if day.isoformat() not in closed else ():
                end = _minutes(high) + (1440 if high < low else 0)
                if _minutes(low) <= reading < end:
                    return True
        return False

    return [is_open(quarter) for quarter in range(HORIZON)]


@cache
def closing_of_working_day(calendar: str, start: int, days: int) -> int:
    """The last closing time of the `days`-th working day after the date of `start`."""
    zone, hours, closed = HOURS[calendar]
    date = _local(zone, start).date()
    while days:
        date += dt.timedelta(1)
        days -= date.weekday() in hours and date.isoformat() not in closed
    last = _minutes(hours[date.weekday()][-1][1])
    local = dt.datetime.combine(date, dt.time(last // 60, last % 60), zoneinfo.ZoneInfo(zone))
    return (local - START) // QUARTER


@dataclass(frozen=True)
class Promise:
    """One target: the levels it is for, and `amount` quarters, `days`, a `field`'s instant, or none."""

    id: str
    levels: tuple[str, ...] | None
    calendar: str
    amount: int | None = None
    days: int | None = None
    promised: bool = False


@dataclass(frozen=True)
class Rules:
    """One clock: event types for each deed (`pause` and `resume` may be `=status`), answers, promises."""

    id: str
    calendar: str
    on: Mapping[str, tuple[str, ...]]
    promises: tuple[Promise, ...]
    reopen: str = "keep_stopped"
    stricter: str = "keep_start"
    looser: str = "keep_start"
    cancel_status: str | None = None

    def state(self, deed: str) -> str | None:
        """The status that does a deed, where no event does."""
        given = self.on.get(deed, ())
        return given[0][1:] if given and given[0].startswith("=") else None


@dataclass(frozen=True)
class Event:
    """Something that happened: its quarter, id and type, and the fields that it changed."""

    at: int
    id: str
    type: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    automated: bool = False


@dataclass
class Cycle:
    """One cycle of the clock: what has happened in it so far."""

    number: int
    started: int
    ledger: dict[int, str]
    phase: str = "open"
    ended: int | None = None
    paused: int | None = None
    promise: Promise | None = None
    calendar: str = ""
    word: int | None = None
    """The instant that was promised, for a promise of that sort."""
    matched: tuple[Promise | None, int | None] = (None, None)
    last_due: int | None = None
    by_change: bool = False


class Story:
    """A clock's life until an instant."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.fields: dict[str, Any] = {}
        self.before: dict[str, Any] = {}
        self.now = 0
        self.cycle = Cycle(0, 0, {}, phase="not_started")

    # -- the arithmetic: walking the ledger

    def ran(self, low: int, high: int) -> int:
        """Open quarters in which the clock ran."""
        ledger = self.cycle.ledger
        return sum(
            open_quarters(ledger[quarter])[quarter] for quarter in range(low, high) if quarter in ledger
        )

    def due(self, resumed: bool) -> int | None:
        """When the promise is used up; `resumed`: were the clock to run on from now."""
        cycle, promise = self.cycle, self.cycle.promise
        if promise is None:
            return None
        runs = resumed or cycle.paused is None
        if promise.promised:
            kept = cycle.word is not None and cycle.paused is not None and cycle.word <= cycle.paused
            return cycle.word if runs or kept else None
        if promise.days is not None:
            return closing_of_working_day(cycle.calendar, cycle.started, promise.days)
        if promise.amount is None:
            return None
        left, quarter = promise.amount, cycle.started
        while left:
            if quarter >= self.now and not runs:
                return None
            calendar = cycle.ledger.get(quarter) if quarter < self.now else cycle.calendar
            left -= calendar is not None and open_quarters(calendar)[quarter]
            quarter += 1
        return quarter

    # -- the story

    def until(self, quarter: int) -> None:
        """Let time pass: every quarter until then is run in the calendar in force, or not at all."""
        if self.cycle.phase == "open" and self.cycle.paused is None:
            self.cycle.ledger.update(dict.fromkeys(range(self.now, quarter), self.cycle.calendar))
        self.now = quarter

    def happen(self, events: Sequence[Event]) -> None:
        """Everything of one instant: first the fields of all events, then the deeds in their order, then states."""
        self.before = dict(self.fields)
        for event in events:
            self.fields.update(event.changes)
        for deed in ("cancel", "stop", "reset", "pause", "resume", "reopen", "start"):
            types = ("case.reopened",) if deed == "reopen" else self.rules.on.get(deed, ())
            if any(event.type in types and not event.automated for event in events):
                self._do(deed)
        cycle = self.cycle
        if cycle.phase == "open" and self._forbidden():
            self._end("cancelled")
        if cycle.phase == "open":
            self._match_again()
            self._stand_or_go()

    def _forbidden(self) -> bool:
        return self.rules.cancel_status is not None and self.fields.get("status") == self.rules.cancel_status

    def _do(self, deed: str) -> None:
        cycle = self.cycle
        if deed == "start":
            if cycle.phase != "open" and not self._forbidden():
                self._start(cycle.number + 1)
        elif deed == "reopen":
            if cycle.phase == "stopped" and self.rules.reopen == "new_cycle" and not self._forbidden():
                self._start(cycle.number + 1)
            elif cycle.phase == "stopped" and self.rules.reopen == "resume":
                cycle.phase, cycle.ended, cycle.paused = "open", None, None
                self.before = {}
        elif cycle.phase != "open":
            return
        elif deed in ("cancel", "stop"):
            self._end("cancelled" if deed == "cancel" else "stopped")
        elif deed == "reset":
            self._start(cycle.number, paused=cycle.paused is not None)
        elif deed == "pause":
            self._pause()
        elif deed == "resume":
            cycle.paused = None

    def _start(self, number: int, paused: bool = False) -> None:
        if number != self.cycle.number:
            self.before = {}
        cycle = self.cycle = Cycle(number, self.now, {}, paused=self.now if paused else None)
        cycle.matched = cycle.promise, cycle.word = self._match()
        cycle.calendar = cycle.promise.calendar if cycle.promise else self.rules.calendar

    def _end(self, phase: str) -> None:
        self.cycle.last_due = self.due(resumed=True)
        self.cycle.phase, self.cycle.ended = phase, self.now

    def _pause(self) -> None:
        if self.cycle.paused is None:
            self.cycle.paused = self.now

    def _match(self) -> tuple[Promise | None, int | None]:
        level = self.fields.get("level")
        for promise in self.rules.promises:
            if promise.promised and self.fields.get("promised") is None:
                continue
            if promise.levels is None or level in promise.levels:
                return promise, self.fields.get("promised") if promise.promised else None
        return None, None

    def _match_again(self) -> None:
        cycle, offered = self.cycle, self._match()
        same, cycle.matched = offered == cycle.matched, offered
        if same or offered == (cycle.promise, cycle.word):
            return
        old, old_due = (cycle.promise, cycle.word, cycle.calendar), self.due(resumed=True)
        cycle.promise, cycle.word = offered
        cycle.calendar = cycle.promise.calendar if cycle.promise else self.rules.calendar
        new_due = self.due(resumed=True)
        if new_due != old_due:
            stricter = new_due is not None and (old_due is None or new_due < old_due)
            answer = self.rules.stricter if stricter else self.rules.looser
            if answer == "keep_target":
                cycle.promise, cycle.word, cycle.calendar = old
                return
            if answer == "restart":
                cycle.started, cycle.ledger = self.now, {}
                cycle.paused = None if cycle.paused is None else self.now
        due = self.due(resumed=False)
        if due is None or due >= self.now:
            cycle.by_change = False
        elif old_due is None or old_due >= self.now:
            cycle.by_change = True

    def _stand_or_go(self) -> None:
        pause, resume = self.rules.state("pause"), self.rules.state("resume")
        now, before = self.fields.get("status"), self.before.get("status")
        if pause is not None and not self.rules.on.get("resume"):
            if now == pause:
                self._pause()
            elif before == pause:
                self.cycle.paused = None
        elif pause is not None and now == pause != before:
            self._pause()
        elif resume is not None and now == resume != before:
            self.cycle.paused = None

    # -- what is shown

    def shown(self) -> dict[str, Any]:
        """The clock as a decision shows it, keys that this oracle knows of."""
        cycle, promise = self.cycle, self.cycle.promise
        if cycle.phase == "not_started":
            return {"state": "not_started", "cycle": 0}
        until = self.now if cycle.ended is None else cycle.ended
        due = self.due(resumed=False) if cycle.ended is None else cycle.last_due
        found = {
            "cycle": cycle.number, "target": promise and promise.id, "started_at": instant(cycle.started),
            "ended_at": None if cycle.ended is None else instant(cycle.ended),
            "elapsed_seconds": self.ran(cycle.started, until) * 900, "due_at": None, "remaining_seconds": None,
            "overdue_seconds": 0, "breached": False, "reason": None, "paused_at": None, "due_if_resumed_now": None,
        }  # fmt: skip
        nothing = promise is None or (
            promise.amount is None and promise.days is None and not promise.promised
        )
        if nothing or promise is None:
            return {**found, "state": "cancelled" if cycle.phase == "cancelled" else "none"}
        found["due_at"] = None if due is None else instant(due)
        found["reason"] = "breached_by_change" if cycle.by_change else None
        if cycle.ended is None and cycle.paused is not None:
            found["paused_at"] = instant(cycle.paused)
            if due is None:
                due = self.due(resumed=True)
                found["due_if_resumed_now"] = None if due is None else instant(due)
        late = due is not None and until > due
        if due is not None:
            found.update(breached=late, **self._distance(promise, due, until))
        ended = "cancelled" if cycle.phase == "cancelled" else "breached" if late else "met"
        open_ = "running" if cycle.paused is None else "paused"
        return {**found, "state": open_ if cycle.phase == "open" else ended}

    def _distance(self, promise: Promise, due: int, until: int) -> dict[str, int]:
        cycle, is_open = self.cycle, open_quarters(self.cycle.calendar)
        if until > due:
            late = sum(is_open[due:until]) if promise.promised else self.ran(due, until)
            return {"remaining_seconds": 0, "overdue_seconds": late * 900}
        left = promise.amount - self.ran(cycle.started, until) if promise.amount else sum(is_open[until:due])
        return {"remaining_seconds": left * 900}


def told(
    rules: Rules, opened: int, fields: Mapping[str, Any], events: Iterable[Event], now: int
) -> dict[str, Any]:
    """What the clock shows at `now`, given everything that happened until then, in whatever order and how often."""
    story = Story(rules)
    opening = Event(opened, "", "case.opened", fields)
    seen = {event.id: event for event in [*events, opening] if event.at <= now}
    for at in sorted({event.at for event in seen.values()}):
        story.until(at)
        at_once = [event for event in seen.values() if event.at == at]
        story.happen(sorted(at_once, key=lambda event: event.id))
    story.until(max(now, story.now))
    return story.shown()
