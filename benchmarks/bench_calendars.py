"""Benchmark of business time: due and elapsed over a day, a week and a year, Duly beside other libraries.

    python benchmarks/bench_calendars.py [--json]

One calendar (Monday to Friday 09:00-12:00 and 13:00-18:00 in Shanghai, ten closed dates), one process. A library that
is not installed is skipped: `pip install businesstimedelta workclock pandas`. Figures are
nanoseconds of CPU a call, the best of five rounds; what Duly answers is compared with each peer before it is timed.
`rows` asks Duly for instants that differ from call to call, more than it keeps in mind.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "engine")]

from figures import Row, rounds, row, skipped

from duly import instants
from duly.calendars.calendars import Calendars
from duly.calendars.resolution import resolve

ROUND = 0.15  # CPU seconds that a round lasts at least
ZONE = dt.timezone(dt.timedelta(hours=8))
START = dt.datetime(2026, 3, 2, 10, 30, tzinfo=ZONE)
CLOSED = [
    dt.date(2026, *day)
    for day in ((1, 1), (2, 16), (2, 17), (2, 18), (2, 19), (4, 6), (5, 1), (6, 19), (9, 25), (10, 1))
]
SPANS = ((9, 12), (13, 18))
TASKS = {
    "due in 1 h": 1,
    "due in 40 h": 40,
    "due in 1,600 h": 1_600,
    "elapsed over a day": None,
    "elapsed over a year": None,
}
ENDS = {
    "elapsed over a day": START + dt.timedelta(days=1),
    "elapsed over a year": START + dt.timedelta(days=300),
}

Calls = dict[str, Callable[[], Any]]


def duly() -> Calls:
    """Duly: instants are whole microseconds."""
    spec = {
        "timezone": "Asia/Shanghai",
        "hours": {"mon-fri": [[f"{low:02d}:00", f"{high:02d}:00"] for low, high in SPANS]},
        "closed": [day.isoformat() for day in CLOSED],
    }
    calendar = Calendars(resolve({"office": spec})[0])["office"]
    start = instants.parse(START.isoformat())
    calls: Calls = {}
    for task, hours in TASKS.items():
        if hours is None:
            end = instants.parse(ENDS[task].isoformat())
            calls[task] = partial(calendar.elapsed, start, end)
        else:
            calls[task] = partial(calendar.due, start, hours * instants.HOUR)
    return calls


def day_loop() -> Calls:
    """What one writes by hand: a loop over days, in plain Python."""

    def spans(start: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        day = start.date()
        while True:
            if day.weekday() < 5 and day not in CLOSED:
                for low, high in SPANS:
                    yield (
                        dt.datetime(day.year, day.month, day.day, low, tzinfo=ZONE),
                        dt.datetime(day.year, day.month, day.day, high, tzinfo=ZONE),
                    )
            day += dt.timedelta(days=1)

    def due(left: dt.timedelta) -> dt.datetime:
        for low, high in spans(START):
            begin = max(low, START)
            if high > begin:
                if high - begin >= left:
                    return begin + left
                left -= high - begin
        raise AssertionError

    def elapsed(end: dt.datetime) -> dt.timedelta:
        total = dt.timedelta()
        for low, high in spans(START):
            if low >= end:
                return total
            total += max(min(high, end) - max(low, START), dt.timedelta())
        raise AssertionError

    return _calls(due, elapsed)


def workclock() -> Calls:
    """PyPI workclock: Rust."""
    workclock = importlib.import_module("workclock")
    days = [workclock.WorkDay(dt.time(low), dt.time(high)) for low, high in SPANS]
    office = workclock.Schedule([*days, workclock.Holidays(CLOSED)], time_zone="Asia/Shanghai")
    return _calls(lambda length: office.add(START, length), lambda end: office.between(START, end))


def businesstimedelta() -> Calls:
    """PyPI businesstimedelta."""
    peer = importlib.import_module("businesstimedelta")
    zone = importlib.import_module("pytz").timezone("Asia/Shanghai")
    days = [
        peer.WorkDayRule(
            start_time=dt.time(low), end_time=dt.time(high), working_days=[0, 1, 2, 3, 4], tz=zone
        )
        for low, high in SPANS
    ]
    rules = peer.Rules(
        [*days, peer.HolidayRule(dict.fromkeys([*CLOSED, dt.date(2030, 1, 1)], "closed"), tz=zone)]
    )
    return _calls(
        lambda length: START + peer.BusinessTimeDelta(rules, timedelta=length),
        lambda end: rules.difference(START, end).timedelta,
    )


def pandas() -> Calls:
    """Pandas CustomBusinessHour: due alone."""
    pd = importlib.import_module("pandas")
    starts, ends = [f"{low:02d}:00" for low, _ in SPANS], [f"{high:02d}:00" for _, high in SPANS]
    hour = pd.offsets.CustomBusinessHour(start=starts, end=ends, holidays=CLOSED)
    start = pd.Timestamp(START)
    return {
        task: partial(lambda n: (start + n * hour).to_pydatetime(), hours)
        for task, hours in TASKS.items()
        if hours
    }


def _calls(due: Callable[[dt.timedelta], Any], elapsed: Callable[[dt.datetime], Any]) -> Calls:
    calls: Calls = {}
    for task, hours in TASKS.items():
        if hours is None:
            calls[task] = partial(elapsed, ENDS[task])
        else:
            calls[task] = partial(due, dt.timedelta(hours=hours))
    return calls


PEERS = {
    "workclock": workclock,
    "a loop over days": day_loop,
    "pandas CustomBusinessHour": pandas,
    "businesstimedelta": businesstimedelta,
}


def nanoseconds(call: Callable[[], Any]) -> float:
    """CPU time of one call, the best of five rounds."""
    number, best = 1, float("inf")
    while True:
        taken = _timed(call, number)
        if taken >= ROUND / 4:
            break
        number *= 2
    for _ in range(5):
        best = min(best, _timed(call, number) / number)
    return best * 1e9


def _timed(call: Callable[[], Any], number: int) -> float:
    start = time.process_time()
    for _ in range(number):
        call()
    return time.process_time() - start


def _plain(answer: Any) -> int:
    """An instant or a length in microseconds, whatever a library calls it."""
    if isinstance(answer, dt.datetime):
        return instants.parse(answer.isoformat())
    if isinstance(answer, dt.timedelta):
        return round(answer.total_seconds()) * instants.SECOND
    return int(answer)


def measure() -> list[dict[str, Any]]:
    """One row a library and task: `{"engine", "task", "ns", "ratio", "agrees"}`; ratio is its time over Duly's."""
    ours = duly()
    answers = {task: _plain(call()) for task, call in ours.items()}
    base = {task: nanoseconds(call) for task, call in ours.items()}
    rows = [
        {"engine": "duly", "task": task, "ns": base[task], "ratio": 1.0, "agrees": True} for task in TASKS
    ]
    for name, make in PEERS.items():
        try:
            calls = make()
        except ImportError:
            continue
        for task, call in calls.items():
            try:
                agrees = _plain(call()) == answers[task]
            except Exception as fault:  # noqa: BLE001
                print(f"{name} fails at {task}: {fault}", file=sys.stderr)
                continue
            taken = nanoseconds(call)
            rows.append(
                {"engine": name, "task": task, "ns": taken, "ratio": taken / base[task], "agrees": agrees}
            )
    return rows


def rows() -> list[Row]:
    """`due` and `elapsed` for the report, beside each library that is installed."""
    calendar = duly()["due in 40 h"].func.__self__  # type: ignore[attr-defined]
    random = Random(3)
    first = instants.parse(START.isoformat())
    starts = [first + random.randrange(200 * 24 * 3600) * instants.SECOND for _ in range(10_000)]

    def due() -> int:
        for start in starts:
            calendar.due(start, 40 * instants.HOUR)
        return len(starts)

    def elapsed() -> int:
        for start in starts:
            calendar.elapsed(first, start)
        return len(starts)

    works: dict[str, Callable[[], int]] = {"due": due, "elapsed": elapsed}
    made: list[Row] = []
    for name, make in PEERS.items():
        try:
            works[name] = _repeated(make()["due in 40 h"])
        except ImportError as error:
            made.append(skipped(f"`due` beside {name}", f"not installed ({error.name})"))
    due()
    spent = dict(zip(works, rounds(list(works.values()), 15, 0.05), strict=True))
    micro = {name: [seconds * 1e6 for seconds in found] for name, found in spent.items()}
    made.insert(0, row("`due` in 40 h of office time", "µs", micro["due"], at_most=1.5))
    made.insert(1, row("`elapsed` over up to 200 days", "µs", micro["elapsed"]))
    made += [
        row("`due` in 40 h of office time", "µs", micro["due"], peer=name, beside=micro[name])
        for name in PEERS
        if name in micro
    ]
    return made


def _repeated(call: Callable[[], Any]) -> Callable[[], int]:
    def work() -> int:
        for _ in range(20):
            call()
        return 20

    return work


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown: microseconds a call, and how many times Duly's."""
    found = {(row["engine"], row["task"]): row for row in rows}
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    lines = ["| µs a call (times Duly's) | " + " | ".join(TASKS) + " |", "|---" * (len(TASKS) + 1) + "|"]
    for engine in engines:
        cells = [_cell(found.get((engine, task))) for task in TASKS]
        lines.append(f"| {engine} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    ratio = "" if row["engine"] == "duly" else f" ({row['ratio']:,.1f}×)"
    return f"{row['ns'] / 1_000:,.2f}{ratio}" + ("" if row["agrees"] else " wrong")


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="rows as JSON")
    wanted = arguments.parse_args()
    rows = measure()
    print(json.dumps(rows) if wanted.json else table(rows))


if __name__ == "__main__":
    main()
