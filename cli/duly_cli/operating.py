"""Operating: the store and the sinks of a configuration, for commands beside a service that may be running."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from duly.diagnostics import did_you_mean
from duly.hosts.config import Config, Faulty, read
from duly.hosts.contract import Unavailable
from duly.hosts.delivery import dispatcher
from duly.hosts.delivery.settings import Settings
from duly.hosts.store import open_store
from duly.hosts.store.contract import Damaged, InUse, Store
from duly_cli import serving
from duly_cli.files import Unreadable
from duly_cli.sources import Invalid
from duly_cli.widths import fitted, padded, width

WIDEST = 60


@contextmanager
def configured(file: str) -> Iterator[tuple[Config, Settings]]:
    """A configuration and what it says of delivery. Raises Unreadable and Invalid, also for a Faulty in between."""
    content = serving.content(file)
    try:
        config = read(content, file, os.environ)
        yield config, dispatcher.settings(config)
    except Faulty as error:
        raise Invalid(error.diagnostics, {file: content}, "configuration") from None


@contextmanager
def opened(config: Config) -> Iterator[Store]:
    """The store of a configuration, beside whoever works on it. Raises Unreadable."""
    try:
        store = open_store(config.store.url, guest=True)
        try:
            yield store
        finally:
            store.close()
    except (Damaged, InUse, Unavailable) as error:
        raise Unreadable(str(error)) from None


def known(name: str, settings: Settings, store: Store | None = None) -> str:
    """The name of a sink that the configuration or the store knows. Raises Unreadable."""
    names = [*settings.terms, *(() if store is None else store.outlets())]
    if name in names:
        return name
    hint = did_you_mean(name, names) or "`duly sinks list` names them"
    raise Unreadable(f"there is no sink `{name}`; {hint}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in columns that are as wide as what is in them; a character of two columns counts as two."""
    shown = [[fitted(cell, WIDEST) for cell in row[:-1]] + [row[-1]] for row in rows]
    widths = [max(width(cell) for cell in column) for column in zip(head, *shown, strict=True)]
    lines = ["  ".join(map(padded, row, widths)).rstrip() for row in [list(head), *shown]]
    return "".join(line + "\n" for line in lines)
