"""Fields: what a case, an event or a customer may carry, of which type, and the tests that suit it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, TypeAlias

FieldType: TypeAlias = Literal["text", "number", "integer", "boolean", "enum", "set", "duration", "instant"]
Default: TypeAlias = str | int | float | Decimal | bool | frozenset[str] | None

_EQUALITY = ("is", "in", "not")
_ORDER = ("at_least", "over", "at_most", "below")
_SUITED: dict[FieldType, tuple[str, ...]] = {
    "text": (*_EQUALITY, "contains", "starts_with", "ends_with", "matches", "exists"),
    "number": (*_EQUALITY, *_ORDER, "exists"),
    "integer": (*_EQUALITY, *_ORDER, "exists"),
    "boolean": (*_EQUALITY, "exists"),
    "enum": (*_EQUALITY, "exists"),
    "set": ("has", "has_any", "has_all", "has_none", "exists"),
    "duration": (*_EQUALITY, *_ORDER, "exists"),
    "instant": (*_EQUALITY, *_ORDER, "exists"),
}
NOUNS: dict[FieldType, str] = {
    "text": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
    "enum": "one of the values",
    "set": "a text",
    "duration": "a duration",
    "instant": "an instant",
}
"""What a test of each type takes, as messages name it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field. `name` is as conditions write it: `tier`, `event.automated`, `customer.region`.

    `values` are those of an enum, in declared order, or the allowed members of a set (empty: any text).
    `default` is typed as facts are: durations and instants in microseconds, a set as frozenset.
    `derived`: a Classification sets it.
    """

    name: str
    type: FieldType
    values: tuple[str, ...] = ()
    ordered: bool = False
    title: object = None
    default: Default = None
    required: bool = False
    sensitive: bool = False
    derived: bool = False

    @property
    def suited(self) -> tuple[str, ...]:
        """The tests that suit the field; `is` and `in` stand for a plain value and a list of values."""
        if self.type == "enum" and self.ordered:
            return (*_EQUALITY, *_ORDER, "exists")
        return _SUITED[self.type]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The fields that conditions may speak of, by name, and the payload fields of each event type."""

    fields: Mapping[str, Field]
    events: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Event type to the names of its payload fields, as conditions write them (`event.automated`)."""

    def extended(self, fields: Iterable[Field]) -> Vocabulary:
        """The same with more fields, such as `score` in the responses of a survey; a later field wins."""
        return replace(self, fields={**self.fields, **{each.name: each for each in fields}})

    def carriers(self, name: str) -> list[str]:
        """The event types that carry a payload field, sorted."""
        return sorted(event for event, names in self.events.items() if name in names)
