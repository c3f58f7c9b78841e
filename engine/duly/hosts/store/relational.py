"""A store in a database that speaks SQL, whichever it is: each thing it does is one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from duly.hosts.contract import Unavailable
from duly.hosts.store import accepting, compaction, delivering, looking, working
from duly.hosts.store.records import (
    Depth,
    Kept,
    Line,
    Out,
    Outlet,
    Parcel,
    Reject,
    Settlement,
    Standing,
    State,
)
from duly.hosts.store.session import Raced, Session
from duly.hosts.store.working import ShardWork

T = TypeVar("T")

_SHARD = "SELECT now, adopted, version, given FROM shards WHERE shard = ?"
_RACES = 20
"""So often a transaction is done again because others were in its way. Each time, one of the others got through."""


class RelationalStore:
    """See contract.Store. A dialect says what a transaction is."""

    shared: bool

    def __init__(self) -> None:
        self.shards = 1
        self._stirred = threading.Condition()
        self._stirs = 0
        self._heard = threading.local()
        self._swept = ""

    # What a dialect supplies

    def close(self) -> None:
        """See contract.Store."""
        raise NotImplementedError

    def reading(self) -> AbstractContextManager[Session]:
        """A transaction that sees one state of the store, and changes nothing."""
        raise NotImplementedError

    def writing(self, alone: bool = False) -> AbstractContextManager[Session]:
        """A transaction that is committed if nothing is raised, `alone` if nobody may append meanwhile."""
        raise NotImplementedError

    def holding(self, shard: int) -> AbstractContextManager[Session | None]:
        """A transaction that alone works on a shard; None where another one does."""
        raise NotImplementedError

    def counts(self) -> Mapping[str, int]:
        """See contract.Store."""
        raise NotImplementedError

    # What comes in

    def append(
        self, lines: Sequence[Line], rejects: Sequence[Reject] = (), notes: Mapping[str, bytes] | None = None
    ) -> list[Standing]:
        """See contract.Store."""

        def accept(session: Session) -> list[Standing]:
            standings = accepting.accept(session, lines, self.shards)
            working.refuse(session, rejects)
            working.note(session, -1, dict(notes or {}))
            self._announce(session)
            return standings

        standings = self._write(accept)
        self._stir()
        return standings

    def reject(self, rejects: Sequence[Reject]) -> None:
        """See contract.Store."""
        self._write(lambda session: working.refuse(session, rejects))

    def rejects(self, after: int = 0, limit: int = 1000) -> list[Reject]:
        """See contract.Store."""
        return self._read(lambda session: looking.rejects(session, after, limit))

    def noted(self, name: str) -> bytes | None:
        """See contract.Store."""
        return self._read(lambda session: working.noted(session, -1, name))

    # The work

    @contextmanager
    def work(self, shard: int) -> Iterator[ShardWork | None]:
        """See contract.Store."""
        gave = False
        with self.holding(shard) as session:
            row = session.one(_SHARD, shard) if session is not None else None
            if session is None or row is None:
                yield None
                return
            work = ShardWork(session, shard, self.shards, row)
            yield work
            work.commit()
            gave = work.gave
            if gave:
                self._announce(session)
        if gave:
            self._stir()

    def waiting(self, until: int) -> list[int]:
        """See contract.Store."""
        return self._read(lambda session: looking.waiting(session, until))

    def next_due(self) -> int | None:
        """See contract.Store."""
        return self._read(looking.next_due)

    def wait(self, seconds: float) -> bool:
        """See contract.Store."""
        with self._stirred:
            heard: int = getattr(self._heard, "stirs", 0)
            self._stirred.wait_for(lambda: self._stirs != heard, seconds)
            self._heard.stirs = self._stirs
            return self._stirs != heard

    # What goes out

    def subscribe(self, sinks: Iterable[str]) -> None:
        """See contract.Store."""
        names = list(sinks)
        self._write(lambda session: delivering.subscribe(session, names))

    def unsubscribe(self, sink: str) -> None:
        """See contract.Store."""
        self._write(lambda session: delivering.unsubscribe(session, sink))

    def sinks(self) -> list[str]:
        """See contract.Store."""
        return self._read(delivering.sinks)

    def outgoing(self, sink: str, now: int, limit: int) -> list[Parcel]:
        """See contract.Store."""
        return self._read(lambda session: delivering.outgoing(session, sink, now, limit))

    def settle(self, sink: str, settled: Settlement) -> None:
        """See contract.Store."""
        self._write(lambda session: delivering.settle(session, sink, settled))

    def hasten(self, sink: str, now: int) -> int:
        """See contract.Store."""
        found = self._write(lambda session: delivering.hasten(session, sink, now))
        self._stir()
        return found

    def parcels(
        self, sink: str | None = None, state: State = "dead", limit: int = 1000
    ) -> list[tuple[str, Parcel]]:
        """See contract.Store."""
        return self._read(lambda session: delivering.parcels(session, sink, state, limit))

    def revive(self, sink: str, seqs: Sequence[tuple[int, int]] | None, now: int) -> int:
        """See contract.Store."""
        found = self._write(lambda session: delivering.revive(session, sink, seqs, now))
        self._stir()
        return found

    def depth(self, sink: str) -> Depth:
        """See contract.Store."""
        return self._read(lambda session: delivering.depth(session, sink))

    def next_out(self, sink: str) -> int | None:
        """See contract.Store."""
        return self._read(lambda session: delivering.next_out(session, sink))

    def following(self, groups: Mapping[str, tuple[int, int]], types: Sequence[str]) -> list[Out]:
        """See contract.Store."""
        return self._read(lambda session: delivering.following(session, groups, types))

    def outlets(self) -> dict[str, Outlet]:
        """See contract.Store."""
        return self._read(delivering.outlets)

    def disable(self, sink: str, reason: str, now: int) -> None:
        """See contract.Store."""
        self._write(lambda session: delivering.disable(session, sink, reason, now))

    def enable(self, sink: str) -> bool:
        """See contract.Store."""
        found = self._write(lambda session: delivering.enable(session, sink))
        self._stir()
        return found

    def claim(self, sink: str, owner: str, until: int, now: int) -> bool:
        """See contract.Store."""
        return self._write(lambda session: delivering.claim(session, sink, owner, until, now))

    # Policies

    def adopt(self, revision: str, at: int, compiled: bytes) -> None:
        """See contract.Store."""
        self._write(lambda session: looking.adopt(session, revision, at, compiled))
        self._stir()

    def adoptions(self) -> list[tuple[int, str]]:
        """See contract.Store."""
        return self._read(working.adoptions)

    def compiled(self, revision: str) -> bytes:
        """See contract.Store."""
        return self._read(lambda session: looking.compiled(session, revision))

    # Looking

    def entity(self, key: str) -> Kept | None:
        """See contract.Store."""
        return self._read(lambda session: looking.entity(session, key))

    def history(self, case: str) -> list[Line]:
        """See contract.Store."""
        return self._read(lambda session: looking.history(session, case))

    def outbox(
        self, group: str | None = None, after: tuple[int, int] = (0, 0), limit: int = 1000
    ) -> list[Out]:
        """See contract.Store."""
        return self._read(lambda session: looking.outbox(session, group, after, limit))

    def upcoming(self, limit: int, after: int = 0) -> list[tuple[int, str]]:
        """See contract.Store."""
        return self._read(lambda session: looking.upcoming(session, limit, after))

    def export(self) -> Iterator[Line]:
        """See contract.Store."""
        with self.reading() as session:
            for lines in looking.export(session):
                yield from lines

    # Housekeeping

    def compact(self, before: int, limit: int = 100, fold: compaction.Fold | None = None) -> int | None:
        """See contract.Store."""
        last, groups = self._read(lambda session: compaction.resting(session, self._swept, before, limit))
        if last is None:
            self._swept = ""
            self._write(lambda session: compaction.sweep(session, before))
            return None
        found = 0
        if groups:
            found = self._write(
                lambda session: compaction.compact(session, groups, before, self.shards, fold)
            )
        self._swept = last
        return found

    # How it is done

    def _read(self, read: Callable[[Session], T]) -> T:
        with self.reading() as session:
            return read(session)

    def _write(self, write: Callable[[Session], T]) -> T:
        alone = False
        for _ in range(_RACES):
            try:
                with self.writing(alone) as session:
                    return write(session)
            except Raced as raced:
                alone = alone or raced.alone
        raise Unavailable("the store is too busy: other transactions were in the way again and again")

    def _announce(self, session: Session) -> None:
        """Let other processes hear, once this is committed, that there is something to do."""

    def _stir(self) -> None:
        with self._stirred:
            self._stirs += 1
            self._stirred.notify_all()
