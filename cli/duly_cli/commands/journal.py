"""`duly journal`: the events a service has accepted, and what it refused, as JSON Lines."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable

import click

from duly_cli import options
from duly_cli.files import Unreadable, complain, open_input


@click.group()
def journal() -> None:
    """Take the journal of a service out as JSON Lines, or put one in."""


@journal.command("export")
@options.config
def export(file: str) -> int:
    """Print every event that was accepted, in the order of acceptance. The service may be running."""
    from duly.hosts.journal import exported
    from duly_cli import operating

    with operating.configured(file) as (config, _), operating.opened(config) as store:
        _write(exported(store))
    return 0


@journal.command("rejects")
@options.config
def rejects(file: str) -> int:
    """Print what was refused, with its reason. The service may be running."""
    from duly.hosts.journal import refused
    from duly_cli import operating

    with operating.configured(file) as (config, _), operating.opened(config) as store:
        _write(refused(store))
    return 0


@journal.command("import", short_help="Put events into the store, and do what follows; send nothing.")
@click.argument("events")
@options.config
def import_(events: str, file: str) -> int:
    """Put EVENTS (`-` for standard input) into the store, and do what follows from them; send nothing.

    Time moves with the events. The service must be stopped; what it was sent before counts once. What is given out is
    for no sink that has not taken part before: a store that is restored does not send its past again.
    """
    from duly.hosts.config import Faulty
    from duly.hosts.contract import Unavailable
    from duly.hosts.journal import imported
    from duly.hosts.store.contract import Damaged, InUse
    from duly_cli import serving
    from duly_cli.sources import Invalid

    content = serving.content(file)
    found: dict[str, int] = {}
    try:
        config = serving.configuration(file, content, os.environ)
        alone = dataclasses.replace(config, sources={}, sinks={}, http=None, time="events")
        service = serving.service(alone, file, content)
        with open_input(events) as lines:
            for line, receipt in imported(service, lines):
                found[receipt.status] = found.get(receipt.status, 0) + 1
                if receipt.status in ("refused", "conflict"):
                    complain(f"line {line}: {receipt.message} ({receipt.code})")
    except Faulty as error:
        raise Invalid(error.diagnostics, {file: content}, "configuration") from None
    except (Damaged, InUse, Unavailable) as error:
        raise Unreadable(str(error)) from None
    told = ", ".join(f"{count:,} {status}" for status, count in sorted(found.items())) or "no event"
    complain(f"imported into {config.store.shown}: {told}")
    return 1 if service.failed or {"refused", "conflict"} & set(found) else 0


def _write(lines: Iterable[bytes]) -> None:
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
