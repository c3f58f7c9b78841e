"""The layout of a store in PostgreSQL: its tables, made or brought up to date by the first who opens it."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from duly.hosts.store.connections import Connection
from duly.hosts.store.contract import InUse
from duly.hosts.store.migrations import steps

APPEND, AHEAD, LAYOUT = 0x44554C01, 0x44554C02, 0x44554C03
"""Locks of a store: of those who append, of those who have it open, of those who lay it out."""


def lay_out(
    connection: Connection, schema: str, shards: int | None, default: int, guest: bool
) -> tuple[int, int]:
    """See to it that the tables are there, as this version wants them; the number of shards, and the version.

    Raises InUse where they are of a newer one, or cannot be changed because other processes have the store open.
    """
    return laid_out(connection, schema, shards, default, guest, steps("postgres"))


def laid_out(
    connection: Connection, schema: str, shards: int | None, default: int, guest: bool, wanted: Sequence[str]
) -> tuple[int, int]:
    """The same, with the steps given."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LAYOUT, schema))
        found = _found(connection)
        version = found.get("version", 0)
        if version > len(wanted):
            raise InUse(
                f"the store is of a newer Duly: its version is {version}, this one knows up to {len(wanted)};"
                " install that Duly again, or go back to a backup from before"
            )
        if version:
            _fits(found["shards"], shards)
        if version == len(wanted):
            return found["shards"], version
        if guest:
            raise InUse(f"there is no store of this version in the schema `{schema}`; `duly run` makes one")
        _alone(connection, schema)
        if version == 0:
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        for step in wanted[version:]:
            connection.execute(step.encode())
        count = found.get("shards") or shards or default
        if version == 0:
            connection.execute("INSERT INTO shards (shard) SELECT generate_series(0, %s)", (count - 1,))
        for name, value in (("version", len(wanted)), ("shards", count)):
            connection.execute(
                "INSERT INTO facts VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )
        return count, len(wanted)


def _found(connection: Connection) -> dict[str, int]:
    row = connection.execute("SELECT to_regclass('facts') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return {}
    return dict(connection.execute("SELECT name, value FROM facts").fetchall())


def _fits(found: int, wanted: int | None) -> None:
    """One shard does for every policy, but some need no more than that. Raises InUse."""
    if wanted == 1 < found:
        raise InUse(
            f"the store was made with {found} shards, and this policy has what all cases share (a desk that assigns"
            " them, counts over everything), which needs one; move the journal to a store of one: see"
            " docs/operations.md"
        )


def _alone(connection: Connection, schema: str) -> None:
    """See to it that no other process has the store open. Raises InUse."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (AHEAD, schema)).fetchone()
    if row is None or not row[0]:
        raise InUse(
            "the store must be changed for this version, and other services have it open; stop them first"
        )
