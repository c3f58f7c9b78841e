"""Resolution: the calendars of a policy set as written, to the plain data that the runtime reads.

Everything a calendar rests on is frozen here: the zone's transitions and the holidays of its country. The
resolved JSON of a calendar is

    timezone, zone: {version, at, offsets}    see zones.py
    eras: [{from: date or null, week: seven lists of [from, to] in seconds, Monday first}]
    closed: [[first date, last date]]         sorted, disjoint
    dates: {date: [[from, to]]}
    holidays: {date: name}, make_up: {date: [weekday or null, label]}, source
    confirmed_from, confirmed_through         dates, or absent where no holiday facts are used
    beyond_calendar: error | estimate
    working_days: {count_from, land}          see working_days.py; absent where not written

and of a combination `all_of` or `any_of` (names) with timezone, zone, confirmed_*, beyond_calendar and
working_days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from duly.calendars import combinations
from duly.calendars.calendars import ALWAYS
from duly.calendars.conduct import conduct, zone
from duly.calendars.facts import countries, holiday_facts, subdivisions, two_letters
from duly.calendars.faults import Fault, expected, unknown
from duly.calendars.week import Spans, date, date_range, spans, week
from duly.diagnostics import Path

Facts = Callable[[str, str | None], dict[str, Any]]
"""(country, subdivision) to the facts of facts.holiday_facts; a host may put a cache around it."""

_KEYS = (
    "timezone", "hours", "eras", "holidays", "closed", "dates", "working_days", "beyond_calendar",
    "all_of", "any_of", "title", "note", "source",
)  # fmt: skip


def resolve(
    calendars: object, timezone: str | None = None, facts: Facts = holiday_facts
) -> tuple[dict[str, dict[str, Any]], list[Fault]]:
    """The mapping `spec.calendars` as resolved JSON by name, and everything that is wrong with it.

    `timezone` is the set's default zone. A calendar with an error is left out, and so are those made of it.
    Paths begin with the calendar's name. Warnings do not keep a calendar out.
    """
    faults: list[Fault] = []
    if not isinstance(calendars, dict):
        return {}, [expected("calendars by name", calendars, ())]
    resolved: dict[str, dict[str, Any]] = {}
    for name, spec in calendars.items():
        own: list[Fault] = []
        if name == ALWAYS:
            own.append(Fault("reserved-name", "`always` is built in", (name,), "choose another name"))
        elif not isinstance(spec, dict):
            own.append(expected("a calendar", spec, (name,)))
        elif "all_of" not in spec and "any_of" not in spec:
            found = _written(spec, timezone, facts, (name,), own)
            if not any(fault.severity == "error" for fault in own):
                resolved[name] = found
        faults += own
    combinations.add(calendars, resolved, timezone, faults)
    return {name: resolved[name] for name in calendars if name in resolved}, faults


def _written(
    spec: dict[str, Any], timezone: str | None, facts: Facts, path: Path, faults: list[Fault]
) -> dict[str, Any]:
    """A calendar with hours of its own."""
    for key in spec:
        if key not in _KEYS:
            faults.append(unknown("key", key, _KEYS, (*path, key)))
    found: dict[str, Any] = zone(spec, timezone, path, faults)
    found["eras"] = _eras(spec, path, faults)
    found["closed"] = _closed(spec.get("closed"), (*path, "closed"), faults)
    found["dates"] = _dates(spec, (*path, "dates"), faults)
    found |= conduct(spec, path, faults)
    if spec.get("holidays") is not None:
        found |= _holidays(spec["holidays"], found.get("beyond_calendar"), facts, (*path, "holidays"), faults)
    if not any(fault.severity == "error" for fault in faults):
        _check_open(found, path, faults)
    return found


def _eras(spec: dict[str, Any], path: Path, faults: list[Fault]) -> list[dict[str, Any]]:
    """`hours` up to the first era, then each era's; without `hours` nothing is open before the first."""
    if "hours" not in spec and "eras" not in spec and "dates" not in spec:
        faults.append(Fault("missing-key", "`hours` is missing", path, "write `hours`, `all_of` or `any_of`"))
    first = week(spec["hours"], (*path, "hours"), faults) if "hours" in spec else [[] for _ in range(7)]
    later: dict[str, list[Spans]] = {}
    entries = spec.get("eras") or []
    if not isinstance(entries, list):
        faults.append(expected("a list of eras", entries, (*path, "eras")))
        entries = []
    for index, entry in enumerate(entries):
        place = (*path, "eras", index)
        if not isinstance(entry, dict) or "from" not in entry or "hours" not in entry:
            faults.append(expected("an era with `from` and `hours`", entry, place))
            continue
        for key in entry:
            if key not in ("from", "hours", "note", "source"):
                faults.append(unknown("key", key, ("from", "hours", "note", "source"), (*place, key)))
        start = date(entry["from"], (*place, "from"), faults)
        hours = week(entry["hours"], (*place, "hours"), faults)
        if start in later:
            faults.append(
                Fault("era-twice", f"two eras begin on `{start}`", (*place, "from"), "keep one of the two")
            )
        elif start is not None:
            later[start] = hours
    eras: list[dict[str, Any]] = [{"from": None, "week": first}]
    return eras + [{"from": start, "week": later[start]} for start in sorted(later)]


def _closed(value: object, path: Path, faults: list[Fault]) -> list[list[str]]:
    """Dates and ranges as sorted, disjoint ranges."""
    if value is None:
        return []
    if not isinstance(value, list):
        faults.append(expected("a list of dates and ranges", value, path))
        return []
    found = [date_range(entry, (*path, index), faults) for index, entry in enumerate(value)]
    ranges: list[list[str]] = []
    for first, last in sorted(entry for entry in found if entry):
        if ranges and first <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], last)
        else:
            ranges.append([first, last])
    return ranges


def _dates(spec: dict[str, Any], path: Path, faults: list[Fault]) -> dict[str, Spans]:
    """Other hours on single dates. Within a closed range they win; a date closed by itself contradicts them."""
    value = spec.get("dates")
    if value is None:
        return {}
    if not isinstance(value, dict):
        faults.append(expected("dates with their hours", value, path))
        return {}
    closed = spec.get("closed")
    found: dict[str, Spans] = {}
    for key, hours in value.items():
        day = date(key, (*path, key), faults)
        if day is not None:
            found[day] = spans(hours, (*path, key), faults)
        if isinstance(closed, list) and day in closed and found.get(str(day)):
            message = f"`{day}` has hours here and is `closed` as well"
            faults.append(Fault("date-contradiction", message, (*path, key), "keep one of the two"))
    return found


def _holidays(value: object, beyond: object, facts: Facts, path: Path, faults: list[Fault]) -> dict[str, Any]:
    """The facts of a country, those past the confirmed date only where estimates are wanted."""
    if not isinstance(value, dict) or not isinstance(value.get("country"), str):
        faults.append(expected("a country, such as {country: CN}", value, path))
        return {}
    for key in value:
        if key not in ("country", "subdivision"):
            faults.append(unknown("key", key, ("country", "subdivision"), (*path, key)))
    country, subdivision = value["country"], value.get("subdivision")
    try:
        known = facts(country, subdivision)
    except KeyError:
        if country not in countries():
            faults.append(_unknown_country(country, (*path, "country")))
        else:
            faults.append(unknown("subdivision", subdivision, subdivisions(country), (*path, "subdivision")))
        return {}
    through = known["confirmed_through"]
    if beyond == "error" and through < known["confirmed_from"]:
        message = f"the holidays of `{country}` are estimates in every year"
        hint = "write `beyond_calendar: estimate`, or list the days under `closed`"
        faults.append(Fault("unconfirmed-holidays", message, path, hint))
    found = {key: known[key] for key in ("confirmed_from", "confirmed_through", "source")}
    for key in ("holidays", "make_up"):
        entries: Mapping[str, Any] = known[key]
        found[key] = {day: fact for day, fact in entries.items() if beyond != "error" or day <= through}
    return found


def _unknown_country(code: str, path: Path) -> Fault:
    near = two_letters(code)
    fault = unknown("country", code, countries(), path)
    hint = f"did you mean `{near}`?" if near else "write its two letters of ISO 3166, such as `CN`"
    return Fault(fault.code, fault.message, path, hint)


def _check_open(found: dict[str, Any], path: Path, faults: list[Fault]) -> None:
    weeks = [era["week"] for era in found["eras"]]
    if not any(any(days) for days in weeks) and not any(found["dates"].values()):
        faults.append(Fault("no-open-time", "the calendar is never open", path, "give it hours"))
    elif len(weeks) > 1 and not any(weeks[-1]):
        start = found["eras"][-1]["from"]
        message = f"the calendar is never open again from `{start}`"
        faults.append(
            Fault("closed-for-good", message, (*path, "eras"), "give its last era hours", "warning")
        )
