"""`duly calendar`: business-time arithmetic on its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

import click

from duly_cli import options

Command = Callable[..., None]
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="For whom."
)
_START = click.option(
    "--start", required=True, metavar="INSTANT", help="With an offset, such as `Z` or `+08:00`."
)
_PAUSE = click.option("--pause", "pauses", multiple=True, metavar="FROM/TO", help="Time that does not count.")


def _chosen(command: Command) -> Command:
    """The options that say which calendar is meant."""
    for option in reversed(
        (
            click.option(
                "--policy", metavar="POLICY", help="The policy set of `--calendar`; by default `.`."
            ),
            options.policy,
            click.option("--calendar", "name", metavar="NAME", help="A calendar of the policy, or `always`."),
            click.option("--inline", metavar="JSON", help="A calendar as in a Calendar document."),
            click.option("--timezone", metavar="ZONE", help="The zone of `--hours`, such as Asia/Shanghai."),
            click.option(
                "--hours", multiple=True, metavar="DAYS=FROM-TO", help="Such as mon-fri=09:00-17:00."
            ),
            click.option(
                "--country", metavar="CODE", help="The public holidays of a country, with `--hours`."
            ),
            click.option("--working-days", metavar="RULE", help="How `2wd` counts, such as cn_civil_code."),
        )
    ):
        command = option(command)
    return command


@click.group()
def calendar() -> None:
    """Business-time arithmetic: due times, elapsed time, openings, a month at a glance."""


@calendar.command()
@_chosen
@_START
@click.option("--within", required=True, metavar="DURATION", help="Such as 4h, 1h30m or 2wd.")
@click.option(
    "--backward", is_flag=True, help="Count back: the latest instant with that much time before START."
)
@_PAUSE
@_FORMAT
def due(start: str, within: str, backward: bool, pauses: tuple[str, ...], form: str, **chosen: Any) -> None:
    """When a target is due."""
    request = {"op": "due", "start": start, "within": within, "pauses": _pauses(pauses)}
    _ask(request | ({"direction": "backward"} if backward else {}), form, chosen)


@calendar.command()
@_chosen
@_START
@click.option("--end", required=True, metavar="INSTANT", help="Exclusive.")
@_PAUSE
@_FORMAT
def elapsed(start: str, end: str, pauses: tuple[str, ...], form: str, **chosen: Any) -> None:
    """How much open time lies between two instants."""
    _ask({"op": "elapsed", "start": start, "end": end, "pauses": _pauses(pauses)}, form, chosen)


@calendar.command("next")
@_chosen
@_START
@_FORMAT
def next_open(start: str, form: str, **chosen: Any) -> None:
    """When the calendar is open next; START itself where it is open."""
    _ask({"op": "next_open", "start": start}, form, chosen)


@calendar.command()
@_chosen
@click.option("--month", metavar="YYYY-MM", help="Default: this month.")
@_FORMAT
def show(month: str | None, form: str, **chosen: Any) -> None:
    """A month: open hours, holidays and make-up working days by name."""
    from duly.calendars.requests import Refused
    from duly_cli.month import as_json, as_text
    from duly_cli.rendering import coloured

    requests, asked = _requests(**chosen)
    try:
        found = requests.calendar(asked)
        page = as_json(found, month)
    except (Refused, ValueError) as fault:
        raise click.UsageError(str(fault)) from None
    text = json.dumps(page, ensure_ascii=False) if form == "json" else as_text(page, coloured(sys.stdout))
    click.echo(text)


@calendar.command()
@click.option("--policy", metavar="POLICY", help="The policy set whose calendars may be named.")
@options.policy
@click.option("--timezone", metavar="ZONE", help="The zone of inline calendars that name none.")
@click.option("--strict", is_flag=True, help="Stop at the first line that cannot be answered.")
@click.argument("source", metavar="[FILE|-]", type=click.File("rb"), default="-")
def batch(
    source: BinaryIO,
    policy: str | None,
    parameters: tuple[str, ...],
    parameters_file: str | None,
    timezone: str | None,
    strict: bool,
) -> None:
    """Answer requests, one JSON object a line, in order.

    A line that cannot be answered yields {"error": …} in its place, and the exit code is 1 at the end.
    """
    from duly.calendars.requests import Requests
    from duly_cli.values import holiday_facts

    requests = Requests(_named(policy, parameters, parameters_file), timezone, holiday_facts)
    if _stream(source, requests, strict):
        _left(1)


def _left(code: int) -> NoReturn:
    """End a command with an exit code, whoever called it."""
    click.get_current_context().exit(code)


def _stream(source: BinaryIO, requests: Any, strict: bool) -> bool:
    """Whether a line could not be answered."""
    from duly.calendars.requests import Refused

    failed = False
    number = 0
    out = sys.stdout.buffer
    while line := _line(source):
        number += 1
        if not line.strip():
            continue
        try:
            answer = requests.answer_text(line)
        except Refused as fault:
            failed = True
            where = {"line": number, "path": fault.path}
            answer = {"error": {"code": fault.code, "message": fault.message, **where}}
        out.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        out.flush()
        if failed and strict:
            break
    return failed


def _line(source: BinaryIO) -> bytes:
    """The next line; of one that is too long only its beginning, the rest is skipped."""
    from duly.calendars.requests import LONGEST

    line = source.readline(LONGEST + 2)
    rest = line
    while len(rest) == LONGEST + 2 and not rest.endswith(b"\n"):
        rest = source.readline(LONGEST + 2)
    return line


def _ask(request: dict[str, Any], form: str, chosen: dict[str, Any]) -> None:
    """Answer one request on stdout; wrong use exits with 2, an answer that is not known with 1."""
    from duly.calendars.requests import Refused

    requests, asked = _requests(**chosen)
    try:
        answer = requests.answer({**request, "calendar": asked})
        zone = requests.calendar(asked).zone
    except Refused as fault:
        if fault.code == "beyond-calendar":
            click.echo(f"duly: {fault.message}", err=True)
            _left(1)
        place = f" (at {fault.path})" if fault.path else ""
        raise click.UsageError(fault.message + place) from None
    click.echo(json.dumps(answer) if form == "json" else _sentence(answer, zone))


def _sentence(answer: dict[str, Any], zone: Any) -> str:
    """The answer for a person: local time with its zone, then UTC."""
    from duly import durations, instants
    from duly_cli.month import local_text

    note = "  (estimate: holidays are not confirmed)" if answer.get("estimate") else ""
    if "elapsed_seconds" in answer:
        seconds = answer["elapsed_seconds"]
        return f"{durations.render(round(seconds * instants.SECOND))}  ({seconds} s){note}"
    at = answer.get("due_at") or answer["open_at"]
    return f"{local_text(zone, instants.parse(at))}  {at}{note}"


def _requests(
    policy: str | None,
    parameters: tuple[str, ...],
    parameters_file: str | None,
    name: str | None,
    inline: str | None,
    timezone: str | None,
    hours: tuple[str, ...],
    country: str | None,
    working_days: str | None,
) -> tuple[Any, object]:
    """What answers, and the calendar that the options mean: a name or an inline calendar."""
    from duly.calendars.requests import Requests
    from duly_cli.values import holiday_facts

    if sum(map(bool, (name, inline, hours))) > 1:
        raise click.UsageError("give one of --calendar, --inline and --hours")
    if policy and not name:
        raise click.UsageError("say which calendar of the policy is meant: --calendar NAME")
    if name and name != "always":
        policy = policy or "."
    requests = Requests(_named(policy, parameters, parameters_file), timezone or "UTC", holiday_facts)
    asked: object = name or "always"
    if inline:
        try:
            asked = json.loads(inline)
        except ValueError as fault:
            raise click.UsageError(f"--inline is not JSON: {fault}") from None
    elif hours:
        asked = {"timezone": timezone or "UTC", "hours": _hours(hours)}
        asked |= {"holidays": {"country": country}} if country else {}
        asked |= {"working_days": working_days} if working_days else {}
    return requests, asked


def _named(policy: str | None, parameters: tuple[str, ...], parameters_file: str | None) -> dict[str, Any]:
    """The resolved calendars of a policy set; none without one."""
    if policy is None:
        return {}
    from duly_cli.sources import Choice, load

    calendars: dict[str, Any] = load(policy, Choice(parameters, parameters_file)).compiled["calendars"]
    return calendars


def _hours(texts: tuple[str, ...]) -> dict[str, list[list[str]]]:
    """`mon-fri=09:00-12:00,13:00-18:00` as the hours of a calendar."""
    found: dict[str, list[list[str]]] = {}
    for text in texts:
        days, _, spans = text.partition("=")
        found.setdefault(days, []).extend(
            [span.strip() for span in pair.split("-")] for pair in spans.split(",")
        )
    return found


def _pauses(texts: tuple[str, ...]) -> list[list[str]]:
    return [text.split("/") for text in texts]
