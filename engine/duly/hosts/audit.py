"""Audit: whether what a service keeps and has given out for a case is what its journal and its policies give again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from duly.hosts.contract import Unavailable
from duly.hosts.lateness import replay, standing
from duly.hosts.lines import action_body
from duly.hosts.store.records import HUB
from duly.hosts.world import World
from duly.instants import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duly.acting import ActingSet
    from duly.hosts.store.contract import Store, Work

PATIENT_SECONDS = 30.0
"""How long to wait for a shard that is being worked on."""
_NOTICED = frozenset(("late_by_seconds",))
"""What an action says of when it was noticed, which a replay does not repeat."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a replay of a case's group gives, beside what is kept.

    `states` and `actions` are as (key or id, what is wrong), one of `missing`, `unexpected`, `different`: missing is
    what the replay gives and nobody has. `revisions` says how many of the case's actions each revision decided;
    `until` is the instant up to which it was done; `begins` that up to which the history was folded, if it was.
    """

    case: str
    group: str
    until: str
    begins: str | None
    events: int
    states: Sequence[tuple[str, str]]
    actions: Sequence[tuple[str, str]]
    given: int
    revisions: Mapping[str, int]

    @property
    def same(self) -> bool:
        """Whether everything was reproduced."""
        return not self.states and not self.actions


def audit(store: Store, case: str, load: Callable[[str], ActingSet]) -> Audit | None:
    """Replay the group of a case and compare; None where no such case is kept. `load` gives a revision's set.

    Nothing is written. Raises Unavailable.
    """
    key = f"case:{case}"
    kept = store.entity(key)
    if kept is None:
        return None
    for shard in range(store.shards):
        with _looking(store, shard) as work:
            if key in work.load([key]):
                return _compare(work, case, kept.group, load)
    return None


def _compare(work: Work, case: str, group: str, load: Callable[[str], ActingSet]) -> Audit:
    world = World(load, cache_size=0)
    world.open(work)
    taken = [line for line in work.journal(group) if not line.pending]
    base = work.base(group)
    until = work.now if work.now is not None else max((line.at for line in taken), default=0)
    again = replay(world, work, group, taken, until)
    kept = {name: row.body for name, row in work.load(list(work.keys(group))).items()}
    states = {name: world.entities.packing.packed(entity) for name, entity in again.entities.items()}
    identity = world.timeline.policy.identity
    right = {shown["id"]: shown for shown in (action.shown(identity) for action in again.actions)}
    given = {out.id: orjson.loads(out.body) for out in standing(work.standing(group)).values()}
    own = [body for body in given.values() if body.get("case") == case]
    return Audit(
        case=case,
        group=group,
        until=render(until),
        begins=None if base is None else render(base[0]),
        events=sum(line.case == case and line.origin != HUB for line in taken),
        states=_differences(states, kept),
        actions=_differences(_plain(right), _plain(given)),
        given=len(own),
        revisions=_counted(own),
    )


def _differences(right: Mapping[str, Any], found: Mapping[str, Any]) -> list[tuple[str, str]]:
    wrong = [(key, "missing") for key in right if key not in found]
    wrong += [(key, "unexpected") for key in found if key not in right]
    wrong += [(key, "different") for key in right if key in found and right[key] != found[key]]
    return sorted(wrong)


def _plain(actions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Actions as the outbox has them, without what tells when they were noticed."""
    return {
        id: {name: value for name, value in orjson.loads(action_body(shown)).items() if name not in _NOTICED}
        for id, shown in actions.items()
    }


def _counted(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in actions:
        name = f"{each['policy']['version']} {each['policy']['revision']}"
        found[name] = found.get(name, 0) + 1
    return found


class _Looked(Exception):
    """Ends a transaction in which nothing is to be written."""


@contextmanager
def _looking(store: Store, shard: int) -> Iterator[Work]:
    """A shard as it stands, held still; whatever is done to it is undone."""
    by = time.monotonic() + PATIENT_SECONDS
    while True:
        try:
            with store.work(shard) as work:
                if work is not None:
                    yield work
                    raise _Looked
        except _Looked:
            return
        if time.monotonic() > by:
            raise Unavailable(f"shard {shard} is being worked on without a pause; try again")
        time.sleep(0.02)
