"""Parts: what a service is put together from, as its configuration says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from duly.acting import ActingSet
from duly.diagnostics import Path as Place
from duly.hosts import sources
from duly.hosts.config import Config, Faulty
from duly.hosts.contract import Part
from duly.hosts.sharing import wants_one_shard
from duly.hosts.store import open_store
from duly.hosts.store.contract import InUse, Store
from duly.sinks.base import Misconfigured

if TYPE_CHECKING:
    from duly.hosts.service import Service

SHARDS = 16
"""Shards of a store that several processes share, where nothing asks for one."""


def store(config: Config, policy: ActingSet, *, checking: bool) -> Store:
    """The store; for `checking` also one that another process works on. Raises InUse, Damaged and Unavailable."""
    one = config.store.url.startswith("sqlite:") or wants_one_shard(policy)
    try:
        return open_store(config.store.url, shards=1 if one else config.store.shards or SHARDS)
    except InUse:
        if not checking:
            raise
        return open_store(config.store.url, guest=True)


def made(service: Service) -> Iterator[Part]:
    """The parts of a service, each imported only where it is asked for: what it needs may not be installed.

    Raises Faulty where one cannot work, or needs an extra that is not there.
    """
    config = service.config
    if config.sinks:
        make = partial(_imported, "delivery.dispatcher", "Dispatcher", service)
        yield _part(config, ("spec", "sinks"), "service", make)
    if config.http is not None:
        yield _part(config, ("spec", "http"), "service", partial(_imported, "http.server", "serve", service))
    for name, settings in config.sources.items():
        if settings["type"] != "http-webhook":
            place: Place = ("spec", "sources", name)
            yield _part(config, place, settings["type"], partial(sources.source, name, settings, service))


def _part(config: Config, place: Place, extra: str, make: Callable[[], Part]) -> Part:
    try:
        return make()
    except ImportError as error:
        if (error.name or "").startswith("duly"):
            raise
        message = f"`{error.name}` is not installed"
        fault = config.fault(place, message, f"run `pip install 'duly[{extra}]'`")
        raise Faulty([fault]) from None
    except Misconfigured as error:
        raise Faulty([config.fault(place, str(error))]) from None


def _imported(module: str, name: str, service: Service) -> Part:
    part: Part = getattr(import_module(f"duly.hosts.{module}"), name)(service)
    return part
