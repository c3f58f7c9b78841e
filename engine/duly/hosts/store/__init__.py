"""Stores: where a service keeps its journal, its state, its timers and its outbox."""

from __future__ import annotations

from pathlib import Path

from duly.hosts.contract import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from duly.hosts.store.contract import Store


def open_store(url: str, *, shards: int | None = None, guest: bool = False) -> Store:
    """The store at a URL: `sqlite:duly.db`, from the working folder, or `postgresql://…`.

    `shards` is how many it is made with, where it is new. A `guest` is a command beside a running service: it may look,
    append and settle, but it does not work. Raises InUse, Damaged and Unavailable.
    """
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "sqlite":
        from duly.hosts.store.sqlite import SqliteStore

        if not rest or rest.startswith(":memory"):
            raise Unavailable("`store.url` names no file; write `sqlite:duly.db`")
        return SqliteStore(Path(rest.removeprefix("//")), guest)
    if colon and scheme in {"postgresql", "postgres"}:
        try:
            from duly.hosts.store.postgres import PostgresStore
        except ImportError:
            raise Unavailable(
                "a store in PostgreSQL needs its driver: pip install 'duly[postgres]'"
            ) from None
        return PostgresStore(url, shards, guest)
    shown = scheme if colon else url
    raise Unavailable(f"no store is called `{shown}:`; `store.url` begins with `sqlite:` or `postgresql:`")
