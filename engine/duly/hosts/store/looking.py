"""Looking: what may be seen of a store without taking part in its work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from duly.hosts.store.records import HUB, Kept, Line, Out, Reject
from duly.hosts.store.session import Session
from duly.hosts.store.working import KEPT, LINE, OUT, kept


def waiting(session: Session, until: int) -> list[int]:
    """The shards that have something to do by an instant."""
    rows = session.all(
        "SELECT s.shard FROM shards s WHERE s.adopted < (SELECT count(*) FROM adoptions a WHERE a.at <= ?)"
        " OR EXISTS (SELECT 1 FROM pending p WHERE p.shard = s.shard AND p.at <= ?)"
        " OR EXISTS (SELECT 1 FROM moved m WHERE m.shard = s.shard)"
        " OR EXISTS (SELECT 1 FROM entities e WHERE e.shard = s.shard AND e.alarm <= ?)"
        " ORDER BY s.shard",
        until,
        until,
        until,
    )
    return [shard for (shard,) in rows]


def next_due(session: Session) -> int | None:
    """The earliest alarm of all, or instant of a line to be taken."""
    rows = session.all(
        "SELECT (SELECT min(e.alarm) FROM entities e WHERE e.shard = s.shard AND e.alarm IS NOT NULL),"
        " (SELECT min(p.at) FROM pending p WHERE p.shard = s.shard) FROM shards s"
    )
    return min((instant for row in rows for instant in row if instant is not None), default=None)


def rejects(session: Session, after: int, limit: int) -> list[Reject]:
    """What was refused, in order."""
    rows = session.all(
        "SELECT at, origin, code, message, body, seq FROM rejects WHERE seq > ? ORDER BY seq LIMIT ?",
        after,
        limit,
    )
    return [Reject(*row) for row in rows]


def adopt(session: Session, revision: str, at: int, compiled: bytes) -> None:
    """Add an adoption, unless it is of the revision adopted last."""
    session.alone()
    row = session.one("SELECT n, revision FROM adoptions ORDER BY n DESC LIMIT 1")
    if row is None or row[1] != revision:
        number = row[0] + 1 if row else 1
        session.run("INSERT INTO adoptions (n, at, revision) VALUES (?, ?, ?)", number, at, revision)
        session.run(
            "INSERT INTO revisions (revision, compiled) VALUES (?, ?) ON CONFLICT DO NOTHING",
            revision,
            compiled,
        )


def compiled(session: Session, revision: str) -> bytes:
    """A revision that was adopted. Raises KeyError."""
    row = session.one("SELECT compiled FROM revisions WHERE revision = ?", revision)
    if row is None:
        raise KeyError(revision)
    return bytes(row[0])


def entity(session: Session, key: str) -> Kept | None:
    """One entity."""
    row = session.one(f"SELECT {KEPT} FROM entities WHERE key = ?", key)
    return kept(row) if row else None


def history(session: Session, case: str) -> list[Line]:
    """The history of the group of a case."""
    rows = session.all(
        f"SELECT {LINE} FROM cases c JOIN journal j ON j.grp = c.grp WHERE c.name = ? ORDER BY j.seq", case
    )
    return [Line(*row) for row in rows]


def outbox(session: Session, group: str | None, after: tuple[int, int], limit: int) -> list[Out]:
    """Actions given out, in order of shard and number."""
    where, arguments = "(shard, seq) > (?, ?)", list[object](after)
    if group is not None:
        where, arguments = f"grp = ? AND {where}", [group, *after]
    rows = session.all(
        f"SELECT {OUT} FROM outbox WHERE {where} ORDER BY shard, seq LIMIT ?", *arguments, limit
    )
    return [Out(*row) for row in rows]


def upcoming(session: Session, limit: int, after: int) -> list[tuple[int, str]]:
    """The next alarms after an instant."""
    found: list[tuple[int, str]] = []
    for (shard,) in session.all("SELECT shard FROM shards"):
        found += session.all(
            "SELECT alarm, key FROM entities WHERE shard = ? AND alarm > ? ORDER BY alarm, key LIMIT ?",
            shard,
            after,
            limit,
        )
    return sorted(found)[:limit]


def export(session: Session) -> Iterator[Sequence[Line]]:
    """The whole journal without what the hub said, some lines at a time."""
    after = 0
    while rows := session.all(
        f"SELECT {LINE} FROM journal j WHERE seq > ? AND origin <> ? ORDER BY seq LIMIT 1000", after, HUB
    ):
        lines = [Line(*row) for row in rows]
        after = lines[-1].seq
        yield lines
