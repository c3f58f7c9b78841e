"""Delivering: how far each sink is with the outbox, and what it has kept of it.

A cursor a shard says up to where a sink has seen the outbox; what it could not deliver then, or what another sink
handed to it, are its parcels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from duly.hosts.store.records import Depth, Out, Outlet, Parcel, Settlement, State
from duly.hosts.store.session import CURSORS, PARCELS, Row, Session, stored
from duly.hosts.store.working import OUT

_PARCEL = "p.shard, p.seq, o.body, p.attempt, p.due, p.reason, p.state, o.grp, p.part, p.bundle, p.handed_by"
_KEPT = "parcels p JOIN outbox o ON o.shard = p.shard AND o.seq = p.seq"
_AGAIN = f"""
SELECT {_PARCEL} FROM {_KEPT} WHERE p.sink = ? AND p.state IN ('retry', 'deferred') AND p.due <= ?
ORDER BY p.due, p.bundle, p.shard, p.seq, p.part LIMIT ?
"""
# What was handed over whole before its turn came is delivered as that.
_NEW = """
SELECT o.shard, o.seq, o.body, o.grp FROM outbox o WHERE o.shard = ? AND o.seq > ? AND NOT EXISTS
(SELECT 1 FROM parcels p WHERE p.sink = ? AND p.shard = o.shard AND p.seq = o.seq AND p.part = '')
ORDER BY o.seq LIMIT ?
"""
_IN_STATE = f"""
SELECT p.sink, {_PARCEL} FROM {_KEPT} WHERE p.state = ? AND (? = '' OR p.sink = ?)
ORDER BY p.shard, p.seq, p.part, p.sink LIMIT ?
"""
_CLAIM = """
INSERT INTO sinks (sink, owner, until) VALUES (?, ?, ?)
ON CONFLICT (sink) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE sinks.owner = '' OR sinks.owner = excluded.owner OR sinks.until <= ?
"""
_KNOWN = "INSERT INTO sinks (sink) VALUES (?) ON CONFLICT DO NOTHING"
_KEEP = (
    "ON CONFLICT (sink, shard, seq, part) DO UPDATE SET state = excluded.state, attempt = excluded.attempt,"
    " due = excluded.due, reason = excluded.reason, bundle = excluded.bundle, handed_by = excluded.handed_by"
)
_STANDS = (
    "UPDATE sinks SET delivered = delivered + ?, delivered_at = CASE WHEN ? > 0 THEN ? ELSE delivered_at END,"
    " error = CASE WHEN ? <> '' THEN ? ELSE error END, error_at = CASE WHEN ? <> '' THEN ? ELSE error_at END"
    " WHERE sink = ?"
)


def subscribe(session: Session, sinks: Iterable[str]) -> None:
    """Let sinks that have no place in the outbox yet begin behind what was given out so far."""
    ends = session.all("SELECT shard, given FROM shards")
    for sink in sinks:
        session.run(_KNOWN, sink)
        if session.one("SELECT 1 FROM cursors WHERE sink = ?", sink) is None:
            session.put(CURSORS, [(sink, *end) for end in ends], "ON CONFLICT DO NOTHING")


def unsubscribe(session: Session, sink: str) -> None:
    """Forget a sink."""
    for table in ("cursors", "parcels", "sinks"):
        session.run(f"DELETE FROM {table} WHERE sink = ?", sink)


def sinks(session: Session) -> list[str]:
    """The sinks that have a cursor."""
    return [sink for (sink,) in session.all("SELECT DISTINCT sink FROM cursors ORDER BY sink")]


def outgoing(session: Session, sink: str, now: int, limit: int) -> list[Parcel]:
    """What a sink should deliver next: first what is to be tried again, then what is new."""
    parcels = [Parcel(*row) for row in session.all(_AGAIN, sink, now, limit)]
    left = limit - len(parcels)
    if left <= 0:
        return parcels
    new: list[Parcel] = []
    for shard, end in _ends(session, sink).items():
        rows = session.all(_NEW, shard, end, sink, left)
        new += [Parcel(shard, seq, body, group=group) for shard, seq, body, group in rows]
    new.sort(key=lambda parcel: (parcel.seq, parcel.shard))
    return parcels + new[:left]


def _ends(session: Session, sink: str) -> dict[int, int]:
    """Up to where a sink has seen each shard that has given out anything after that."""
    rows = session.all(
        "SELECT s.shard, coalesce(c.seq, 0) FROM shards s"
        " LEFT JOIN cursors c ON c.shard = s.shard AND c.sink = ?"
        " WHERE s.given > coalesce(c.seq, 0) ORDER BY s.shard",
        sink,
    )
    return dict(rows)


def settle(session: Session, sink: str, settled: Settlement) -> None:
    """Write what became of parcels, and let the cursors follow."""
    gone = [*settled.delivered, *settled.unwanted, *(parcel for _, parcel in settled.handed)]
    kept = [*settled.again, *settled.ended]
    _advance(session, sink, [*gone, *kept])
    parts = [parcel for parcel in (*gone, *kept) if parcel.part]
    _drop(session, sink, {(each.shard, each.seq, each.part) for each in gone})
    _drop(session, sink, {(each.shard, each.seq, "") for each in parts})
    session.put(PARCELS, [_row(sink, parcel) for parcel in kept], _KEEP)
    for other, parcel in settled.handed:
        handed = (
            other,
            parcel.shard,
            parcel.seq,
            parcel.part,
            "retry",
            0,
            settled.at,
            stored(parcel.reason),
            "",
            sink,
        )
        session.put(PARCELS, [handed], "ON CONFLICT DO NOTHING")
    count, error = len(settled.delivered), stored(settled.error)
    if count or error:
        session.run(_KNOWN, sink)
        session.run(_STANDS, count, count, settled.at, error, error, error, settled.at, sink)


def _row(sink: str, parcel: Parcel) -> Row:
    return (
        sink,
        parcel.shard,
        parcel.seq,
        parcel.part,
        parcel.state,
        parcel.attempt,
        parcel.due,
        stored(parcel.reason),
        parcel.bundle,
        parcel.handed_by,
    )


def _drop(session: Session, sink: str, known: set[tuple[int, int, str]]) -> None:
    """Drop parcels that there may be. Most are new, and have left no trace yet."""
    by_shard: dict[int, list[int]] = {}
    for shard, seq, _ in known:
        by_shard.setdefault(shard, []).append(seq)
    for shard, seqs in by_shard.items():
        rows = session.all(
            "SELECT shard, seq, part FROM parcels WHERE sink = ? AND shard = ? AND seq IN (?*)",
            sink,
            shard,
            seqs,
        )
        for row in known.intersection(rows):
            session.run(
                "DELETE FROM parcels WHERE sink = ? AND shard = ? AND seq = ? AND part = ?", sink, *row
            )


def _advance(session: Session, sink: str, parcels: Sequence[Parcel]) -> None:
    """Move the cursors over what was new; what another sink handed over may be far ahead of them."""
    ends: dict[int, int] = {}
    for parcel in parcels:
        if not parcel.handed_by:
            ends[parcel.shard] = max(parcel.seq, ends.get(parcel.shard, 0))
    session.put(
        CURSORS,
        [(sink, shard, end) for shard, end in sorted(ends.items())],
        "ON CONFLICT (sink, shard) DO UPDATE SET seq = excluded.seq WHERE cursors.seq < excluded.seq",
    )


def hasten(session: Session, sink: str, now: int) -> int:
    """Let what is to be tried again later be due now; how many there were."""
    return session.run(
        "UPDATE parcels SET due = ? WHERE sink = ? AND state = 'retry' AND due > ?", now, sink, now
    )


def parcels(session: Session, sink: str | None, state: State, limit: int) -> list[tuple[str, Parcel]]:
    """What sinks have kept in a state, in the order of the outbox."""
    rows = session.all(_IN_STATE, state, sink or "", sink or "", limit)
    return [(name, Parcel(*rest)) for name, *rest in rows]


def revive(session: Session, sink: str, seqs: Sequence[tuple[int, int]] | None, now: int) -> int:
    """Let dead letters be tried again from the first attempt on; how many there were."""
    start = "UPDATE parcels SET state = 'retry', due = ?, attempt = 0, reason = '' WHERE sink = ? AND state = 'dead'"
    if seqs is None:
        return session.run(start, now, sink)
    return sum(session.run(f"{start} AND shard = ? AND seq = ?", now, sink, *pair) for pair in seqs)


def depth(session: Session, sink: str) -> Depth:
    """How much of the outbox a sink has before it, and what it has kept."""
    states: dict[str, int] = dict(
        session.all("SELECT state, count(*) FROM parcels WHERE sink = ? GROUP BY state", sink)
    )
    ends = _ends(session, sink)
    new = sum(
        given - ends[shard]
        for shard, given in session.all("SELECT shard, given FROM shards")
        if shard in ends
    )
    ((ahead,),) = session.all(
        "SELECT count(*) FROM parcels p LEFT JOIN cursors c ON c.sink = p.sink AND c.shard = p.shard"
        " WHERE p.sink = ? AND p.handed_by <> '' AND p.part = '' AND p.seq > coalesce(c.seq, 0)",
        sink,
    )
    return Depth(new - ahead, **states)


def next_out(session: Session, sink: str) -> int | None:
    """When the first of what waits is due."""
    row = session.one(
        "SELECT due FROM parcels WHERE sink = ? AND state IN ('retry', 'deferred') ORDER BY due LIMIT 1", sink
    )
    return row[0] if row else None


def following(session: Session, groups: Mapping[str, tuple[int, int]], types: Sequence[str]) -> list[Out]:
    """The actions of some types that were given out for groups, each after its place."""
    rows = session.all(
        f"SELECT {OUT} FROM outbox WHERE grp IN (?*) AND type IN (?*) ORDER BY shard, seq",
        list(groups),
        list(types),
    )
    found = []
    for out in (Out(*row) for row in rows):
        shard, seq = groups[out.group]
        # A group goes on in another shard where its case has come to a customer.
        if out.shard != shard or out.seq > seq:
            found.append(out)
    return found


def outlets(session: Session) -> dict[str, Outlet]:
    """The sinks that are known, by name."""
    rows = session.all(
        "SELECT sink, disabled, disabled_at, delivered, delivered_at, error, error_at FROM sinks ORDER BY sink"
    )
    return {row[0]: Outlet(*row) for row in rows}


def disable(session: Session, sink: str, reason: str, now: int) -> None:
    """Let a sink be sent nothing."""
    session.run(_KNOWN, sink)
    session.run(
        "UPDATE sinks SET disabled = ?, disabled_at = ? WHERE sink = ?",
        stored(reason) or "disabled",
        now,
        sink,
    )


def enable(session: Session, sink: str) -> bool:
    """Let a sink go on; whether it was disabled."""
    return bool(
        session.run("UPDATE sinks SET disabled = '', disabled_at = 0 WHERE sink = ? AND disabled <> ''", sink)
    )


def claim(session: Session, sink: str, owner: str, until: int, now: int) -> bool:
    """Be the one who delivers to a sink until then, unless somebody else is."""
    session.run(_CLAIM, sink, owner, until, now)
    row = session.one("SELECT owner FROM sinks WHERE sink = ?", sink)
    return row is not None and row[0] == owner
