"""Laws of sharing: on several shards, whoever works on them, a service does what a timeline does with its events."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from duly.cases import Event, presence, read_event
from duly.hosts.contract import Unavailable
from duly.hosts.sharing import wants_one_shard
from duly.hosts.store import open_store
from duly.instants import DAY, HOUR, MINUTE, render
from duly.replaying import replayed
from duly.timeline import Timeline
from duly.versions import revision

if TYPE_CHECKING:
    import test_service_laws as laws
    import test_timeline_laws as time_laws
else:
    sys.path.insert(0, str(Path(__file__).parent))
    laws, time_laws = import_module("test_service_laws"), import_module("test_timeline_laws")

RUNS, CHUNKS = laws.RUNS // 2, 2
SHARDS = 4
START, END = time_laws.START, laws.END
folder = laws.folder


def story(seed: int) -> list[Event]:
    """Cases of four customers and of nobody, customers of whom more becomes known, and people who come and go."""
    draw, events = random.Random(f"sharing {seed}"), laws.busy_story(seed)
    events = [event for event in events if event.person is None]
    for event in laws.story(seed + 10_000):
        event.id, event.case = f"o-{event.id}", f"D-{event.case}"
        event.customer = {"K-0": "K-2", "K-1": None}.get(str(event.customer), "K-3")
        events.append(event)
    for number in draw.sample(range(4 * 24 * 12), draw.randint(1, 8)):
        kind, person = draw.choice(["person.on_duty", "person.off_duty"]), draw.choice(["lin", "wu"])
        told = {
            "id": f"q-{number}",
            "type": kind,
            "person": person,
            "at": render(START + number * 5 * MINUTE),
        }
        events.append(read_event(told))
    return events


@contextmanager
def shared(folder: Path, draw: random.Random, policies: Sequence[Any] = ()) -> Iterator[Any]:
    """A new service on several shards."""
    service = laws.opened(folder, policies or [time_laws.policy()], draw)
    store: Any = service.store
    store._writer.executemany("INSERT INTO shards (shard) VALUES (?)", [(n,) for n in range(1, SHARDS)])
    store.shards = SHARDS
    with closing(store):
        yield service


def hold(service: Any, timeline: Timeline, actions: Sequence[Any], seed: int) -> None:
    """What stands, what is kept and who is there is as the timeline has it."""
    assert service.standing() == sorted({action.id("base") for action in actions}), seed
    expected, stored = service.entities(timeline)
    for entities in (expected, stored):
        entities.pop("set", None)  # it hears only of what is in its own shard, and does nothing about that
    assert stored == expected, seed
    for shard in range(service.store.shards):
        with service.store.work(shard) as work:
            note = orjson.loads(work.noted("world") or b"{}")
        assert note.get("present", {}) == timeline.present, seed


def nudges(events: Sequence[Event]) -> list[Event]:
    """Something that nobody hears of, late for every case, so that each of them is worked out anew."""
    about = {event.case: event.at for event in events if event.type == "case.opened"}
    return [
        read_event({"id": f"n-{case}", "type": "no.such.event", "at": render(at), "case": case})
        for case, at in about.items()
    ]


def test_the_policy_has_a_roster_and_may_be_shared() -> None:
    """The laws below are about a policy with people, roles, groups and ladders that look for who is on duty."""
    assert time_laws.policy().compiled["roster"]["people"]
    assert not wants_one_shard(time_laws.policy())


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_several_shards_are_the_timeline(chunk: int, folder: Path) -> None:
    """In order, some transactions thrown away: the same actions, each once, the same state, the same people there."""
    for seed in range(chunk, RUNS, CHUNKS):
        draw, events = random.Random(f"in order {seed}"), story(seed)
        timeline, actions = replayed(time_laws.policy(), events, END)
        with shared(folder, draw) as service:
            laws.in_order(service, events, draw)
            assert sorted(service.actions()) == sorted(action.id("base") for action in actions), seed
            hold(service, timeline, actions, seed)


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("late", [False, True])
def test_order_of_arrival(chunk: int, late: bool, folder: Path) -> None:
    """In any order of arrival the same actions stand. Who is on duty is looked at anew only with a case: where that
    was told `late`, a group is right once it is worked out again.
    """
    for seed in range(chunk, RUNS, CHUNKS):
        draw, events = random.Random(f"any order {seed} {late}"), story(seed)
        timeline, actions = replayed(time_laws.policy(), events, END)
        with shared(folder, draw) as service:
            arriving = draw.sample(events, len(events))
            if not late:
                arriving.sort(key=lambda event: not presence(event))
            now = 0
            for event in arriving:
                service.accept([event])
                now = now if not late and presence(event) else max(now, event.at, draw.choice([0, now + DAY]))
                if draw.random() < 0.7:
                    service.work(min(now, END))
            service.work(END)
            if late:
                service.accept(nudges(events))
                service.work(END)
            hold(service, timeline, actions, seed)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_adoptions(chunk: int, folder: Path) -> None:
    """Every shard adopts a revision, and one of them says so."""
    for seed in range(chunk, RUNS, CHUNKS):
        draw, events = random.Random(f"shared adoption {seed}"), story(seed)
        second = laws.following(f"open_cases: {draw.choice(['keep', 'next_event', 'now'])}")
        at = START + draw.randint(1, 5 * 24) * HOUR
        timeline, actions = replayed(time_laws.policy(), events, END, [(at, second)])
        with shared(folder, draw, [time_laws.policy(), second]) as service:
            service.store.adopt(revision(second), at, b"{}")
            laws.in_order(service, events, draw)
            assert sorted(service.actions()) == sorted(action.id("base") for action in actions), seed
            hold(service, timeline, actions, seed)


def test_workers_share_the_shards(postgres_url: str) -> None:
    """Two workers that accept and work at once, on whatever shard is free: nothing is lost, nothing done twice."""
    for seed in range(max(1, RUNS // 25)):
        events = story(seed)
        timeline, actions = replayed(time_laws.policy(), events, END)
        url = f"{postgres_url}_{seed}"
        policies = [time_laws.policy()]
        with closing(open_store(url, shards=SHARDS)) as one, closing(open_store(url)) as two:
            one.adopt(revision(policies[0]), 0, b"{}")
            draws = [random.Random(f"worker {seed} {number}") for number in range(2)]
            workers = [
                laws.Service(store, policies, draw, 1_000)
                for store, draw in zip((one, two), draws, strict=True)
            ]
            parts = [events[number::2] for number in range(2)]
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(_both(nudge=False), workers, parts))
                list(pool.map(_both(nudge=True), workers, parts))
            hold(workers[0], timeline, actions, seed)


def _both(*, nudge: bool) -> Callable[[Any, list[Event]], None]:
    """What each of two workers does: accept its events, work, until nothing is left to do for either."""

    def run(worker: Any, events: list[Event]) -> None:
        for event in nudges(events) if nudge else worker.draw.sample(events, len(events)):
            worker.accept([event])
            for shard in worker.store.waiting(END):
                step(worker, shard)
        while shards := worker.store.waiting(END):
            for shard in shards:
                step(worker, shard)

    def step(worker: Any, shard: int) -> None:
        with suppress(Unavailable):  # the other one was in the way: it is done again, as the engine does
            worker.step(shard, END, 30)

    return run
