"""Benchmark of the timeline: events replayed in virtual time, and what open timers cost.

    python benchmarks/bench_timeline.py [--cases 2000] [--open 250000]

Events of cases with four clocks, a ladder, classification and routes go through `replaying.replayed`, for sets of 200
and of 2,000 entries; beside it a loop that only sorts the same events and files them by case, and a general simulator
(simpy) that only waits for the same instants and for one due a clock, without any rule. Open timers are held by as
many cases as are asked for; what each takes is measured, and a million of them reckoned from that.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "engine")]

from figures import Row, resident, rounds, row, show, skipped

from duly import instants
from duly.acting import ActingSet
from duly.cases import Event, order, read_event
from duly.compiler import Source, compile
from duly.replaying import replayed
from duly.timeline import Timeline

SUPPORT = HERE / "policies" / "support"
FIRST = instants.parse("2026-03-02T01:00:00Z")
CATEGORIES, CHANNELS = ("question", "outage", "complaint"), ("phone", "chat", "mail")
ROUNDS = 7
TIMERS = 4
STORY: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (7, "agent.replied", {"automated": True}),
    (21, "agent.replied", {"automated": False}),
    (95, "case.updated", {"status": "waiting"}),
    (400, "customer.replied", {}),
    (401, "case.updated", {"status": "open"}),
    (450, "agent.replied", {"automated": False}),
    (1500, "case.updated", {"amount": 75}),
    (1900, "case.resolved", {}),
    (4300, "case.closed", {}),
)
"""What follows the opening of a case: minutes since, give or take a half, and the event."""


def policy(entries: int) -> ActingSet:
    """The support set with so many entries: half of them routes, the others rules of a table and targets."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(SUPPORT.glob("*.yaml"))}
    more = entries - 13
    routes, rules = more // 2, more // 4
    targets = more - routes - rules
    texts["routing.yaml"] = _before(texts["routing.yaml"], "  otherwise:", [
        f"    - {{id: route-{number}, when: {{{_condition(number)}}}, to: group:vip-desk}}" for number in range(routes)
    ])  # fmt: skip
    texts["classification.yaml"] = _before(texts["classification.yaml"], "      otherwise:", [
        f"        - {{id: kind-{number}, when: {{{_condition(number)}, tier: vip}}, value: urgent}}"
        for number in range(rules)
    ])  # fmt: skip
    texts["service-levels.yaml"] = _before(texts["service-levels.yaml"], "        - {id: vip,", [
        f"        - {{id: goal-{number}, when: {{{_condition(number)}, tier: vip}}, within: {6 + number % 9}h}}"
        for number in range(targets)
    ])  # fmt: skip
    compilation = compile([Source(name, text.encode()) for name, text in texts.items()])
    assert compilation.compiled is not None, compilation.diagnostics
    return ActingSet(json.loads(json.dumps(compilation.compiled)))


def _condition(number: int) -> str:
    low = 40 * number
    return (
        f"channel: {CHANNELS[number % 3]}, category: {CATEGORIES[number // 3 % 3]},"
        f" amount: {{at_least: {low}, below: {low + 100}}}"
    )


def _before(text: str, mark: str, lines: list[str]) -> str:
    head, found, tail = text.partition(mark)
    assert found, mark
    return head + "".join(f"{line}\n" for line in lines) + found + tail


def opened(random: Random, number: int, at: int) -> Event:
    """The opening of a case."""
    event = read_event(
        {"id": f"e-{number}-0", "type": "case.opened", "case": f"C-{number}", "at": instants.render(at)}
    )
    event.customer = f"K-{number // 3}"
    event.changes = {
        "tier": random.choice(("normal", "normal", "normal", "vip")),
        "category": random.choice(CATEGORIES),
        "channel": random.choice(CHANNELS),
        "amount": random.randint(1, 20_000) / 2,
    }
    return event


def story(cases: int) -> list[Event]:
    """Ten events for each of some cases, opened within four weeks."""
    random = Random(11)
    found = []
    for number in range(cases):
        at = FIRST + random.randrange(28 * instants.DAY)
        found.append(opened(random, number, at))
        for place, (minutes, kind, data) in enumerate(STORY, 1):
            moment = at + int(minutes * instants.MINUTE * random.uniform(0.5, 1.5))
            found.append(read_event({"id": f"e-{number}-{place}", "type": kind, "case": f"C-{number}",
                                     "at": instants.render(moment), "data": data}))  # fmt: skip
    random.shuffle(found)
    return found


def rows(cases: int = 2_000, open_cases: int = 250_000) -> list[Row]:
    """Replay, then open timers."""
    return _replay(cases) + _timers(open_cases)


def _replay(cases: int) -> list[Row]:
    events = story(cases)
    until = max(event.at for event in events) + 14 * instants.DAY
    small, large = policy(200), policy(2_000)

    def replay(policy: ActingSet) -> Callable[[], int]:
        def work() -> int:
            timeline, _ = replayed(policy, events, until)
            assert not timeline.refused
            return len(events)

        return work

    works = [replay(small), replay(large), lambda: _file(events)]
    try:
        import simpy

        works.append(lambda: _simulate(simpy, events, until))
    except ImportError:
        pass
    gc.collect()
    gc.freeze()  # as the command line does
    often = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    rates = [[1 / seconds for seconds in spent] for spent in rounds(works, ROUNDS)]
    gc.set_threshold(*often)
    what = "events through the timeline, 4 clocks and a ladder, {} entries"
    made = [
        row(what.format("200"), "events/s", rates[0], peer="sorting and filing them", beside=rates[2], costs=True,
            at_least=25_000),
        row(what.format("2,000"), "events/s", rates[1], peer="200 entries", beside=rates[0], costs_at_most=2),
    ]  # fmt: skip
    beside = "the same instants in simpy, without a rule"
    if len(rates) > 3:
        made.append(row(what.format("200"), "events/s", rates[0], peer=beside, beside=rates[3], costs=True))
    else:
        made.append(skipped(beside, "not installed (simpy)"))
    return made


def _file(events: list[Event]) -> int:
    """What cannot be saved: the events sorted, and each with those of its case."""
    cases: dict[str, list[Event]] = {}
    for event in sorted(events, key=order):
        cases.setdefault(event.case or "", []).append(event)
    return len(events)


def _simulate(simpy: Any, events: list[Event], until: int) -> int:
    """A process for each case that waits for its events, and beside it a timeout for each of four dues."""
    by_case: dict[str, list[Event]] = {}
    for event in sorted(events, key=order):
        by_case.setdefault(event.case or "", []).append(event)
    world = simpy.Environment(FIRST)

    def case(own: list[Event]) -> Any:
        for place, event in enumerate(own):
            yield world.timeout(event.at - world.now)
            if place == 0:
                for hours in range(TIMERS):
                    world.timeout((hours + 1) * instants.HOUR)

    for own in by_case.values():
        world.process(case(own))
    world.run(until)
    return len(events)


def _timers(cases: int) -> list[Row]:
    """Measured in a process of its own, whose memory nothing else has touched."""
    command = [sys.executable, str(Path(__file__).resolve()), "--hold", str(cases)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return [
        row("1,000,000 open timers held", "MB", [found["bytes"] * 1e6 / 2**20], at_most=1_500),
        row(f"the next due of {cases:,} cases, of ten times fewer", "µs", found["next"],
            peer="ten times fewer", beside=found["next_of_few"], costs_at_most=2),
    ]  # fmt: skip


def hold(cases: int) -> dict[str, Any]:
    """Open cases with four timers each: bytes of memory a timer, and µs for the next due of all of them and of a
    tenth: it is taken from the heap, and one a day later put in.
    """
    support = policy(200)
    random = Random(13)
    gc.collect()
    gc.freeze()
    timeline = Timeline(support)
    few: list[float] = []
    before, timers = resident(), 0
    for number in range(cases):
        at = FIRST + number
        event = opened(random, number, at)
        asked = Event(f"q-{number}", "customer.replied", at)
        asked.case = event.case
        timeline.take(at, [event, asked])
        if number == cases // 10:
            few = _next(timeline)
    found = resident() - before
    for state in timeline.cases.values():
        timers += sum(run.due is not None for run in state.runs.values())
    return {"bytes": found / timers, "next": _next(timeline), "next_of_few": few, "timers": timers}


def _next(timeline: Timeline) -> list[float]:
    spent = []
    alarms = deepcopy(timeline._alarms)
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(20_000):
            at, key = alarms.take()
            alarms.set(at + instants.DAY, key)
        spent.append((time.process_time() - started) / 20_000 * 1e6)
    return spent


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000, help="cases of ten events to replay")
    parser.add_argument("--open", type=int, default=250_000, help="cases of four timers to hold open")
    parser.add_argument("--hold", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hold:
        print(json.dumps(hold(options.hold)))
        return 0
    return show(rows(options.cases, options.open))


if __name__ == "__main__":
    sys.exit(main())
