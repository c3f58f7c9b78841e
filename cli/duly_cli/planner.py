"""The agenda on paper: a table for a person, JSON Lines, and iCalendar (RFC 5545)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from duly import instants
from duly.calendars.localtime import dated, day_text
from duly.reports.agenda import Agenda, Item, Occurrence
from duly_cli.widths import fitted, padded, width

_WIDEST = 44
_FOLD = 75
"""Octets of a line of iCalendar, its end apart (RFC 5545, 3.1)."""


def text(made: Agenda, language: str | None = None) -> str:
    """The agenda for a person, in the local time of the set: a line an occurrence, events at the end.

    Titles are told in `language` where they have it, else in all their languages.
    """
    zone = made.zone
    first, last = (day_text(zone.day(at)) for at in (made.start, made.end - 1))
    lines = [f"{made.name} · {first} to {last} · {zone.name}", ""]
    items = [*(each.item for each in made.occurrences), *made.on_events]
    titles = [fitted(_title(item, language), _WIDEST) for item in items]
    columns = max(map(width, titles), default=0)
    for each, title in zip(made.occurrences, titles, strict=False):
        notes = (_notes(each.item) + _moments(made, each)).removeprefix("; ")
        lines.append(
            f"{_local(made, each.at)}  {each.item.sort:<6}  {padded(title, columns)}  {notes}".rstrip()
        )
    if not made.occurrences:
        lines.append("nothing comes round")
    if made.on_events:
        lines += ["", "whenever it happens:"]
        for item, title in zip(made.on_events, titles[len(made.occurrences) :], strict=True):
            on = " or ".join(item.on)
            lines.append(f"  {item.sort:<6}  {padded(title, columns)}  on {on}; {_notes(item)}".rstrip("; "))
    lines += [f"\n{each}" for each in doubts(made)]
    return "\n".join(lines) + "\n"


def doubts(made: Agenda) -> list[str]:
    """A sentence for each calendar whose holidays are not confirmed to the end."""
    return [
        f"holidays of `{name}` are confirmed through {through or 'no date'}: what lies beyond is an estimate (~)"
        for name, through in sorted(made.unconfirmed.items())
    ]


def json_lines(made: Agenda, language: str | None = None) -> str:
    """The agenda for a program: an object a line, what follows events last and without `at`."""
    rows = [
        {
            "at": instants.render(each.at),
            "local": instants.render(made.zone.local(each.at)).removesuffix("Z"),
            "timezone": made.zone.name,
            "due_at": None if each.due is None else instants.render(each.due),
            "estimate": each.estimate,
            **_facts(made, each.item),
        }
        for each in made.occurrences
    ]
    rows += [{"on": list(item.on), **_facts(made, item)} for item in made.on_events]
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def ical(made: Agenda, language: str | None = None) -> str:
    """The agenda as iCalendar: an event an occurrence, in UTC, the same UID whenever it is made again."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//duly//schedule//EN", "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_escaped(made.name)}",
    ]  # fmt: skip
    for each in made.occurrences:
        lines += _event(made, each, language)
    lines.append("END:VCALENDAR")
    return "".join(f"{piece}\r\n" for line in lines for piece in _folded(line))


def _event(made: Agenda, each: Occurrence, language: str | None) -> list[str]:
    item = each.item
    identity = hashlib.sha256(f"{made.name}\n{item.rule}\n{each.at}".encode()).hexdigest()[:32]
    about = [
        f"{item.sort} {item.id} ({made.zone.name})",
        (_notes(item) + _moments(made, each)).removeprefix("; "),
    ]
    lines = [
        "BEGIN:VEVENT", f"UID:{identity}@duly", f"DTSTAMP:{_utc(made.start)}", f"DTSTART:{_utc(each.at)}",
        f"SUMMARY:{_escaped(_title(item, language))}", f"DESCRIPTION:{_escaped(chr(10).join(filter(None, about)))}",
        f"CATEGORIES:{item.sort.upper()}", "TRANSP:TRANSPARENT",
    ]  # fmt: skip
    if each.estimate:
        lines.append("STATUS:TENTATIVE")
    return [*lines, "END:VEVENT"]


def _facts(made: Agenda, item: Item) -> dict[str, Any]:
    return {
        "sort": item.sort, "id": item.id, "set": made.name, "rule": item.rule, "title": item.title,
        "for_each": item.each, "owner": item.owner, "conditional": item.conditional, "sample": item.sample,
        "channels": list(item.channels), "source": list(item.source),
    }  # fmt: skip


def _title(item: Item, language: str | None) -> str:
    """What it is called, in a language or in every one that it is told in; on one line."""
    title = item.title or item.id
    if isinstance(title, dict):
        told = [str(title[language])] if language in title else [str(each) for each in title.values()]
    else:
        told = [str(title)]
    return " / ".join(" ".join(each.split()) for each in told)


def _notes(item: Item) -> str:
    """Whom it is for, who owes it, which clauses it fulfils."""
    notes = []
    if item.each != "set":
        notes.append(f"for each {item.each}" + (" concerned" if item.conditional else ""))
    elif item.conditional:
        notes.append("where its condition holds")
    if item.sample < 1:
        notes.append(f"{100 * item.sample:g}% of them")
    if item.owner is not None:
        notes.append(item.owner)
    if item.channels:
        notes.append("by " + " or ".join(item.channels))
    if item.source:
        notes.append(f"[{', '.join(item.source)}]")
    return "; ".join(notes)


def _moments(made: Agenda, each: Occurrence) -> str:
    due = "" if each.due is None else _local(made, each.due)
    day = _local(made, each.at)[:14]
    return (due and f"; due {due.removeprefix(day).strip()}") + ("; ~ estimate" if each.estimate else "")


def _local(made: Agenda, instant: int) -> str:
    local = made.zone.local(instant)
    day = local // instants.DAY
    return f"{dated(day)} {instants.render(local)[11:16]}"


def _utc(instant: int) -> str:
    return instants.render(instant)[:19].replace("-", "").replace(":", "") + "Z"


def _escaped(words: str) -> str:
    """A text of iCalendar (RFC 5545, 3.3.11); what is no text at all is left out."""
    kept = "".join(sign for sign in words if sign >= " " or sign in "\n\t")
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 octets, never within a character; each but the first begins with a blank."""
    piece, octets = "", 0
    for sign in line:
        length = len(sign.encode("utf-8", "replace"))
        if octets + length > _FOLD:
            yield piece
            piece, octets = " ", 1
        piece += sign
        octets += length
    yield piece
