"""`duly sinks`: the outbox and the dead letters, for whoever operates a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click
import orjson

from duly_cli import options
from duly_cli.files import Unreadable, complain

_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="A table, or JSON Lines."
)


@click.group()
def sinks() -> None:
    """Look after the sinks of a service, while it runs or when it is stopped."""


@sinks.command("list")
@options.config
@_format
@click.option("--types", is_flag=True, help="The types of sinks that a configuration may name, instead.")
def list_(file: str, form: str, types: bool) -> int:
    """List each sink: its type and state, what it has before it, its latest delivery and failure."""
    from duly.hosts.delivery import overview
    from duly_cli import operating

    if types:
        from duly.sinks.registry import offered

        _show(
            form,
            [{"type": each.name, "package": each.package} for each in offered().values()],
            ("type", "package"),
        )
        return 0
    with operating.configured(file) as (config, settings), operating.opened(config) as store:
        rows = overview.sinks(store, settings)
    counts = [each for each in ("moot", "withheld") if any(row[each] for row in rows)]
    head = [
        "sink",
        "type",
        "state",
        "new",
        "retry",
        "deferred",
        "dead",
        *counts,
        "delivered",
        "last_delivery",
    ]
    _show(form, rows, (*head, "last_error"))
    return 0


@sinks.command()
@click.argument("name", required=False)
@options.config
def check(name: str | None, file: str) -> int:
    """Look whether the settings of sinks will do, and whether they can be reached; nothing is delivered."""
    from duly.hosts.delivery import dispatcher
    from duly.sinks import registry
    from duly.sinks.base import Misconfigured, Unreachable
    from duly_cli import operating

    failed = False
    with operating.configured(file) as (config, settings):
        wanted = list(settings.terms) if name is None else [operating.known(name, settings)]
        made = dispatcher.sinks(config, wanted)
        for each in wanted:
            try:
                click.echo(f"{each}: {registry.check(made[each])}")
            except (Misconfigured, Unreachable) as error:
                failed = True
                click.echo(f"{each}: fails: {error}")
            finally:
                registry.close(made[each])
    return 1 if failed else 0


@sinks.command()
@click.argument("name", required=False)
@options.config
@_format
@click.option(
    "--state", type=click.Choice(["dead", "retry", "deferred", "moot", "withheld"]), default="dead", show_default=True,
    help="What else a sink has kept.",
)  # fmt: skip
def dead(name: str | None, file: str, form: str, state: Any) -> int:
    """List what was given up, with the reason: the dead letters of a sink, or of all."""
    from duly.hosts.delivery import overview
    from duly_cli import operating

    with operating.configured(file) as (config, settings), operating.opened(config) as store:
        sink = None if name is None else operating.known(name, settings, store)
        rows = list(overview.letters(store, sink, state))
    _show(form, rows, ("sink", "id", "type", "case", "to", "at", "attempts", "reason"))
    return 0


@sinks.command()
@click.argument("name")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@options.config
@click.option("--all", "everything", is_flag=True, help="All dead letters of the sink.")
def retry(name: str, ids: tuple[str, ...], file: str, everything: bool) -> int:
    """Let dead letters be tried again from the first attempt on: those of the actions named, or all."""
    from duly.hosts.clock import WallClock
    from duly.hosts.delivery import overview
    from duly_cli import operating

    if everything == bool(ids):
        raise click.UsageError("name the actions whose dead letters are to be tried again, or add `--all`")
    with operating.configured(file) as (config, settings), operating.opened(config) as store:
        operating.known(name, settings, store)
        places, unknown = (None, []) if everything else overview.named(store, name, ids)
        if unknown:
            raise Unreadable(
                f"`{name}` has no dead letter of the action `{unknown[0]}`; see `duly sinks dead {name}`"
            )
        count = store.revive(name, places, WallClock().now())
    click.echo(f"{count} dead letter{'' if count == 1 else 's'} of `{name}` will be tried again")
    return 0


@sinks.command()
@click.argument("name")
@options.config
def enable(name: str, file: str) -> int:
    """Let a sink be sent to again that was switched off because the other side wanted nothing more."""
    from duly_cli import operating

    with operating.configured(file) as (config, settings), operating.opened(config) as store:
        was_off = store.enable(operating.known(name, settings, store))
    complain(f"`{name}` is switched on" + ("" if was_off else "; it was before"))
    return 0


def _show(form: str, rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> None:
    from duly_cli import operating

    if form == "json":
        click.echo(b"".join(orjson.dumps(row) + b"\n" for row in rows), nl=False)
        return
    listed = list(columns)
    cells = [[_cell(row[column]) for column in listed] for row in rows]
    click.echo(operating.table([column.replace("_", " ") for column in listed], cells), nl=False)


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['at']} {value['reason']}"
    return "–" if value is None or value == "" else str(value)
