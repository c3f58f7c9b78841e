"""Compaction: folding the history of groups that are at rest, so that a store does not grow for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from duly.hosts.store.contract import Kept
from duly.hosts.store.session import BASES, ENTITIES, HUB_GROUP, Session, shard_of
from duly.hosts.store.working import KEPT, REPLACE, entity_row, kept

Fold = Callable[[list[Kept]], list[Kept]]

_RESTING = """
SELECT e.grp FROM (
    SELECT grp, max(last) AS last, count(alarm) AS alarms, min(shard) AS shard,
    min(CASE WHEN substr(key, 1, 5) = 'case:' THEN closed ELSE 1 END) AS closed
    FROM entities WHERE grp IN (?*) GROUP BY grp
) e
WHERE e.last < ? AND e.alarms = 0 AND e.closed = 1
AND EXISTS (SELECT 1 FROM journal j WHERE j.grp = e.grp)
AND NOT EXISTS (SELECT 1 FROM journal j JOIN pending p ON p.shard = e.shard AND p.at = j.at AND p.seq = j.seq
                WHERE j.grp = e.grp)
ORDER BY e.grp
"""
_DELIVERED = """
NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT sink FROM cursors) k
            LEFT JOIN cursors c ON c.sink = k.sink AND c.shard = outbox.shard
            WHERE coalesce(c.seq, 0) < outbox.seq)
AND NOT EXISTS (SELECT 1 FROM parcels p WHERE p.shard = outbox.shard AND p.seq = outbox.seq
                AND p.state IN ('retry', 'deferred', 'dead'))
"""
_MANY = 10_000
"""So much is dropped in one transaction at most."""


def resting(session: Session, after: str, before: int, limit: int) -> tuple[str | None, list[str]]:
    """Of the next so many groups, by name, the last one, and those that have been at rest since before an instant
    and have a history to fold. There is no last one where there are no more groups.
    """
    rows = session.all(
        "SELECT DISTINCT grp FROM entities WHERE grp > ? AND grp <> ? ORDER BY grp LIMIT ?",
        after,
        HUB_GROUP,
        limit,
    )
    groups = [group for (group,) in rows]
    if not groups:
        return None, []
    return groups[-1], [group for (group,) in session.all(_RESTING, groups, before)]


def compact(session: Session, groups: Sequence[str], before: int, shards: int, fold: Fold | None) -> int:
    """Fold those of the groups that are at rest still; how many they were."""
    session.alone()
    touched = sorted({shard_of(group, shards) for group in groups})
    session.hold(touched)
    rows = session.all(_RESTING, list(groups), before)
    for (group,) in rows:
        _fold(session, group, shard_of(group, shards), fold or _plain)
    if rows:
        session.run("UPDATE shards SET version = version + 1 WHERE shard IN (?*)", touched)
    return len(rows)


def _plain(entities: list[Kept]) -> list[Kept]:
    """Keep all, but for a case of nobody, which nothing else speaks of."""
    return [each for each in entities if each.key != each.group or not each.key.startswith("case:")]


def _fold(session: Session, group: str, shard: int, fold: Fold) -> None:
    entities = [
        kept(row) for row in session.all(f"SELECT {KEPT} FROM entities WHERE grp = ? ORDER BY key", group)
    ]
    at = max(entity.last for entity in entities)
    staying = fold(entities)
    gone = {entity.key for entity in entities} - {entity.key for entity in staying}
    session.run("DELETE FROM entities WHERE key IN (?*)", list(gone))
    session.run("DELETE FROM cases WHERE name IN (?*)", [key[5:] for key in gone if key.startswith("case:")])
    session.run("DELETE FROM journal WHERE grp = ?", group)
    session.run("DELETE FROM bases WHERE grp = ?", group)
    session.run(f"DELETE FROM outbox WHERE grp = ? AND {_DELIVERED}", group)
    rows = [entity_row(entity, shard) for entity in staying]
    session.put(ENTITIES, rows, REPLACE)
    session.put(BASES, [(key, grp, at, *rest) for key, grp, _, *rest in rows])


def sweep(session: Session, before: int) -> None:
    """Drop what is older than an instant and belongs to no group that is ever folded."""
    session.run(
        "DELETE FROM outbox WHERE (shard, seq) IN (SELECT o.shard, o.seq FROM outbox o WHERE o.grp = ?"
        f" AND o.at < ? LIMIT ?) AND {_DELIVERED}",
        HUB_GROUP,
        before,
        _MANY,
    )
    session.run("DELETE FROM rejects WHERE at < ?", before)
    session.run(
        "DELETE FROM parcels WHERE state IN ('moot', 'withheld') AND NOT EXISTS"
        " (SELECT 1 FROM outbox o WHERE o.shard = parcels.shard AND o.seq = parcels.seq)"
    )
