"""Delivering: how far each sink is with the outbox, and what it could not deliver so far.

A cursor a shard says that a sink is done with everything up to there, but for the parcels of that sink, which are to
be tried again or were given up.
"""

from __future__ import annotations

from collections.abc import Sequence

from duly.hosts.store.contract import Parcel
from duly.hosts.store.session import CURSORS, PARCELS, Session

_AGAIN = """
SELECT p.shard, p.seq, o.body, p.attempt, p.due, p.reason
FROM parcels p JOIN outbox o ON o.shard = p.shard AND o.seq = p.seq
WHERE p.sink = ? AND p.state = 'retry' AND p.due <= ? ORDER BY p.due, p.shard, p.seq LIMIT ?
"""
_NEW = """
SELECT shard, seq, body FROM outbox o WHERE shard = ? AND seq > ?
AND NOT EXISTS (SELECT 1 FROM parcels p WHERE p.sink = ? AND p.shard = o.shard AND p.seq = o.seq)
ORDER BY seq LIMIT ?
"""
_DEAD = """
SELECT p.sink, p.shard, p.seq, o.body, p.attempt, p.due, p.reason, p.state
FROM parcels p JOIN outbox o ON o.shard = p.shard AND o.seq = p.seq
WHERE p.state = 'dead' AND (? = '' OR p.sink = ?) ORDER BY p.sink, p.shard, p.seq LIMIT ?
"""
_CLAIM = """
ON CONFLICT (sink) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE sinks.owner IS NULL OR sinks.owner = excluded.owner OR sinks.until <= ?
"""


def subscribe(session: Session, sinks: Sequence[str]) -> None:
    """Let sinks that are not known yet begin behind what was given out so far."""
    known = {sink for (sink,) in session.all("SELECT DISTINCT sink FROM cursors WHERE sink IN (?*)", sinks)}
    new = [sink for sink in sinks if sink not in known]
    if new:
        ends = session.all("SELECT shard, given FROM shards")
        session.put(CURSORS, [(sink, *end) for sink in new for end in ends], "ON CONFLICT DO NOTHING")


def unsubscribe(session: Session, sink: str) -> None:
    """Forget a sink."""
    for table in ("cursors", "parcels", "sinks"):
        session.run(f"DELETE FROM {table} WHERE sink = ?", sink)


def outgoing(session: Session, sink: str, now: int, limit: int) -> list[Parcel]:
    """What a sink should deliver next: first what is to be tried again, then what is new, the earliest first."""
    parcels = [Parcel(*row) for row in session.all(_AGAIN, sink, now, limit)]
    new: list[Parcel] = []
    for shard, end in _ends(session, sink).items():
        if len(parcels) < limit:
            rows = session.all(_NEW, shard, end, sink, limit - len(parcels))
            new += [Parcel(*row) for row in rows]
    new.sort(key=lambda parcel: (parcel.seq, parcel.shard))
    return parcels + new[: limit - len(parcels)]


def _ends(session: Session, sink: str) -> dict[int, int]:
    """Up to where a sink is done, in each shard that has given out anything after that."""
    rows = session.all(
        "SELECT s.shard, coalesce(c.seq, 0) FROM shards s"
        " LEFT JOIN cursors c ON c.shard = s.shard AND c.sink = ?"
        " WHERE s.given > coalesce(c.seq, 0) ORDER BY s.shard",
        sink,
    )
    return dict(rows)


def settle(
    session: Session, sink: str, done: Sequence[Parcel], again: Sequence[Parcel], dead: Sequence[Parcel]
) -> None:
    """Write what became of parcels, and let the cursors follow."""
    states = [("retry", parcel) for parcel in again] + [("dead", parcel) for parcel in dead]
    rows = [
        (sink, parcel.shard, parcel.seq, state, parcel.attempt, parcel.due, parcel.reason)
        for state, parcel in states
    ]
    session.put(
        PARCELS,
        rows,
        "ON CONFLICT (sink, shard, seq) DO UPDATE SET state = excluded.state, attempt = excluded.attempt,"
        " due = excluded.due, reason = excluded.reason",
    )
    settled: dict[int, set[int]] = {}
    for parcel in done:
        settled.setdefault(parcel.shard, set()).add(parcel.seq)
    for shard, seqs in settled.items():
        session.run(
            "DELETE FROM parcels WHERE sink = ? AND shard = ? AND seq IN (?*)", sink, shard, list(seqs)
        )
    for shard in {parcel.shard for _, parcel in states}:
        settled.setdefault(shard, set())
    for shard, seqs in settled.items():
        _follow(session, sink, shard, seqs)


def _follow(session: Session, sink: str, shard: int, done: set[int]) -> None:
    """Move a cursor over all that is settled without a gap; what is done behind a gap is noted as such."""
    row = session.one("SELECT seq FROM cursors WHERE sink = ? AND shard = ?", sink, shard)
    end: int = row[0] if row else 0
    ahead = session.all("SELECT seq FROM parcels WHERE sink = ? AND shard = ? AND seq > ?", sink, shard, end)
    settled = done | {seq for (seq,) in ahead}
    while end + 1 in settled:
        end += 1
    session.put(
        CURSORS,
        [(sink, shard, end)],
        "ON CONFLICT (sink, shard) DO UPDATE SET seq = excluded.seq WHERE cursors.seq < excluded.seq",
    )
    session.run(
        "DELETE FROM parcels WHERE sink = ? AND shard = ? AND state = 'done' AND seq <= ?", sink, shard, end
    )
    gaps = [(sink, shard, seq, "done", 0, 0, "") for seq in sorted(done) if seq > end]
    session.put(PARCELS, gaps, "ON CONFLICT DO NOTHING")


def dead(session: Session, sink: str | None, limit: int) -> list[tuple[str, Parcel]]:
    """The dead letters, of a sink or of all."""
    rows = session.all(_DEAD, sink or "", sink or "", limit)
    return [(sink, Parcel(*rest)) for sink, *rest in rows]


def revive(session: Session, sink: str, seqs: Sequence[tuple[int, int]] | None, now: int) -> int:
    """Let dead letters be tried again as if for the first time; how many there were."""
    start = "UPDATE parcels SET state = 'retry', due = ?, attempt = 0, reason = '' WHERE sink = ? AND state = 'dead'"
    if seqs is None:
        return session.run(start, now, sink)
    return sum(session.run(f"{start} AND shard = ? AND seq = ?", now, sink, *pair) for pair in seqs)


def depth(session: Session, sink: str) -> tuple[int, int, int]:
    """How much a sink has before it: new, to be tried again, dead."""
    states: dict[str, int] = dict(
        session.all("SELECT state, count(*) FROM parcels WHERE sink = ? GROUP BY state", sink)
    )
    ((given,),) = session.all(
        "SELECT coalesce(sum(s.given - coalesce(c.seq, 0)), 0) FROM shards s"
        " LEFT JOIN cursors c ON c.shard = s.shard AND c.sink = ?",
        sink,
    )
    ((ahead,),) = session.all(
        "SELECT count(*) FROM parcels p LEFT JOIN cursors c ON c.sink = p.sink AND c.shard = p.shard"
        " WHERE p.sink = ? AND p.seq > coalesce(c.seq, 0)",
        sink,
    )
    return int(given) - ahead, states.get("retry", 0), states.get("dead", 0)


def claim(session: Session, sink: str, owner: str, until: int, now: int) -> bool:
    """Be the one who delivers to a sink until then, unless somebody else is."""
    session.run(f"INSERT INTO sinks (sink, owner, until) VALUES (?, ?, ?) {_CLAIM}", sink, owner, until, now)
    row = session.one("SELECT owner FROM sinks WHERE sink = ?", sink)
    return row is not None and row[0] == owner


def sinks(session: Session) -> list[str]:
    """The sinks that have a cursor."""
    return [sink for (sink,) in session.all("SELECT DISTINCT sink FROM cursors ORDER BY sink")]
