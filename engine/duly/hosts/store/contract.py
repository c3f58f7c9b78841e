"""The contract of a store: what a service keeps, and the transactions it does so in.

An event is *accepted* once `append` has returned: it stands in the journal, and its shard has work to do. The
work on a shard, from its events and due alarms to new states, alarms and actions, is one transaction; whoever
holds it is the only one at work on that shard. A crash undoes it whole, and the next one does it again: with the
same outcome, because what it reads is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

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


class Work(Protocol):
    """The work on one shard, in one transaction. `now` is the instant up to which its alarms have been done,
    `adopted` the number of adoptions it has made.

    `hub` says whether the desk and the set are in this shard, which is that of the group `set`.
    `version` changes whenever somebody has written to the shard's entities, or moved history; accepting lines
    leaves it as it is. Once the work has been left in order it is the version that this work made: a worker whose
    cache is of that version finds, with the next work, whether it still holds.
    """

    shard: int
    now: int | None
    adopted: int
    version: int
    hub: bool

    def accept(
        self, lines: Sequence[Line], rejects: Sequence[Reject], notes: Mapping[str, bytes]
    ) -> list[Standing]:
        """As Store.append, within this transaction, and before anything else is done in it; what is not taken in it
        is pending after it. Only where the store has one shard, and belongs to this process alone.
        """

    def adoptions(self) -> list[tuple[int, str]]:
        """See Store.adoptions."""

    def pending(self, until: int, limit: int) -> list[Line]:
        """The accepted lines of instants at or before `until` that are still to be taken, in order of (at, seq)."""

    def due(self, until: int, limit: int) -> list[tuple[int, str]]:
        """The alarms at or before `until` as (instant, key), in that order, ties by key (code points)."""

    def load(self, keys: Iterable[str]) -> dict[str, Kept]:
        """The entities of these keys, as far as there are any in this shard."""

    def group_of(self, keys: Iterable[str]) -> dict[str, int]:
        """The latest `last` of each of these groups, or the instant of its base, as far as it has entities."""

    def keys(self, group: str | None = None, after: str = "") -> Iterator[str]:
        """The keys of a group's entities, or of all of the shard's, in order (code points), those behind `after`."""

    def journal(self, group: str) -> list[Line]:
        """A group's history, in the order of acceptance; what is still pending, for this shard, is part of it."""

    def base(self, group: str) -> tuple[int, list[Kept]] | None:
        """Where the history of a group begins, if it was compacted: the instant, and its entities then.

        Its `journal` has only what came after that. Nothing of before the instant can be worked out anew.
        """

    def moved(self) -> list[str]:
        """The groups that the history of a case of nobody has moved to: each is to be replayed.

        Its journal, entities and actions are with the group by now, the entity of the case as it was before. Asked
        once: when this work is committed, they are not told again.
        """

    def standing(self, group: str) -> list[Out]:
        """The actions given out for a group since its base, cancellations among them, in the order given."""

    def save(self, entities: Sequence[Kept]) -> None:
        """Write entities, new and changed."""

    def forget(self, keys: Iterable[str]) -> None:
        """Remove entities."""

    def record(self, lines: Sequence[Line]) -> None:
        """Add lines to the journal that are taken already: what the hub said. Their ids need not be looked up."""

    def place(self, cases: Mapping[str, str]) -> None:
        """Say to which groups cases belong that the policy has opened, by name: events of them may follow."""

    def taken(self, seqs: Iterable[int]) -> None:
        """These lines are pending no more."""

    def give(self, actions: Sequence[Out]) -> None:
        """Add actions to the outbox."""

    def reject(self, rejects: Sequence[Reject]) -> None:
        """Keep what was refused, with its reason."""

    def note(self, name: str, value: bytes) -> None:
        """Keep a small fact of the shard."""

    def noted(self, name: str) -> bytes | None:
        """A small fact of the shard."""


class Damaged(Exception):
    """The store cannot be used until somebody has seen to it: its file is corrupt, or is something else.

    The message says what was found, where, and what to do.
    """


class InUse(Exception):
    """The store belongs to another process that runs, or is of a version that this one cannot use.

    The message says which, where, and what to do.
    """


class Store(Protocol):
    """A store, open. Safe to use from several threads. All instants are µs since 1970 UTC.

    Whatever it is asked, it raises Damaged, or `hosts.contract.Unavailable` while it cannot be reached or
    written: locked for long, the disk full or read-only, the connection gone. Asking again later is right then; a
    reconnection is its own business. `open_store(url, …)` in `hosts/store/__init__.py` opens one, and raises
    InUse, Damaged and Unavailable.
    """

    shards: int
    shared: bool
    """Whether other processes may work on it too: then something may be waiting that this one did not bring."""

    def close(self) -> None:
        """Let go of it."""

    # What comes in

    def append(
        self, lines: Sequence[Line], rejects: Sequence[Reject] = (), notes: Mapping[str, bytes] | None = None
    ) -> list[Standing]:
        """Accept events, durably, in one transaction; what became of each line.

        `seq` and `group` of the accepted lines are set to what they have become. In the same transaction
        `rejects` are kept, and `notes`, such as how far a source was read.
        The group of a line whose case is known is that case's; where a case of nobody turns out to be a
        customer's, its history moves to that customer's group. Two bodies are the same if they are as JSON, in
        whatever order their keys are.
        """

    def reject(self, rejects: Sequence[Reject]) -> None:
        """Keep what could not be read as an event."""

    def noted(self, name: str) -> bytes | None:
        """The latest note of that name."""

    def rejects(self, after: int = 0, limit: int = 1000) -> list[Reject]:
        """What was refused, in the order kept."""

    # The work

    def work(self, shard: int) -> AbstractContextManager[Work | None]:
        """The work on a shard, in one transaction; None where another worker is at it.

        Leaving it in order commits, with `Work.now` and `Work.adopted` as they then are; an exception undoes all.
        """

    def waiting(self, until: int) -> list[int]:
        """The shards that have something to do by then: lines to take of instants until then, alarms due, adoptions
        to make.
        """

    def next_due(self) -> int | None:
        """The earliest alarm of all, or instant of a line still to be taken, which may lie ahead; None where nothing
        is waited for.
        """

    def wait(self, seconds: float) -> bool:
        """Wait until something may have been accepted or given out since this thread last waited, by whatever
        process; whether it was. At most so many seconds, and not at all if it was already.
        """

    # What goes out

    def subscribe(self, sinks: Iterable[str]) -> None:
        """Let these sinks get what is given out from now on. Those that are subscribed remain where they are.

        A sink that never was gets everything that is still kept. Done before the work begins.
        """

    def unsubscribe(self, sink: str) -> None:
        """Forget a sink: what it still had to deliver, its dead letters and its place in the outbox."""

    def sinks(self) -> list[str]:
        """The sinks that have a place in the outbox, by name."""

    def outgoing(self, sink: str, now: int, limit: int) -> list[Parcel]:
        """What a sink should deliver next: first what is due to be tried again by `now`, in the order of
        (due, bundle, shard, seq, part), then what is new, in the order given out. Changes nothing.
        """

    def settle(self, sink: str, settled: Settlement) -> None:
        """What became of parcels, in one transaction. A parcel is known by (shard, seq, part).

        Where an action is settled in parts, what has no part itself is done with. What another sink handed over is
        never taken for new: `handed_by` stays with the parcel.
        """

    def hasten(self, sink: str, now: int) -> int:
        """What a sink waits to `retry` later is due now, because it works again; how many there were."""

    def parcels(
        self, sink: str | None = None, state: State = "dead", limit: int = 1000
    ) -> list[tuple[str, Parcel]]:
        """What sinks have kept in a state, as (sink, parcel), in the order of the outbox; `dead` are the dead
        letters.
        """

    def revive(self, sink: str, seqs: Sequence[tuple[int, int]] | None, now: int) -> int:
        """Let dead letters be tried again from the first attempt on, all of a sink or those of (shard, seq);
        how many there were.
        """

    def depth(self, sink: str) -> Depth:
        """How much of the outbox a sink has before it, and what it has kept."""

    def next_out(self, sink: str) -> int | None:
        """When the first of what waits to be tried again, or was put off, is due; None where nothing is."""

    def following(self, groups: Mapping[str, tuple[int, int]], types: Sequence[str]) -> list[Out]:
        """The actions of these types that were given out for each group after (shard, seq), in order."""

    def outlets(self) -> dict[str, Outlet]:
        """The sinks that the store knows, by name."""

    def disable(self, sink: str, reason: str, now: int) -> None:
        """Let a sink be sent nothing until it is enabled. What is given out waits for it, for whoever delivers to
        decide on.
        """

    def enable(self, sink: str) -> bool:
        """Let a sink take what is given out again; whether it was disabled."""

    def claim(self, sink: str, owner: str, until: int, now: int) -> bool:
        """Be the one who delivers to a sink until then, unless somebody else is. `until=now` lets go of it."""

    # Policies

    def adopt(self, revision: str, at: int, compiled: bytes) -> None:
        """Add a revision to those adopted, in force from `at` on; each shard makes the adoption as its next work."""

    def adoptions(self) -> list[tuple[int, str]]:
        """The revisions adopted so far, as (instant, revision), in order; the first is what the store began with."""

    def compiled(self, revision: str) -> bytes:
        """The compiled set of a revision that was adopted. Raises KeyError."""

    # Looking

    def entity(self, key: str) -> Kept | None:
        """One entity as last committed."""

    def history(self, case: str) -> list[Line]:
        """The whole history of the group that a case belongs to, in the order of acceptance."""

    def outbox(
        self, group: str | None = None, after: tuple[int, int] = (0, 0), limit: int = 1000
    ) -> list[Out]:
        """Actions given out, in order."""

    def upcoming(self, limit: int, after: int = 0) -> list[tuple[int, str]]:
        """The next alarms, as (instant, key)."""

    def export(self) -> Iterator[Line]:
        """The whole journal without what the hub said, in the order of acceptance."""

    def counts(self) -> Mapping[str, int]:
        """How much there is: `events`, `pending`, `entities`, `timers`, `actions`, `rejects`."""

    # Housekeeping

    def compact(
        self, before: int, limit: int = 100, fold: Callable[[list[Kept]], list[Kept]] | None = None
    ) -> int | None:
        """Look at the next so many groups, by name, fold the history of those that have been at rest since before
        that instant into a base, and drop what of their actions every sink is done with; how many were folded, None
        once all have been looked at: then it begins anew. One at a time.

        At rest is a group without alarms and pending lines whose cases are all closed. `fold` says which entities
        go on, given all of a group, and may write them anew; those that it leaves out are forgotten, as are
        their cases: an event of them is then the first of a new case. Without it all of them stay, but for a
        case of nobody. The ids of dropped events are forgotten.
        """
