"""The timetable of a clock as text: every stretch of its time with what it counted, and the same drawn to scale."""

from __future__ import annotations

import itertools
import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from duly.calendars.localtime import Zone, dated
from duly.durations import render as length
from duly.instants import DAY, SECOND, parse
from duly.reports.account import Row
from duly_cli.rendering import coloured
from duly_cli.widths import padded, width

if TYPE_CHECKING:
    from duly.decision import PolicySet
    from duly.machines.run import Run

_SIGNS = {"open": "█", "closed": "·", "holiday": "░", "closed_date": "░", "paused": "‖"}
_COLOURS = {"open": "32", "closed": "2", "holiday": "35", "closed_date": "35", "paused": "33"}
_BAR = 72
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d[0-9:.]*([Zz]|[+-]\d\d:?\d\d)\Z")
LEGEND = "█ open  · closed  ░ holiday or closed date  ‖ paused  ▲ now  ■ ended  ◆ due"


class Teller:
    """The zone instants are told in, and whether colour may be used."""

    def __init__(self, policy: PolicySet) -> None:
        facts = policy.compiled["set"]
        self.zone = Zone(facts["timezone"], facts["zone"]["at"], facts["zone"]["offsets"])
        self.colour = coloured(sys.stdout)

    def paint(self, text: str, code: str) -> str:
        """The text in a colour, where there are colours."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def time(self, at: int) -> str:
        """The wall time: `17:42`, with seconds where there are some."""
        second, fraction = divmod(self.zone.local(at) % DAY, SECOND)
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}"
        fraction -= (
            fraction == 1
        )  # a microsecond more is how deciding says "just after", which no person says
        if second % 60 or fraction:
            clock += f":{second % 60:02d}"
        if fraction:
            clock += f".{fraction:06d}"
        return clock

    def instant(self, at: int, after: int | None = None) -> str:
        """The local date and time; the time alone where `after` is on the same date."""
        day = self.zone.local(at) // DAY
        if after is not None and self.zone.local(after) // DAY == day:
            return self.time(at)
        return f"{dated(day)} {self.time(at)}"


def instant_of(value: Any) -> int | None:
    """The instant that a value says, if it is one."""
    if isinstance(value, str) and _INSTANT.match(value):
        with suppress(ValueError):
            return parse(value)
    return None


def stretches(teller: Teller, rows: list[Row], run: Run, now: int, state: str) -> list[str]:
    """Every stretch from the start on, with the sum of what counted, and the instants that matter between them."""
    if not rows:
        return []
    marks = _marks(run, now, state)
    several = len({row.calendar for row in rows}) > 1
    parts = _cut(rows, [at for at, _, _ in marks])
    ends = [teller.instant(row.end, row.start) for row in parts]
    lasting = [f"+{length(row.counted)}" if row.counted else length(row.end - row.start) for row in parts]
    totals = itertools.accumulate(row.counted for row in parts)
    sums = [f"= {length(total)}" if row.counted else "" for row, total in zip(parts, totals, strict=True)]
    wide = [max(map(width, each)) for each in (ends, lasting, sums)]
    lines = _told(teller, marks, rows[0].start)
    for row, end, lasts, total in zip(parts, ends, lasting, sums, strict=True):
        sign = teller.paint(_SIGNS[row.kind], _COLOURS[row.kind])
        span = f"{teller.instant(row.start)} → {padded(end, wide[0])}  {lasts.rjust(wide[1])}"
        lines.append(f"    {sign} {span}  {padded(total, wide[2])}  {_what(row, several)}")
        lines += _told(teller, marks, row.end)
    drawn = _bar(teller, rows, marks) if len({row.kind for row in rows}) > 1 else []
    return ["  every second:", *lines, *drawn]


def _what(row: Row, several: bool) -> str:
    """What a stretch was, with its calendar where there are several."""
    what = row.kind.replace("_", " ") + (f", {row.label}" if row.label else "")
    return f"{what} ({row.calendar})" if several and row.kind != "paused" else what


def _marks(run: Run, now: int, state: str) -> list[tuple[int, str, str]]:
    """The instants that matter: the due, and now or the end."""
    marks = [] if run.due is None else [(run.due, "◆", "due")]
    last = (now, "▲", "now") if run.ended_at is None else (run.ended_at, "■", f"ended, {state}")
    return [*marks, last]


def _told(teller: Teller, marks: list[tuple[int, str, str]], at: int) -> list[str]:
    return [
        teller.paint(f"    {sign} {teller.instant(mark)} {word}", "1")
        for mark, sign, word in marks
        if mark == at
    ]


def _cut(rows: list[Row], marks: list[int]) -> list[Row]:
    """The rows, parted where a mark falls inside one."""
    found: list[Row] = []
    for row in rows:
        edges = [row.start, *sorted({mark for mark in marks if row.start < mark < row.end}), row.end]
        found += [
            Row(start, end, row.kind, row.label, row.calendar) for start, end in itertools.pairwise(edges)
        ]
    return found


def _bar(teller: Teller, rows: list[Row], marks: list[tuple[int, str, str]]) -> list[str]:
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
    signs = [" "] * (cells + 1)
    for at, sign, _ in reversed(marks):
        if first <= at <= last:
            signs[min(cells, (at - first) * cells // span)] = sign
    return ["  to scale:", f"    {bar}", f"    {''.join(signs).rstrip()}"]


def _terminal() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 80
