"""The story of a decision, told to a person: the rules tried, and every stretch of each clock's time."""

from __future__ import annotations

import itertools
import os
import sys
from typing import TYPE_CHECKING, Any

from duly.calendars.localtime import Zone, day_text, weekday
from duly.durations import render as length
from duly.instants import DAY, HOUR, MINUTE, SECOND
from duly.reports.account import Row, account
from duly.reports.trace import phrase
from duly_cli.rendering import coloured
from duly_cli.widths import padded, width

if TYPE_CHECKING:
    from duly.decision import PolicySet
    from duly.machines.run import Run
    from duly.machines.state import State

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SIGNS = {"open": "█", "closed": "·", "holiday": "░", "closed_date": "░", "paused": "‖"}
_COLOURS = {"open": "32", "closed": "2", "holiday": "35", "closed_date": "35", "paused": "33"}
_BAR = 72


class Teller:
    """How things are told: the zone instants are told in, and whether colour may be used."""

    def __init__(self, policy: PolicySet) -> None:
        facts = policy.compiled["set"]
        self.zone = Zone(facts["timezone"], facts["zone"]["at"], facts["zone"]["offsets"])
        self.colour = coloured(sys.stdout)

    def paint(self, text: str, code: str) -> str:
        """The text in a colour, by its ANSI code, where colour is used."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def instant(self, at: int) -> str:
        """An instant on the set's clock, with its weekday."""
        local = self.zone.local(at)
        day, rest = divmod(local, DAY)
        clock = f"{rest // HOUR:02d}:{rest // MINUTE % 60:02d}"
        second = rest % MINUTE
        if second:
            clock += f":{second // SECOND:02d}"
        if second % SECOND:
            clock += f".{second % SECOND:06d}"
        return f"{_DAYS[weekday(day)]} {day_text(day)} {clock}"


def told(policy: PolicySet, decision: dict[str, Any], state: State, now: int, chosen: str | None = None) -> str:
    """The whole story as text."""
    teller = Teller(policy)
    identity = policy.identity
    lines = [
        teller.paint(f"case {state.id}", "1") + f" at {teller.instant(now)} ({teller.zone.name})",
        f"policy {identity['set']} {identity['version']}, revision {identity['revision'][:19]}…",
    ]
    if chosen is None:
        lines += _fields(teller, decision) + _route(teller, decision)
    for shown in decision["clocks"]:
        lines += _clock(teller, decision, shown, state.runs[shown["clock"]], now)
    if chosen is None:
        lines += _surveys(teller, decision)
    for error in decision.get("errors", ()):
        lines += ["", teller.paint("error", "31;1") + f": {error['message']} ({error['rule']})"]
    return "\n".join(lines) + "\n"


def _entries(teller: Teller, decision: dict[str, Any], listing: str) -> list[str]:
    """The rules of one list as they were tried."""
    found = next((each for each in decision["trace"] if each["list"] == listing), None)
    if found is None:
        return []
    if "note" in found:
        return [f"    {found['note']}"]
    names = [entry["rule"].rsplit("#", 1)[-1] for entry in found["entries"]]
    wide = max(map(width, names), default=0)
    lines = []
    for name, entry in zip(names, found["entries"], strict=True):
        mark = teller.paint("✓", "32;1") if entry["matched"] else teller.paint("✗", "31")
        reason = phrase(entry["test"]) if entry["test"] else "always"
        line = entry["test"]["line"] if entry["test"] and entry["test"].get("line") else entry["line"]
        place = teller.paint(f"{entry['file']}:{line}", "2") if entry["file"] else ""
        lines.append(f"    {mark} {padded(name, wide)}  {reason}  {place}".rstrip())
    return lines


def _fields(teller: Teller, decision: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, field in decision["fields"].items():
        value = field["value"] if field["value"] is not None else "missing"
        lines += ["", teller.paint(f"{name} = {value}", "1") + f"   from {field['from']}"]
        lines += _entries(teller, decision, f"classification of `{name}`")
    return lines


def _route(teller: Teller, decision: dict[str, Any]) -> list[str]:
    route = decision["route"]
    if route is None:
        return ["", teller.paint("route: none yet", "1")]
    head = f"route: {route['to']}"
    if route["boost_seconds"]:
        head += f", counted {length(route['boost_seconds'] * SECOND)} older"
    if route["also"]:
        head += f", also {', '.join(route['also'])}"
    return ["", teller.paint(head, "1") + f"   {route['rule']}", *_entries(teller, decision, "routing")]


def _clock(teller: Teller, decision: dict[str, Any], shown: dict[str, Any], run: Run, now: int) -> list[str]:
    state = shown["state"] + (", breached" if shown.get("breached") and shown["state"] != "breached" else "")
    head = f"clock {shown['clock']}: {state}"
    if run.due is not None:
        head += f", due {teller.instant(run.due)}"
    lines = ["", teller.paint(head, "1")]
    if run.cycle == 0:
        return [*lines, "    it has not been started"]
    promise = f"{shown['within']} of calendar {shown['calendar']}" if shown["within"] else "no promise"
    if shown["target"] is not None:
        lines.append(f"  target {shown['target'].rsplit('#', 1)[-1]}: {promise}")
    if shown.get("reason"):
        lines.append(f"  reason: {shown['reason'].replace('_', ' ')}")
    lines += _entries(teller, decision, f"targets of `{shown['clock']}`")
    rows = account(run, now)
    lines += _account(teller, rows, run, now)
    for step in shown["ladder"]:
        lines.append(f"    step {step['ladder']}/{step['step']} at {step['at']}: {_actions(step['do'])}")
    return lines


def _account(teller: Teller, rows: list[Row], run: Run, now: int) -> list[str]:
    """Every stretch from the start on, with the running sum of what counted."""
    if not rows:
        return []
    marks = sorted({at for at in (run.due, now if run.ended_at is None else run.ended_at) if at is not None})
    lines, total = ["  every second:"], 0
    for row in _cut(rows, marks):
        total += row.counted
        what = row.kind.replace("_", " ") + (f" {row.label}" if row.label else "")
        counted = f"+{length(row.counted)}" if row.counted else ""
        sign = teller.paint(_SIGNS[row.kind], _COLOURS[row.kind])
        lines.append(
            f"    {sign} {teller.instant(row.start)} → {teller.instant(row.end)}  "
            f"{padded(length(row.end - row.start), 9)} {padded(counted, 9)} {padded(what, 24)} = {length(total)}"
        )
        if row.end == run.due:
            lines.append(teller.paint(f"    ◆ {teller.instant(row.end)} due", "1"))
        if row.end == now and run.ended_at is None:
            lines.append(teller.paint(f"    ▲ {teller.instant(row.end)} now", "1"))
        if row.end == run.ended_at:
            lines.append(teller.paint(f"    ■ {teller.instant(row.end)} {run.phase}", "1"))
    return [*lines, *_bar(teller, rows, run, now)]


def _cut(rows: list[Row], marks: list[int]) -> list[Row]:
    """The rows, parted where a mark falls inside one."""
    found: list[Row] = []
    for row in rows:
        edges = [row.start, *(mark for mark in marks if row.start < mark < row.end), row.end]
        found += [
            Row(start, end, row.kind, row.label, row.calendar)
            for start, end in itertools.pairwise(edges)
        ]
    return found


def _bar(teller: Teller, rows: list[Row], run: Run, now: int) -> list[str]:
    """The same drawn to scale: each cell shows what most of its time was."""
    first, last = rows[0].start, rows[-1].end
    cells = min(_BAR, max(20, _terminal() - 8))
    span = max(1, last - first)
    bar = ""
    for cell in range(cells):
        low, high = first + span * cell // cells, first + span * (cell + 1) // cells
        shares: dict[str, int] = {}
        for row in rows:
            shared = min(row.end, high) - max(row.start, low)
            if shared > 0:
                shares[row.kind] = shares.get(row.kind, 0) + shared
        kind = max(shares, key=lambda each: (shares[each], each), default="closed")
        bar += teller.paint(_SIGNS[kind], _COLOURS[kind])
    marks = [" "] * (cells + 1)
    here = (now, "▲") if run.ended_at is None else (run.ended_at, "■")
    for at, sign in (here, (run.due, "◆")):
        if at is not None and first <= at <= last:
            marks[min(cells, (at - first) * cells // span)] = sign
    legend = "█ open  · closed  ░ holiday or closed date  ‖ paused  ▲ now  ■ ended  ◆ due"
    return ["  to scale:", f"    {bar}", f"    {''.join(marks).rstrip()}", teller.paint(f"    {legend}", "2")]


def _terminal() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 80


def _actions(actions: list[dict[str, Any]]) -> str:
    return ", ".join(f"{verb} {value}" for action in actions for verb, value in action.items())


def _surveys(teller: Teller, decision: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for survey in decision["surveys"]:
        text = f"survey {survey['survey']}: {survey['status'].replace('_', ' ')}"
        if survey.get("gate"):
            text += f" by {survey['gate']}"
        if survey.get("send_at"):
            text += f", to be sent from {survey['send_at']}"
            text += f" until {survey['send_by']}" if survey["send_by"] else ""
        lines += ["", teller.paint(text, "1")]
    return lines
