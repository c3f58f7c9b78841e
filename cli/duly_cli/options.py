"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from duly_cli.files import CONFIG

Command = Callable[..., Any]


def policy(command: Command) -> Command:
    """`[POLICY] --param NAME=VALUE --params FILE`."""
    command = click.option("--params", "parameters_file", metavar="FILE", help="A file of parameter values.")(
        command
    )
    return click.option(
        "--param",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="The value of a parameter; repeatable.",
    )(command)


def at(command: Command) -> Command:
    """`--at INSTANT`."""
    help = "The instant that counts as now, such as 2026-03-02T09:00:00+08:00."
    return click.option("--at", metavar="INSTANT", help=help)(command)


def matcher(command: Command) -> Command:
    """`--matcher KIND`."""
    return click.option(
        "--matcher", type=click.Choice(["native", "durable-rules"]), help="What finds the rules that hold."
    )(command)


def config(command: Command) -> Command:
    """`--config FILE`, which says how a service is run."""
    return click.option(
        "--config",
        "file",
        default=CONFIG,
        show_default=True,
        metavar="FILE",
        help="A document of kind Config.",
    )(command)
