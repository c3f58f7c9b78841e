"""Recording: what happened, written into the expectations that failed; all else in the file stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from duly import instants
from duly.calendars.localtime import day_text
from duly.instants import DAY, HOUR, MINUTE, SECOND
from duly.suites.suite import read
from duly_cli.files import complain, write
from duly_cli.files import read as content_of
from duly_cli.trying import Trial

if TYPE_CHECKING:
    from duly.calendars.localtime import Zone
    from duly.diagnostics import Span
    from duly.suites.comparison import Difference

_PLAIN = re.compile(r"\d+[hmswd][\dhmswd]*\Z|[A-Za-z_一-鿿][\w一-鿿./+#-]*(:[\w一-鿿][\w一-鿿./+#-]*)*\Z")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_TOLD = ("clock", "cycle", "ladder", "step", "loop", "survey", "duty", "person")
_VERBS = ("task", "event", "template", "approval", "recommend", "send_at")


@dataclass(frozen=True, slots=True)
class _Edit:
    """Text in the place of what stands between two positions of a file."""

    start: int
    end: int
    text: str


def recorded(trials: Sequence[Trial]) -> int:
    """Write what happened into the files of the tests that failed; how many expectations were written.

    A value is written in place of a value, a list of actions in place of the list. What cannot be recorded,
    such as an action that never may come, is told and left. Raises Unreadable where a file cannot be written.
    """
    count = 0
    by_file: dict[str, list[Trial]] = {}
    for trial in trials:
        if not trial.outcome.passed:
            by_file.setdefault(trial.outcome.test.file, []).append(trial)
    for file, own in by_file.items():
        before = content_of(file).decode("utf-8-sig")
        edits = _edits(before, own)
        after = before
        for edit in sorted(edits.values(), key=lambda edit: edit.start, reverse=True):
            after = after[: edit.start] + edit.text + after[edit.end :]
        _, faults = read(after, file)
        if any(fault.severity == "error" for fault in faults):
            complain(f"{file}: what happened cannot be written into this layout; write it by hand")
        elif after != before:
            write(file, after)
            count += len(edits)
            complain(f"{file}: {len(edits)} expectation{'' if len(edits) == 1 else 's'} recorded")
    return count


def _edits(text: str, trials: Sequence[Trial]) -> dict[int, _Edit]:
    """The edits by where they begin. One place that must hold two values is left, and told."""
    starts = [0, *(found.end() for found in re.finditer("\r\n|\r|\n", text))]
    edits: dict[int, _Edit] = {}
    torn: set[int] = set()
    for trial in trials:
        for difference in _recordable(trial):
            edit = _edit(text, starts, trial, difference)
            if edit is None:
                continue
            known = edits.setdefault(edit.start, edit)
            if known != edit and edit.start not in torn:
                torn.add(edit.start)
                _left(
                    trial, difference, "the rows of the table came out differently; give them a column for it"
                )
    return {start: edit for start, edit in edits.items() if start not in torn}


def _recordable(trial: Trial) -> list[Difference]:
    """The differences, those about the actions as one."""
    if trial.outcome.fault is not None:
        return []
    found: list[Difference] = []
    for difference in trial.outcome.differences:
        key = difference.path[0]
        if difference.told or key == "never":
            _left(trial, difference, "it must be put right by hand")
        elif key in ("actions", "only"):
            if not any(each.path[0] in ("actions", "only") for each in found):
                found.append(difference)
        else:
            found.append(difference)
    return found


def _left(trial: Trial, difference: Difference, why: str) -> None:
    span = trial.outcome.test.span(difference.path)
    complain(f"{span.file}:{span.line}: not recorded: {difference.what}; {why}")


def _edit(text: str, starts: Sequence[int], trial: Trial, difference: Difference) -> _Edit | None:
    test = trial.outcome.test
    if trial.outcome.policy is None:
        return None
    zone = trial.outcome.policy.zone
    if difference.path[0] in ("actions", "only"):
        if "actions" not in test.expect:
            _left(trial, difference, "add `actions: []`")
            return None
        span = test.document.span((*test.path, "expect", "actions"))
        key = test.document.span((*test.path, "expect", "actions"), key=True)
        shown = [action.shown(trial.outcome.policy.identity) for action in trial.outcome.actions]
        rows = [_flow(_told(action), zone) for action in shown]
        start = _position(starts, key.line, key.column)
        begin = _position(starts, span.line, span.column)
        block = not text[starts[key.line - 1] : start].strip(" -")
        if not block:
            return _Edit(begin, _flow_end(text, begin), "[" + ", ".join(rows) + "]")
        return _block(text, starts, key, begin, rows)
    span = test.span(difference.path)
    begin = _position(starts, span.line, span.column)
    written = text[begin : _position(starts, span.end_line, span.end_column)]
    end = _flow_end(text, begin) if written[:1] in "[{" else begin + len(written)
    return _Edit(begin, end, _flow(difference.found, None if written.endswith("Z") else zone))


def _block(text: str, starts: Sequence[int], key: Span, begin: int, rows: Sequence[str]) -> _Edit:
    """The list of actions below its key, one a line."""
    start = text.index(":", _position(starts, key.line, key.end_column)) + 1
    first = text[begin : begin + 1] if text[start:begin].strip(" ") == "" else ""
    indent = " " * (key.column + 1)
    lines = "".join(f"\n{indent}- {row}" for row in rows) or " []"
    if first == "[":
        return _Edit(start, _flow_end(text, begin), lines)
    end = start
    for number in range(key.line, len(starts)):
        row = text[starts[number] : starts[number + 1] if number + 1 < len(starts) else len(text)]
        bare = row.strip()
        depth = len(row) - len(row.lstrip(" "))
        if not bare or bare.startswith("#"):
            continue
        if depth < key.column - 1 or (depth == key.column - 1 and bare[0] != "-"):
            break
        end = starts[number] + len(row.rstrip("\r\n"))
    return _Edit(start, end, lines)


def _position(starts: Sequence[int], line: int, column: int) -> int:
    return starts[line - 1] + column - 1


def _flow_end(text: str, begin: int) -> int:
    """Where the bracket that opens at `begin` closes."""
    depth, quote, place = 0, "", begin
    while place < len(text):
        sign = text[place]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return place


def _told(action: Mapping[str, Any]) -> dict[str, Any]:
    """What of an action is worth expecting."""
    found: dict[str, Any] = {"at": action["at"], "type": action["type"]}
    data = action["data"]
    for key in _TOLD:
        value = action.get(key)
        if value is not None and (key, value) not in (("cycle", 1), ("loop", 0)):
            found[key] = value
    if data.get("to"):
        found["to"] = data["to"][0] if len(data["to"]) == 1 else data["to"]
    if action["due_by"] is not None:
        found["due_by"] = action["due_by"]
    own = {key: data[key] for key in _VERBS if data.get(key) is not None}
    if action["type"] == "set":
        own = dict(data)
    return {**found, "data": own} if own else found


def _flow(value: Any, zone: Zone | None) -> str:
    """A value as YAML in one line; instants on the clock of a zone, or as they are."""
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{_flow(key, zone)}: {_flow(each, zone)}" for key, each in value.items()) + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(each, zone) for each in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return str(value)
    if _INSTANT.match(value):
        return value if zone is None else _local(instants.parse(value), zone)
    if _PLAIN.match(value) and value.casefold() not in _WORDS:
        return value
    return "'" + value.replace("'", "''") + "'"


def _local(at: int, zone: Zone) -> str:
    """RFC 3339 with the offset of the zone."""
    local = zone.local(at)
    day, rest = divmod(local, DAY)
    offset = (local - at) // MINUTE
    fraction = f".{rest % SECOND:06d}" if rest % SECOND else ""
    clock = f"{rest // HOUR:02d}:{rest // MINUTE % 60:02d}:{rest // SECOND % 60:02d}{fraction}"
    sign = "-" if offset < 0 else "+"
    return f"{day_text(day)}T{clock}{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
