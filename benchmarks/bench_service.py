"""Benchmark of the service: events through its store and its shard, with their states, timers and actions.

    python benchmarks/bench_service.py [--cases 20000]

Cases of five events each, in the order of time, a thousand in a transaction: each thousand is accepted into the journal
of a SQLite store on disk, then taken by the shard. The policy has one clock with a ladder, and every case keeps one timer
open. Beside it the same events go through a timeline that keeps nothing.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "engine")]

from figures import Row, resident, row, show

from duly import instants
from duly.acting import ActingSet
from duly.cases import read_event
from duly.compiler import Source, compile
from duly.hosts.shard import Shard
from duly.hosts.store import open_store
from duly.hosts.store.contract import Store
from duly.hosts.store.records import Line
from duly.timeline import Timeline

FIRST = instants.parse("2026-03-02T01:00:00Z")
GROUP = 1_000
"""Events in a transaction."""
CACHE = 6_000
"""Entities kept between transactions: fewer than there are, so that some have to be fetched again."""
POLICY = """
apiVersion: duly/v1
kind: PolicySet
metadata: {name: soak, version: 1.0.0}
spec: {timezone: Asia/Shanghai, adoption: {open_cases: keep}}
---
apiVersion: duly/v1
kind: Vocabulary
metadata: {name: words}
spec:
  fields:
    tier: {type: enum, values: [normal, vip], default: normal}
    category: {type: enum, values: [question, outage, complaint]}
    status: {type: enum, values: [open, waiting, working]}
---
apiVersion: duly/v1
kind: Calendar
metadata: {name: hours}
spec:
  calendars:
    office:
      hours: {mon-fri: [["09:00", "12:00"], ["13:00", "18:00"]]}
---
apiVersion: duly/v1
kind: Roster
metadata: {name: people}
spec:
  people: {lin: {name: Lin}}
  roles: {supervisor: {members: [person:lin], shift: always}}
---
apiVersion: duly/v1
kind: ServiceLevel
metadata: {name: support}
spec:
  calendar: office
  clocks:
    - id: resolution
      owner: assignee
      start: case.opened
      stop: case.resolved
      reopen: resume
      targets:
        - {id: vip, when: {tier: vip}, within: 40h}
        - {id: others, within: 80h}
      ladder: late
---
apiVersion: duly/v1
kind: Escalation
metadata: {name: support}
spec:
  ladders:
    - id: late
      steps:
        - {id: remind, at: 80%, do: [{notify: role:supervisor}]}
        - {id: manager, at: due, do: [{notify: role:supervisor}]}
      on_empty: next
      on_exhausted: [{notify: role:supervisor}]
      catch_up: latest
"""
STORY: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (0, "case.opened", {"tier": "vip", "category": "outage", "subject": "the line is down"}),
    (0.2, "agent.replied", {"automated": True}),
    (0.4, "customer.replied", {"words": 12}),
    (0.6, "case.updated", {"status": "working"}),
    (0.8, "agent.replied", {"automated": False}),
)
"""The five events of a case: the share of the way that the case then has behind it, the type, the data."""


def policy() -> ActingSet:
    """One clock with a ladder, ready to act."""
    compilation = compile([Source("duly.yaml", POLICY.encode())])
    assert compilation.compiled is not None, compilation.diagnostics
    return ActingSet(json.loads(json.dumps(compilation.compiled)))


def lines(cases: int, open_at_once: int = 5_000) -> Iterator[Line]:
    """The events of so many cases in order of time; about so many of them are on their way at any time."""
    for step, (_, number, place) in enumerate(_in_order(cases, open_at_once)):
        at, (_, kind, data) = FIRST + step * 1_000, STORY[place]
        told = {
            "id": f"e-{number}-{place}", "type": kind, "case": f"C-{number}", "customer": f"K-{number // 3}",
            "at": instants.render(at), "actor": {"kind": "agent"}, "data": data,
        }  # fmt: skip
        body = json.dumps(told, separators=(",", ":")).encode()
        yield Line(
            f"e-{number}-{place}",
            at,
            f"customer:K-{number // 3}",
            body,
            f"C-{number}",
            f"K-{number // 3}",
            "bench",
            at,
        )


def _in_order(cases: int, open_at_once: int) -> Iterator[tuple[float, int, int]]:
    """When an event is, of which case, and the place in its story; only what is on its way is kept."""
    random, coming = Random(11), list[tuple[float, int, int]]()
    for number in range(cases):
        while coming and coming[0][0] < number:
            yield heappop(coming)
        length = open_at_once * random.uniform(0.5, 1.5)
        for place, (share, _, _) in enumerate(STORY):
            heappush(coming, (number + share * length, number, place))
    while coming:
        yield heappop(coming)


def rows(cases: int = 20_000) -> list[Row]:
    """The shard with its store, and the timeline alone."""
    rules = policy()
    found = through(cases, rules)
    made = [
        row("events through shard and SQLite, one clock and a ladder", "events/s", found["rates"],
            peer="the timeline alone", beside=_alone(cases, rules), costs=True, at_least=10_000),
    ]  # fmt: skip
    made += [row(f"of each event: {name}", "µs", found[name]) for name in ("accepting", "working")]
    made.append(row("memory grown from the middle to the end", "MB", found["grown"]))
    return made


def through(cases: int, rules: ActingSet) -> dict[str, list[float]]:
    """What the shard and its store take, by the processor's clock: `rates` in events a second of each tenth; µs of an
    event for `accepting` and `working`; MB by which memory has `grown`.
    """
    count = cases * len(STORY)
    found: dict[str, list[float]] = {"rates": [], "accepting": [], "working": [], "grown": []}
    accepting = working = 0.0
    coming = lines(cases)
    with TemporaryDirectory() as folder:
        store = open_store(f"sqlite:{folder}/duly.db")
        store.adopt(rules.identity["revision"], 0, b"{}")
        shard = Shard(lambda _: rules, cache_size=CACHE)
        middle, done, taken = 0.0, 0, 0
        while group := list(islice(coming, GROUP)):
            begun = time.process_time()
            store.append(group)
            accepted = time.process_time()
            _work(store, shard, group[-1].at)
            accepting += accepted - begun
            working += time.process_time() - accepted
            done, taken = done + len(group), taken + len(group)
            if done >= count // 10:
                found["rates"].append(done / (accepting + working))
                found["accepting"].append(accepting / done * 1e6)
                found["working"].append(working / done * 1e6)
                accepting, working, done = 0.0, 0.0, 0
            if taken <= count / 2:
                middle = resident()
        found["grown"].append((resident() - middle) / 2**20)
        store.close()
    return found


def _work(store: Store, shard: Shard, now: int) -> None:
    more = True
    while more:
        with store.work(0) as work:
            assert work is not None
            more = shard.step(work, now).more


def _alone(cases: int, rules: ActingSet) -> list[float]:
    """The same events through a timeline in memory."""
    events = [read_event(json.loads(line.body)) for line in lines(cases)]
    timeline = Timeline(rules)
    started = time.process_time()
    for event in events:
        timeline.take(event.at, [event])
    return [len(events) / (time.process_time() - started)]


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="cases of five events")
    options = parser.parse_args()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    return show(rows(options.cases))


if __name__ == "__main__":
    sys.exit(main())
