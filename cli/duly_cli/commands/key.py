"""`duly key`: the keys that bundles are signed with."""

from __future__ import annotations

import click

from duly_cli import signing
from duly_cli.files import complain


@click.group()
def key() -> None:
    """Make and show the Ed25519 keys that bundles are signed with."""


@key.command()
@click.argument("file")
def new(file: str) -> int:
    """Make a key: its private half goes to FILE, its public half to stdout.

    Keep FILE where bundles are built; the public half belongs under `trust` of whoever runs them.
    """
    public = signing.new_key(file)
    complain(f"wrote the private key to `{file}`; whoever has it can sign bundles")
    click.echo(public)
    return 0


@key.command()
@click.argument("file")
def show(file: str) -> int:
    """Print the public half of the key in FILE."""
    click.echo(signing.public_key(file))
    return 0
