"""A shard's work: accepted events and due alarms of one shard to new states, alarms and actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from duly.acting import ActingSet
from duly.hosts.store.contract import Work


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did. `more` says that there is more to do at once; `lateness` is, of each alarm that rang, how
    long after its instant in µs; `types` counts the actions by type.
    """

    events: int = 0
    alarms: int = 0
    actions: int = 0
    refused: int = 0
    reconciled: int = 0
    more: bool = False
    lateness: Sequence[int] = ()
    types: Mapping[str, int] = field(default_factory=dict)


class Shard:
    """The work on one shard, by one thread; it keeps the entities it used last, decoded.

    `load` gives the acting set of a revision that the store has adopted; it is asked once for each. At most
    `cache_size` entities are kept between steps; they count only while nobody else has worked on the shard.
    """

    def __init__(self, load: Callable[[str], ActingSet], cache_size: int = 20_000) -> None:
        self._load = load
        self._cache_size = cache_size

    def step(
        self, work: Work, now: int, *, wall: bool = False, outage: tuple[int, int] | None = None,
        limit: int = 1_000,
    ) -> Step:  # fmt: skip
        """Do what is to be done by `now`, at most about `limit` lines and alarms, within the transaction `work`.

        With `wall`, `now` is the wall clock, and what is given a second or more after its instant says so
        (`late_by_seconds`); without, time is that of the events. `outage` (from, to) says that nobody worked in
        that time: what was due in it is caught up with (semantics §3.6). Say it with each step until one has
        nothing `more` to do. Where the transaction is not committed, the next step finds out by itself.
        """
        raise NotImplementedError


def wants_one_shard(policy: ActingSet) -> bool:
    """Whether cases talk to each other through the desk, the set or the roster: then a store has one shard only."""
    raise NotImplementedError
