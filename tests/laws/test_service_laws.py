"""Laws of the service: whatever is stored, thrown away or late, it does what a timeline does with the same events."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from duly.acting import ActingSet
from duly.cases import Event, order, presence, read_event
from duly.compiler import Source, compile
from duly.hosts.shard import Shard
from duly.hosts.store import open_store
from duly.hosts.store.contract import Store, Work
from duly.hosts.store.records import Line
from duly.instants import DAY, HOUR, MINUTE, render
from duly.machines.keeping import kept
from duly.machines.packed import Packing
from duly.reconciliation import CANCELLED
from duly.replaying import replayed
from duly.timeline import Timeline
from duly.versions import revision, shelf

if TYPE_CHECKING:
    import test_timeline_laws as time_laws
else:
    sys.path.insert(0, str(Path(__file__).parent))
    time_laws = import_module("test_timeline_laws")

RUNS = int(os.environ.get("DULY_SERVICE_LAWS", "100"))
CHUNKS = 4
END = time_laws.START + 6 * DAY
_ENVELOPE = ("id", "type", "case", "customer", "person", "data")


class Thrown(Exception):
    """The power fails in the middle of a transaction."""


def line(event: Event) -> Line:
    """The line that a source makes of an event."""
    data = dict(event.payload) if event.type not in ("case.opened", "case.updated") else dict(event.changes)
    told = {
        "id": event.id, "type": event.type, "at": render(event.at), "case": event.case,
        "customer": event.customer, "person": event.person, "data": data,
    }  # fmt: skip
    group = "set"
    if event.customer is not None:
        group = f"customer:{event.customer}"
    elif event.case is not None:
        group = f"case:{event.case}"
    body = json.dumps({name: value for name, value in told.items() if value is not None}).encode()
    found = Line(event.id, event.at, group, body, event.case, event.customer, "test")
    found.everywhere = presence(event)
    return found


@dataclass
class Service:
    """A store, and a shard that works on it, some of whose transactions are thrown away."""

    store: Store
    policies: Sequence[ActingSet]
    draw: random.Random
    cache: int
    crashes: bool = True

    def __post_init__(self) -> None:
        self.shard = self._shard()
        self._coming: list[Event] = []

    def _shard(self) -> Shard:
        return Shard({revision(each): each for each in self.policies}.__getitem__, self.cache)

    def accept(self, events: Sequence[Event]) -> None:
        """Events come in: at once, or in the transaction of the work that comes next."""
        self.store.append([line(event) for event in self._coming])
        self._coming = list(events) if self.store.shards == 1 and self.draw.random() < 0.5 else []
        if not self._coming:
            self.store.append([line(event) for event in events])

    def work(self, now: int, outage: tuple[int, int] | None = None) -> None:
        """Do everything that is due by now, in steps."""
        limit = self.draw.choice([1, 4, 30, 1000])
        shards = self.store.waiting(now) if self.store.shards > 1 else [0]
        for number in range(100_000):
            more = [shard for shard in shards if self.step(shard, now, limit, outage)]
            shards = sorted({*more, *self.store.waiting(now)})
            if not shards:
                return
            self.draw.shuffle(shards)
            assert number < 99_999

    def step(self, shard: int, now: int, limit: int, outage: tuple[int, int] | None = None) -> bool:
        """Do a step on a shard, if nobody else does; whether there is more to do."""
        if self.crashes and self.draw.random() < 0.2:
            try:
                with self.store.work(shard) as work:
                    if work is not None:
                        self._accept(work)
                        self.shard.step(work, now, outage=outage, limit=limit)
                    raise Thrown
            except Thrown:
                if self.draw.random() < 0.5:
                    self.shard = self._shard()
        with self.store.work(shard) as work:
            if work is None:
                return False
            self._accept(work)
            self._coming = []
            return self.shard.step(work, now, outage=outage, limit=limit).more

    def _accept(self, work: Work) -> None:
        if self._coming:
            work.accept([line(event) for event in self._coming], (), {})

    def actions(self) -> list[str]:
        """The ids of all actions given out, in order."""
        return [out.id for out in self._outs()]

    def standing(self, *, again: bool = False) -> list[str]:
        """Those that were not cancelled; none of them is given out `again`."""
        found: dict[str, None] = {}
        for out in self._outs():
            if out.type == CANCELLED:
                del found[json.loads(out.body)["data"]["cancels"]]
            else:
                assert again or out.id not in found, out
                found[out.id] = None
        return sorted(found)

    def _outs(self) -> list[Any]:
        return self.store.outbox(limit=1_000_000)

    def entities(self, timeline: Timeline) -> tuple[dict[str, Any], dict[str, Any]]:
        """The entities of a timeline, and those that are stored, both as they are kept."""
        versions = timeline.versions
        packing = Packing({name: shelf(versions[name]) for name in versions.names()})
        marks = versions.marks()
        stored: dict[str, Any] = {}
        for shard in range(self.store.shards):
            with self.store.work(shard) as work:
                assert work is not None
                rows = work.load(list(work.keys()))
            for key, row in rows.items():
                entity = packing.unpacked(row.body)
                stored[key] = _same(kept(entity, marks))
                assert (row.alarm, row.last) == (entity.alarm, entity.at)
        return {key: _same(kept(entity, marks)) for key, entity in timeline.entities.items()}, stored


def _same(entity: Any) -> Any:
    """An entity whose sets are of one kind: both kinds mean the same to whoever looks at them."""
    return json.loads(json.dumps(entity).replace('"$frozenset"', '"$set"'))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the stores lie: in memory, where the system has a place for that."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as found:
        yield Path(found)


def opened(
    folder: Path, policies: Sequence[ActingSet], draw: random.Random, *, crashes: bool = True
) -> Service:
    """A new service of the first of some policies."""
    path = folder / f"{random.getrandbits(64)}.db"
    store = open_store(f"sqlite:{path}")
    store._writer.execute("PRAGMA synchronous = OFF")  # type: ignore[attr-defined] # nothing fails but what we throw away
    store.adopt(revision(policies[0]), 0, b"{}")
    return Service(store, policies, draw, draw.choice([0, 1, 3, 10_000]), crashes)


def batches(events: Sequence[Event], draw: random.Random) -> Iterator[list[Event]]:
    """Events in order of time, some at once, those of one instant never apart."""
    found: list[Event] = []
    for event in sorted(events, key=order):
        if found and event.at != found[-1].at and draw.random() < 0.6:
            yield found
            found = []
        found.append(event)
    if found:
        yield found


@cache
def busy() -> ActingSet:
    """A policy whose cases meet at the desk and in the set."""
    folder = time_laws.CASES
    text = "---\n".join(
        (folder / part).read_text(encoding="utf-8")
        for part in ("decisions/base.yaml", "timelines/everything.yaml")
    )
    for change in yaml.safe_load((folder / "timelines" / "meeting.yaml").read_text(encoding="utf-8")):
        assert change["old"] in text, change
        text = text.replace(change["old"], change["new"])
    compilation = compile([Source("duly.yaml", text.encode())])
    assert [each.message for each in compilation.diagnostics if each.severity == "error"] == []
    return ActingSet(json.loads(json.dumps(compilation.compiled)))


def story(seed: int) -> list[Event]:
    """What of a story happens until the end."""
    return [event for event in time_laws.story(seed) if event.at <= END]


def busy_story(seed: int) -> list[Event]:
    """A story with people who come and go, and customers of whom more becomes known."""
    draw, events = random.Random(f"busy {seed}"), story(seed)
    told: list[dict[str, Any]] = [
        {"type": draw.choice(["person.on_duty", "person.off_duty"]), "person": draw.choice(["lin", "wu"])}
        for _ in range(draw.randint(0, 4))
    ]
    told += [
        {
            "type": "customer.updated",
            "customer": f"K-{draw.randint(0, 1)}",
            "data": {"region": draw.choice(["east", "west"])},
        }
        for _ in range(draw.randint(0, 3))
    ]  # fmt: skip
    for number, each in enumerate(told):
        at = time_laws.START + draw.randint(0, 4 * 24 * 12) * 5 * MINUTE
        events.append(read_event({"id": f"p-{number}", "at": render(at), **each}))
    return events


def in_order(service: Service, events: Sequence[Event], draw: random.Random) -> None:
    """Let a service have events in the order of time, and work now and then."""
    for batch in batches(events, draw):
        service.accept(batch)
        if draw.random() < 0.7:
            service.work(batch[-1].at)
    service.work(END)


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("meeting", [False, True])
def test_the_service_is_the_timeline(chunk: int, meeting: bool, folder: Path) -> None:
    """In order, however cut into batches and transactions, some thrown away: the same actions, the same state."""
    for seed in range(chunk, RUNS, CHUNKS):
        draw, policy = random.Random(f"order {seed}"), busy() if meeting else time_laws.policy()
        events = busy_story(seed) if meeting else story(seed)
        timeline, actions = replayed(policy, events, END)
        service = opened(folder, [policy], draw)
        in_order(service, events, draw)
        assert sorted(service.actions()) == sorted(action.id("base") for action in actions), seed
        expected, stored = service.entities(timeline)
        assert stored == expected, seed
        service.store.close()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_late_news_of_nothing(chunk: int, folder: Path) -> None:
    """A late event that nobody hears of changes nothing, also where the desk and the set have had their say."""
    for seed in range(chunk, RUNS, CHUNKS):
        draw, events = random.Random(f"nothing {seed}"), busy_story(seed)
        service = opened(folder, [busy()], draw)
        in_order(service, events, draw)
        before, timeline = service.actions(), replayed(busy(), events, END)[0]
        late = [
            read_event(
                {"id": f"n-{number}", "type": "no.such.event", "at": render(case.at), "case": case.case}
            )
            for number, case in enumerate(event for event in events if event.case is not None)
        ]
        service.accept(late)
        service.work(END)
        assert service.actions() == before, seed
        expected, stored = service.entities(timeline)
        assert stored == expected, seed
        service.store.close()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_order_of_arrival(chunk: int, folder: Path) -> None:
    """In whatever order events come to a set without a desk, the same actions stand in the end, the same state."""
    for seed in range(chunk, RUNS, CHUNKS):
        draw, events = random.Random(f"arrival {seed}"), story(seed)
        timeline, actions = replayed(time_laws.policy(), events, END)
        service = opened(folder, [time_laws.policy()], draw)
        now = 0
        for event in draw.sample(events, len(events)):
            service.accept([event])
            now = max(now, event.at, draw.choice([0, now + DAY]))
            if draw.random() < 0.7:
                service.work(min(now, END))
        service.work(END)
        assert service.standing() == sorted({action.id("base") for action in actions}), seed
        expected, stored = service.entities(timeline)
        for entities in (expected, stored):
            entities.pop("set", None)  # it is only fed forward
        assert stored == expected, seed
        service.store.close()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_cases_of_nobody(chunk: int, folder: Path) -> None:
    """A case that turns out to be a customer's after all is worked out as if that had been known."""
    for seed in range(chunk, RUNS, CHUNKS):
        draw, events = random.Random(f"nobody {seed}"), story(seed)
        for event in events:
            if draw.random() < 0.7:
                event.customer = None
        timeline, actions = replayed(time_laws.policy(), events, END)
        service = opened(folder, [time_laws.policy()], draw)
        late = draw.random() < 0.5
        for batch in [draw.sample(events, len(events))] if late else batches(events, draw):
            for part in [[event] for event in batch] if late else [batch]:
                service.accept(part)
                service.work(max(event.at for event in part))
        service.work(END)
        assert service.standing() == sorted({action.id("base") for action in actions}), seed
        expected, stored = service.entities(timeline)
        for entities in (expected, stored):
            entities.pop("set", None)
        assert stored == expected, seed
        service.store.close()


@cache
def following(adoption: str, name: str = "versions/second.yaml") -> ActingSet:
    """A revision that follows the policy with something of everything."""
    base = (time_laws.CASES / "decisions" / "base.yaml").read_text(encoding="utf-8")
    base = base.replace("adoption: {open_cases: keep}", f"adoption: {{{adoption}}}")
    rest = (time_laws.CASES / name).read_bytes()
    compilation = compile([Source("duly.yaml", base.encode()), Source("all.yaml", rest)])
    assert [each.message for each in compilation.diagnostics] == []
    return ActingSet(json.loads(json.dumps(compilation.compiled)))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_adoptions(chunk: int, folder: Path) -> None:
    """With revisions that follow each other, in order or late: what a timeline that adopts them comes to."""
    for seed in range(chunk, RUNS, CHUNKS):
        draw, events = random.Random(f"adoptions {seed}"), story(seed)
        second = following(f"open_cases: {draw.choice(['keep', 'next_event', 'now'])}")
        pilot = draw.choice(
            ["open_cases: now", "open_cases: next_event", "open_cases: keep, pilot: {share: 50%}"]
        )
        third = following(pilot, "timelines/everything.yaml")
        moments = sorted(draw.sample(range(1, 6 * 24), 2))
        adoptions = [
            (time_laws.START + moment * HOUR, each)
            for moment, each in zip(moments, (second, third), strict=True)
        ]
        timeline, actions = replayed(time_laws.policy(), events, END, adoptions)
        service = opened(folder, [time_laws.policy(), second, third], draw)
        for at, policy in adoptions:
            service.store.adopt(revision(policy), at, b"{}")
        if draw.random() < 0.5:
            in_order(service, events, draw)
        else:
            for event in draw.sample(events, len(events)):
                service.accept([event])
                service.work(event.at)
            service.work(END)
        assert service.standing(again=True) == sorted({action.id("base") for action in actions}), seed
        expected, stored = service.entities(timeline)
        assert {**stored, "set": None} == {**expected, "set": None}, seed
        service.store.close()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_outages(chunk: int, folder: Path) -> None:
    """What was due while nobody worked is caught up with as the timeline does, and stays so in a replay."""
    for seed in range(chunk, RUNS, CHUNKS):
        draw, events = random.Random(f"outages {seed}"), story(seed)
        start = time_laws.START + draw.randint(0, 4 * 24) * HOUR
        outage = start, start + draw.randint(1, 2 * 24) * HOUR + 1
        timeline, actions = replayed(time_laws.policy(), events, END, outages=[outage])
        service = opened(folder, [time_laws.policy()], draw)
        service.accept([event for event in events if event.at <= outage[0]])
        service.work(outage[0])
        service.accept([event for event in events if outage[0] < event.at <= outage[1]])
        service.work(outage[1], outage)
        in_order(service, [event for event in events if event.at > outage[1]], draw)
        service.accept([replace_id(event, number) for number, event in enumerate(events)])
        service.work(END)
        assert sorted(service.actions()) == sorted(action.id("base") for action in actions), seed
        expected, stored = service.entities(timeline)
        assert stored == expected, seed
        service.store.close()


def replace_id(event: Event, number: int) -> Event:
    """Something that nobody hears of, said of the same case at the same instant."""
    told = {"id": f"n-{number}", "type": "no.such.event", "at": render(event.at), "case": event.case}
    return read_event(told)
