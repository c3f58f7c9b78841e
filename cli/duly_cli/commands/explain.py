"""`duly explain`: why this route and this due time, for a person."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from duly.cases import Refused, read_case
from duly.instants import render, seconds
from duly.reading import values
from duly.reports.account import account
from duly.reports.trace import trace
from duly_cli import deciding, options, story, writing
from duly_cli.files import Unreadable, complain, open_input
from duly_cli.sources import Choice, load


@click.command()
@click.argument("places", nargs=-1, metavar="[POLICY] CASE")
@options.policy
@options.at
@options.matcher
@click.option("--clock", "chosen", metavar="ID", help="Only this clock.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For whom.")
def explain(
    places: tuple[str, ...], parameters: tuple[str, ...], parameters_file: str | None, at: str | None,
    matcher: str | None, chosen: str | None, form: str,
) -> int:  # fmt: skip
    """Explain a decision: the rules tried in order, the test that failed, the line it stands on, and every
    second of each clock accounted for.
    """
    if len(places) > 2:
        raise click.UsageError("expected POLICY and CASE, found more")
    asked = deciding.Asked()
    deciding.place(asked, list(places))
    if asked.case == "-" and sys.stdin.isatty() and len(places) < 2:
        raise click.UsageError("expected a CASE: a JSON file, or - for standard input")
    now = deciding.moment(at)
    loaded = load(asked.policy, Choice(parameters, parameters_file))
    policy = deciding.opened(loaded, matcher)
    if chosen is not None and chosen not in {clock.id for clock in policy.clocks}:
        known = ", ".join(f"`{clock.id}`" for clock in policy.clocks)
        raise Unreadable(f"no clock `{chosen}`; the policy has {known or 'none'}")
    bad = total = 0
    for line, case in values(open_input(asked.case)):
        total += 1
        try:
            if isinstance(case, Refused):
                raise case
            state, decision = deciding.seen(policy, read_case(case), now)
        except Refused as refused:
            bad += 1
            where = f" at `{refused.path}`" if refused.path else ""
            complain(f"line {line}{where}: {refused.message} ({refused.code})")
            continue
        explained = _explained(decision, policy, state, now, loaded.places, chosen)
        if form == "json":
            click.echo(json.dumps(explained, ensure_ascii=False, default=writing.plain))
        else:
            click.echo(story.told(policy, explained, state, now, loaded.places, chosen))
    if total == 0:
        raise Unreadable("no case in the input; give one JSON object")
    return 1 if bad else 0


def _explained(
    decision: dict[str, Any], policy: Any, state: Any, now: int, places: dict[str, Any], chosen: str | None
) -> dict[str, Any]:
    """The decision with its trace and, for each clock, the account of its time."""
    decision["trace"] = [
        each for each in trace(policy, state, places) if chosen is None or each.get("clock") == chosen
    ]
    decision["clocks"] = [clock for clock in decision["clocks"] if chosen in (None, clock["clock"])]
    for clock in decision["clocks"]:
        clock["account"] = [
            {
                "from": render(row.start),
                "to": render(row.end),
                "kind": row.kind,
                "label": row.label or None,
                "calendar": row.calendar,
                "counted_seconds": seconds(row.counted),
            }
            for row in account(state.runs[clock["clock"]], now)
        ]
    return decision
