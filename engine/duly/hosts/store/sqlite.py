"""A store in one file: SQLite, with its journal written ahead, and every commit on disk before it counts."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from duly.hosts.contract import Unavailable
from duly.hosts.store.contract import Damaged, InUse
from duly.hosts.store.holder import Holder
from duly.hosts.store.migrations import steps
from duly.hosts.store.relational import RelationalStore
from duly.hosts.store.session import Row, Session, Table

APPLICATION = 0x44554C59
"""What marks a SQLite file as ours: `DULY`."""

BUSY_SECONDS = 10
"""How long a transaction waits for another program that has the file."""

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
)


class SqliteSession:
    """See session.Session."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def _execute(self, statement: str, arguments: Sequence[Any]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(
                statement.replace("(?*)", "(SELECT value FROM json_each(?))"),
                [orjson.dumps(each).decode() if type(each) is list else each for each in arguments],
            )
        except sqlite3.Error as error:
            raise explained(error, self._path) from error

    def all(self, statement: str, *arguments: Any) -> list[Row]:
        """See session.Session."""
        cursor = self._execute(statement, arguments)
        try:
            return cursor.fetchall()
        except sqlite3.Error as error:
            raise explained(error, self._path) from error

    def one(self, statement: str, *arguments: Any) -> Row | None:
        """See session.Session."""
        rows = self.all(statement, *arguments)
        return rows[0] if rows else None

    def run(self, statement: str, *arguments: Any) -> int:
        """See session.Session."""
        return self._execute(statement, arguments).rowcount

    def put(self, table: Table, rows: Sequence[Row], conflict: str = "") -> None:
        """See session.Session."""
        if rows:
            names, marks = ", ".join(table.columns), ", ".join("?" * len(table.columns))
            try:
                self._connection.executemany(
                    f"INSERT INTO {table.name} ({names}) VALUES ({marks}) {conflict}", rows
                )
            except sqlite3.Error as error:
                raise explained(error, self._path) from error

    def numbers(self, count: int) -> Sequence[int]:
        """See session.Session."""
        ((last,),) = self.all(
            "UPDATE facts SET value = value + ? WHERE name = 'lines' RETURNING value", count
        )
        return range(last - count + 1, last + 1)

    def taken(self, shard: int, seqs: list[int]) -> None:
        """See session.Session."""
        self.run(
            "DELETE FROM pending WHERE shard = ? AND (at, seq) IN"
            " (SELECT j.at, j.seq FROM journal j WHERE j.seq IN (?*))",
            shard,
            seqs,
        )

    def alone(self) -> None:
        """Whoever writes is alone."""

    def hold(self, shards: Sequence[int]) -> None:
        """Whoever writes is alone."""


class SqliteStore(RelationalStore):
    """See contract.Store. A file that one process works on; `guest` is a command beside it, which does not."""

    shared = False

    def __init__(self, path: Path, guest: bool = False) -> None:
        super().__init__()
        self.path = path
        self._writer_lock = threading.RLock()
        self._working = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        if guest and not path.exists():
            raise Unavailable(f"there is no store `{path}`; `duly run` makes one")
        if not path.parent.is_dir():
            raise Unavailable(f"cannot make `{path}`: there is no folder `{path.parent}`")
        self._holder = None if guest else Holder(path)
        self._writer: sqlite3.Connection | None = None
        try:
            self._writer = self._connect()
            self._prepare(self._writer)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """See contract.Store."""
        self._closed = True
        with self._writer_lock:
            for connection in [self._writer, *self._readers]:
                if connection is not None:
                    connection.close()
            self._writer = None
            self._readers.clear()
            if self._holder is not None:
                self._holder.release()
                self._holder = None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """See RelationalStore."""
        connection = self._reader()
        try:
            with _transaction(connection, "BEGIN", self.path):
                yield SqliteSession(connection, self.path)
        finally:
            if self._closed:
                connection.close()
            else:
                self._readers.append(connection)

    @contextmanager
    def writing(self, alone: bool = False) -> Iterator[Session]:
        """See RelationalStore."""
        with self._writer_lock:
            if self._writer is None:
                raise Unavailable(f"the store `{self.path}` is closed")
            with _transaction(self._writer, "BEGIN IMMEDIATE", self.path):
                yield SqliteSession(self._writer, self.path)

    @contextmanager
    def holding(self, shard: int) -> Iterator[Session | None]:
        """See RelationalStore."""
        if not self._working.acquire(blocking=False):
            yield None
            return
        try:
            with self.writing() as session:
                yield session
        finally:
            self._working.release()

    def counts(self) -> Mapping[str, int]:
        """See contract.Store."""
        with self.reading() as session:
            found = session.one(
                "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM pending),"
                " (SELECT count(*) FROM entities), (SELECT count(*) FROM entities WHERE alarm IS NOT NULL),"
                " (SELECT count(*) FROM outbox), (SELECT count(*) FROM rejects)"
            )
        names = ("events", "pending", "entities", "timers", "actions", "rejects")
        return dict(zip(names, found or (), strict=True))

    def _reader(self) -> sqlite3.Connection:
        if self._closed:
            raise Unavailable(f"the store `{self.path}` is closed")
        try:
            return self._readers.pop()
        except IndexError:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            return connection

    def _connect(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(
                self.path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
        except sqlite3.Error as error:
            raise explained(error, self.path) from None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """See that the file is ours, of a version that we know, and bring it up to ours."""
        session = SqliteSession(connection, self.path)
        with _transaction(connection, "BEGIN", self.path):  # Another process may be making it at this moment.
            ((mark,),) = session.all("PRAGMA application_id")
            ((objects,),) = session.all("SELECT count(*) FROM sqlite_schema")
        if mark != APPLICATION and (mark or objects):
            raise Damaged(
                f"`{self.path}` is a SQLite file of something else; name another one as `store.url`"
            )
        for setting in _SETTINGS:
            session.run(setting)
        migrate(connection, self.path, steps("sqlite"))


def migrate(connection: sqlite3.Connection, path: Path, wanted: Sequence[str]) -> None:
    """Bring a file from whatever version it is of to the one after the last of these steps, or leave it as it is.

    Raises InUse where it is of a later one.
    """
    session = SqliteSession(connection, path)
    ((version,),) = session.all("PRAGMA user_version")
    if version > len(wanted):
        raise InUse(
            f"`{path}` is of a newer Duly: its version is {version}, this one knows up to {len(wanted)};"
            " install that Duly again, or go back to a copy of the file from before"
        )
    if version == len(wanted):
        return
    with _transaction(connection, "BEGIN IMMEDIATE", path):
        # Another process may have been quicker.
        ((version,),) = session.all("PRAGMA user_version")
        for step in wanted[version:]:
            for statement in _statements(step):
                session.run(statement)
        session.run(f"PRAGMA user_version = {len(wanted)}")
        session.run(f"PRAGMA application_id = {APPLICATION}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit before the first of them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str, path: Path) -> Iterator[None]:
    try:
        connection.execute(begin)
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise explained(error, path) from error
    finally:
        if connection.in_transaction:
            connection.rollback()


def explained(error: sqlite3.Error, path: Path) -> Exception:
    """What an error of SQLite means for whoever runs the service; the error itself where it is our own."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return Damaged(
            f"`{path}` is damaged or no SQLite file ({error}); keep it, and restore a backup: see docs/operations.md"
        )
    if code in _PASSING:
        return Unavailable(f"cannot use `{path}`: {_PASSING[code]}")
    return error


_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PASSING = {
    sqlite3.SQLITE_BUSY: f"another program has had it locked for more than {BUSY_SECONDS} s",
    sqlite3.SQLITE_LOCKED: "another transaction has it locked",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_READONLY: "it, or its folder, may not be written",
    sqlite3.SQLITE_IOERR: "its disk reports an error",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; its folder must be writable too",
    sqlite3.SQLITE_PERM: "access is denied",
    sqlite3.SQLITE_AUTH: "access is denied",
}
