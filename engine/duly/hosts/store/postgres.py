"""A store that several processes share: PostgreSQL. Each of them appends, and works on whatever shard is free."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
from psycopg import IsolationLevel, sql

from duly.hosts.contract import Unavailable
from duly.hosts.store.connections import Connection, Connections, explained, transaction
from duly.hosts.store.contract import InUse
from duly.hosts.store.layout import AHEAD, APPEND, lay_out
from duly.hosts.store.relational import RelationalStore
from duly.hosts.store.session import Raced, Row, Session, Table

CONNECT_SECONDS = 10
SHARDS = 16

_LISTED = re.compile(r"IN \(\?\*\)")


class PostgresSession:
    """See session.Session."""

    def __init__(self, connection: Connection, alone: bool = False) -> None:
        self._connection = connection
        self._alone = alone

    def _execute(self, statement: str, arguments: Sequence[Any]) -> psycopg.Cursor[Row]:
        try:
            return self._connection.execute(_translated(statement), arguments)
        except psycopg.Error as error:
            raise explained(error) from error

    def all(self, statement: str, *arguments: Any) -> list[Row]:
        """See session.Session."""
        return self._execute(statement, arguments).fetchall()

    def one(self, statement: str, *arguments: Any) -> Row | None:
        """See session.Session."""
        return self._execute(statement, arguments).fetchone()

    def run(self, statement: str, *arguments: Any) -> int:
        """See session.Session."""
        return self._execute(statement, arguments).rowcount

    def put(self, table: Table, rows: Sequence[Row], conflict: str = "") -> None:
        """See session.Session. All rows go over in one statement, a list for each column."""
        if rows:
            ordered = rows if table.met is None else sorted(rows, key=itemgetter(table.met))
            columns = [list(column) for column in zip(*ordered, strict=True)]
            try:
                self._connection.execute(_insertion(table.name, table, conflict), columns)
            except psycopg.Error as error:
                raise explained(error) from error

    def numbers(self, count: int) -> Sequence[int]:
        """See session.Session."""
        return [number for (number,) in self.all("SELECT nextval('lines') FROM generate_series(1, ?)", count)]

    def taken(self, shard: int, seqs: list[int]) -> None:
        """See session.Session. Written as a join it would be done by going through all that is pending."""
        self.run(
            "DELETE FROM pending WHERE ctid = ANY(ARRAY(SELECT found.ctid"
            " FROM (SELECT at, seq FROM journal WHERE seq IN (?*) OFFSET 0) j, LATERAL"
            " (SELECT p.ctid FROM pending p WHERE p.shard = ? AND p.at = j.at AND p.seq = j.seq OFFSET 0) found))",
            seqs,
            shard,
        )

    def alone(self) -> None:
        """See session.Session. Who holds the lock with others may not wait for having it alone: begin again."""
        if not self._alone:
            raise Raced(alone=True)

    def hold(self, shards: Sequence[int]) -> None:
        """See session.Session."""
        self.all("SELECT shard FROM shards WHERE shard IN (?*) ORDER BY shard FOR UPDATE", list(shards))


@cache
def _translated(statement: str) -> bytes:
    return _LISTED.sub("= ANY(?)", statement).replace("?", "%s").encode()


@cache
def _insertion(name: str, table: Table, conflict: str) -> bytes:
    lists = ", ".join(f"%b::{type}[]" for type in table.types)
    columns = ", ".join(table.columns)
    return f"INSERT INTO {name} ({columns}) SELECT * FROM unnest({lists}) {conflict}".encode()


class PostgresStore(RelationalStore):
    """See contract.Store. The tables are in a schema of their own, `?schema=…` in the URL, by default `duly`."""

    shared = True

    def __init__(self, url: str, shards: int | None = None, guest: bool = False) -> None:
        super().__init__()
        self._url, self.schema = _parted(url)
        self._closing = threading.Event()
        self._listener: threading.Thread | None = None
        self._ear: Connection | None = None
        self._listening = threading.Lock()
        with self._dialled() as connection:
            self.shards, self._version = lay_out(connection, self.schema, shards, SHARDS, guest)
        self._connections = Connections(self._connect)

    def close(self) -> None:
        """See contract.Store."""
        self._closing.set()
        self._connections.close()
        with self._listening:
            listener, ear = self._listener, self._ear
            self._listener = None
            if ear is not None and not ear.closed:
                _interrupt(ear)
        if listener is not None:
            listener.join()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """See RelationalStore."""
        with (
            self._connections.taken() as connection,
            transaction(connection, IsolationLevel.REPEATABLE_READ),
        ):
            yield PostgresSession(connection)

    @contextmanager
    def writing(self, alone: bool = False) -> Iterator[Session]:
        """See RelationalStore."""
        with self._connections.taken() as connection, transaction(connection, IsolationLevel.READ_COMMITTED):
            session = PostgresSession(connection, alone)
            lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
            session.all(f"SELECT {lock}(?, hashtext(?))", APPEND, self.schema)
            yield session

    @contextmanager
    def holding(self, shard: int) -> Iterator[Session | None]:
        """See RelationalStore. What is seen is one state of the store, from when the shard was claimed."""
        with (
            self._connections.taken() as connection,
            transaction(connection, IsolationLevel.REPEATABLE_READ),
        ):
            session = PostgresSession(connection)
            try:
                row = session.one("SELECT 1 FROM shards WHERE shard = ? FOR UPDATE SKIP LOCKED", shard)
            except Raced:
                row = None
            try:
                yield None if row is None else session
            except Raced:
                raise Unavailable("another transaction was in the way of the work on a shard") from None

    def counts(self) -> Mapping[str, int]:
        """See contract.Store. What there is very much of is counted as PostgreSQL estimates it."""
        found = {}
        with self.reading() as session:
            for name, table in _COUNTED.items():
                row = session.one("SELECT reltuples::bigint FROM pg_class WHERE oid = ?::regclass", table)
                if row is None or row[0] < 100_000:
                    row = session.one(f"SELECT count(*) FROM {table}")
                found[name] = row[0] if row else 0
            ((found["timers"],),) = session.all("SELECT count(*) FROM entities WHERE alarm IS NOT NULL")
        return found

    def wait(self, seconds: float) -> bool:
        """See contract.Store."""
        with self._listening:
            if self._listener is None and not self._closing.is_set():
                self._listener = threading.Thread(target=self._listen, name="duly-listen", daemon=True)
                self._listener.start()
        return super().wait(seconds)

    def _announce(self, session: Session) -> None:
        session.all("SELECT pg_notify(?, '')", self._channel)

    @property
    def _channel(self) -> str:
        return f"duly_{self.schema}"

    def _listen(self) -> None:
        """Hear what other processes announce. While that cannot be heard, waiters look for themselves."""
        while not self._closing.is_set():
            try:
                with self._dialled() as ear:
                    with self._listening:
                        self._ear = ear
                    ear.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
                    self._stir()
                    while not self._closing.is_set():
                        for _ in ear.notifies(timeout=60, stop_after=1):
                            self._stir()
            except (psycopg.Error, OSError, Unavailable, InUse):
                self._stir()
                self._closing.wait(1)

    def _connect(self) -> Connection:
        """A connection like all others: to the store as it was when it was opened."""
        connection = self._dial()
        try:
            row = connection.execute(_AS_OPENED, (AHEAD, self.schema)).fetchone()
        except psycopg.Error as error:
            connection.close()
            raise explained(error) from error
        connection.autocommit = False
        if row != (self._version, self.shards, True):
            connection.close()
            raise InUse("the store was changed by another version of Duly; start this process anew")
        return connection

    @contextmanager
    def _dialled(self) -> Iterator[Connection]:
        connection = self._dial()
        try:
            yield connection
        except psycopg.Error as error:
            raise explained(error) from error
        finally:
            connection.close()

    def _dial(self) -> Connection:
        try:
            connection = psycopg.connect(self._url, connect_timeout=CONNECT_SECONDS, autocommit=True)
        except psycopg.Error as error:
            raise explained(error) from error
        try:
            connection.execute(_OURS, (f'"{self.schema}"',))
        except psycopg.Error as error:
            connection.close()
            raise explained(error) from error
        return connection


_COUNTED = {
    "events": "journal",
    "pending": "pending",
    "entities": "entities",
    "actions": "outbox",
    "rejects": "rejects",
}

_AS_OPENED = """
SELECT (SELECT value FROM facts WHERE name = 'version'), (SELECT value FROM facts WHERE name = 'shards'),
pg_try_advisory_lock_shared(%s, hashtext(%s))
"""

# Whatever is set for others: what is acknowledged is on disk, a process that hangs does not keep its shards, and
# every statement goes by an index. Statistics of a queue, which was empty or full a minute ago, mislead the planner.
_OURS = """
SELECT set_config('search_path', %s, false), set_config('idle_in_transaction_session_timeout', '5min', false),
set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
set_config('enable_mergejoin', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false),
CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END
"""


def _interrupt(connection: Connection) -> None:
    """Let whoever waits on a connection in another thread find that it is over."""
    with socket.socket(fileno=socket.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _parted(url: str) -> tuple[str, str]:
    """A URL without what is ours, and the schema that it names. Raises Unavailable."""
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    schema = next((value for name, value in asked if name == "schema"), "duly")
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,50}", schema):
        raise Unavailable(
            f"`{schema}` cannot be a schema of PostgreSQL here; use a-z, 0-9 and `_`, at most 51 of them"
        )
    rest = urlencode([(name, value) for name, value in asked if name != "schema"])
    return parts._replace(query=rest).geturl(), schema
