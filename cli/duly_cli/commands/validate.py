"""`duly validate`: everything that is wrong with a policy, in one go."""

from __future__ import annotations

import os

import click

from duly.diagnostics import Diagnostic, Span, ordered
from duly_cli import options, rendering
from duly_cli.files import Files, Unreadable, complain, find, sets_within
from duly_cli.sources import Choice, compile_files


@click.command()
@click.argument("policy", default=".")
@options.policy
@click.option(
    "--format",
    "form",
    type=click.Choice(rendering.FORMATS),
    default="text",
    help="For a person, a program, or CI.",
)
@click.option("--output", "-o", metavar="FILE", help="Write the report to FILE.")
def validate(
    policy: str, parameters: tuple[str, ...], parameters_file: str | None, form: str, output: str | None
) -> int:
    """Check a policy set: YAML, shape, types, references, parameters.

    All faults of all files are found in one run. A folder that holds several sets has each of them checked.
    """
    choice = Choice(parameters, parameters_file)
    found: list[Diagnostic] = []
    texts: dict[str, bytes] = {}
    checked = 0
    bundled = False
    for each in _sets(policy):
        files = find(each)
        if files.bundle is not None:
            from duly_cli.bundles import unpack

            unpack(files.bundle, each, choice)
            bundled = True
        else:
            compilation, _ = compile_files(files, choice, thorough=True)
            found += compilation.diagnostics + _ignored(files)
            texts.update(files.sources)
        checked += len(files.sources)
    found = ordered(found)
    rendering.show(found, texts, form, output)
    errors = sum(diagnostic.severity == "error" for diagnostic in found)
    if form == "text":
        whole = "the bundle is whole; its policy was checked when it was built"
        complain(whole if bundled else rendering.summary(found, checked))
    return 1 if errors else 0


def _sets(policy: str) -> list[str]:
    if os.path.isdir(policy):
        return sets_within(policy) or [policy]
    if not policy.startswith("git:") and not os.path.exists(policy):
        raise Unreadable(f"no policy at `{policy}`: there is no such file or folder")
    return [policy]


def _ignored(files: Files) -> list[Diagnostic]:
    """A file called `.yml` is no document of a set; somebody may think it is."""
    return [
        Diagnostic("D218", "not read: documents of a set are called `*.yaml`", Span(name, 1, 1, 1, 2), "warning",
                   help=f"rename it to `{name.removesuffix('.yml')}.yaml`, or move it out of the folder")
        for name in files.ignored
    ]  # fmt: skip
