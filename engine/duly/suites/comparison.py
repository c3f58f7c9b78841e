"""The comparison: what a test expects against what came."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from duly import instants
from duly.actions import Action
from duly.cases import Event, Refused
from duly.decision import PolicySet
from duly.diagnostics import Path, did_you_mean
from duly.machines.state import State

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_ABSENT = object()
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as expected. `path` leads to it within `expect`; `what` names it for a person.

    `near` is the action that came closest to the one expected, and `misses` what of it was otherwise, as
    (key, expected, found).
    """

    path: Path
    what: str
    expected: Any = None
    found: Any = None
    near: Json | None = None
    misses: tuple[tuple[str, Any, Any], ...] = ()
    told: bool = False
    """Whether `what` says all, so that there is no value to show beside it."""


def compare(
    expect: Json, policy: PolicySet, state: State | None, decision: Json | None, actions: Sequence[Action],
    refused: Sequence[tuple[Event, Refused]],
) -> list[Difference]:  # fmt: skip
    """Every difference between the expectation and what came, in the order in which it is written."""
    found: list[Difference] = []
    shown = [action.shown(policy.identity) for action in actions]
    for key in expect:
        if key == "surveys" and decision is not None:
            found += _surveys(expect[key], decision)
        elif key in _LOOKS and state is not None and decision is not None:
            found += _LOOKS[key](expect[key], policy, state, decision)
        elif key in _LOOKS or key == "surveys":
            what = "there is no case to look at: nothing of what is given opens one"
            found.append(Difference((key,), what, told=True))
        elif key == "actions":
            found += _sequence(expect[key], shown, bool(expect.get("only")))
        elif key == "never":
            found += _never(expect[key], shown)
    if expect.get("only") and "actions" not in expect and shown:
        found.append(Difference(("only",), "no actions were to come", [], shown))
    return found + _errors(expect, decision, refused)


def _fields(expect: Json, policy: PolicySet, state: State, decision: Json) -> list[Difference]:
    found: list[Difference] = []
    for name, wanted in expect.items():
        value, origin = state.derived.get(name, (state.facts.get(name), state.inputs.get(name)))
        whole = isinstance(wanted, Mapping) and wanted.keys() <= {"value", "from"}
        if not whole or "value" in wanted:
            path: Path = ("fields", name, "value") if whole else ("fields", name)
            asked = wanted["value"] if whole else wanted
            if not _typed_same(policy, name, asked, value):
                found.append(Difference(path, f"field `{name}`", asked, _plain(value)))
        if whole and "from" in wanted and wanted["from"] != origin:
            found.append(
                Difference(("fields", name, "from"), f"field `{name}`: `from`", wanted["from"], origin)
            )
    return found


def _typed_same(policy: PolicySet, name: str, wanted: Any, value: Any) -> bool:
    """Whether a field's fact is the value that the test writes, in the field's own type."""
    if wanted is None or value is None:
        return wanted is None and value is None
    typed, faults = policy.case_intake({name: wanted}, False)
    return same(wanted, _plain(value)) or (not faults and bool(typed.get(name) == value))


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, (frozenset, set)) else value


def _route(expect: Any, policy: PolicySet, state: State, decision: Json) -> list[Difference]:
    route = decision["route"]
    if isinstance(expect, Mapping):
        if route is None:
            return [Difference(("route",), "route", dict(expect), None)]
        return _parts(expect, route, ("route",), "route")
    to = None if route is None else route["to"]
    return [] if to == expect else [Difference(("route",), "route", expect, to)]


def _clocks(expect: Json, policy: PolicySet, state: State, decision: Json) -> list[Difference]:
    found: list[Difference] = []
    clocks = {clock["clock"]: clock for clock in decision["clocks"]}
    for name, wanted in expect.items():
        clock = clocks.get(name)
        if clock is None:
            found.append(_unknown(("clocks", name), "clock", name, clocks))
            continue
        for key, asked in wanted.items():
            path = ("clocks", name, key)
            value = clock.get(key)
            if key == "target":
                fits = asked == value or (value is not None and asked == _last(value))
            elif key == "ladder":
                fits = not _unmet(asked, value or [])
            else:
                fits = same(asked, value)
            if not fits:
                found.append(Difference(path, f"clock `{name}`: `{key}`", asked, value))
    return found


def _last(rule: str) -> str:
    return rule.rpartition("#")[2].rpartition("/")[2]


def _unmet(asked: Sequence[Any], rows: Sequence[Any]) -> list[int]:
    """The places of those parts that the rows do not have in this order."""
    unmet, here = [], 0
    for number, each in enumerate(asked):
        place = next((place for place in range(here, len(rows)) if same(each, rows[place])), None)
        if place is None:
            unmet.append(number)
        else:
            here = place + 1
    return unmet


def _surveys(expect: Json, decision: Json) -> list[Difference]:
    found: list[Difference] = []
    surveys = {survey["survey"]: survey for survey in decision["surveys"]}
    for name, wanted in expect.items():
        survey = surveys.get(name)
        if survey is None:
            found.append(_unknown(("surveys", name), "survey", name, surveys))
        elif isinstance(wanted, Mapping):
            found += _parts(wanted, survey, ("surveys", name), f"survey `{name}`")
        elif wanted != survey["status"]:
            found.append(Difference(("surveys", name), f"survey `{name}`", wanted, survey["status"]))
    return found


def _unknown(path: Path, what: str, name: str, known: Json) -> Difference:
    hint = did_you_mean(name, known)
    return Difference(path, f"the policy has no {what} `{name}`" + (f"; {hint}" if hint else ""), told=True)


def _parts(expect: Json, found: Json, path: Path, what: str) -> list[Difference]:
    return [
        Difference((*path, key), f"{what}: `{key}`", asked, found.get(key))
        for key, asked in expect.items()
        if not same(asked, found.get(key))
    ]


def _sequence(expect: Sequence[Json], shown: Sequence[Json], only: bool) -> list[Difference]:
    """Actions in order: each expected one is the first that fits after the one before it."""
    found: list[Difference] = []
    taken: set[int] = set()
    here = 0
    for number, wanted in enumerate(expect):
        place = next((place for place in range(here, len(shown)) if not misses(wanted, shown[place])), None)
        if place is None:
            found.append(_missing(number, wanted, shown, here, taken))
        else:
            taken.add(place)
            here = place + 1
    if only and len(taken) < len(shown):
        rest = [each for place, each in enumerate(shown) if place not in taken]
        found.append(Difference(("only",), "actions came besides those listed", [], rest))
    return found


def _missing(number: int, wanted: Json, shown: Sequence[Json], here: int, taken: set[int]) -> Difference:
    """An action that did not come: whether it came too early, else what came closest to it."""
    early = next((each for each in shown[:here] if not misses(wanted, each)), None)
    if early is not None:
        what = f"action {number + 1} came, but not after the one before it"
        return Difference(("actions", number), what, wanted, None, near=early)
    rest = [each for place, each in enumerate(shown) if place not in taken]
    alike = [each for each in rest if "type" not in wanted or each["type"] == wanted["type"]]
    near = min(alike, key=lambda each: len(misses(wanted, each)), default=None)
    what = f"action {number + 1} did not come"
    apart = () if near is None else tuple(misses(wanted, near))
    return Difference(("actions", number), what, wanted, None, near, apart)


def _never(expect: Sequence[Json], shown: Sequence[Json]) -> list[Difference]:
    found: list[Difference] = []
    for number, wanted in enumerate(expect):
        came = [each for each in shown if not misses(wanted, each)]
        if came:
            found.append(Difference(("never", number), "an action came that never may", wanted, came))
    return found


def misses(wanted: Json, action: Json) -> list[tuple[str, Any, Any]]:
    """What of an action is not as wanted: (key, expected, found)."""
    found: list[tuple[str, Any, Any]] = []
    for key, asked in wanted.items():
        if key == "to":
            value: Any = _listed(action["data"].get("to"))
            reached = [*value, *_listed(action["data"].get("people"))]
            fits = sorted(asked) == sorted(value) if isinstance(asked, list) else asked in reached
        elif key == "person":
            value = action.get(key)
            fits = value is not None and value.removeprefix("person:") == str(asked).removeprefix("person:")
        else:
            value = action.get(key, 0 if key == "late_by_seconds" else None)
            fits = same(asked, value)
        if not fits:
            found.append((key, asked, value))
    return found


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]


def _errors(
    expect: Json, decision: Json | None, refused: Sequence[tuple[Event, Refused]]
) -> list[Difference]:
    """Codes of errors; an event that was refused and is not spoken of is a difference in any test."""
    wanted = list(expect.get("errors", ()))
    found = [
        Difference(("errors",), f"event `{event.id}` (`{event.type}`) was refused: {refusal.message} ({refusal.code})",
                   told=True)
        for event, refusal in refused if refusal.code not in wanted
    ]  # fmt: skip
    if "errors" in expect:
        came = [error["code"] for error in (decision or {}).get("errors", ())]
        came += [refusal.code for _, refusal in refused]
        if set(came) != set(wanted):
            found.append(Difference(("errors",), "errors", wanted, sorted(set(came))))
    return found


def same(expected: Any, found: Any) -> bool:
    """Whether a value is as expected: of a mapping any part, of a list all of it, instants as instants."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(
            same(each, found.get(key, _ABSENT)) for key, each in expected.items()
        )
    if isinstance(expected, (list, tuple)):
        found = _plain(found)
        return (
            isinstance(found, (list, tuple))
            and len(found) == len(expected)
            and all(same(one, two) for one, two in zip(expected, found, strict=True))
        )
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if (
        isinstance(expected, str)
        and isinstance(found, str)
        and _INSTANT.match(expected)
        and _INSTANT.match(found)
    ):
        try:
            return instants.parse(expected) == instants.parse(found)
        except ValueError:
            return expected == found
    if isinstance(expected, Decimal) or isinstance(found, Decimal):
        return isinstance(found, (int, float, Decimal)) and float(expected) == float(found)
    return bool(expected == found)


_LOOKS = {"fields": _fields, "route": _route, "clocks": _clocks}
