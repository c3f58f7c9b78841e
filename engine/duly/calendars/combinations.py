"""Combinations as written: `all_of` and `any_of` resolved after the calendars they name."""

from __future__ import annotations

from typing import Any

from duly.calendars.calendars import ALWAYS, Calendars
from duly.calendars.conduct import conduct, zone
from duly.calendars.faults import Fault, expected, unknown
from duly.diagnostics import Path

_KEYS = ("all_of", "any_of", "timezone", "working_days", "beyond_calendar", "title", "note", "source")
_TRIED_YEARS = range(2020, 2031)


def add(
    calendars: dict[str, Any], resolved: dict[str, dict[str, Any]], timezone: str | None, faults: list[Fault]
) -> None:
    """Add to `resolved` each combination among `calendars` whose parts could all be resolved."""
    parts: dict[str, list[str]] = {}
    for name, spec in calendars.items():
        if isinstance(spec, dict) and name != ALWAYS and ("all_of" in spec or "any_of" in spec):
            parts[name] = _parts(name, spec, calendars, faults)
    state: dict[str, bool] = {}
    for name in parts:
        _visit(name, [], parts, state, faults)
    for name, sound in state.items():
        if sound and all(part in resolved or part == ALWAYS for part in parts[name]):
            own: list[Fault] = []
            found = _combined(name, calendars[name], parts[name], resolved, timezone, own)
            if not any(fault.severity == "error" for fault in own):
                resolved[name] = found
            faults += own


def _parts(name: str, spec: dict[str, Any], calendars: dict[str, Any], faults: list[Fault]) -> list[str]:
    """The names that a combination is made of; empty where something is wrong with them."""
    before = len(faults)
    key = "all_of" if "all_of" in spec else "any_of"
    for other in spec:
        if other not in _KEYS:
            faults.append(unknown("key", other, _KEYS, (name, other)))
    if "all_of" in spec and "any_of" in spec:
        hint = "name the inner combination and use its name"
        faults.append(Fault("two-combinations", "write `all_of` or `any_of`, not both", (name,), hint))
    names = spec[key]
    if not isinstance(names, list) or not names or not all(isinstance(part, str) for part in names):
        faults.append(expected("a list of calendar names", names, (name, key)))
        return []
    for index, part in enumerate(names):
        if part != ALWAYS and part not in calendars:
            faults.append(unknown("calendar", part, {ALWAYS, *map(str, calendars)}, (name, key, index)))
    return names if len(faults) == before else []


def _visit(
    name: str, trail: list[str], parts: dict[str, list[str]], state: dict[str, bool], faults: list[Fault]
) -> bool:
    """Depth first, so that `state` lists parts before what is made of them; False marks what cannot be built."""
    if name not in parts:
        return True
    if name in trail:
        loop = [*trail[trail.index(name) :], name]
        text = " → ".join(f"`{step}`" for step in loop)
        faults.append(Fault("calendar-cycle", f"the calendar is made of itself: {text}", (name,),
                            "take one of them out of the ring"))  # fmt: skip
        return False
    if name not in state:
        sound = bool(parts[name])
        for part in parts[name]:
            sound = _visit(part, [*trail, name], parts, state, faults) and sound
        state[name] = sound
    return state[name]


def _combined(
    name: str,
    spec: dict[str, Any],
    names: list[str],
    resolved: dict[str, dict[str, Any]],
    timezone: str | None,
    faults: list[Fault],
) -> dict[str, Any]:
    key = "all_of" if "all_of" in spec else "any_of"
    made_of = [resolved[part] for part in names if part != ALWAYS]
    found: dict[str, Any] = {key: list(names)}
    found |= zone(spec, _common_zone(spec, made_of, timezone, (name,), faults), (name,), faults)
    found |= conduct(spec, (name,), faults)
    starts = [part["confirmed_from"] for part in made_of if part.get("confirmed_from")]
    ends = [part["confirmed_through"] for part in made_of if part.get("confirmed_through")]
    if ends:
        found["confirmed_from"], found["confirmed_through"] = max(starts), min(ends)
        strict = any(part["beyond_calendar"] == "error" for part in made_of if part.get("confirmed_through"))
        found["beyond_calendar"] = spec.get("beyond_calendar", "error" if strict else "estimate")
    if not any(fault.severity == "error" for fault in faults):
        calendar = Calendars({**resolved, name: found})[name]
        if not any(calendar.year(year) for year in _TRIED_YEARS):
            hint = "its parts share no open time" if key == "all_of" else None
            faults.append(Fault("no-open-time", "the calendar is never open", (name,), hint))
    return found


def _common_zone(
    spec: dict[str, Any], made_of: list[dict[str, Any]], timezone: str | None, path: Path, faults: list[Fault]
) -> str | None:
    """The zone that the parts share, else the set's; working days need to know whose dates they count."""
    zones = {part["timezone"] for part in made_of}
    if len(zones) == 1:
        return str(zones.pop())
    if zones and "working_days" in spec and "timezone" not in spec:
        message = "its parts lie in different time zones, so working days need a `timezone` of their own"
        faults.append(Fault("missing-timezone", message, path, "write `timezone`"))
    return timezone or "UTC"
