"""`duly schedule`: every duty, survey wave and care letter that will come up, with dates."""

from __future__ import annotations

import datetime as dt
import re
import sys

import click

from duly import instants
from duly.calendars.limits import FIRST, LAST
from duly.calendars.localtime import Zone, day_number, day_text
from duly.reports.agenda import agenda
from duly_cli import deciding, options, planner
from duly_cli.files import complain
from duly_cli.sources import Choice, load

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LONGEST = 3_660


@click.command()
@click.argument("policy", default=".")
@options.policy
@click.option("--from", "start", metavar="DATE|INSTANT", help="From here on; by default from now.")
@click.option(
    "--to", "end", metavar="DATE|INSTANT", help="A date is included, an instant is not; by default a month."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "ical"]), default="text",
    help="A table, JSON Lines, or iCalendar.",
)  # fmt: skip
@click.option(
    "--language", metavar="CODE", help="Titles in this language, such as zh or en; by default in all."
)
def schedule(
    policy: str, parameters: tuple[str, ...], parameters_file: str | None, start: str | None, end: str | None,
    form: str, language: str | None,
) -> int:  # fmt: skip
    """List every duty, survey wave and care letter between two dates, in the time of the policy set.

    What comes round for each case, customer or person is listed once; what follows an event is listed last.
    """
    loaded = load(policy, Choice(parameters, parameters_file))
    facts = loaded.compiled["set"]
    zone = Zone(facts["timezone"], facts["zone"]["at"], facts["zone"]["offsets"])
    first = deciding.now() if start is None else _moment(zone, start, "--from")
    last = _month_on(zone, first) if end is None else _moment(zone, end, "--to", days=1)
    if last <= first:
        raise click.UsageError(
            f"`--to` lies before `--from`: nothing comes round between {start or 'now'} and {end}"
        )
    if last - first > _LONGEST * instants.DAY:
        raise click.UsageError("ask for ten years at most")
    made = agenda(loaded.compiled, loaded.places, first, last)
    shown = {"text": planner.text, "json": planner.json_lines, "ical": planner.ical}[form](made, language)
    if form == "text":
        click.echo(shown, nl=False)
        return 0
    for doubt in planner.doubts(made):
        complain(doubt)
    # iCalendar ends its lines by itself, the same on every system.
    sys.stdout.flush()
    sys.stdout.buffer.write(shown.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
    return 0


def _moment(zone: Zone, text: str, option: str, days: int = 0) -> int:
    """The instant that an option names; a date is where its local day begins, or `days` later."""
    date = _DATE.fullmatch(text)
    try:
        found = zone.reach((day_number(text) + days) * instants.DAY) if date else instants.parse(text)
    except ValueError:
        expected = "a date such as 2026-03-02, or an instant such as 2026-03-02T09:00:00+08:00"
        raise click.UsageError(f"`{option} {text[:40]}`: expected {expected}") from None
    if not FIRST + instants.DAY * 366 <= found <= LAST - instants.DAY * 366:
        raise click.UsageError(f"`{option} {text[:40]}`: calendars cover the years 1901 to 2198")
    return found


def _month_on(zone: Zone, start: int) -> int:
    """The same local time a month later; on the last day of a shorter month."""
    local = zone.local(start)
    date = dt.date.fromisoformat(day_text(local // instants.DAY))
    following = (date.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    length = ((following + dt.timedelta(days=32)).replace(day=1) - following).days
    there = following.replace(day=min(date.day, length))
    return zone.reach(day_number(there.isoformat()) * instants.DAY + local % instants.DAY)
