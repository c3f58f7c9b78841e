"""Working: what a worker reads and writes of the shard that it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from duly.hosts.store import accepting
from duly.hosts.store.records import Kept, Line, Out, Reject, Standing
from duly.hosts.store.session import (
    CASES,
    ENTITIES,
    HUB_GROUP,
    NOTES,
    OUTBOX,
    REJECTS,
    Row,
    Session,
    shard_of,
    stored,
)

LINE = "j.id, j.at, j.grp, j.body, j.case_id, j.customer, j.origin, j.received_at, j.seq"
KEPT = "key, grp, alarm, last, body, closed"
OUT = "id, at, type, grp, body, shard, seq"


class ShardWork:
    """See contract.Work."""

    def __init__(self, session: Session, shard: int, shards: int, row: Row) -> None:
        self._session = session
        self._shards = shards
        self.shard = shard
        self.hub = shard == shard_of(HUB_GROUP, shards)
        self.now: int | None
        self.adopted: int
        self.version: int
        self.now, self.adopted, self.version, self._given = row
        self._before = (self.now, self.adopted, self._given)
        self._written = False
        self._fresh: dict[int, Line] = {}

    @property
    def gave(self) -> bool:
        """Whether it has given out actions."""
        return bool(self._given != self._before[2])

    def commit(self) -> None:
        """Write what the shard's row says; the last that is done with it."""
        if self._fresh:
            accepting.wait(self._session, list(self._fresh.values()), self._shards)
        if not self._written and self._before == (self.now, self.adopted, self._given):
            return
        self.version += 1
        self._session.run(
            "UPDATE shards SET now = ?, adopted = ?, version = ?, given = ? WHERE shard = ?",
            self.now,
            self.adopted,
            self.version,
            self._given,
            self.shard,
        )

    def accept(
        self, lines: Sequence[Line], rejects: Sequence[Reject], notes: Mapping[str, bytes]
    ) -> list[Standing]:
        """See contract.Work."""
        standings, fresh = accepting.append(self._session, lines, self._shards)
        refuse(self._session, rejects)
        note(self._session, -1, dict(notes))
        for line in fresh:
            line.pending = True
            self._fresh[line.seq] = line
        # History may have moved, and then the entities are no longer what a cache has of them.
        ((self.version,),) = self._session.all("SELECT version FROM shards WHERE shard = ?", self.shard)
        return standings

    def adoptions(self) -> list[tuple[int, str]]:
        """See contract.Work."""
        return adoptions(self._session)

    def pending(self, until: int, limit: int) -> list[Line]:
        """See contract.Work."""
        rows = self._session.all(
            f"SELECT {LINE}, true FROM pending p JOIN journal j ON j.seq = p.seq"
            " WHERE p.shard = ? AND p.at <= ? ORDER BY p.at, p.seq LIMIT ?",
            self.shard,
            until,
            limit,
        )
        lines = [Line(*row) for row in rows]
        fresh = [line for line in self._fresh.values() if line.at <= until]
        return sorted(lines + fresh, key=lambda line: (line.at, line.seq))[:limit] if fresh else lines

    def due(self, until: int, limit: int) -> list[tuple[int, str]]:
        """See contract.Work."""
        rows = self._session.all(
            "SELECT alarm, key FROM entities WHERE shard = ? AND alarm <= ? ORDER BY alarm, key LIMIT ?",
            self.shard,
            until,
            limit,
        )
        return [(alarm, key) for alarm, key in rows]

    def load(self, keys: Iterable[str]) -> dict[str, Kept]:
        """See contract.Work."""
        rows = self._session.all(
            f"SELECT {KEPT} FROM entities WHERE key IN (?*) AND shard = ?", list(keys), self.shard
        )
        return {row[0]: kept(row) for row in rows}

    def group_of(self, keys: Iterable[str]) -> dict[str, int]:
        """See contract.Work."""
        groups = list(keys)
        rows = self._session.all(
            "SELECT grp, max(last) FROM (SELECT grp, last FROM entities WHERE grp IN (?*)"
            " UNION ALL SELECT grp, at FROM bases WHERE grp IN (?*)) g GROUP BY grp",
            groups,
            groups,
        )
        return dict(rows)

    def keys(self, group: str | None = None, after: str = "") -> Iterator[str]:
        """See contract.Work."""
        column, value = ("grp", group) if group is not None else ("shard", self.shard)
        while rows := self._session.all(
            f"SELECT key FROM entities WHERE {column} = ? AND key > ? ORDER BY key LIMIT 1000", value, after
        ):
            yield from (key for (key,) in rows)
            after = rows[-1][0]

    def journal(self, group: str) -> list[Line]:
        """See contract.Work."""
        rows = self._session.all(
            f"SELECT {LINE}, p.seq IS NOT NULL FROM journal j"
            " LEFT JOIN pending p ON p.shard = ? AND p.at = j.at AND p.seq = j.seq"
            " WHERE j.grp = ? ORDER BY j.seq",
            self.shard,
            group,
        )
        lines = [Line(*row) for row in rows]
        return [self._fresh.get(line.seq, line) for line in lines] if self._fresh else lines

    def base(self, group: str) -> tuple[int, list[Kept]] | None:
        """See contract.Work."""
        rows = self._session.all(f"SELECT {KEPT}, at FROM bases WHERE grp = ? ORDER BY key", group)
        return (rows[0][6], [kept(row) for row in rows]) if rows else None

    def moved(self) -> list[str]:
        """See contract.Work."""
        rows = self._session.all("SELECT grp FROM moved WHERE shard = ? ORDER BY grp", self.shard)
        if rows:
            self._written = True
            self._session.run("DELETE FROM moved WHERE shard = ?", self.shard)
        return [group for (group,) in rows]

    def standing(self, group: str) -> list[Out]:
        """See contract.Work."""
        # What came with a case that moved here from another shard was given before all that was given since.
        rows = self._session.all(
            f"SELECT {OUT} FROM outbox WHERE grp = ?"
            " AND NOT EXISTS (SELECT 1 FROM bases b WHERE b.grp = outbox.grp AND b.at >= outbox.at)"
            " ORDER BY CASE WHEN shard = ? THEN 1 ELSE 0 END, shard, seq",
            group,
            self.shard,
        )
        return [Out(*row) for row in rows]

    def save(self, entities: Sequence[Kept]) -> None:
        """See contract.Work."""
        if entities:
            self._written = True
            latest = {entity.key: entity for entity in entities}.values()
            for steady, conflict in ((False, REPLACE), (True, REFRESH)):
                rows = [entity_row(entity, self.shard) for entity in latest if entity.steady is steady]
                self._session.put(ENTITIES, rows, conflict)

    def forget(self, keys: Iterable[str]) -> None:
        """See contract.Work."""
        self._written = True
        self._session.run("DELETE FROM entities WHERE key IN (?*)", list(keys))

    def record(self, lines: Sequence[Line]) -> None:
        """See contract.Work."""
        if lines:
            self._written = True
            for line, seq in zip(lines, self._session.numbers(len(lines)), strict=True):
                line.seq = seq
            accepting.write(self._session, lines)

    def place(self, cases: Mapping[str, str]) -> None:
        """See contract.Work."""
        if cases:
            self._written = True
            self._session.put(CASES, sorted(cases.items()), "ON CONFLICT DO NOTHING")

    def taken(self, seqs: Iterable[int]) -> None:
        """See contract.Work."""
        if numbers := list(seqs):
            self._written = True
            stored = [seq for seq in numbers if self._fresh.pop(seq, None) is None]
            if stored:
                self._session.taken(self.shard, stored)

    def give(self, actions: Sequence[Out]) -> None:
        """See contract.Work."""
        for action in actions:
            self._given += 1
            action.shard, action.seq = self.shard, self._given
        rows = [
            (action.shard, action.seq, action.id, action.at, action.type, action.group, action.body)
            for action in actions
        ]
        self._session.put(OUTBOX, rows)

    def reject(self, rejects: Sequence[Reject]) -> None:
        """See contract.Work."""
        refuse(self._session, rejects)

    def note(self, name: str, value: bytes) -> None:
        """See contract.Work."""
        note(self._session, self.shard, {name: value})

    def noted(self, name: str) -> bytes | None:
        """See contract.Work."""
        return noted(self._session, self.shard, name)


REPLACE = (
    "ON CONFLICT (key) DO UPDATE SET grp = excluded.grp, shard = excluded.shard, alarm = excluded.alarm,"
    " last = excluded.last, closed = excluded.closed, body = excluded.body"
)

REFRESH = (
    "ON CONFLICT (key) DO UPDATE SET last = excluded.last, closed = excluded.closed, body = excluded.body"
)
"""The same for one that is steady: no index has to be looked at."""


def entity_row(entity: Kept, shard: int) -> Row:
    """The columns of ENTITIES."""
    return (
        entity.key,
        entity.group,
        shard,
        entity.alarm,
        entity.last,
        int(entity.closed),
        entity.body,
    )


def kept(row: Row) -> Kept:
    """An entity from the columns of KEPT."""
    return Kept(row[0], row[1], row[2], row[3], row[4], bool(row[5]))


def refuse(session: Session, rejects: Sequence[Reject]) -> None:
    """Keep rejects, in order."""
    session.put(
        REJECTS,
        [(reject.at, reject.origin, reject.code, stored(reject.message), reject.body) for reject in rejects],
    )


def adoptions(session: Session) -> list[tuple[int, str]]:
    """The revisions adopted so far, as (instant, revision)."""
    return [(at, revision) for at, revision in session.all("SELECT at, revision FROM adoptions ORDER BY n")]


def note(session: Session, shard: int, notes: dict[str, bytes]) -> None:
    """Keep notes of a shard, or of the whole store, which has the number -1."""
    rows = [(shard, name, value) for name, value in notes.items()]
    session.put(NOTES, rows, "ON CONFLICT (shard, name) DO UPDATE SET value = excluded.value")


def noted(session: Session, shard: int, name: str) -> bytes | None:
    """A note of a shard, or of the whole store."""
    row = session.one("SELECT value FROM notes WHERE shard = ? AND name = ?", shard, name)
    return row[0] if row else None
