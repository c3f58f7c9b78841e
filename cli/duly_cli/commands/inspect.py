"""`duly inspect`: what is in a bundle."""

from __future__ import annotations

import json
from typing import Any

import click

from duly_cli import bundles, signing
from duly_cli.files import read
from duly_cli.sources import Choice


@click.command()
@click.argument("file")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For whom.")
@click.option(
    "--trust",
    "keys",
    multiple=True,
    metavar="PUBLIC-KEY",
    help="Refuse what none of these signed; repeatable.",
)
def inspect(file: str, form: str, keys: tuple[str, ...]) -> int:
    """Show what a bundle holds: set, revision, who signed it, parameters, calendars and entries."""
    content = read(file)
    head = bundles.head(content, file)
    if keys:
        signing.trusted(head, file, signing.read_trust(keys, "`--trust`"))
    compiled = bundles.unpack(content, file, Choice()).compiled
    shown = {
        "set": head["set"],
        "version": head["version"],
        "revision": head["revision"],
        "signed_by": signing.signer(head, file) if signing.SIGNATURE in head else None,
        "built_with": compiled["duly"],
        "matcher": head["matcher"],
        "timezone": compiled["set"]["timezone"],
        "parameters": compiled["parameters"],
        "calendars": {name: _calendar(spec) for name, spec in compiled["calendars"].items()},
        "tables": [table["sets"] for table in compiled["tables"]],
        "routes": len(compiled["routing"]["rules"]) if compiled["routing"] else 0,
        "clocks": [clock["id"] for clock in compiled["clocks"]],
        "ladders": [ladder["id"] for ladder in compiled["ladders"]],
        "surveys": [survey["id"] for survey in compiled["surveys"]],
        "files": head["files"],
    }
    click.echo(json.dumps(shown, ensure_ascii=False, indent=2) if form == "json" else _text(shown))
    return 0


def _calendar(spec: dict[str, Any]) -> dict[str, Any]:
    known = {"timezone": spec["timezone"], "tzdata": spec.get("zone", {}).get("version")}
    for key in ("source", "confirmed_through", "all_of", "any_of"):
        if spec.get(key):
            known[key] = spec[key]
    return known


def _text(shown: dict[str, Any]) -> str:
    lines = []
    for key, value in shown.items():
        name = key.replace("_", " ")
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {each}: {_flat(content)}" for each, content in value.items())]
        elif key == "files":
            lines += [f"{name}:", *(f"  {each['file']}  {each['sha256'][:12]}" for each in value)]
        else:
            lines.append(f"{name}: {_flat(value)}")
    return "\n".join(lines)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "nobody" if value is None else str(value)
