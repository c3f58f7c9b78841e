"""Compaction: folding the history of groups that are at rest, so that a store does not grow for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from duly.hosts.store.contract import Kept
from duly.hosts.store.session import Session

Fold = Callable[[list[Kept]], list[Kept]]

_RESTING = """
SELECT e.grp FROM entities e WHERE e.grp > ?
GROUP BY e.grp
HAVING max(e.last) < ? AND count(e.alarm) = 0 AND min(CASE WHEN e.key LIKE 'case:%' THEN e.closed ELSE 1 END) = 1
AND EXISTS (SELECT 1 FROM journal j WHERE j.grp = e.grp)
ORDER BY e.grp LIMIT ?
"""
_BUSY = "SELECT 1 FROM pending p JOIN journal j ON j.seq = p.seq WHERE j.grp = ? LIMIT 1"
_DELIVERED = """
DELETE FROM outbox WHERE {these}
AND seq <= (SELECT coalesce(min(coalesce(c.seq, 0)), outbox.seq) FROM known k
            LEFT JOIN cursors c ON c.sink = k.sink AND c.shard = outbox.shard)
AND NOT EXISTS (SELECT 1 FROM parcels p WHERE p.shard = outbox.shard AND p.seq = outbox.seq)
"""


def resting(session: Session, after: str, before: int, limit: int) -> list[str]:
    """The next groups, by name, that have been at rest since before an instant and have a history to fold."""
    return [group for (group,) in session.all(_RESTING, after, before, limit)]


def compact(session: Session, shard: int, groups: Sequence[str], before: int, fold: Fold | None) -> int:
    """Fold the groups of a shard that are at rest still; how many they were."""
    return 0


def sweep(session: Session, before: int) -> None:
    """Drop what belongs to no group that is ever folded."""
