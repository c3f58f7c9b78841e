"""`duly build`: a policy set as one immutable file."""

from __future__ import annotations

import os

import click

from duly_cli import bundles, cache, options
from duly_cli.files import complain, find, write
from duly_cli.sources import Choice, load


@click.command()
@click.argument("policy", default=".")
@click.option(
    "--output", "-o", required=True, metavar="FILE", help="The bundle to write, such as policy.duly."
)
@click.option("--sign", "key", metavar="KEY", help="Sign it with this private key (see `duly key new`).")
@options.policy
def build(
    policy: str, output: str, key: str | None, parameters: tuple[str, ...], parameters_file: str | None
) -> int:
    """Build a bundle: the compiled policy with its parameters, its facts and its revision.

    The same policy gives the same bytes. Every command that takes a POLICY takes a bundle.
    """
    files = find(policy)
    loaded = load(policy, Choice(parameters, parameters_file))
    listed = [
        {
            "file": os.path.relpath(name, policy) if os.path.isdir(policy) else name,
            "sha256": cache.digest_of(content),
        }
        for name, content in files.sources
    ]
    content = bundles.pack(loaded, listed, key)
    write(output, content, at_once=True)
    complain(f"wrote `{output}`, {len(content):,} bytes, revision {loaded.compiled['revision']}")
    return 0
