"""Connections to a PostgreSQL server: opened as they are needed, kept for the next one, and given up when it goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from duly.hosts.contract import Unavailable
from duly.hosts.store.contract import Damaged
from duly.hosts.store.session import Raced

Connection = psycopg.Connection[tuple[Any, ...]]

MOST = 16
"""So many connections one process has at most; who wants another one waits."""

WAIT_SECONDS = 30.0
LONGEST_PAUSE = 5.0
"""After a failure nobody tries to connect for a while: twice as long each time, in seconds, up to this."""


class Connections:
    """A pool of connections. Safe to use from several threads."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._idle: list[Connection] = []
        self._free = threading.BoundedSemaphore(MOST)
        self._lock = threading.Lock()
        self._closed = False
        self._pause = 0.0
        self._not_before = 0.0
        self._why = ""

    @contextmanager
    def taken(self) -> Iterator[Connection]:
        """A connection for the length of a transaction. Raises Unavailable where there is none to be had."""
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise Unavailable(f"all {MOST} connections to PostgreSQL have been busy for {WAIT_SECONDS:g} s")
        try:
            connection = self._next()
            try:
                yield connection
            finally:
                self._back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close those that are idle, and each of the others when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _next(self) -> Connection:
        with self._lock:
            if self._closed:
                raise Unavailable("the store is closed")
            if self._idle:
                return self._idle.pop()
            if time.monotonic() < self._not_before:
                raise Unavailable(self._why)
        try:
            connection = self._connect()
        except Unavailable as error:
            with self._lock:
                self._why = str(error)
                self._pause = min(LONGEST_PAUSE, self._pause * 2 or 0.1)
                self._not_before = time.monotonic() + self._pause
            raise
        with self._lock:
            self._pause = 0.0
        return connection

    def _back(self, connection: Connection) -> None:
        if connection.closed or connection.broken:
            connection.close()
            # The server has gone: the others are as good as dead, and would fail one by one.
            with self._lock:
                dead, self._idle = self._idle, []
            for each in dead:
                each.close()
            return
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def explained(error: psycopg.Error) -> Exception:
    """What an error of PostgreSQL means for whoever runs the service; the error itself where it is our own."""
    said = str(error).strip().partition("\n")[0]
    match error:
        case psycopg.errors.UniqueViolation() | psycopg.errors.TransactionRollback():
            return Raced()
        case psycopg.errors.DiskFull():
            return Unavailable(f"cannot write to PostgreSQL: the disk of the server is full ({said})")
        case psycopg.errors.ReadOnlySqlTransaction():
            return Unavailable("cannot write to PostgreSQL: the server, or the database, is read-only")
        case psycopg.errors.InsufficientPrivilege():
            return Unavailable(f"PostgreSQL denies access: {said}; let the user own the store's schema")
        case psycopg.errors.DataCorrupted() | psycopg.errors.IndexCorrupted():
            return Damaged(f"the database is damaged ({said}); restore a backup: see docs/operations.md")
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn():
            return Damaged(f"the store's tables are not as Duly made them ({said})")
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return Unavailable(f"PostgreSQL cannot be used: {said}")
    return error


@contextmanager
def transaction(connection: Connection, isolation: psycopg.IsolationLevel) -> Iterator[None]:
    """A transaction, committed if nothing is raised, its faults explained."""
    try:
        connection.isolation_level = isolation
        yield
        connection.commit()
    except psycopg.Error as error:
        raise explained(error) from error
    finally:
        if not connection.closed and connection.info.transaction_status:
            try:
                connection.rollback()
            except psycopg.Error:
                connection.close()
