"""`duly audit`: whether what a service did for a case follows from its journal and its policies."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from duly_cli import options
from duly_cli.files import Unreadable


@click.command()
@click.argument("case")
@options.config
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For whom.")
def audit(case: str, file: str, form: str) -> int:
    """Replay the history of CASE from the service's journal, under the revisions that were in force, and compare it
    with the state that is kept and the actions that were given out. The service may be running.

    The exit code is 1 where something differs.
    """
    import orjson

    from duly.acting import ActingSet
    from duly.hosts.audit import audit as audited
    from duly_cli import operating

    with operating.configured(file) as (config, _), operating.opened(config) as store:
        found = audited(
            store, case, lambda name: ActingSet(orjson.loads(store.compiled(name)), config.matcher)
        )
    if found is None:
        raise Unreadable(f"no case `{case}` is kept in {config.store.shown}")
    shown = {"same": found.same, **dataclasses.asdict(found)}
    click.echo(json.dumps(shown, ensure_ascii=False, indent=2) if form == "json" else _text(shown))
    return 0 if found.same else 1


def _text(shown: dict[str, Any]) -> str:
    lines = [
        f"case {shown['case']}, with all of {shown['group']}, replayed until {shown['until']}",
        f"events of the case: {shown['events']}; actions that stand: {shown['given']}",
        *(f"  decided by {name}: {count}" for name, count in shown["revisions"].items()),
    ]
    if shown["begins"]:
        lines.insert(1, f"its history was folded up to {shown['begins']}; what was before is taken as it is")
    for title, wrong in (("state", shown["states"]), ("action", shown["actions"])):
        lines += [f"{title} {name}: {what}" for name, what in wrong]
    lines.append("everything is as it should be" if shown["same"] else "this is not what the journal gives")
    return "\n".join(lines)
