"""Soak of the service: a real `duly run` on SQLite takes cases until all are in, then keeps its timers on time.

    python benchmarks/soak.py [--cases 100000] [--timers 10000] [--rate 500] [--folder DIR]

First, with `time: events`, another process writes the events of so many cases, five each, into its standard input as
fast as it takes them; each case keeps one timer open. What the process uses is looked at every second: events and CPU
of every ten seconds, resident memory, the size of the database. Beside it a bare store appends the same lines. Then,
with `time: wall`, so many timers fall due within a minute, while so many events a second come in: how late each
action stands in the file of a sink. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "engine"), str(ROOT / "cli")]

from bench_service import GROUP, POLICY, STORY, lines
from figures import Row, machine, row, show

from duly import instants
from duly.hosts.store import open_store
from duly.instants import MINUTE, SECOND

WINDOW = 10.0
"""Seconds of which a figure is taken."""
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
HEAD_START = 40
"""Seconds in which the cases whose timers fall due are brought in, before the first of them does."""


@dataclass(frozen=True, slots=True)
class Look:
    """A process at a moment: seconds since it was begun to be looked at, events done, CPU seconds, MB in memory and
    on disk.
    """

    at: float
    events: int
    cpu: float
    memory: float
    disk: float


class Run:
    """A `duly run` in a folder, fed through its standard input by this file in a process of its own."""

    def __init__(self, folder: Path, time: str, policy: str, *feed: str) -> None:
        self.folder = folder
        self._configure(time, policy)
        self.feeder = subprocess.Popen(
            [sys.executable, str(HERE / "soak.py"), *feed], stdout=subprocess.PIPE, env=_environment(folder)
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "duly_cli.main", "run"], cwd=folder, stdin=self.feeder.stdout,
            stderr=(folder / "log").open("wb"), env=_environment(folder),
        )  # fmt: skip
        assert self.feeder.stdout is not None
        self.feeder.stdout.close()
        self.begun = steady()

    def _configure(self, time: str, policy: str) -> None:
        (self.folder / "policy").mkdir()
        (self.folder / "policy/duly.yaml").write_text(policy, encoding="utf-8")
        spec: dict[str, Any] = {
            "policy": "policy", "store": {"url": "sqlite:duly.db"}, "time": time,
            "sources": {"pipe": {"type": "stdin"}}, "log": {"level": "warning"},
            "sinks": {"out": {"type": "jsonl", "settings": {"path": "actions.jsonl"}}},
        }  # fmt: skip
        config = {"apiVersion": "duly/v1", "kind": "Config", "spec": spec}
        (self.folder / "duly.config.yaml").write_text(json.dumps(config), encoding="utf-8")

    def look(self) -> Look | None:
        """How it is now; None where it has ended, or has no store yet."""
        database = self.folder / "duly.db"
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
            disk = sum(each.stat().st_size for each in self.folder.glob("duly.db*"))
            connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
            try:
                ((events,),) = connection.execute(
                    "SELECT value - (SELECT count(*) FROM pending) FROM facts WHERE name = 'lines'"
                )
            finally:
                connection.close()
        except (OSError, sqlite3.Error):
            return None
        if self.process.poll() is not None:
            return None
        cpu = (int(stat[11]) + int(stat[12])) / TICKS
        return Look(
            steady() - self.begun,
            events,
            cpu,
            pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
            disk / 1e6,
        )

    def end(self) -> None:
        """Raise where it has not ended as it should."""
        self.feeder.wait()
        if self.process.wait() or self.feeder.returncode:
            raise RuntimeError(
                f"it ended with {self.process.returncode}: {(self.folder / 'log').read_text()[-2000:]}"
            )


def steady() -> float:
    """Seconds of the steady clock."""
    return time.monotonic()


def wall() -> float:
    """Seconds since 1970, by the machine's clock: events and actions are measured against it."""
    return time.time()  # noqa: TID251


def _environment(folder: Path) -> dict[str, str]:
    paths = [str(ROOT / "engine"), str(ROOT / "cli"), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "DULY_CACHE": str(folder / "cache"),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


# The first part: as much as it takes


def ingest(cases: int, folder: Path) -> list[Row]:
    """All events of so many cases, as fast as they are taken."""
    count = cases * len(STORY)
    run = Run(folder, "events", POLICY, "--feed", str(cases))
    looks: list[Look] = []
    while run.process.poll() is None:
        look = run.look()
        if look is not None:
            looks.append(look)
            if len(looks) % 10 == 0:
                _say(look, count)
        time.sleep(1)
    run.end()
    working = [look for look in looks if 0 < look.events < count]
    if len(working) < 4:
        raise RuntimeError(f"{cases} cases are too few to look at: they were taken in {len(looks)} s")
    windows = list(_windows(working))
    rates = [(after.events - before.events) / (after.at - before.at) for before, after in windows]
    cpu = [(after.cpu - before.cpu) / (after.events - before.events) * 1e6 for before, after in windows]
    middle = [look.memory for look in working[len(working) // 3 : 2 * len(working) // 3]]
    last = [look.memory for look in working[2 * len(working) // 3 :]]
    what = f"{count:,} events of {cases:,} cases through `duly run`"
    beside = _bare(cases, folder)
    first, final = working[0], working[-1]
    rate = (final.events - first.events) / (final.at - first.at)
    return [
        row(f"{what}, on the clock", "events/s", rates, at_least=10_000),
        row(f"{what}, CPU of an event", "µs", cpu, peer="a store that only appends them", beside=beside,
            costs=True, at_most=100),
        row(f"{what}, all of them", "events/s", [rate]),
        row("resident memory, in the second third", "MB", middle),
        row("resident memory, in the last third", "MB", last, peer="the second third", beside=middle,
            costs_at_most=1.1),
        row("size of the database, of an event", "KB", [final.disk / final.events * 1e3]),
    ]  # fmt: skip


def _windows(looks: Sequence[Look]) -> Iterator[tuple[Look, Look]]:
    length = min(WINDOW, (looks[-1].at - looks[0].at) / 3)
    before = looks[0]
    for look in looks[1:]:
        if look.at - before.at >= length and look.events > before.events:
            yield before, look
            before = look


def _say(look: Look, count: int) -> None:
    text = f"{look.at:6.0f} s  {look.events:10,} of {count:,}  CPU {look.cpu:7.1f} s  {look.memory:6.0f} MB  disk {look.disk:7.0f} MB"
    print(text, file=sys.stderr, flush=True)


def _bare(cases: int, folder: Path) -> list[float]:
    """CPU of an event, in µs, in a store that only appends: ten times, at most 10,000 events each."""
    store, found = open_store(f"sqlite:{folder}/bare.db"), []
    coming = lines(min(cases, 20_000))
    while batch := list(islice(coming, 10_000)):
        begun = time.process_time()
        for first in range(0, len(batch), GROUP):
            store.append(batch[first : first + GROUP])
        found.append((time.process_time() - begun) / len(batch) * 1e6)
    store.close()
    return found


# The second part: on time


def punctual(timers: int, rate: int, folder: Path) -> list[Row]:
    """So many timers due within a minute, while so many events come in a second: how late their actions are out."""
    policy = POLICY.replace("calendar: office", "calendar: always").replace("within: 80h", "within: 10m")
    begins = wall() + HEAD_START
    run = Run(
        folder,
        "wall",
        policy,
        "--feed",
        "0",
        "--timers",
        str(timers),
        "--rate",
        str(rate),
        "--begins",
        f"{begins}",
    )
    late = _lateness(run)
    run.end()
    if len(late) != timers:
        raise RuntimeError(f"{len(late)} of {timers} timers have rung")
    late.sort()
    what = f"{timers:,} timers due within a minute, beside {rate:,} events a second"
    return [
        row(f"{what}: late by", "ms", late),
        row(f"{what}: 99 of 100 late by at most", "ms", [late[int(len(late) * 0.99) - 1]], at_most=1_000),
        row(f"{what}: the latest", "ms", late[-1:]),
    ]


def _lateness(run: Run) -> list[float]:
    """How late each breach stood in the file of the sink, in ms."""
    file, rest, late = run.folder / "actions.jsonl", b"", []
    while not file.exists() and run.process.poll() is None:
        time.sleep(0.05)
    with file.open("rb") as stream:
        while True:
            ended = run.process.poll() is not None
            *complete, rest = (rest + stream.read()).split(b"\n")
            now = wall()
            for action in map(json.loads, complete):
                if action["type"] == "clock.breached":
                    late.append(now * 1e3 - instants.parse(action["at"]) / 1e3)
            if ended:
                return late
            time.sleep(0.002)


# What feeds it


def feed(options: argparse.Namespace) -> None:
    """Write events to standard output."""
    out = sys.stdout.buffer
    if options.feed:
        coming = lines(options.feed)
        while batch := b"".join(line.body + b"\n" for line in islice(coming, GROUP)):
            out.write(batch)
        return
    for batch in _paced(options.timers, options.rate, options.begins):
        out.write(batch)
        out.flush()


def _paced(timers: int, rate: int, begins: float) -> Iterator[bytes]:
    """First the cases whose timers fall due within the minute from `begins` on; then others, at an even pace."""
    for number in range(timers):
        due = round((begins + number * 60 / timers) * SECOND)
        yield _opened(f"T-{number}", due - 10 * MINUTE, "normal")
    number, start = 0, wall()
    while (now := wall()) < begins + 62:
        while number < (now - start) * rate:
            yield _opened(f"C-{number}", round(now * SECOND), "vip")
            number += 1
        time.sleep(0.01)


def _opened(name: str, at: int, tier: str) -> bytes:
    told = {
        "id": f"e-{name}", "type": "case.opened", "case": name, "customer": f"K-{name}", "at": instants.render(at),
        "data": {"tier": tier, "category": "outage"},
    }  # fmt: skip
    return json.dumps(told).encode() + b"\n"


def rows(cases: int, timers: int, rate: int, folder: Path) -> list[Row]:
    """Both parts, one after the other."""
    found: list[Row] = []
    if cases:
        (folder / "ingest").mkdir()
        found += ingest(cases, folder / "ingest")
    if timers:
        (folder / "punctual").mkdir()
        found += punctual(timers, rate, folder / "punctual")
    return found


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=100_000, help="cases of five events; 0 for none")
    parser.add_argument("--timers", type=int, default=10_000, help="timers due within a minute; 0 for none")
    parser.add_argument("--rate", type=int, default=500, help="events a second beside them")
    parser.add_argument(
        "--folder", type=Path, help="where the databases are made; else in a temporary folder"
    )
    for name, sort in (("--feed", int), ("--begins", float)):
        parser.add_argument(name, type=sort, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.feed is not None:
        feed(options)
        return 0
    if not Path("/proc/self/statm").exists():
        print("this reads /proc: Linux only", file=sys.stderr)
        return 2
    with TemporaryDirectory(dir=options.folder) as folder:
        made = rows(options.cases, options.timers, options.rate, Path(folder))
    print("\n".join(f"- {fact}" for fact in machine()), end="\n\n")
    return show(made)


if __name__ == "__main__":
    sys.exit(main())
