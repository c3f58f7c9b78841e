"""A session: the little of SQL that the stores are written in, whatever the database."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Row = tuple[Any, ...]

HUB_GROUP = "set"
"""The group of the desk and the set. It is never at rest, and its history stays: a replay asks who was on duty."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that rows are put into many at a time: its columns, and their types in PostgreSQL.

    `met` is the place of the column by which two who write at once may meet: they do so in its order, or each might
    wait for the other.
    """

    name: str
    columns: Sequence[str]
    types: Sequence[str]
    met: int | None = None


def _table(name: str, met: int | None = None, /, **columns: str) -> Table:
    return Table(name, tuple(columns), tuple(columns.values()), met)


_ENTITY = {"alarm": "bigint", "last": "bigint", "closed": "smallint", "body": "bytea"}

JOURNAL = _table(
    "journal",
    1,
    seq="bigint",
    id="text",
    at="bigint",
    grp="text",
    case_id="text",
    customer="text",
    origin="text",
    received_at="bigint",
    body="bytea",
)
PENDING = _table("pending", shard="smallint", at="bigint", seq="bigint")
CASES = _table("cases", 0, name="text", grp="text")
MOVED = _table("moved", shard="smallint", grp="text")
ENTITIES = _table("entities", key="text", grp="text", shard="smallint", **_ENTITY)
BASES = _table("bases", key="text", grp="text", at="bigint", **_ENTITY)
OUTBOX = _table(
    "outbox",
    shard="smallint",
    seq="bigint",
    id="text",
    at="bigint",
    type="text",
    grp="text",
    body="bytea",
)
CURSORS = _table("cursors", sink="text", shard="smallint", seq="bigint")
PARCELS = _table(
    "parcels",
    sink="text",
    shard="smallint",
    seq="bigint",
    part="text",
    state="text",
    attempt="integer",
    due="bigint",
    reason="text",
    bundle="text",
    handed_by="text",
)
REJECTS = _table("rejects", at="bigint", origin="text", code="text", message="text", body="bytea")
NOTES = _table("notes", shard="smallint", name="text", value="bytea")


class Session(Protocol):
    """A transaction of a database.

    In a statement `?` stands for an argument, and `IN (?*)` for being one of a list that is a single argument.
    Faults of the database are raised as Unavailable, Damaged or, where the transaction should be done again
    because another one was in its way, as Raced.
    """

    def all(self, statement: str, *arguments: Any) -> list[Row]:
        """The rows that a query gives."""

    def one(self, statement: str, *arguments: Any) -> Row | None:
        """The first row that a query gives."""

    def run(self, statement: str, *arguments: Any) -> int:
        """Do something; how many rows it was done to."""

    def put(self, table: Table, rows: Sequence[Row], conflict: str = "") -> None:
        """Insert rows; `conflict` is what to do where one is there already, as SQL."""

    def numbers(self, count: int) -> Sequence[int]:
        """The next numbers of lines, rising."""

    def taken(self, shard: int, seqs: list[int]) -> None:
        """Drop these lines from those of a shard that are pending, however many others there are."""

    def alone(self) -> None:
        """See to it that nobody else appends until this transaction has ended. May raise Raced."""

    def hold(self, shards: Sequence[int]) -> None:
        """See to it that nobody works on these shards until this transaction has ended."""


class Raced(Exception):
    """Another transaction was in the way of this one, which is to be done again; `alone` if with nobody beside it."""

    def __init__(self, alone: bool = False) -> None:
        super().__init__("another transaction was in the way")
        self.alone = alone


def stored(text: str) -> str:
    """A text from outside as any database takes it: what is no character of its own is shown as one."""
    return text.encode(errors="replace").decode().replace("\0", "␀")


def shard_of(group: str, shards: int) -> int:
    """The shard that a group belongs to."""
    return zlib.crc32(group.encode()) % shards
