"""The sink `sql`: actions as rows of a table in SQLite or PostgreSQL, each there once."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol

import orjson

from duly.sinks.base import DELIVERED, Message, Misconfigured, Receipt, Unreachable, needs, revealed, said
from duly.sinks.settings import TEXT_OR_SECRET, mapping

_COLUMNS = ("id", "at", "type", "case_id", "customer", "action")
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$"


class Sql:
    """Inserts each action with its id as the key. A repeat changes nothing, so each is there exactly once."""

    schema = mapping(
        {
            "url": {
                **TEXT_OR_SECRET,
                "x-file": True,
                "description": "The database: `sqlite:PATH`, or `postgresql://…` as libpq has it.",
                "examples": ["sqlite:actions.db", {"env": "ACTIONS_DATABASE_URL"}],
            },
            "table": {
                "description": "The table; `duly_actions` where nothing is said.",
                "type": "string",
                "pattern": _NAME,
                "x-expected": "the name of a table, such as `duly_actions` or `support.actions`",
                "examples": ["duly_actions", "support.actions"],
            },
            "create": {
                "description": "Whether the table is made where there is none.",
                "type": "boolean",
                "examples": [True],
            },
        },
        required=["url"],
        examples=[{"url": "sqlite:actions.db", "create": True}],
    )
    atomic = True
    worded = False

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._create = bool(settings.get("create"))
        table = settings.get("table", "duly_actions")
        if not re.fullmatch(_NAME, table):
            raise Misconfigured(f"`table`: expected a name such as `duly_actions`, found `{said(table, 60)}`")
        self._database = _database(revealed(settings["url"]), table)

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink."""
        rows = [_row(action) for message in messages for action in message.actions]
        try:
            if self._create:
                self._database.create()
                self._create = False
            self._database.insert(rows)
        except self._database.faults as error:
            self._database.close()
            return [Receipt("failed", said(error))] * len(messages)
        return [DELIVERED] * len(messages)

    def check(self) -> str:
        """Look for the table and its columns; where it is to be made, make it."""
        try:
            if self._create:
                self._database.create()
            self._database.look()
        except self._database.faults as error:
            raise Unreachable(f"{said(error)}; `create: true` makes the table where there is none") from None
        finally:
            self._database.close()
        return f"found the table {self._database.table}"

    def close(self) -> None:
        """See Sink."""
        self._database.close()


class _Database(Protocol):
    table: str
    faults: tuple[type[Exception], ...]

    def create(self) -> None: ...

    def insert(self, rows: Sequence[tuple[Any, ...]]) -> None: ...

    def look(self) -> None: ...

    def close(self) -> None: ...


def _database(url: str, table: str) -> _Database:
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        return _Sqlite(rest, table)
    if scheme in ("postgresql", "postgres"):
        return _Postgres(url, table)
    raise Misconfigured("`url`: expected `sqlite:PATH` or `postgresql://…`, found neither")


def _row(action: Mapping[str, Any]) -> tuple[Any, ...]:
    body = orjson.dumps(action, default=str).decode()
    # PostgreSQL has no place for this character in any text.
    body = _NUL.sub(r"\1\\ufffd", body)
    texts = (action.get(name) for name in ("id", "at", "type", "case", "customer"))
    return (*(text.replace("\x00", "\ufffd") if isinstance(text, str) else text for text in texts), body)


class _Sqlite:
    faults: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, path: str, table: str) -> None:
        self.path, self.table = path, table
        self._open: sqlite3.Connection | None = None

    def connection(self) -> sqlite3.Connection:
        if self._open is None:
            # Made in one thread and closed in another; used by one at a time.
            self._open = sqlite3.connect(self.path, timeout=10, check_same_thread=False)
        return self._open

    def create(self) -> None:
        with self.connection() as connection:
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {self.table} (id TEXT PRIMARY KEY, at TEXT NOT NULL, type TEXT NOT NULL, "
                "case_id TEXT, customer TEXT, action TEXT NOT NULL) WITHOUT ROWID"
            )

    def insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        with self.connection() as connection:
            connection.executemany(
                f"INSERT INTO {self.table} ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608 - the name is checked
                rows,
            )

    def look(self) -> None:
        with closing(self.connection().execute(f"SELECT {', '.join(_COLUMNS)} FROM {self.table} LIMIT 0")):  # noqa: S608 - the name is checked
            pass

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class _Postgres:
    def __init__(self, url: str, table: str) -> None:
        try:
            import psycopg
        except ModuleNotFoundError as error:
            raise Misconfigured(needs("a sink of type `sql` for PostgreSQL", error, "postgres")) from None
        self._psycopg = psycopg
        self.url, self.table = url, table
        self.faults: tuple[type[Exception], ...] = (psycopg.Error,)
        self._open: Any = None

    def connection(self) -> Any:
        if self._open is None or self._open.closed:
            self._open = self._psycopg.connect(self.url, connect_timeout=10, application_name="duly")
        return self._open

    def create(self) -> None:
        with self.connection().transaction():
            self._open.execute(
                f"CREATE TABLE IF NOT EXISTS {self.table} (id text PRIMARY KEY, at timestamptz NOT NULL, "
                "type text NOT NULL, case_id text, customer text, action jsonb NOT NULL)"
            )

    def insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        with self.connection().transaction(), self._open.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {self.table} ({', '.join(_COLUMNS)}) VALUES (%s, %s, %s, %s, %s, %s) "  # noqa: S608 - the name is checked
                "ON CONFLICT DO NOTHING",
                rows,
            )

    def look(self) -> None:
        with self.connection().transaction():
            self._open.execute(f"SELECT {', '.join(_COLUMNS)} FROM {self.table} LIMIT 0")  # noqa: S608 - the name is checked

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
