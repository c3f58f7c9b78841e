"""`duly map`: the messages of another system in, the events that a mapping makes of them out."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from duly.cases import Refused, read_event
from duly.hosts.mapping import Mapping, read
from duly.reading import values
from duly_cli import deciding, files, rendering, writing


@click.command("map")
@click.argument("mapping")
@click.argument("payload", default="-")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header of the message.")
@click.option("--received", metavar="INSTANT", help="When the messages came in; else now.")
@click.option("--check", is_flag=True, help="Only check the mapping.")
def map(mapping: str, payload: str, headers: tuple[str, ...], received: str | None, check: bool) -> int:
    """Try a mapping: JSON messages of another system become events, one a line.

    PAYLOAD is a file of JSON, or - for standard input. An object of `headers` and `body` alone is a message with
    its headers. A message that is refused gives {"error": …}, and the exit code is 1.
    """
    content = files.read(mapping)
    found, faults = read(content, mapping)
    if found is None:
        rendering.show(faults, {mapping: content}, "text")
        return 1
    if check:
        files.complain(f"`{mapping}`: {len(found.rules)} rules, no faults")
        return 0
    now = deciding.moment(received)
    given = {name.strip(): value.strip() for name, _, value in (each.partition(":") for each in headers)}
    bad = passed = 0
    with files.open_input(payload) as stream:
        for line, message in values(stream):
            made, unmatched = _made(found, message, given, now)
            passed += unmatched
            for each in made:
                bad += isinstance(each, Refused)
                answer = each.report(line) if isinstance(each, Refused) else each
                sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=writing.plain) + "\n")
    if passed:
        files.complain(f"no rule holds for {passed} messages; they are passed over")
    return 1 if bad else 0


def _made(mapping: Mapping, message: Any, given: dict[str, str], now: int) -> tuple[list[Any], int]:
    """What becomes of a message, and how many parts of it no rule is for."""
    if isinstance(message, Refused):
        return [message], 0
    whole = isinstance(message, dict) and set(message) == {"headers", "body"}
    body, own = (message["body"], message["headers"]) if whole else (message, {})
    mapped = mapping.apply(body, {**own, **given}, now)
    return [_checked(each) for each in mapped.events], mapped.unmatched


def _checked(event: dict[str, object] | Refused) -> dict[str, object] | Refused:
    """The event, or why it is none."""
    if isinstance(event, Refused):
        return event
    try:
        read_event(event)
    except Refused as refused:
        return refused
    return event
