"""Cases and events: the words a decision is asked in."""

from __future__ import annotations

from duly import instants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_EVENT_BYTES = 256 * 1024
MAX_NESTING = 32
MAX_EVENTS = 100_000
MAX_NAME = 500

_ENVELOPE = frozenset(
    ("id", "type", "case", "customer", "person", "at", "actor", "data",
     "specversion", "source", "subject", "time", "datacontenttype", "dataschema")
)  # fmt: skip
_CASE_KEYS = frozenset(("id", "opened_at", "customer", "fields", "events"))
_FIELD_EVENTS = frozenset(("case.opened", "case.updated"))
_SUBJECTS = ("case", "customer", "person")
_PRESENCE = frozenset(("person.on_duty", "person.off_duty"))


class Refused(Exception):
    """A case or an event that cannot be taken: a stable code, a sentence, and where it stands in it."""

    def __init__(self, code: str, message: str, path: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path

    def report(self, line: int | None = None) -> dict[str, Any]:
        """The `error` object that stands in the place of an answer."""
        return {"error": {"code": self.code, "message": self.message, "line": line, "path": self.path}}


class Event:
    """One event. `changes` are the case fields it carries, `payload` what conditions read as `event.…`.

    `path` and `field_path` say where it and its case fields stand in the input, for messages.
    """

    __slots__ = (
        "actor", "at", "case", "changes", "customer", "field_path", "id", "path", "payload", "person", "type",
    )  # fmt: skip

    def __init__(self, id: str, type: str, at: int) -> None:
        self.id = id
        self.type = type
        self.at = at
        self.case: str | None = None
        self.customer: str | None = None
        self.person: str | None = None
        self.actor: str | None = None
        self.changes: Mapping[str, Any] = {}
        self.payload: Mapping[str, Any] = {}
        self.path = ""
        self.field_path = "data."

    def repeats(self, other: Event) -> bool:
        """Whether this says the same as another event of its id."""
        return (self.type, self.at, self.changes, self.payload) == (
            other.type,
            other.at,
            other.changes,
            other.payload,
        )

    def with_fields(self, fields: Mapping[str, Any]) -> Event:
        """A copy with these case fields beneath its own."""
        copy = Event(self.id, self.type, self.at)
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        copy.changes = {**fields, **self.changes}
        return copy


def presence(event: Event) -> bool:
    """Whether an event says that a person is on duty or is not. It is of the person alone: one that names a case or
    a customer belongs to them.
    """
    return (
        event.type in _PRESENCE and event.person is not None and event.case is None and event.customer is None
    )


def instant(value: Any, path: str) -> int:
    """The instant at `path` of a case or an event. Raises Refused."""
    try:
        return instants.parse(value)
    except ValueError as error:
        raise Refused("E103", str(error), path) from None


def _text(value: Any, path: str, example: str) -> str:
    if not isinstance(value, str) or not value:
        found = (
            "nothing"
            if value is None
            else f"`{value}`"
            if not isinstance(value, (dict, list))
            else "a structure"
        )
        raise Refused("E102", f"expected a text such as `{example}`, found {found}", path)
    if len(value) > MAX_NAME:
        raise Refused("E111", f"a name of {len(value):,} characters; at most {MAX_NAME}", path)
    if not value.isprintable() and any(sign < " " or "\x7f" <= sign <= "\x9f" for sign in value):
        raise Refused("E111", f"a name with a control character in it: {value[:40]!a}", path)
    return value


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused("E102", "expected an object `{…}` of names and values", path)
    return value


def read_event(data: Any, path: str = "", case: str | None = None) -> Event:
    """The event that a JSON object says, in Duly's envelope or in that of CloudEvents 1.0.

    `case` is the subject where the event names none. Raises Refused.
    """
    prefix = path + "." if path else ""
    if not isinstance(data, dict):
        raise Refused("E102", "expected an event, an object with `id`, `type`, `at`", path)
    cloud = "specversion" in data
    moment = "time" if cloud and "time" in data else "at"
    for key in ("id", "type", moment):
        if key not in data:
            raise Refused("E101", f"`{key}` is missing; every event has `id`, `type` and `at`", prefix + key)
    if not cloud and not _ENVELOPE.issuperset(data):
        unknown = min(set(data) - _ENVELOPE)
        raise Refused("E104", f"unknown key `{unknown}`; payload belongs under `data`", prefix + unknown)
    event = Event(
        _text(data["id"], prefix + "id", "e-17"),
        _text(data["type"], prefix + "type", "case.opened"),
        instant(data[moment], prefix + moment),
    )
    event.path = prefix
    _subject(event, data, prefix, cloud, case)
    fill(event, data, prefix)
    return event


def fill(event: Event, data: Mapping[str, Any], prefix: str = "") -> None:
    """Let an event say what its JSON object says beyond its envelope: by whom, and what. Raises Refused."""
    actor = data.get("actor")
    if isinstance(actor, dict) and isinstance(actor.get("kind"), str):
        event.actor = actor["kind"]
    payload = _mapping(data.get("data"), prefix + "data")
    if event.type in _FIELD_EVENTS:
        event.changes = payload
    else:
        event.payload = payload
        if "case" in payload:
            event.field_path = "data.case."
            event.changes = _mapping(payload["case"], prefix + "data.case")


def _subject(event: Event, data: Mapping[str, Any], prefix: str, cloud: bool, case: str | None) -> None:
    for key in _SUBJECTS:
        if data.get(key) is not None:
            setattr(event, key, _text(data[key], prefix + key, "C-1001"))
    if cloud and event.case is event.customer is event.person is None and data.get("subject") is not None:
        subject = _text(data["subject"], prefix + "subject", "case:C-1001")
        kind, colon, name = subject.partition(":")
        if colon and kind in _SUBJECTS:
            setattr(event, kind, name)
        else:
            event.case = subject
    if event.case is None and event.customer is None and event.person is None:
        event.case = case


class Case:
    """A case to be decided: its first facts and what happened to it, events in the order they were given."""

    __slots__ = ("customer", "events", "fields", "id", "opened_at")

    def __init__(self, id: str, opened_at: int) -> None:
        self.id = id
        self.opened_at = opened_at
        self.customer: str | None = None
        self.fields: Mapping[str, Any] = {}
        self.events: list[Event] = []


def read_case(data: Any) -> Case:
    """The case that a JSON object says. Raises Refused."""
    if not isinstance(data, dict):
        raise Refused("E102", "expected a case, an object with `id`, `opened_at` and `fields`")
    if "id" not in data:
        if "type" in data and ("at" in data or "time" in data):
            raise Refused("E105", "this is an event; `decide` takes cases", "type")
        raise Refused("E101", "`id` is missing; every case has an `id`", "id")
    if not _CASE_KEYS.issuperset(data):
        unknown = min(set(data) - _CASE_KEYS)
        raise Refused("E104", f"unknown key `{unknown}`; fields of the case belong under `fields`", unknown)
    name = _text(data["id"], "id", "C-1001")
    events = data.get("events")
    read: list[Event] = []
    if events is not None:
        if not isinstance(events, list):
            raise Refused("E102", "expected a list of events", "events")
        if len(events) > MAX_EVENTS:
            raise Refused("E106", f"{len(events):,} events; a case has at most {MAX_EVENTS:,}", "events")
        read = [read_event(event, f"events[{number}]", name) for number, event in enumerate(events)]
    if "opened_at" in data:
        opened_at = instant(data["opened_at"], "opened_at")
    else:
        openings = [event.at for event in read if event.type == "case.opened"]
        if not openings:
            raise Refused("E101", "`opened_at` is missing, and no event `case.opened` says it", "opened_at")
        opened_at = min(openings)
    case = Case(name, opened_at)
    if data.get("customer") is not None:
        case.customer = _text(data["customer"], "customer", "K-7")
    case.fields = _mapping(data.get("fields"), "fields")
    case.events = read
    return case


def batches(case: Case, at: int) -> list[tuple[int, list[Event]]]:
    """The events of a case until `at`, without repeats, those of one instant together."""
    opening = Event("", "case.opened", case.opened_at)
    opening.changes = case.fields
    opening.field_path = "fields."
    opening.case, opening.customer = case.id, case.customer
    if not case.events:
        return [(opening.at, [opening])] if opening.at <= at else []
    seen: dict[str, Event] = {}
    for number, event in enumerate(case.events):
        if event.case is not None and event.case != case.id:
            raise Refused(
                "E107", f"event of case `{event.case}` in case `{case.id}`", f"events[{number}].case"
            )
        first = seen.setdefault(event.id, event)
        if first is not event and not event.repeats(first):
            raise Refused("E108", f"two different events have the id `{event.id}`", f"events[{number}].id")
    events = sorted(seen.values(), key=order)
    given = next((event for event in events if event.type == "case.opened"), None)
    if given is None:
        events = sorted([opening, *events], key=order)
    else:
        given.customer = given.customer or case.customer
        if case.fields:
            events[events.index(given)] = given.with_fields(case.fields)
    batches: list[tuple[int, list[Event]]] = []
    for event in events:
        if event.at > at:
            break
        if batches and batches[-1][0] == event.at:
            batches[-1][1].append(event)
        else:
            batches.append((event.at, [event]))
    return batches


def order(event: Event) -> tuple[int, bool, str]:
    """Nothing can happen to a case before it is opened; else the ids decide within an instant."""
    return event.at, event.type != "case.opened", event.id
