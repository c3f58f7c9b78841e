"""The normal form of conditions: negation at the leaves, no constants inside, rows that can be indexed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duly.conditions.tree import ALWAYS, Condition, Not, Test


@dataclass(frozen=True, slots=True)
class Row:
    """One way in which a rule can match: all `tests` (a Test or a Not around one) and the `rest` hold."""

    rule: int
    tests: tuple[Test | Not, ...]
    rest: Condition = ALWAYS


def normal(condition: Condition) -> Condition:
    """The same condition with `Not` only directly around a Test, nested All and Some flattened, repeated
    tests dropped and constants folded: the result is ALWAYS, NEVER, or holds neither.

    A missing value makes a test false, so a condition has two outcomes and De Morgan's laws hold; but
    `Not(Test(amount over 5))` is no `amount at_most 5`: it also holds without an amount.
    """
    raise NotImplementedError


def rows(conditions: Sequence[Condition]) -> list[Row]:
    """The rows of a rule list, in rule order; the number of a rule is its position. A rule that can never
    match has none, one with alternatives may have several (at most 64)."""
    raise NotImplementedError
