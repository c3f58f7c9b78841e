"""A script: what a test gives, as the events of a timeline and the answers that will come."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from duly import durations, instants
from duly.actions import Action
from duly.cases import Event, Refused, read_event
from duly.diagnostics import did_you_mean
from duly.suites.suite import Test

FIRST_CASE = "C-1"
_BEFORE = 1
"""What holds from the start is said a microsecond before the first event."""


class Unplayable(Exception):
    """What is given makes no story; the message says why."""


@dataclass(slots=True)
class Script:
    """Events, the case and the customer that are looked at, the instant of the look, and answers to surveys."""

    events: list[Event]
    case: str | None
    customer: str | None
    until: int
    load: Mapping[str, int] = field(default_factory=dict)
    answers: list[Mapping[str, Any]] = field(default_factory=list)
    _sent: dict[tuple[str, str | None], int] = field(default_factory=dict)

    def answer(self, sent: Action | Event) -> Event | None:
        """The answer that comes to a survey that was sent; the n-th of those listed to the n-th that is sent,
        the last of them to all after it. None where nobody answers."""
        survey = sent.survey if isinstance(sent, Action) else str(sent.payload.get("survey", ""))
        fitting = [
            each for each in self.answers
            if each["survey"] == survey and each.get("customer") in (None, sent.customer)
        ]  # fmt: skip
        if not fitting or survey is None:
            return None
        key = (survey, sent.customer)
        times = self._sent[key] = self._sent.get(key, 0) + 1
        chosen = fitting[min(times, len(fitting)) - 1]
        at = sent.at + durations.parse(chosen["after"]).amount
        event = Event(f"answer/{survey}/{sent.customer or sent.case}/{times}", "survey.answered", at)
        event.case, event.customer, event.actor = sent.case, sent.customer, "customer"
        payload = {key: value for key, value in chosen.items() if key not in ("after", "customer", "answers")}
        event.payload = {**chosen.get("answers", {}), **payload}
        return event


def script(test: Test, known_events: Collection[str] = ()) -> Script:
    """What the test gives. Raises Unplayable, also for an event that is not among `known_events`, if given."""
    given = test.given
    for entry in given.get("events", ()):
        if known_events and entry["type"] not in known_events:
            hint = did_you_mean(entry["type"], known_events) or "declare it in the Vocabulary"
            raise Unplayable(f"unknown event `{entry['type']}`; {hint}")
    look = _instant(test.at if test.at is not None else test.until, "at" if test.at is not None else "until")
    events = _events(given, look)
    if not events and look is None:
        raise Unplayable("nothing is given and no instant is named; give `events`, `at` or `until`")
    start = min([event.at for event in events], default=look or 0)
    until = max(event.at for event in events) if look is None else look
    case = next((event.case for event in events if event.case is not None), None)
    customer = next((event.customer for event in events if event.customer is not None), None)
    known = _known(given, start - _BEFORE)
    roster = given.get("roster", {})
    load = {_person(name): count for name, count in roster.get("load", {}).items()}
    return Script([*known, *events], case, customer, until, load, list(given.get("surveys", ())))


def _known(given: Mapping[str, Any], at: int) -> list[Event]:
    """What holds from the start: who is on duty, and what is known of customers."""
    events: list[Event] = []
    roster = given.get("roster", {})
    for key, kind in (("on_duty", "person.on_duty"), ("off_duty", "person.off_duty")):
        for name in roster.get(key, ()):
            event = Event(f"given/{key}/{name}", kind, at)
            event.person = _person(name)
            events.append(event)
    for name, fields in given.get("customers", {}).items():
        event = Event(f"given/customer/{name}", "customer.updated", at)
        event.customer, event.payload = name, fields
        events.append(event)
    return events


def _person(name: str) -> str:
    return name if name.startswith("person:") else f"person:{name}"


def _events(given: Mapping[str, Any], look: int | None) -> list[Event]:
    """The case's opening and the listed events; each `after` counted from the event before it."""
    case = given.get("case")
    listed = given.get("events", ())
    here = FIRST_CASE if case is None else str(case.get("id", FIRST_CASE))
    events: list[Event] = []
    before: int | None = None
    if case is not None:
        opened = case.get("opened_at")
        before = look if opened is None else _instant(opened, "given.case.opened_at")
        if before is None:
            raise Unplayable("the case has no `opened_at`, and the test no `at`")
        if not any(entry["type"] == "case.opened" and entry.get("case", here) == here for entry in listed):
            fields = case.get("fields", {})
            opening = {"id": "opened", "type": "case.opened", "case": here, "data": fields}
            events.append(_event(opening, before, case.get("customer")))
    known = case is not None
    for number, entry in enumerate(listed):
        at = _moment(entry, number, before)
        found = {"id": f"{number + 1:06d}", **entry}
        if _falls_to_case(entry, known):
            here = found["case"] = str(entry.get("case", here))
            known = True
            if case is not None and entry["type"] == "case.opened":
                found["data"] = {**case.get("fields", {}), **entry.get("data", {})}
        events.append(_event(found, at, entry.get("customer") or _customer(case, found)))
        before = at
    return events


def _customer(case: Mapping[str, Any] | None, found: Mapping[str, Any]) -> Any:
    """The customer of the given case, for its opening."""
    return case.get("customer") if case is not None and found["type"] == "case.opened" else None


def _falls_to_case(entry: Mapping[str, Any], known: bool) -> bool:
    """Whether an event happens to a case: it names one, or it names nobody else and there is a case by now.

    Events of people and `customer.updated` go to those whom they name; before there is a case, only
    `case.…` events make one, and any other is of the customer whom it names or of the whole set.
    """
    if "case" in entry or entry["type"].startswith("case."):
        return True
    if "person" in entry or (entry["type"] == "customer.updated" and "customer" in entry):
        return False
    return known


def _moment(entry: Mapping[str, Any], number: int, before: int | None) -> int:
    where = f"given.events[{number}]"
    at = _instant(entry.get("at"), f"{where}.at")
    if at is not None:
        return at
    if before is None:
        raise Unplayable(f"`{where}` comes `after` an event, and there is none before it; give it `at`")
    try:
        return before + durations.parse(entry["after"]).amount
    except ValueError as error:
        raise Unplayable(f"`{where}.after`: {error}") from None


def _event(entry: Mapping[str, Any], at: int, customer: Any) -> Event:
    """The event as a host would read it. Raises Unplayable."""
    data = {key: value for key, value in entry.items() if key not in ("after", "at", "actor", "customer")}
    data["at"] = instants.render(at)
    if customer is not None:
        data["customer"] = str(customer)
    if "actor" in entry:
        data["actor"] = {"kind": entry["actor"]}
    try:
        return read_event(data)
    except Refused as refused:
        raise Unplayable(f"event `{entry['id']}`: {refused.message}") from None


def _instant(text: Any, where: str) -> int | None:
    if text is None:
        return None
    try:
        return instants.parse(text)
    except ValueError as error:
        raise Unplayable(f"`{where}`: {error}") from None
