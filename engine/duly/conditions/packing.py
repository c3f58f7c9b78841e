"""Packing: conditions, rule lists and vocabularies as plain JSON data for the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from duly.conditions.exact import pack, unpack
from duly.conditions.fields import Vocabulary
from duly.conditions.normal import normal, rows
from duly.conditions.tree import All, Condition, Not, Some, Test


def pack_condition(condition: Condition) -> Any:
    """A condition for `predicates.predicate`."""
    return _packed(normal(condition))


def pack_rules(conditions: Sequence[Condition]) -> dict[str, Any]:
    """The conditions of a rule list for `index.Matcher`; the number of a rule is its position.

    `rows` are `[rule, tests, rest]`, `rest` null where there is none; `exact` is there where a value is
    packed as a decimal.
    """
    packed: list[Any] = [
        [row.rule, [_packed(test) for test in row.tests], _packed(row.rest) if _rest(row.rest) else None]
        for row in rows(conditions)
    ]
    exact = any(_holds_decimal(test[2]) for _, tests, _ in packed for test in tests)
    return {"rules": len(conditions), "rows": packed} | ({"exact": True} if exact else {})


def pack_vocabulary(vocabulary: Vocabulary) -> dict[str, Any]:
    """A vocabulary for `values.Intake`: `fields`, by name as conditions write it."""
    packed: dict[str, Any] = {}
    for name, field in vocabulary.fields.items():
        data: dict[str, Any] = {"type": field.type}
        if field.values:
            data["values"] = list(field.values)
        for flag in ("ordered", "required", "sensitive", "derived"):
            if getattr(field, flag):
                data[flag] = True
        if field.default is not None:
            data["default"] = pack(field.default)
        packed[name] = data
    return {"fields": packed}


def pack_tree(condition: Condition) -> Any:
    """A condition as it was written, with its places, for `unpack_tree`: what a bundle keeps to explain."""
    at = list(condition.at)
    match condition:
        case Test(field, operator, value, _, order):
            return ["test", at, field, operator, pack(value), *([list(order)] if order else [])]
        case Not(part):
            return ["not", at, pack_tree(part)]
        case All(parts):
            return ["all", at, [pack_tree(part) for part in parts]]
        case Some(parts):
            return ["any", at, [pack_tree(part) for part in parts]]


def unpack_tree(data: Any) -> Condition:
    """The condition that `pack_tree` packed."""
    node, at = data[0], tuple(data[1])
    match node:
        case "test":
            value: Any = unpack(data[4])
            value = tuple(value) if isinstance(value, list) else value
            return Test(data[2], data[3], value, at, tuple(data[5]) if len(data) > 5 else ())
        case "not":
            return Not(unpack_tree(data[2]), at)
        case "all":
            return All(tuple(unpack_tree(part) for part in data[2]), at)
        case _:
            return Some(tuple(unpack_tree(part) for part in data[2]), at)


def _packed(condition: Condition) -> Any:
    """A condition in normal form, as the runtime reads it."""
    match condition:
        case Test(field, operator, value):
            return [field, operator, pack(value)]
        case Not(Test(field, operator, value)):
            return [field, "!" + operator, pack(value)]
        case Not(part):
            return ["not", _packed(part)]
        case All(parts):
            return ["all", [_packed(part) for part in parts]]
        case Some(parts):
            return ["any", [_packed(part) for part in parts]]


def _rest(condition: Condition) -> bool:
    return not (isinstance(condition, All) and not condition.parts)


def _holds_decimal(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))
