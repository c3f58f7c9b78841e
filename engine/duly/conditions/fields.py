"""Fields: what a case, an event or a customer may carry, and of which type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

FieldType: TypeAlias = Literal[
    "text", "number", "integer", "boolean", "enum", "set", "duration", "instant"
]
Default: TypeAlias = str | int | float | Decimal | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field. `name` is as conditions write it: `tier`, `event.automated`, `customer.region`.

    `values` are those of an enum, in declared order, or the allowed members of a set (empty: any text).
    `default` is typed: durations and instants in microseconds. `derived`: a Classification sets it.
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


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The fields that conditions may speak of, by name, and the payload fields of each event type."""

    fields: Mapping[str, Field]
    events: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Event type to the names of its payload fields, as conditions write them (`event.automated`)."""

    def extended(self, fields: Iterable[Field]) -> Vocabulary:
        """The same with more fields, such as `score` in the responses of a survey; a later field wins."""
        raise NotImplementedError
