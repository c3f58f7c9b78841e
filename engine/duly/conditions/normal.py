"""The normal form of conditions: negation at the leaves, no constants inside, rows that can be indexed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from duly.conditions.tree import ALWAYS, NEVER, All, Condition, Not, Operator, Scalar, Some, Test

MOST_ROWS = 64
"""Rows that the alternatives of one rule are expanded into at most."""
MOST_EXTRA_ROWS = 1_000
"""Rows beyond one a rule that a list is expanded into, besides four times its rules."""

_ORDER = ("at_least", "over", "at_most", "below")
_INDEXED = frozenset(("is", "in", "exists", "has", "has_any", "starts_with", *_ORDER))
_SINGLE = frozenset(("has", "has_any", "starts_with"))
"""Tests of which the index takes one a field and row, and the residual the others."""

Literal: TypeAlias = Test | Not


@dataclass(frozen=True, slots=True)
class Row:
    """One way in which a rule can match: all `tests` (a Test or a Not around one) and the `rest` hold."""

    rule: int
    tests: tuple[Literal, ...]
    rest: Condition = ALWAYS


def normal(condition: Condition) -> Condition:
    """The same condition with `Not` only directly around a Test, nested All and Some flattened, repeated
    tests dropped and constants folded: the result is ALWAYS, NEVER, or holds neither.

    The order of enums is written out (`in`), `has_all` and `has_none` are `has` and not `has_any`, an `in`
    of one is an `is`. A missing value makes a test false, so a condition has two outcomes and De Morgan's
    laws hold; but `Not(Test(amount over 5))` is no `amount at_most 5`: it also holds without an amount.
    """
    return _pushed(condition, False)


def rows(conditions: Sequence[Condition]) -> list[Row]:
    """The rows of a rule list, in rule order; the number of a rule is its position. A rule that can never
    match has none, one with alternatives may have several (at most 64)."""
    extra = MOST_EXTRA_ROWS + 4 * len(conditions)
    found: list[Row] = []
    for rule, condition in enumerate(conditions):
        made = _rows_of(rule, normal(condition), min(MOST_ROWS, extra + 1))
        extra -= max(len(made) - 1, 0)
        found += made
    return found


def _pushed(condition: Condition, negated: bool) -> Condition:
    match condition:
        case Test():
            return _leaf(condition, negated)
        case Not(part):
            return _pushed(part, not negated)
        case All(parts) | Some(parts):
            conjunction = isinstance(condition, All) != negated
            return _group((_pushed(part, negated) for part in parts), conjunction, condition)


def _leaf(test: Test, negated: bool) -> Condition:
    """One test in fewer operators, negated or not."""
    match test.operator:
        case "exists":
            return Test(test.field, "exists", test.value is not negated, test.at)
        case "has_all":
            return _pushed(
                All(tuple(Test(test.field, "has", value, test.at) for value in _values(test))), negated
            )
        case "has_none":
            some = Not(Test(test.field, "has_any", test.value, test.at))
            return _pushed(All((Test(test.field, "exists", True, test.at), some), test.at), negated)
        case "in" | "has_any" if len(_values(test)) == 1:
            single: Operator = "is" if test.operator == "in" else "has"
            test = Test(test.field, single, _values(test)[0], test.at)
        case "in" | "has_any":
            test = Test(test.field, test.operator, _values(test), test.at)
        case "at_least" | "over" | "at_most" | "below" if test.order:
            test = Test(test.field, "in", _written_out(test), test.at)
            if len(_values(test)) == 1:
                test = Test(test.field, "is", _values(test)[0], test.at)
            if not test.value:
                return ALWAYS if negated else NEVER
    return Not(test, test.at) if negated else test


def _values(test: Test) -> tuple[Scalar, ...]:
    return tuple(dict.fromkeys(test.value)) if isinstance(test.value, tuple) else (test.value,)


def _written_out(test: Test) -> tuple[str, ...]:
    """The values of an ordered enum for which a comparison holds."""
    place = test.order.index(str(test.value))
    match test.operator:
        case "at_least":
            return test.order[place:]
        case "over":
            return test.order[place + 1 :]
        case "at_most":
            return test.order[: place + 1]
        case _:
            return test.order[:place]


def _group(parts: Iterable[Condition], conjunction: bool, origin: All | Some) -> Condition:
    """All or Some of parts in normal form, folded."""
    neutral, absorbing = (ALWAYS, NEVER) if conjunction else (NEVER, ALWAYS)
    kind = All if conjunction else Some
    kept: dict[object, Condition] = {}
    for part in parts:
        for each in part.parts if isinstance(part, kind) else (part,):
            if _same(each, absorbing) or _key(each, negated=True) in kept:
                return absorbing
            if not _same(each, neutral):
                kept.setdefault(_key(each), each)
    flat = tuple(kept.values())
    if not conjunction:
        flat = _united(flat)
    if not flat:
        return neutral
    return flat[0] if len(flat) == 1 else kind(flat, origin.at)


def _same(condition: Condition, constant: Condition) -> bool:
    return type(condition) is type(constant) and not getattr(condition, "parts", True)


def _key(condition: Condition, *, negated: bool = False) -> object:
    """What two equal tests have in common wherever they are written; of a group, itself."""
    match condition:
        case Test(field, "exists", value):
            return (field, "exists", value is not negated, False)
        case Test(field, operator, value):
            return (field, operator, value, negated)
        case Not(Test(field, operator, value)):
            return (field, operator, value, not negated)
        case _:
            return (negated, condition)


def _united(parts: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Alternatives in which equalities of one field are one list of values."""
    equal: dict[str, list[Test]] = {}
    for part in parts:
        if isinstance(part, Test) and part.operator in ("is", "in"):
            equal.setdefault(part.field, []).append(part)
    united: list[Condition] = []
    for part in parts:
        tests = equal.get(part.field, []) if isinstance(part, Test) and part.operator in ("is", "in") else []
        if len(tests) < 2:
            united.append(part)
        elif part is tests[0]:
            values = dict.fromkeys(value for test in tests for value in _values(test))
            united.append(Test(tests[0].field, "in", tuple(values), tests[0].at))
    return tuple(united)


def _rows_of(rule: int, condition: Condition, most: int) -> list[Row]:
    """The rows of one rule in normal form: its alternatives multiplied out where that helps the index."""
    if _same(condition, NEVER):
        return []
    parts = condition.parts if isinstance(condition, All) else (condition,)
    choices: list[list[tuple[Condition, ...]]] = []
    kept: list[Condition] = []
    count = 1
    for part in parts:
        ways = _ways(part, most) if isinstance(part, Some) else None
        if ways is None or count * len(ways) > most or not all(_indexed(way) for way in ways):
            kept.append(part)
        else:
            choices.append(ways)
            count *= len(ways)
    if not choices:
        return [_row(rule, condition)]
    found: list[Row] = []
    for way in product(*choices):
        whole = _group([*kept, *(part for each in way for part in each)], True, All((), condition.at))
        if not _same(whole, NEVER):
            found.append(_row(rule, whole))
    return found


def _ways(condition: Condition, most: int) -> list[tuple[Condition, ...]] | None:
    """The alternatives of a condition, each a conjunction; None where there are more than `most`."""
    match condition:
        case Some(parts):
            ways: list[tuple[Condition, ...]] = []
            for part in parts:
                inner = _ways(part, most)
                if inner is None or len(ways) + len(inner) > most:
                    return None
                ways += inner
            return ways
        case All(parts):
            ways = [()]
            for part in parts:
                inner = _ways(part, most)
                if inner is None or len(ways) * len(inner) > most:
                    return None
                ways = [(*way, *each) for way in ways for each in inner]
            return ways
        case _:
            return [(condition,)]


def _indexed(way: Sequence[Condition]) -> bool:
    return any(_suits(part) for part in way)


def _suits(part: Condition) -> bool:
    """Whether the index can take a part."""
    if isinstance(part, Not) and isinstance(part.part, Test):
        return part.part.operator in _INDEXED - {"starts_with"}
    return isinstance(part, Test) and part.operator in _INDEXED


def _row(rule: int, condition: Condition) -> Row:
    """The row of a conjunction: what the index takes, and the rest."""
    tests: list[Literal] = []
    rest: list[Condition] = []
    single: set[tuple[str, bool]] = set()
    for part in condition.parts if isinstance(condition, All) else (condition,):
        if not _suits(part) or isinstance(part, (All, Some)):
            rest.append(part)
            continue
        if isinstance(part, Test) and part.operator in _SINGLE:
            slot = (part.field, part.operator == "starts_with")
            if slot in single:
                rest.append(part)
                continue
            single.add(slot)
        tests.append(part)
    return Row(rule, tuple(tests), rest[0] if len(rest) == 1 else All(tuple(rest)))
