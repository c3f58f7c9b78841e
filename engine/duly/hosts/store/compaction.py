"""Compaction: folding the history of groups that are at rest, so that a store does not grow for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from duly.hosts.store.records import Kept
from duly.hosts.store.session import BASES, ENTITIES, HUB_GROUP, Row, Session, shard_of
from duly.hosts.store.working import KEPT, REPLACE, entity_row, kept

Fold = Callable[[list[Kept]], list[Kept]]

_RESTING = """
SELECT e.grp FROM entities e WHERE e.grp IN (?*) GROUP BY e.grp
HAVING max(e.last) < ? AND count(e.alarm) = 0
AND min(CASE WHEN substr(e.key, 1, 5) = 'case:' THEN e.closed ELSE 1 END) = 1
AND EXISTS (SELECT 1 FROM journal j WHERE j.grp = e.grp)
AND NOT EXISTS (SELECT 1 FROM journal j CROSS JOIN shards s
                JOIN pending p ON p.shard = s.shard AND p.at = j.at AND p.seq = j.seq WHERE j.grp = e.grp)
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
    if rows:
        _fold(session, [group for (group,) in rows], shards, fold or _plain)
        session.run("UPDATE shards SET version = version + 1 WHERE shard IN (?*)", touched)
    return len(rows)


def _plain(entities: list[Kept]) -> list[Kept]:
    """Keep all, but for a case of nobody, which nothing else speaks of."""
    return [each for each in entities if each.key != each.group or not each.key.startswith("case:")]


def _fold(session: Session, groups: list[str], shards: int, fold: Fold) -> None:
    entities: dict[str, list[Kept]] = {}
    for row in session.all(f"SELECT {KEPT} FROM entities WHERE grp IN (?*) ORDER BY key", groups):
        entities.setdefault(row[1], []).append(kept(row))
    gone: set[str] = set()
    staying: list[Row] = []
    bases: list[Row] = []
    for group, members in entities.items():
        at = max(entity.last for entity in members)
        going_on = fold(members)
        gone |= {entity.key for entity in members} - {entity.key for entity in going_on}
        rows = [entity_row(entity, shard_of(group, shards)) for entity in going_on]
        staying += rows
        bases += [(key, grp, at, *rest) for key, grp, _, *rest in rows]
    cases = [key[5:] for key in gone if key.startswith("case:")]
    session.run("DELETE FROM entities WHERE key IN (?*)", list(gone))
    session.run("DELETE FROM cases WHERE name IN (?*)", cases)
    session.run("DELETE FROM journal WHERE grp IN (?*)", groups)
    session.run("DELETE FROM bases WHERE grp IN (?*)", groups)
    session.run(f"DELETE FROM outbox WHERE grp IN (?*) AND {_DELIVERED}", groups)
    session.put(ENTITIES, staying, REPLACE)
    session.put(BASES, bases)


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
