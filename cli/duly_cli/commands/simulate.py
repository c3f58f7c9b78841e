"""`duly simulate`: events in, actions out, in virtual time."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from duly.acting import ActingSet
from duly.cases import Event, Refused, order, read_event
from duly.reading import values
from duly.replaying import replayed
from duly_cli import deciding, options, storyline, writing
from duly_cli.files import Unreadable, complain, open_input
from duly_cli.sources import Choice, load


@click.command()
@click.argument("places", nargs=-1, metavar="[POLICY] [EVENTS|-]")
@options.policy
@options.matcher
@click.option("--until", metavar="INSTANT", help="Let time run to this instant; else to the last event.")
@click.option("--timeline", is_flag=True, help="Tell the story to a person: one line an instant.")
@click.option(
    "--then",
    "following",
    multiple=True,
    metavar="INSTANT=POLICY",
    help="Let this revision of the policy be in force from then on; may be given more than once.",
)
@click.option(
    "--down",
    multiple=True,
    metavar="FROM/TO",
    help="Suppose the engine was down: what was due is done late, at TO.",
)
@click.option("--strict", is_flag=True, help="Stop at the first event that is refused.")
def simulate(
    places: tuple[str, ...], parameters: tuple[str, ...], parameters_file: str | None, matcher: str | None,
    until: str | None, timeline: bool, following: tuple[str, ...], down: tuple[str, ...], strict: bool,
) -> int:  # fmt: skip
    """Run events through the policy in virtual time: JSON Lines of events in, JSON Lines of actions out.

    Events may come in any order and more than once: they are put in order of time first. An event that is
    refused gives {"error": …} before the actions, and the exit code is 1 at the end.
    """
    if len(places) > 2:
        raise click.UsageError("expected POLICY and EVENTS, found more")
    asked = deciding.Asked()
    deciding.place(asked, list(places))
    end = None if until is None else deciding.moment(until, "--until")
    choice = Choice(parameters, parameters_file)
    policy = deciding.opened(load(asked.policy, choice), matcher, ActingSet)
    adoptions = [
        (at, deciding.opened(load(name, choice), matcher, ActingSet)) for at, name in map(_then, following)
    ]
    outages = sorted(map(_outage, down))
    deciding.steady()
    events, lines, errors = _events(asked.case, strict)
    run, actions = replayed(policy, events, end, adoptions, outages)
    errors += [refused.report(lines.get(event.id)) for event, refused in run.refused]
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=writing.plain).encode
    if timeline:
        for error in errors:
            complain(f"line {error['error']['line']}: {error['error']['message']}")
        sys.stdout.write(storyline.told(policy, sorted(events, key=order), actions, end))
    else:
        for each in [*errors, *(action.shown(policy.identity) for action in actions)]:
            sys.stdout.write(encode(each) + "\n")
    if not events and not errors:
        raise Unreadable("no event in the input; give one JSON object a line")
    if errors and not timeline:
        seen = len(events) + len(errors) - len(run.refused)
        complain(f"{len(errors)} of {seen} events were refused; their lines say why")
    return 1 if errors else 0


def _then(text: str) -> tuple[int, str]:
    """The instant and the policy of one `--then`."""
    at, equals, name = text.partition("=")
    if not equals or not name:
        raise click.UsageError(f"`--then {text}`: expected an instant, `=` and a policy")
    return deciding.moment(at, "--then"), name


def _outage(text: str) -> tuple[int, int]:
    """The two instants of one `--down`."""
    start, slash, end = text.partition("/")
    if not slash:
        raise click.UsageError(f"`--down {text}`: expected two instants with `/` between them")
    found = deciding.moment(start, "--down"), deciding.moment(end, "--down")
    if found[0] >= found[1]:
        raise click.UsageError(f"`--down {text}`: the second instant must be later than the first")
    return found


def _events(name: str, strict: bool) -> tuple[list[Event], dict[str, int], list[dict[str, Any]]]:
    """The events of the input, the line of each, and what could not be read."""
    events: list[Event] = []
    lines: dict[str, int] = {}
    known: dict[str, Event] = {}
    errors: list[dict[str, Any]] = []
    for line, value in values(open_input(name)):
        try:
            if isinstance(value, Refused):
                raise value
            event = read_event(value)
            first = known.setdefault(event.id, event)
            if not event.repeats(first):
                raise Refused("E108", f"two different events have the id `{event.id}`", "id")
        except Refused as refused:
            errors.append(refused.report(line))
            if strict:
                break
            continue
        events.append(event)
        lines.setdefault(event.id, line)
    return events, lines, errors
