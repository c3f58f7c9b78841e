"""Verdicts: what a failing test says to a person: the expectation, what was found, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from duly import instants
from duly.durations import render as length
from duly.reports.trace import phrase, trace
from duly.suites.comparison import Difference
from duly_cli import storyline
from duly_cli.rendering import seen
from duly_cli.timetable import Teller, instant_of
from duly_cli.widths import fitted, padded, width

if TYPE_CHECKING:
    from duly.suites.trial import Outcome
    from duly_cli.trying import Trial

_MOST_ACTIONS = 60
_WIDEST = 160


def told(trial: Trial) -> str:
    """Why a test failed: each difference at its place, the rules that were tried, the actions that came."""
    outcome = trial.outcome
    test = outcome.test
    lines = [f"FAIL {test.file}:{test.line} {test.name}"]
    if outcome.fault is not None:
        lines.append(f"  {outcome.fault}")
    if outcome.policy is None:
        return "\n".join(seen(line) for line in lines) + "\n"
    teller = Teller(outcome.policy)
    explained: set[str] = set()
    for difference in outcome.differences:
        lines += _difference(teller, outcome, difference)
        lines += _tried(trial, difference, explained)
    if any(each.path[0] in ("actions", "only", "never") for each in outcome.differences):
        lines += _came(outcome)
    head = teller.paint(seen(lines[0]), "31;1")
    return "\n".join([head, *lines[1:]]) + "\n"


def _difference(teller: Teller, outcome: Outcome, difference: Difference) -> list[str]:
    span = outcome.test.span(difference.path)
    lines = [f"  {span.file}:{span.line}: {seen(difference.what)}"]
    if difference.told:
        return lines
    if difference.path[0] in ("actions", "only", "never"):
        return lines + _about_actions(teller, difference)
    lines += _pair(teller, difference.expected, difference.found)
    return lines


def _pair(teller: Teller, expected: Any, found: Any) -> list[str]:
    shown = [("expected", *_shown(teller, expected)), ("found", *_shown(teller, found))]
    wide = max(width(text) for _, text, _ in shown)
    lines = [f"    {padded(word, 9)}{padded(text, wide)}  {local}".rstrip() for word, text, local in shown]
    gap = _gap(expected, found)
    return [*lines[:-1], f"{lines[-1]}  ({gap})" if gap else lines[-1]]


def _shown(teller: Teller, value: Any) -> tuple[str, str]:
    """A value as JSON; an instant also in the set's own zone."""
    at = instant_of(value)
    if at is not None:
        return instants.render(at), f"{teller.instant(at)} {teller.zone.name}"
    return fitted(seen(_json(value)), _WIDEST), ""


def _gap(expected: Any, found: Any) -> str:
    """How far the found instant is off."""
    one, two = instant_of(expected), instant_of(found)
    if one is None or two is None or one == two:
        return ""
    return f"{length(abs(two - one))} {'later' if two > one else 'earlier'}"


def _json(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=_number)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def _about_actions(teller: Teller, difference: Difference) -> list[str]:
    if difference.path[0] == "only":
        return [f"    {'not listed':<11}{_brief(teller, each)}" for each in difference.found[:_MOST_ACTIONS]]
    lines = [f"    {'expected':<11}{_brief(teller, difference.expected)}"]
    if difference.path[0] == "never":
        lines[0] = f"    {'never':<11}{_brief(teller, difference.expected)}"
        return lines + [f"    {'came':<11}{_brief(teller, each)}" for each in difference.found[:5]]
    if difference.near is None:
        return [*lines, "    nothing like it came"]
    word = "closest" if difference.misses else "came"
    lines.append(f"    {word:<11}{_brief(teller, difference.near)}")
    for key, expected, found in difference.misses:
        one, two = _shown(teller, expected), _shown(teller, found)
        gap = _gap(expected, found)
        apart = f" ({gap})" if gap else ""
        lines.append(f"      `{key}`: expected {_with_local(one)}, found {_with_local(two)}{apart}")
    return lines


def _with_local(shown: tuple[str, str]) -> str:
    return f"{shown[0]} = {shown[1]}" if shown[1] else shown[0]


_FIRST = (
    "at",
    "type",
    "clock",
    "cycle",
    "ladder",
    "step",
    "loop",
    "survey",
    "duty",
    "case",
    "customer",
    "person",
)
_HIDDEN = frozenset(("id", "policy", "source", "data", "due_by"))


def _brief(teller: Teller, action: Mapping[str, Any]) -> str:
    """An action in one line: when, what, of what, to whom."""
    words: list[str] = []
    at = instant_of(action.get("at"))
    if at is not None:
        words.append(teller.instant(at))
    data = action.get("data") or {}
    for key in (*_FIRST[1:], *(key for key in action if key not in _FIRST and key not in _HIDDEN)):
        value = action.get(key)
        if value is None or (key, value) in (("cycle", 1), ("loop", 0), ("reason", action.get("type"))):
            continue
        words.append(str(value) if key == "type" else f"{key}={_json(value)}")
    words += [f"{key}={_json(value)}" for key, value in data.items() if value not in (None, [], {})]
    if action.get("due_by") is not None:
        due = instant_of(action["due_by"])
        words.append(f"due_by={action['due_by'] if due is None else teller.instant(due)}")
    return fitted(seen(" ".join(words)), _WIDEST)


def _tried(trial: Trial, difference: Difference, explained: set[str]) -> list[str]:
    """The rules that were tried for the clock, the field or the route that is otherwise than expected."""
    outcome = trial.outcome
    listing = _listing(difference)
    if listing is None or listing in explained or outcome.policy is None or outcome.state is None:
        return []
    explained.add(listing)
    found = next(
        (each for each in trace(outcome.policy, outcome.state, trial.places) if each["list"] == listing), None
    )
    if found is None:
        return []
    if "note" in found:
        return [f"    {found['note']}"]
    lines = [f"    {listing}, in the order tried:"]
    names = [entry["rule"].rsplit("#", 1)[-1] for entry in found["entries"]]
    wide = max(map(width, names), default=0)
    for name, entry in zip(names, found["entries"], strict=True):
        reason = phrase(entry["test"]) if entry["test"] else "always"
        line = entry["test"]["line"] if entry["test"] and entry["test"].get("line") else entry["line"]
        place = f"{entry['file']}:{line}" if entry["file"] else ""
        lines.append(
            f"      {'✓' if entry['matched'] else '✗'} {padded(name, wide)}  {reason}  {place}".rstrip()
        )
    return lines


def _listing(difference: Difference) -> str | None:
    key, *rest = difference.path
    if difference.told:
        return None
    if key == "route":
        return "routing"
    if key == "clocks":
        return f"targets of `{rest[0]}`"
    return f"classification of `{rest[0]}`" if key == "fields" else None


def _came(outcome: Outcome) -> list[str]:
    """The actions that did come."""
    if not outcome.actions or outcome.policy is None:
        return ["    no actions came"]
    story = storyline.told(outcome.policy, [], outcome.actions, None).splitlines()
    count = len(outcome.actions)
    lines = [f"    the {count} action{'' if count == 1 else 's'} that came:"]
    lines += [f"      {line}" for line in story[:_MOST_ACTIONS]]
    if len(story) > _MOST_ACTIONS:
        lines.append(f"      … and {len(story) - _MOST_ACTIONS} more")
    return lines


def summary(trials: Sequence[Trial], faulty: int = 0) -> str:
    """The last line."""
    passed = sum(trial.outcome.passed for trial in trials)
    return f"{passed} passed, {len(trials) - passed + faulty} failed"
