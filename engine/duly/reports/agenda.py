"""The agenda: every duty, survey wave and care letter that comes round between two instants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from duly.calendars.calendars import Calendars
from duly.calendars.limits import BeyondCalendar
from duly.calendars.localtime import Zone
from duly.machines.length import after
from duly.machines.schedule import Schedule

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """A duty or survey of the set, whenever it comes round.

    `sort` is `duty`, `survey` or `letter` (a survey of class care). `each` is whom every occurrence is for:
    `set`, `person`, `group`, `case` or `customer`. `on` are the events that it follows, where no calendar
    puts it. `sample` is the share of those concerned that is drawn, from 0 to 1.
    """

    sort: str
    id: str
    rule: str
    title: Any
    each: str
    owner: str | None
    source: tuple[str, ...]
    on: tuple[str, ...] = ()
    sample: float = 1.0
    conditional: bool = False
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An item at one instant. `due` is when it is late, None where that is unknown or never; `estimate` says
    that it lies past the confirmed holidays of its calendar.
    """

    at: int
    item: Item
    due: int | None = None
    estimate: bool = False


@dataclass(slots=True)
class Agenda:
    """What comes round in `[start, end)` in order of time, what follows events instead, and the calendars
    whose holidays are not known for all of it: name → the last confirmed date, or None.
    """

    name: str
    zone: Zone
    start: int
    end: int
    occurrences: list[Occurrence] = field(default_factory=list)
    on_events: list[Item] = field(default_factory=list)
    unconfirmed: dict[str, str | None] = field(default_factory=dict)


def agenda(compiled: Json, places: Json, start: int, end: int) -> Agenda:
    """The agenda of a compiled set for `[start, end)`; `places` says what its rules are called.

    Past the confirmed holidays of a calendar an occurrence is an estimate, and is marked as one.
    """
    facts = compiled["set"]
    zone = Zone(facts["timezone"], facts["zone"]["at"], facts["zone"]["offsets"])
    calendars = Calendars(compiled["calendars"])
    made = Agenda(facts["name"], zone, start, end)
    for spec, item in _items(compiled, places):
        schedule = spec.get("every") or spec.get("schedule")
        if schedule is not None:
            for at in Schedule(schedule, calendars, zone).between(start, end):
                made.occurrences.append(_occurrence(made, calendars, spec, schedule, item, at))
        if item.on:
            made.on_events.append(item)
    made.occurrences.sort(key=lambda each: (each.at, each.item.sort, each.item.id))
    return made


def _items(compiled: Json, places: Json) -> Iterator[tuple[Json, Item]]:
    for spec in compiled["duties"]:
        yield spec, Item(
            "duty", spec["id"], spec["rule"], places.get(spec["rule"], {}).get("title"), spec.get("for_each", "set"),
            spec.get("owner"), tuple(spec.get("source", ())), tuple(spec.get("on", ())), spec.get("sample", 1.0),
            spec.get("when") is not None,
        )  # fmt: skip
    for spec in compiled["surveys"]:
        yield spec, Item(
            "letter" if spec["class"] == "care" else "survey", spec["id"], spec["rule"],
            places.get(spec["rule"], {}).get("title"), "customer", spec["sheet"].get("owner"),
            tuple(spec.get("source", ())), tuple(spec.get("on", ())), spec.get("sample", 1.0),
            spec.get("audience") is not None or spec.get("when") is not None, tuple(spec.get("channels", ())),
        )  # fmt: skip


def _occurrence(
    made: Agenda, calendars: Calendars, spec: Json, schedule: Json, item: Item, at: int
) -> Occurrence:
    due = None
    estimate = _unsure(made, calendars, schedule.get("calendar"), at)
    if spec.get("due") is not None:
        name = spec.get("calendar", "always")
        try:
            due = after(calendars[name], at, spec["due"])
        except BeyondCalendar as beyond:
            made.unconfirmed.setdefault(name, beyond.confirmed_through)
            estimate = True
        else:
            estimate = _unsure(made, calendars, name, due) or estimate
    return Occurrence(at, item, due, estimate)


def _unsure(made: Agenda, calendars: Calendars, name: str | None, at: int) -> bool:
    """Whether an instant lies where a calendar's holidays are not confirmed; notes the calendar."""
    if name is None or not calendars[name].is_estimate(at):
        return False
    made.unconfirmed.setdefault(name, calendars[name].spec.get("confirmed_through"))
    return True
