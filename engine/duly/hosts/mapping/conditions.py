"""Conditions: the `when` of a rule, to a yes or no for a message."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from duly.hosts.mapping.message import MISSING, Message
from duly.hosts.mapping.paths import Path

Condition: TypeAlias = Callable[[Message], bool]
Test: TypeAlias = Callable[[Any], bool]
"""A test of a value that is there; a value that is not satisfies none but `exists: false`."""


def condition(spec: dict[str, Any]) -> Condition:
    """What a condition, as the schema lets it be written, says of messages."""
    parts: list[Condition] = []
    for key, value in spec.items():
        if key in _JOINTS:
            parts.append(_JOINTS[key]([condition(each) for each in (value if key != "not" else [value])]))
        elif key == "header":
            parts += [_header(name.lower(), _tests(tests)) for name, tests in value.items()]
        else:
            parts.append(_place(Path(key), _tests(value)))
    return _all(parts)


def _all(parts: list[Condition]) -> Condition:
    return lambda message: all(part(message) for part in parts)


_JOINTS: dict[str, Callable[[list[Condition]], Condition]] = {
    "all": _all,
    "any": lambda parts: lambda message: any(part(message) for part in parts),
    "not": lambda parts: lambda message: not parts[0](message),
}


def _place(path: Path, tests: Test) -> Condition:
    return lambda message: tests(path.find(message))


def _header(name: str, tests: Test) -> Condition:
    return lambda message: tests(message.headers.get(name, MISSING))


def _tests(spec: Any) -> Test:
    if not isinstance(spec, dict):
        return _present(_among(spec))
    parts = [
        _exists(wanted) if name == "exists" else _present(_MAKERS[name](wanted))
        for name, wanted in spec.items()
    ]
    return lambda value: all(part(value) for part in parts)


def _present(test: Test) -> Test:
    return lambda value: value is not MISSING and test(value)


def _exists(wanted: bool) -> Test:
    return lambda value: (value is not MISSING) == wanted


def _same(value: Any, other: Any) -> bool:
    """Equal as JSON has it: 1 and 1.0 are, 1 and true are not."""
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def _among(wanted: Any) -> Test:
    choices = wanted if isinstance(wanted, list) else [wanted]
    return lambda value: any(_same(value, each) for each in choices)


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def make(bound: Any) -> Test:
        return lambda value: (
            isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and compare(value, bound)
        )

    return make


def _text(compare: Callable[[str, str], bool]) -> Callable[[str], Test]:
    return lambda wanted: lambda value: isinstance(value, str) and compare(value, wanted)


def _members(compare: Callable[[list[bool]], bool]) -> Callable[[Any], Test]:
    def make(wanted: Any) -> Test:
        choices = wanted if isinstance(wanted, list) else [wanted]
        return lambda value: (
            isinstance(value, list)
            and compare([any(_same(member, each) for member in value) for each in choices])
        )

    return make


def _matches(pattern: str) -> Test:
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    search = re2.compile(pattern.encode("utf-8"), options).search
    return lambda value: isinstance(value, str) and search(value.encode("utf-8")) is not None


def _none_of(wanted: Any) -> Test:
    among = _among(wanted)
    return lambda value: not among(value)


_MAKERS: dict[str, Callable[[Any], Test]] = {
    "not": _none_of,
    "at_least": _number(lambda value, bound: value >= bound),
    "over": _number(lambda value, bound: value > bound),
    "at_most": _number(lambda value, bound: value <= bound),
    "below": _number(lambda value, bound: value < bound),
    "contains": _text(lambda value, wanted: wanted in value),
    "starts_with": _text(str.startswith),
    "ends_with": _text(str.endswith),
    "matches": _matches,
    "has": _members(all),
    "has_any": _members(any),
    "has_all": _members(all),
    "has_none": _members(lambda found: not any(found)),
}
