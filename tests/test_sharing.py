"""Several processes on one store: each shard gets its turn, and nobody spins while others are at work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from serving import PROMPT, configured, until

from duly.acting import ActingSet
from duly.compiler import Source, compile
from duly.hosts import config
from duly.hosts.clock import EventClock
from duly.hosts.contract import Offer
from duly.hosts.engine import BARRED, Engine
from duly.hosts.health import Health
from duly.hosts.metrics import Metrics
from duly.hosts.reload import Unusable
from duly.hosts.service import Service
from duly.hosts.shard import Step
from duly.testing import VirtualClock


class Pressed:
    """A store whose shards always have something to do, an intake in which there is always more, and a shard's work:
    what the engine does with them until a number of rounds is over.
    """

    shared, size = False, 1
    version = 0

    def __init__(self, rounds: int, barred: Sequence[int] = ()) -> None:
        self.naps: list[float] = []
        self.worked: list[int] = []
        self._rounds, self._barred = rounds, barred
        self.over: Callable[[float], None] = lambda _: None

    def waiting(self, now: int) -> list[int]:
        return [0, 1, 2]

    def next_due(self) -> None:
        return None

    def gather(self, seconds: float) -> list[Any]:
        self.naps.append(seconds)
        if len(self.naps) == self._rounds:
            self.over(0)
        return []

    @contextmanager
    def work(self, shard: int) -> Iterator[Any]:
        if shard in self._barred:
            yield None
        else:
            self.worked.append(shard)
            yield self

    def step(self, work: Any, now: int, **_: Any) -> Step:
        return Step(more=True)

    def stir(self) -> None: ...

    def shut(self, reason: str, *, for_good: bool = False) -> None: ...

    def give_back(self, reason: str) -> None: ...


def engine(world: Any) -> Engine:
    """An engine between these."""
    metrics = Metrics()
    made = Engine(world, world, EventClock(0), world, metrics, Health(metrics), lambda: None, lambda: None)
    world.over = made.hurry
    return made


@pytest.mark.parametrize(
    ("size", "barred", "worked"),
    [(1, [], [0, 1, 2] * 2), (1, [1], [0, 2] * 3), (0, [], [0, 1, 2] * 6), (0, [0, 2], [1] * 6)],
)
def test_every_shard_gets_its_turn(size: int, barred: list[int], worked: list[int]) -> None:
    """Also while events come in without end, and where others hold some of the shards."""
    world = Pressed(6, barred)
    world.size = size
    at_work = engine(world)
    at_work.start()
    at_work.thread.join(30)
    assert world.worked == worked


def test_who_waits_for_others_does_not_spin() -> None:
    """Where others hold every shard, the engine waits for events a little while, and asks again."""
    world = Pressed(4, [0, 1, 2])
    at_work = engine(world)
    at_work.start()
    at_work.thread.join(30)
    assert world.naps == [0, BARRED, BARRED, BARRED]


START = "2026-03-02T09:00:00Z"
POLICY = """
apiVersion: duly/v1
kind: PolicySet
metadata: {name: shared, version: 1.0.0}
spec: {timezone: UTC, adoption: {open_cases: keep}}
---
apiVersion: duly/v1
kind: Roster
metadata: {name: people}
spec:
  people: {lin: {name: Lin}, wu: {name: Wu}}
  roles: {lead: {members: [person:lin, person:wu], shift: always}}
---
apiVersion: duly/v1
kind: Reaction
metadata: {name: tell}
spec: {reactions: [{id: tell, on: case.opened, COUNT do: [{notify: "role:lead"}]}]}
"""
_COUNT = "count: {of: case.opened, per: set, within: 1d, at_least: 2},"


def acting(count: str = "") -> ActingSet:
    """The policy, or another revision of it that counts over everything."""
    compilation = compile([Source("duly.yaml", POLICY.replace("COUNT", count).encode())])
    assert compilation.compiled is not None, compilation.diagnostics
    return ActingSet(json.loads(json.dumps(compilation.compiled)))


def test_services_share_a_store(tmp_path: Path, postgres_url: str) -> None:
    """Who is on duty is told to one service, cases to the other: every case knows. What needs one shard is refused."""
    clock = VirtualClock(START)
    with ExitStack() as stack:
        services = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            file = configured(folder, PROMPT, store={"url": postgres_url})
            made = Service(
                config.read(file.read_bytes(), str(file), {}), acting(), clock=clock, environment={}
            )
            stack.callback(made.stop)
            made.start()
            services.append(made)
        one, two = services
        assert one.store.shards == 16
        one.intake.accept(
            [Offer({"id": "p", "type": "person.off_duty", "person": "lin", "at": START})], "crm"
        )
        clock.advance(1)
        opened = {"type": "case.opened", "at": "2026-03-02T09:00:01Z"}
        cases = [Offer({"id": f"e-{n}", "case": f"C-{n}", **opened}) for n in range(40)]
        two.intake.accept(cases, "crm")
        until(lambda: len(one.store.outbox()) == len(cases))
        told = [json.loads(out.body) for out in one.store.outbox()]
        assert [each["data"]["people"] for each in told] == [["person:wu"]] * len(cases)
        assert {each["case"] for each in told} == {f"C-{n}" for n in range(40)}
        with pytest.raises(Unusable, match=r"needs a store of one shard; .* has 16"):
            one.adopt(acting(_COUNT))
        assert one.policy.identity == acting().identity
