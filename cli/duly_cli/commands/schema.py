"""`duly schema`: the JSON Schemas of the language, for editors and other systems."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import click

from duly_cli.files import write


@click.command()
@click.argument("kind", required=False, metavar="[KIND]")
@click.option("--draft", type=click.Choice(["2020-12", "7"]), default="2020-12", show_default=True,
              help="Which JSON Schema; editors read 7.")  # fmt: skip
@click.option("--all", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Write every schema into a folder.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True,
              help="Of the list of schemas; markdown is the language reference.")  # fmt: skip
def schema(kind: str | None, draft: str, folder: Path | None, form: str) -> None:
    """The JSON Schemas of the language.

    KIND is a kind of document (ServiceLevel or service-level), or event, case, decision, action,
    diagnostics, calendar-request; `policy` is the one for documents of every kind (draft 7). Without KIND:
    the list of them.
    """
    from duly.validation import editors, reference, schemas

    if folder is not None:
        _write_all(folder, draft)
    elif form == "markdown":
        click.echo(reference.page(), nl=False)
    elif kind is None:
        _list([(name, schemas.read(name)["description"]) for name in schemas.NAMES], form)
    else:
        name = _named(kind, draft)
        click.echo(
            editors.text(editors.editor_schema(name)) if draft == "7" else schemas.text(name), nl=False
        )


def _named(kind: str, draft: str) -> str:
    from duly.diagnostics import did_you_mean
    from duly.validation import editors, schemas

    name = schemas.KINDS.get(kind, kind)
    if name == editors.POLICY and draft != "7":
        raise click.UsageError("`policy` is there for editors: add `--draft 7`")
    if name not in editors.EDITOR_NAMES and name != schemas.COMMON:
        known = did_you_mean(kind, [*schemas.KINDS, *schemas.NAMES]) or "`duly schema` lists them"
        raise click.UsageError(f"no schema called `{kind}`; {known}")
    if name == schemas.COMMON and draft == "7":
        raise click.UsageError("in draft 7 every schema is whole in itself; there is no `common`")
    return name


def _list(entries: list[tuple[str, str]], form: str) -> None:
    from duly.validation import schemas

    if form == "json":
        kinds = {name: kind for kind, name in schemas.KINDS.items()}
        rows = [
            {"name": name, "kind": kinds.get(name), "id": f"{schemas.BASE}{name}.json", "description": text}
            for name, text in entries
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    width = max(len(name) for name, _ in entries)
    for name, text in entries:
        click.echo(f"{name:<{width}}  {text.split('; ')[0].split(': ')[0].rstrip('.')}")


def _write_all(folder: Path, draft: str) -> None:
    from duly.validation import editors, schemas

    if draft == "7":
        texts = {name: editors.text(editors.editor_schema(name)) for name in editors.EDITOR_NAMES}
    else:
        texts = {name: schemas.text(name) for name in (*schemas.NAMES, schemas.COMMON)}
    with suppress(OSError):  # told where the first file cannot be written
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write(str(folder / f"{name}.json"), text)
    click.echo(f"{len(texts)} schemas written to {folder}", err=True)
