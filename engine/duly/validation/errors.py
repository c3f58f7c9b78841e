"""Errors: what jsonschema says of data, one error for each key or value at fault."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators
from referencing import Registry, Resource

from duly.validation.conformity import expression
from duly.validation.schemas import BASE, COMMON, NAMES, OTHERS, Schema, read


def errors_of(data: Any, name: str) -> Iterator[Any]:
    """Every error of `data` against the schema called `name`, as jsonschema's ValidationError.

    Of an unknown, a missing or a repeated name the error's message is that name.
    """
    yield from _validator(name).iter_errors(data)


def home(schema: Any) -> str:
    """The name of the schema file that a part stands in."""
    return _homes(len(OTHERS)).get(id(schema), COMMON)


@cache
def _validator(name: str) -> Any:
    resources = [(f"{BASE}{each}.json", Resource.from_contents(read(each))) for each in (*NAMES, COMMON)]
    registry: Registry[Any] = Registry().with_resources(resources)
    made: Any = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        {
            "pattern": _pattern,
            "required": _required,
            "additionalProperties": _additional_properties,
            "x-unique": _unique_key,
        },
    )
    return made(read(name), registry=registry)


@cache
def _homes(others: int) -> dict[int, str]:
    homes: dict[int, str] = {}

    def note(part: Any, name: str) -> None:
        if isinstance(part, dict):
            homes[id(part)] = name
        for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            note(each, name)

    for name in (*NAMES, COMMON, *OTHERS):
        note(read(name), name)
    return homes


def _pattern(validator: Any, pattern: str, value: Any, schema: Schema) -> Iterator[ValidationError]:
    if isinstance(value, str) and not expression(pattern).search(value):
        yield ValidationError(value)


def _required(validator: Any, keys: list[str], value: Any, schema: Schema) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        yield from (ValidationError(key) for key in keys if key not in value)


def _additional_properties(
    validator: Any, extra: Any, value: Any, schema: Schema
) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for key in value:
            if key not in schema.get("properties", {}):
                if extra is False:
                    yield ValidationError(key)
                else:
                    yield from validator.descend(value[key], extra, path=key)


def _unique_key(validator: Any, key: str, value: Any, schema: Schema) -> Iterator[ValidationError]:
    seen: set[str] = set()
    for number, item in enumerate(value if isinstance(value, list) else ()):
        name = item.get(key) if isinstance(item, dict) else None
        if isinstance(name, str):
            if name in seen:
                yield ValidationError(name, path=[number])
            seen.add(name)
