"""The vocabulary of a policy set: the data of a Vocabulary document as typed fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast, get_args

from duly.conditions.faults import Fault
from duly.conditions.fields import Field, FieldType, Vocabulary
from duly.conditions.operands import shown
from duly.conditions.suggestions import GROUPS
from duly.conditions.syntax import read_value
from duly.diagnostics import Path, did_you_mean

Raw = Callable[[Path], str | None]

TYPES: tuple[FieldType, ...] = get_args(FieldType)
CASE_FIELDS = (Field("assignee", "text"), Field("acknowledged", "boolean"))
"""The fields of a case that the engine keeps itself."""

EVENTS: dict[str, tuple[Field, ...]] = {
    **{
        f"case.{verb}": ()
        for verb in ("opened", "updated", "assigned", "acknowledged", "resolved", "reopened", "closed",
                     "cancelled", "merged")
    },
    "agent.replied": (Field("event.automated", "boolean"), Field("event.public", "boolean")),
    "customer.replied": (),
    "survey.sent": (Field("event.survey", "text"),),
    "survey.answered": (Field("event.survey", "text"), Field("event.score", "number")),
    "task.done": (Field("event.task", "text"),),
    "approval.given": (Field("event.approval", "text"), Field("event.by", "text")),
    "approval.refused": (Field("event.approval", "text"), Field("event.by", "text"), Field("event.reason", "text")),
    "customer.updated": (),
    "person.joined": (),
    "person.on_duty": (),
    "person.off_duty": (),
}  # fmt: skip
"""The standard events and the payload fields that each carries."""
OPEN = frozenset(("event.task", "event.approval", "event.by", "event.reason"))
"""Payload fields that a policy may declare in its own way: the engine takes them as they come."""


def read_vocabulary(
    spec: object, at: Path = ("spec",), raw: Raw | None = None
) -> tuple[Vocabulary, list[Fault]]:
    """The vocabulary that the `spec` of a Vocabulary document declares, with what is always there.

    Always there: the case fields `assignee` (text) and `acknowledged` (boolean), and the standard events.
    `spec` may be None or {}: only what is always there. `raw` gives a plain scalar as it was written.
    A payload field has one type in all events of a set, so that `event.x` means one thing.
    """
    reader = _Reader(raw)
    data = spec if isinstance(spec, dict) else {}
    for field in CASE_FIELDS:
        reader.fields[field.name] = field
    for event, payload in EVENTS.items():
        reader.events[event] = frozenset(field.name for field in payload)
        reader.fields.update({field.name: field for field in payload})
    reader.declare(data.get("fields"), "", (*at, "fields"))
    reader.declare(data.get("customer"), "customer.", (*at, "customer"))
    for event, declared in _entries(data.get("events")):
        where = (*at, "events", event)
        fields = declared.get("fields") if isinstance(declared, dict) else None
        names = reader.declare(fields, "event.", (*where, "fields"))
        reader.events[event] = reader.events.get(event, frozenset()) | frozenset(names)
    return Vocabulary(reader.fields, reader.events), reader.faults


def merged(one: Vocabulary, other: Vocabulary) -> tuple[Vocabulary, list[str]]:
    """Two vocabularies as one, and the names of the fields that they declare with two types."""
    events = {**one.events}
    for event, fields in other.events.items():
        events[event] = events.get(event, frozenset()) | fields
    twice = [
        name
        for name, field in other.fields.items()
        if name in one.fields and not _alike(field, one.fields[name])
    ]
    return Vocabulary({**other.fields, **one.fields}, events), twice


def place(name: str, spec: object) -> Path:
    """Where the `spec` of a Vocabulary document declares a field: below `spec`."""
    data = spec if isinstance(spec, dict) else {}
    subject, _, bare = name.rpartition(".")
    if subject == "event":
        carriers = (
            event
            for event, declared in _entries(data.get("events"))
            if bare in (declared.get("fields") or {})
        )
        return ("events", next(carriers, ""), "fields", bare)
    return ("customer" if subject else "fields", bare)


def _entries(data: object) -> list[tuple[str, Any]]:
    return list(data.items()) if isinstance(data, dict) else []


class _Reader:
    """One reading of one Vocabulary; collects fields and faults as it goes."""

    def __init__(self, raw: Raw | None) -> None:
        self.raw = raw
        self.fields: dict[str, Field] = {}
        self.events: dict[str, frozenset[str]] = {}
        self.faults: list[Fault] = []

    def fault(self, code: str, message: str, at: Path, help: str | None = None, *, key: bool = False) -> None:
        self.faults.append(Fault(code, message, at, help, key=key))

    def declare(self, data: object, prefix: str, at: Path) -> list[str]:
        """Adds the fields of one mapping of name to declaration; answers their names."""
        names: list[str] = []
        for bare, declared in _entries(data):
            field = self.field(bare, prefix, declared, (*at, bare))
            if field is None:
                continue
            known = self.fields.get(field.name)
            if known is not None and known.name not in OPEN and not _alike(known, field):
                self.fault(
                    "C104", f"`{field.name}` is declared with two types: {_type(known)} and {_type(field)}",
                    (*at, bare), "give one of them another name", key=True,
                )  # fmt: skip
                continue
            self.fields[field.name] = field
            names.append(field.name)
        return names

    def field(self, bare: str, prefix: str, data: Any, at: Path) -> Field | None:
        """One declared field, or None with a fault."""
        if not prefix and bare in GROUPS:
            self.fault("C101", f"a field cannot be called `{bare}`", at, "conditions use that word", key=True)
            return None
        if "." in bare:
            help = "fields of events and customers are declared under `events` and `customer`"
            self.fault("C101", f"a field cannot be called `{bare}`: it holds a dot", at, help, key=True)
            return None
        type_ = data.get("type") if isinstance(data, dict) else None
        if type_ not in TYPES:
            known = "types: " + ", ".join(f"`{each}`" for each in TYPES)
            near = did_you_mean(type_, TYPES) if isinstance(type_, str) else None
            self.fault("C102", f"unknown type of `{bare}`: {shown(type_)}", at, near or known)
            return None
        field = Field(
            name=prefix + bare,
            type=cast(FieldType, type_),
            values=self.values(bare, type_, data, at),
            ordered=data.get("ordered") is True,
            title=data.get("title"),
            required=data.get("required") is True,
            sensitive=data.get("sensitive") is True,
            derived=data.get("derived") is True,
        )
        return self.with_default(field, data, at)

    def values(self, bare: str, type_: object, data: dict[str, Any], at: Path) -> tuple[str, ...]:
        """The declared values of an enum or set, as texts in NFC, in order."""
        declared = data.get("values")
        if declared is None:
            if type_ == "enum":
                self.fault("C103", f"the enum `{bare}` has no `values`", at, "list them, lowest first")
            return ()
        if type_ not in ("enum", "set"):
            self.fault("C103", f"`{bare}` is no enum and cannot list `values`", (*at, "values"), key=True)
            return ()
        texts: dict[str, None] = {}
        for index, each in enumerate(declared if isinstance(declared, list) else []):
            where = (*at, "values", index)
            value, faults = read_value(each, Field(bare, "text"), where, self.raw)
            self.faults += faults
            if value in texts:
                self.fault("C010", f"{shown(each)} is among the values of `{bare}` twice", where)
            elif value is not None:
                texts[value] = None
        return tuple(texts)

    def with_default(self, field: Field, data: dict[str, Any], at: Path) -> Field:
        if data.get("default") is None:
            return field
        value, faults = read_value(data["default"], field, (*at, "default"), self.raw)
        self.faults += faults
        return replace(field, default=value)


def _alike(one: Field, other: Field) -> bool:
    return (one.type, one.values, one.ordered) == (other.type, other.values, other.ordered)


def _type(field: Field) -> str:
    return f"{field.type} of other values" if field.type == "enum" else field.type
