"""Several processes on one store: each shard gets its turn, and nobody spins while others are at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from duly.hosts.clock import EventClock
from duly.hosts.engine import BARRED, Engine
from duly.hosts.health import Health
from duly.hosts.metrics import Metrics
from duly.hosts.shard import Step


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
