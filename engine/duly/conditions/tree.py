"""The tree of a condition: what `when:` says, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from duly.diagnostics import Path

Scalar: TypeAlias = str | int | float | Decimal | bool
Value: TypeAlias = Scalar | tuple[Scalar, ...]
Operator: TypeAlias = Literal[
    "is",          # equal to the value
    "in",          # equal to one of the values
    "at_least", "over", "at_most", "below",     # ordered enums, numbers, durations, instants
    "has", "has_any", "has_all", "has_none",    # sets
    "contains", "starts_with", "ends_with", "matches",  # texts
    "exists",      # value True: there is a value; False: there is none
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Test:
    """One field against one value. `at` is the place in the document that says so.

    Durations and instants are microseconds. `order` holds the declared values, lowest first, where the
    field is an ordered enum and the operator compares.
    """

    field: str
    operator: Operator
    value: Value
    at: Path = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; no parts: always true."""

    parts: tuple[Condition, ...]
    at: Path = ()


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds; no parts: never true."""

    parts: tuple[Condition, ...]
    at: Path = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition
    at: Path = ()


Condition: TypeAlias = Test | All | Some | Not
ALWAYS = All(())
NEVER = Some(())
