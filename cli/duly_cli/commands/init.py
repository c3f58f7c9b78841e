"""`duly init`: a policy set to begin with, from a shipped pack."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable

import click

from duly.diagnostics import did_you_mean
from duly_cli.files import CONFIG, Unreadable, complain, write

_EXAMPLE = "params.example.yaml"


@click.command()
@click.argument("directory", default=".", metavar="[DIR]")
@click.option("--pack", default="standard-service", metavar="NAME", help="The pack to begin with.")
@click.option("--list", "listing", is_flag=True, help="List the packs.")
def init(directory: str, pack: str, listing: bool) -> int:
    """Write a policy set that validates and decides at once.

    Nothing that is there already is overwritten.
    """
    packs = _packs()
    if listing:
        click.echo("\n".join(sorted(packs)))
        return 0
    if pack not in packs:
        raise Unreadable(f"no pack `{pack}`; {did_you_mean(pack, packs) or 'duly init --list shows them'}")
    content = dict(_content(packs[pack]))
    if _EXAMPLE in content:
        content.setdefault(CONFIG, _configuration(content[_EXAMPLE]))
    there = sorted(name for name in content if os.path.exists(os.path.join(directory, name)))
    if there or os.path.exists(os.path.join(directory, "duly.yaml")):
        name = there[0] if there else "duly.yaml"
        raise Unreadable(
            f"`{os.path.join(directory, name)}` is there already; choose an empty folder: `duly init DIR`"
        )
    for name, text in content.items():
        path = os.path.join(directory, name)
        with suppress(OSError):  # told where the file cannot be written
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        write(path, text)
    _say(directory, pack, content)
    return 0


def _packs() -> dict[str, Traversable]:
    """The packs that come with Duly, by name. Raises Unreadable where Duly is run without being installed."""
    try:
        folder = package_files("duly.policies")
    except ModuleNotFoundError:
        raise Unreadable(
            "the packs come with an installed Duly, and this one runs from its source; install it with "
            "`pip install --editable .` in the checkout, or copy a folder of `policies/`"
        ) from None
    return {each.name: each for each in folder.iterdir() if (each / "duly.yaml").is_file()}


def _content(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            if each.name != "__pycache__":
                found += _content(each, f"{prefix}{each.name}/")
        elif not each.name.endswith((".py", ".pyc")):
            found.append((prefix + each.name, each.read_bytes()))
    return found


def _configuration(example: bytes) -> bytes:
    """The values of the example as the set's configuration, so that it decides without further ado."""
    head = (
        "# The values of this policy's parameters, and how it is run. The values are examples: put yours in.\n"
        "apiVersion: duly/v1\nkind: Config\nspec:\n  matcher: native\n  parameters:\n"
    )
    lines = example.decode("utf-8").splitlines()
    body = [
        f"    {line}" if line.strip() else ""
        for line in lines
        if not line.startswith("# yaml-language-server")
    ]
    return (head + "\n".join(body) + "\n").encode()


def _say(directory: str, pack: str, content: dict[str, bytes]) -> None:
    where = "" if directory == "." else f" {shlex.quote(directory)}"
    case = next((name for name in content if name.startswith("cases/") and name.endswith(".json")), None)
    complain(f"wrote {len(content)} files from the pack `{pack}` into `{directory}`; next:")
    click.echo(f"  duly validate{where}", err=True)
    if case:
        path = case if directory == "." else shlex.quote(f"{directory.rstrip('/')}/{case}")
        click.echo(f"  duly decide{where} {path}", err=True)
        click.echo(f"  duly explain{where} {path}", err=True)
