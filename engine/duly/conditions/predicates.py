"""Predicates: packed conditions as functions of the facts.

A packed test is `[field, operator, value]`, its negation has `!` before the operator. A missing value
makes a test false and its negation true. Groups are `["all", […]]`, `["any", […]]` and `["not", …]`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Facts = Mapping[str, Any]
    Predicate = Callable[[Facts], bool]


def predicate(packed: Any) -> Predicate:
    """The function that tells whether a condition packed by `packing.pack_condition` holds for facts.

    `facts` maps names as conditions write them (`tier`, `event.automated`) to values typed by
    `values.Intake`; a value that is absent or None is missing.
    """
    if len(packed) == 3:
        field, operator, value = packed
        return _test(field, operator, value)
    node, inside = packed
    if node == "not":
        return _negated(predicate(inside))
    parts = [predicate(part) for part in inside]
    if len(parts) == 1:
        return parts[0]
    return _all(parts) if node == "all" else _any(parts)


def _negated(part: Predicate) -> Predicate:
    return lambda facts: not part(facts)


def _all(parts: list[Predicate]) -> Predicate:
    if len(parts) == 2:
        first, second = parts
        return lambda facts: first(facts) and second(facts)

    def holds(facts: Facts) -> bool:
        for part in parts:  # a loop, because all() with a generator takes twice as long
            if not part(facts):
                return False
        return True

    return holds


def _any(parts: list[Predicate]) -> Predicate:
    if len(parts) == 2:
        first, second = parts
        return lambda facts: first(facts) or second(facts)

    def holds(facts: Facts) -> bool:
        for part in parts:
            if part(facts):
                return True
        return False

    return holds


def _test(field: str, operator: str, value: Any) -> Predicate:
    """One test as a function."""
    if operator[0] == "!":
        return _negated(_test(field, operator[1:], value))
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value)):
        from duly.conditions.exact import unpack

        value = unpack(value)
    return _MAKERS[operator](field, value)


def _is(field: str, value: Any) -> Predicate:
    if value is True or value is False:
        return lambda facts: facts.get(field) is value
    return lambda facts: facts.get(field) == value


def _in(field: str, values: Any) -> Predicate:
    known = frozenset(values)
    return lambda facts: facts.get(field) in known


def _exists(field: str, value: bool) -> Predicate:
    if value:
        return lambda facts: facts.get(field) is not None
    return lambda facts: facts.get(field) is None


def _at_least(field: str, value: Any) -> Predicate:
    return lambda facts: (found := facts.get(field)) is not None and found >= value


def _over(field: str, value: Any) -> Predicate:
    return lambda facts: (found := facts.get(field)) is not None and found > value


def _at_most(field: str, value: Any) -> Predicate:
    return lambda facts: (found := facts.get(field)) is not None and found <= value


def _below(field: str, value: Any) -> Predicate:
    return lambda facts: (found := facts.get(field)) is not None and found < value


def _has(field: str, value: str) -> Predicate:
    return lambda facts: (found := facts.get(field)) is not None and value in found


def _has_any(field: str, values: list[str]) -> Predicate:
    known = frozenset(values)
    return lambda facts: (found := facts.get(field)) is not None and not known.isdisjoint(found)


def _contains(field: str, value: str) -> Predicate:
    return lambda facts: (found := facts.get(field)) is not None and value in found


def _starts_with(field: str, value: str) -> Predicate:
    return lambda facts: (found := facts.get(field)) is not None and found.startswith(value)


def _ends_with(field: str, value: str) -> Predicate:
    return lambda facts: (found := facts.get(field)) is not None and found.endswith(value)


def _matches(field: str, value: str) -> Predicate:
    """A pattern is compiled at its first use: importing RE2 takes longer than most decisions."""
    search: Callable[[bytes], Any] | None = None

    def holds(facts: Facts) -> bool:
        nonlocal search
        found = facts.get(field)
        if found is None:
            return False
        if search is None:
            search = _compiled(value)
        return search(found.encode("utf-8")) is not None

    return holds


def _compiled(pattern: str) -> Callable[[bytes], Any]:
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return re2.compile(pattern.encode("utf-8"), options).search  # type: ignore[no-any-return]


_MAKERS: dict[str, Callable[[str, Any], Predicate]] = {
    "is": _is,
    "in": _in,
    "exists": _exists,
    "at_least": _at_least,
    "over": _over,
    "at_most": _at_most,
    "below": _below,
    "has": _has,
    "has_any": _has_any,
    "contains": _contains,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "matches": _matches,
}
