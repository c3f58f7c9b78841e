"""`duly run`: the engine as a service."""

from __future__ import annotations

import gc
import os

import click

from duly_cli import options
from duly_cli.files import Unreadable, complain


@click.command()
@options.config
@click.option(
    "--check", is_flag=True, help="Look whether configuration, policy, store and sinks will do; and end."
)
@click.option(
    "--until", metavar="INSTANT", help="With `time: events`: let time run on to this instant at the end."
)
def run(file: str, check: bool, until: str | None) -> int:
    """Keep the promises of a policy day and night: events in, clocks that survive, actions out.

    What is listened to, where events come from and where actions go stands in the configuration. SIGTERM and
    Ctrl-C end what was begun and then the service; a second one ends it at once.
    """
    from duly.hosts.config import Faulty
    from duly.hosts.contract import Unavailable
    from duly.hosts.store.contract import Damaged, InUse
    from duly_cli import serving
    from duly_cli.sources import Invalid

    content = serving.content(file)
    try:
        config = serving.configuration(file, content, os.environ)
        if until is not None and config.time != "events":
            raise click.UsageError("`--until` needs `time: events` in the configuration")
        service = serving.service(config, file, content, until, checking=check)
        if check:
            service.close()
            complain(f"`{file}` can be run: {service.told()}")
            return 0
        _settle_in()
        service.run()
    except Faulty as error:
        raise Invalid(error.diagnostics, {file: content}, "configuration") from None
    except (Damaged, InUse, Unavailable) as error:
        raise Unreadable(str(error)) from None
    return 3 if service.failed else 0


def _settle_in() -> None:
    """What is loaded by now stays; and what is kept of the cases is seldom garbage, so it is looked for seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
