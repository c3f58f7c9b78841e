"""The commands, one file a verb; each is imported when it is called for."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import import_module

import click

import duly
from duly.diagnostics import did_you_mean

_COMMANDS = {
    "audit": "audit",
    "build": "build",
    "calendar": "calendar",
    "clauses": "clauses",
    "completion": "completion",
    "decide": "decide",
    "explain": "explain",
    "init": "init",
    "inspect": "inspect",
    "journal": "journal",
    "key": "key",
    "map": "map",
    "run": "run",
    "schedule": "schedule",
    "schema": "schema",
    "simulate": "simulate",
    "sinks": "sinks",
    "test": "test",
    "validate": "validate",
}


class _Verbs(click.Group):
    """The group of all commands; knows their names without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(f"duly_cli.commands.{module}"), module)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS:
            hint = did_you_mean(args[0], _COMMANDS)
            raise click.UsageError(f"no command `{args[0]}`" + (f"; {hint}" if hint else ""), ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(duly.__version__, prog_name="duly", message="%(prog)s %(version)s")
def cli() -> None:
    """Service-level policy as code: validate it, decide with it, explain what it decides.

    POLICY is a folder with a duly.yaml, a bundle file, or git:REV[:PATH]; by default this folder.
    """


def run(words: Sequence[str]) -> int:
    """Run a command line through click; the exit code."""
    streams = sys.stdout, sys.stderr
    try:
        code = cli.main(args=list(words), prog_name="duly", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message(), err=True)
        return 2
    except click.ClickException as error:
        usage = error.ctx.get_usage() + "\n" if isinstance(error, click.UsageError) and error.ctx else ""
        click.echo(f"{usage}duly: {_told(error.format_message())}", err=True)
        return 2
    except click.Abort:
        return 130
    except click.exceptions.Exit as done:
        return done.exit_code
    except SystemExit as done:
        if sys.stdout is not streams[0]:
            # Click puts others in their place where a reader has seen enough, and calls that a failure.
            sys.stdout, sys.stderr = streams
            raise BrokenPipeError from None
        return done.code if isinstance(done.code, int) else 0 if done.code is None else 2
    return code if isinstance(code, int) else 0


def _told(message: str) -> str:
    """A message of click in the words and marks of all others."""
    message = re.sub(r"'([^']*)'", r"`\1`", message.rstrip("."))
    message = re.sub(r"\.? \(?Did you mean (?:one of: )?(.*?)\??\)?$", r"; did you mean \1?", message)
    return message[:1].lower() + message[1:]
