"""Stores: where a service keeps its journal, its state, its timers and its outbox."""

from duly.hosts.store.contract import Store


def open_store(url: str, *, shards: int = 1) -> Store:
    """The store at `sqlite:PATH` or `postgresql://…`. Raises InUse, Damaged and Unavailable."""
    raise NotImplementedError
