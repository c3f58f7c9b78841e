"""What tests of stores share: lines, entities and actions, and a worker that only counts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing

import orjson

from duly.hosts.contract import Unavailable
from duly.hosts.store import open_store
from duly.hosts.store.contract import Store, Work
from duly.hosts.store.records import Kept, Line, Out, Parcel


def line(id: str, case: str | None = None, customer: str | None = None, at: int = 1, **data: object) -> Line:
    """An event as the intake hands it over."""
    group = f"customer:{customer}" if customer else f"case:{case}" if case else "set"
    body = orjson.dumps({"id": id, "at": at, "case": case, "customer": customer, "data": data})
    return Line(id, at, group, body, case, customer, "crm", at)


def entity(key: str, group: str = "", alarm: int | None = None, last: int = 1, closed: bool = False) -> Kept:
    """The state of an entity, which says its key."""
    return Kept(key, group or key, alarm, last, orjson.dumps({"key": key}), closed)


def action(id: str, group: str = "case:A", type: str = "notify", at: int = 1) -> Out:
    """An action, whose body is its id."""
    return Out(id, at, type, group, id.encode())


def give(store: Store, *actions: Out, shard: int = 0) -> None:
    """Put actions into the outbox of a shard."""
    with store.work(shard) as work:
        assert work is not None
        work.give(actions)


def save(store: Store, *entities: Kept, shard: int = 0) -> None:
    """Write entities of a shard."""
    with store.work(shard) as work:
        assert work is not None
        work.save(entities)


def bodies(parcels: Iterable[Parcel]) -> list[str]:
    """What parcels hold, with their parts."""
    return [parcel.body.decode() + (f"/{parcel.part}" if parcel.part else "") for parcel in parcels]


def ids(lines: Iterable[Line]) -> list[str]:
    """The ids of lines."""
    return [each.id for each in lines]


def turn(work: Work, lines: Sequence[Line]) -> None:
    """What a worker does with lines, as simple as can be: each case counts its own, and gives out an action each."""
    entities = {}
    for key, kept in work.load({f"case:{each.case}" for each in lines}).items():
        entities[key] = [kept.group, orjson.loads(kept.body)]
    for each in lines:
        entities.setdefault(f"case:{each.case}", [each.group, []])[1].append(each.id)
        work.give([Out(f"did {each.id}", each.at, "notify", each.group, each.id.encode())])
    last = max((each.at for each in lines), default=0)
    work.save([
        Kept(key, group, last + 1_000_000, last, orjson.dumps(done)) for key, (group, done) in entities.items()
    ])  # fmt: skip
    work.taken(each.seq for each in lines)


def serve(url: str, name: str, rounds: int, size: int) -> None:
    """Append and work until there is nothing to do; say which lines were acknowledged. May be killed at any time."""
    with closing(open_store(url)) as store:
        for number in range(rounds):
            lines = [line(f"{name}-{number}-{each}", f"C-{each % 7}", at=number + 1) for each in range(size)]
            store.append(lines)
            os.write(1, "".join(f"{each.id}\n" for each in lines).encode())
            busy(store)
        while busy(store) or store.waiting(1 << 19):
            pass


def busy(store: Store, limit: int = 20) -> int:
    """Work once on every shard that has something to do, if nobody else does; how many lines were taken."""
    taken = 0
    for shard in store.waiting(1 << 19):
        try:
            with store.work(shard) as work:
                if work is not None:
                    lines = work.pending(1 << 60, limit)
                    turn(work, lines)
                    taken += len(lines)
        except Unavailable:
            continue
    return taken


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
