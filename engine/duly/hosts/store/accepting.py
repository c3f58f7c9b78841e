"""Accepting: lines into the journal, each in its group, none twice."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from duly.hosts.store.records import Line, Standing
from duly.hosts.store.session import CASES, JOURNAL, MOVED, PENDING, Session, shard_of


def accept(session: Session, lines: Sequence[Line], shards: int) -> list[Standing]:
    """Append lines, and let their shards have them to take; what became of each."""
    standings, fresh = append(session, lines, shards)
    wait(session, fresh, shards)
    return standings


def wait(session: Session, lines: Sequence[Line], shards: int) -> None:
    """Let their shards have these lines to take."""
    session.put(
        PENDING,
        [
            (shard, line.at, line.seq)
            for line in lines
            for shard in (range(shards) if line.everywhere else (shard_of(line.group, shards),))
        ],
    )


def append(session: Session, lines: Sequence[Line], shards: int) -> tuple[list[Standing], list[Line]]:
    """Append lines that nobody has to take yet; what became of each, and those that were appended."""
    standings = _standings(session, lines)
    fresh = [line for line, standing in zip(lines, standings, strict=True) if standing == "accepted"]
    if not fresh:
        return standings, fresh
    groups = _groups(session, fresh, shards)
    for line, seq, group in zip(fresh, session.numbers(len(fresh)), groups, strict=True):
        line.seq, line.group = seq, group
    write(session, fresh)
    return standings, fresh


def write(session: Session, lines: Sequence[Line]) -> None:
    """Write lines as they are."""
    rows = [
        (
            line.seq,
            line.id,
            line.at,
            line.group,
            line.case,
            line.customer,
            line.origin,
            line.received_at,
            line.body,
        )
        for line in lines
    ]
    session.put(JOURNAL, rows)


def _standings(session: Session, lines: Sequence[Line]) -> list[Standing]:
    ids = [line.id for line in lines]
    known: dict[str, bytes] = dict(
        session.all("SELECT id, body FROM journal WHERE id IN (?*) AND origin <> 'hub'", ids)
    )
    if not known and len(set(ids)) == len(ids):
        return ["accepted"] * len(ids)
    standings: list[Standing] = []
    for line in lines:
        first = known.setdefault(line.id, line.body)
        if first is line.body:
            standings.append("accepted")
        else:
            standings.append("duplicate" if _same(first, line.body) else "conflict")
    return standings


def _same(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    try:
        return _sorted(one) == _sorted(other)
    except orjson.JSONDecodeError:
        return False


def _sorted(body: bytes) -> bytes:
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)


def _groups(session: Session, lines: Sequence[Line], shards: int) -> list[str]:
    """The group of each line: that of its case, as known before or said by any of these lines."""
    said: dict[str, str] = {}
    for line in lines:
        if line.case is not None:
            own = f"case:{line.case}"
            if said.get(line.case, own) == own:
                said[line.case] = line.group or own
    if not said:
        return [line.group for line in lines]
    rows = session.all("SELECT name, grp FROM cases WHERE name IN (?*)", list(said))
    known: dict[str, str] = dict(rows)
    joining = [
        (name, said[name]) for name, group in known.items() if group == f"case:{name}" and said[name] != group
    ]
    if joining:
        _move(session, sorted(joining), shards)
        known.update(joining)
    new = sorted((name, group) for name, group in said.items() if name not in known)
    if new:
        session.put(CASES, new)
        known.update(new)
    return [line.group if line.case is None else known[line.case] for line in lines]


def _move(session: Session, joining: Sequence[tuple[str, str]], shards: int) -> None:
    """Let cases of nobody, with all that is kept of them, go over to groups of customers."""
    session.alone()
    ends = [(f"case:{name}", group) for name, group in joining]
    touched = sorted({shard_of(group, shards) for pair in ends for group in pair})
    session.hold(touched)
    session.run("UPDATE shards SET version = version + 1 WHERE shard IN (?*)", touched)
    for old, new in ends:
        there = shard_of(new, shards)
        session.run(
            "UPDATE pending SET shard = ? WHERE shard = ? AND seq IN (SELECT seq FROM journal WHERE grp = ?)",
            there,
            shard_of(old, shards),
            old,
        )
        session.run("UPDATE journal SET grp = ? WHERE grp = ?", new, old)
        session.run("UPDATE entities SET grp = ?, shard = ? WHERE grp = ?", new, there, old)
        session.run("UPDATE bases SET grp = ? WHERE grp = ?", new, old)
        session.run("UPDATE outbox SET grp = ? WHERE grp = ?", new, old)
        session.run("UPDATE cases SET grp = ? WHERE name = ?", new, old.removeprefix("case:"))
    marks = sorted({(shard_of(new, shards), new) for _, new in ends})
    session.put(MOVED, marks, "ON CONFLICT DO NOTHING")
