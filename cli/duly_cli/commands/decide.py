"""`duly decide`: cases in, decisions out."""

from __future__ import annotations

from typing import Any

import click

from duly_cli import deciding, options
from duly_cli.sources import Choice


@click.command()
@click.argument("places", nargs=-1, metavar="[POLICY] [CASE|-]")
@options.policy
@options.at
@click.option(
    "--explain", is_flag=True, help="Add a trace: the entries tried, in order, and the test that settled it."
)
@options.matcher
@click.option("--strict", is_flag=True, help="Stop at the first case that cannot be decided.")
def decide(
    places: tuple[str, ...], parameters: tuple[str, ...], parameters_file: str | None, **given: Any
) -> int:
    """Decide cases: one JSON case gives one decision, JSON Lines give JSON Lines.

    Without CASE, or with -, cases are read from standard input. A line that cannot be decided gives
    {"error": …} in its place, and the exit code is 1 at the end.
    """
    if len(places) > 2:
        raise click.UsageError("expected POLICY and CASE, found more")
    asked = deciding.Asked()
    for name, value in given.items():
        setattr(asked, name, value)
    deciding.place(asked, list(places))
    asked.choice = Choice(parameters, parameters_file)
    return deciding.run(asked)
