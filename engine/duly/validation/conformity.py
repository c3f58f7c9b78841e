"""Conformity: a quick yes or no to whether data fits a schema.

Knows exactly the part of JSON Schema 2020-12 that the schemas here use, and answers as jsonschema does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from duly.validation.schemas import KINDS, Schema, read, resolve

Check: TypeAlias = Callable[[Any], bool]

ANNOTATIONS = frozenset(
    ("$schema", "$id", "$defs", "title", "description", "examples", "x-expected", "x-refuse")
)
_COMBINED = frozenset(("additionalProperties", "then", "else"))
_NUMBERS: frozenset[type] = frozenset((int, float, Decimal))
_TYPES: dict[str, Check] = {
    "string": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
    "number": lambda value: type(value) in _NUMBERS,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
}
_checks: dict[int, Check] = {}


def conforms(data: Any, kind: str) -> bool:
    """Whether `data` fits the schema of a kind, such as `ServiceLevel` or `service-level`. KeyError where
    there is no such schema; ValueError for a schema with a keyword that is not known here."""
    name = KINDS.get(kind, kind)
    return check(name, read(name))(data)


def check(name: str, schema: Schema | bool) -> Check:
    """The check of a part of the schema called `name`; made once, its parts when first needed."""
    if isinstance(schema, bool):
        return lambda value: schema
    made = _checks.get(id(schema))
    if made is None:
        parts = [
            _MAKERS[keyword](name, schema)
            for keyword in schema
            if keyword not in ANNOTATIONS and keyword not in _COMBINED
        ]
        if "additionalProperties" in schema and "properties" not in schema:
            parts.append(_properties(name, schema))
        made = _checks[id(schema)] = parts[0] if len(parts) == 1 else _every(parts)
    return made


def _every(parts: list[Check]) -> Check:
    def passes(value: Any) -> bool:
        for part in parts:
            if not part(value):
                return False
        return True

    return passes


def _type(name: str, schema: Schema) -> Check:
    types = schema["type"]
    if isinstance(types, str):
        return _TYPES[types]
    any_of = [_TYPES[each] for each in types]
    return lambda value: any(passes(value) for passes in any_of)


def _reference(name: str, schema: Schema) -> Check:
    found: Check | None = None

    def passes(value: Any) -> bool:
        # Resolved late: a condition holds conditions.
        nonlocal found
        if found is None:
            found = check(*resolve(name, schema["$ref"]))
        return found(value)

    return passes


def _properties(name: str, schema: Schema) -> Check:
    known: dict[str, Any] = schema.get("properties", {})
    extra: Schema | bool = schema.get("additionalProperties", True)
    made: dict[str, Check] = {}

    def passes(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for key, item in value.items():
            part = made.get(key)
            if part is None:
                part = check(name, known.get(key, extra))
                if key in known:
                    made[key] = part
            if not part(item):
                return False
        return True

    return passes


def _names(name: str, schema: Schema) -> Check:
    part = check(name, schema["propertyNames"])
    return lambda value: type(value) is not dict or all(map(part, value))


def _required(name: str, schema: Schema) -> Check:
    keys: list[str] = schema["required"]
    return lambda value: type(value) is not dict or all(key in value for key in keys)


def _items(name: str, schema: Schema) -> Check:
    part = check(name, schema["items"])
    return lambda value: type(value) is not list or all(map(part, value))


def _condition(name: str, schema: Schema) -> Check:
    asked = check(name, schema["if"])
    then, otherwise = check(name, schema.get("then", True)), check(name, schema.get("else", True))
    return lambda value: then(value) if asked(value) else otherwise(value)


def _all_of(name: str, schema: Schema) -> Check:
    return _every([check(name, part) for part in schema["allOf"]])


def _any_of(name: str, schema: Schema) -> Check:
    parts = [check(name, part) for part in schema["anyOf"]]
    return lambda value: any(part(value) for part in parts)


def _one_of(name: str, schema: Schema) -> Check:
    parts = [check(name, part) for part in schema["oneOf"]]
    return lambda value: sum(part(value) for part in parts) == 1


def _not(name: str, schema: Schema) -> Check:
    part = check(name, schema["not"])
    return lambda value: not part(value)


def _enum(name: str, schema: Schema) -> Check:
    allowed = {_frozen(each) for each in schema["enum"]}
    return lambda value: _frozen(value) in allowed


def _const(name: str, schema: Schema) -> Check:
    wanted = _frozen(schema["const"])
    return lambda value: _frozen(value) == wanted


def _unique_items(name: str, schema: Schema) -> Check:
    return lambda value: type(value) is not list or len(set(map(_frozen, value))) == len(value)


def _unique_key(name: str, schema: Schema) -> Check:
    key: str = schema["x-unique"]

    def passes(value: Any) -> bool:
        if type(value) is not list:
            return True
        names = [item[key] for item in value if type(item) is dict and type(item.get(key)) is str]
        return len(set(names)) == len(names)

    return passes


def _frozen(value: Any) -> Any:
    """Something hashable that is equal for values that JSON Schema calls equal: 1 and 1.0, not 1 and true."""
    if type(value) is bool:
        return (bool, value)
    if type(value) is list:
        return (list, *map(_frozen, value))
    if type(value) is dict:
        return frozenset((key, _frozen(item)) for key, item in value.items())
    return value


def _pattern(name: str, schema: Schema) -> Check:
    search = expression(schema["pattern"]).search
    return lambda value: type(value) is not str or search(value) is not None


def expression(pattern: str) -> re.Pattern[str]:
    """A `pattern` of the schemas as JSON Schema means it: `$` is the very end, not a line break before it."""
    return re.compile(pattern.replace("$", r"\Z"))


def _limit(keyword: str, types: frozenset[type], passes: Callable[[Any, Any], bool]) -> Callable[..., Check]:
    def make(name: str, schema: Schema) -> Check:
        bound = schema[keyword]
        return lambda value: type(value) not in types or passes(value, bound)

    return make


_MAKERS: dict[str, Callable[[str, Schema], Check]] = {
    "$ref": _reference, "type": _type, "properties": _properties, "propertyNames": _names,
    "required": _required, "items": _items, "if": _condition, "allOf": _all_of, "anyOf": _any_of,
    "oneOf": _one_of, "not": _not, "enum": _enum, "const": _const, "uniqueItems": _unique_items,
    "x-unique": _unique_key, "pattern": _pattern,
    "minimum": _limit("minimum", _NUMBERS, lambda value, bound: value >= bound),
    "maximum": _limit("maximum", _NUMBERS, lambda value, bound: value <= bound),
    "exclusiveMinimum": _limit("exclusiveMinimum", _NUMBERS, lambda value, bound: value > bound),
    "minLength": _limit("minLength", frozenset((str,)), lambda value, bound: len(value) >= bound),
    "maxLength": _limit("maxLength", frozenset((str,)), lambda value, bound: len(value) <= bound),
    "minItems": _limit("minItems", frozenset((list,)), lambda value, bound: len(value) >= bound),
    "maxItems": _limit("maxItems", frozenset((list,)), lambda value, bound: len(value) <= bound),
    "minProperties": _limit("minProperties", frozenset((dict,)), lambda value, bound: len(value) >= bound),
}  # fmt: skip
