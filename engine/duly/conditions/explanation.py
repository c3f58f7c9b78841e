"""Explanations: why a condition holds for some facts or does not, test by test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from duly.conditions.tree import All, Condition, Not, Some, Test
from duly.diagnostics import Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one node of a condition holds. A test has `test` and `found` (None: missing); any other node
    has `parts`, all of them judged, in order. `negated`: it stands under a `not` (or under an odd number of
    them), so that the condition asks for it not to hold."""

    node: Literal["test", "all", "any", "not"]
    holds: bool
    at: Path
    test: Test | None = None
    found: Any = None
    parts: tuple[Verdict, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rule that was tried: its number, and its verdict."""

    rule: int
    verdict: Verdict

    @property
    def holds(self) -> bool:
        """Whether the rule matched."""
        return self.verdict.holds


def explain(condition: Condition, facts: Mapping[str, Any]) -> Verdict:
    """The verdict on a condition as written (not its normal form), for facts typed by `values.Intake`."""
    return _judged(condition, facts, False)


def _judged(condition: Condition, facts: Mapping[str, Any], negated: bool) -> Verdict:
    match condition:
        case Test():
            found = facts.get(condition.field)
            return Verdict("test", _holds(condition, found), condition.at, condition, found, (), negated)
        case Not(part, at):
            inner = _judged(part, facts, not negated)
            return Verdict("not", not inner.holds, at, parts=(inner,), negated=negated)
        case All(parts, at):
            judged = tuple(_judged(part, facts, negated) for part in parts)
            return Verdict("all", all(each.holds for each in judged), at, parts=judged, negated=negated)
        case Some(parts, at):
            judged = tuple(_judged(part, facts, negated) for part in parts)
            return Verdict("any", any(each.holds for each in judged), at, parts=judged, negated=negated)
        case _:
            assert_never(condition)


def decisive(verdict: Verdict) -> Verdict:
    """The test that settled the verdict: of an `all` that fails the first part that fails, of an `any`
    that holds the first that holds, else the last part. Of a condition without tests, the verdict itself."""
    if not verdict.parts:
        return verdict
    if verdict.node == "not":
        return decisive(verdict.parts[0])
    settling = verdict.node == "any"
    for part in verdict.parts:
        if part.holds is settling and verdict.holds is settling:
            return decisive(part)
    return decisive(verdict.parts[-1])


def tried(conditions: Sequence[Condition], facts: Mapping[str, Any]) -> list[Attempt]:
    """The rules of a first-match list in order, up to and with the first that holds."""
    attempts: list[Attempt] = []
    for rule, condition in enumerate(conditions):
        attempts.append(Attempt(rule, explain(condition, facts)))
        if attempts[-1].holds:
            break
    return attempts


def _holds(test: Test, found: Any) -> bool:
    """Whether one test holds for a value; the meaning of each operator in one place."""
    value: Any = test.value
    if found is None:
        return test.operator == "exists" and value is False
    match test.operator:
        case "exists":
            return value is True
        case "is":
            return bool(found == value)
        case "in":
            return any(found == each for each in value)
        case "at_least" | "over" | "at_most" | "below":
            if test.order:
                found, value = test.order.index(found), test.order.index(value)
            return _compares(test.operator, found, value)
        case "has":
            return value in found
        case "has_any":
            return any(each in found for each in value)
        case "has_all":
            return all(each in found for each in value)
        case "has_none":
            return not any(each in found for each in value)
        case "contains":
            return value in found
        case "starts_with":
            return bool(found.startswith(value))
        case "ends_with":
            return bool(found.endswith(value))
        case "matches":
            return _matches(value, found)
        case _:
            assert_never(test.operator)


def _compares(operator: Literal["at_least", "over", "at_most", "below"], found: Any, value: Any) -> bool:
    match operator:
        case "at_least":
            return bool(found >= value)
        case "over":
            return bool(found > value)
        case "at_most":
            return bool(found <= value)
        case "below":
            return bool(found < value)


def _matches(pattern: str, found: str) -> bool:
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    return re2.search(pattern, found, options) is not None
