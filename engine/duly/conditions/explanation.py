"""Explanations: why a condition holds for some facts or does not, test by test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from duly.conditions.tree import Condition, Test
from duly.diagnostics import Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one node of a condition holds. A test has `test` and `found` (None: missing); any other node
    has `parts`, all of them judged, in order."""

    node: Literal["test", "all", "any", "not"]
    holds: bool
    at: Path
    test: Test | None = None
    found: Any = None
    parts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rule that was tried: its number, and its verdict."""

    rule: int
    verdict: Verdict

    @property
    def holds(self) -> bool:
        return self.verdict.holds


def explain(condition: Condition, facts: Mapping[str, Any]) -> Verdict:
    """The verdict on a condition as written (not its normal form), for facts typed by `values.Intake`."""
    raise NotImplementedError


def decisive(verdict: Verdict) -> Verdict:
    """The test that settled the verdict: of an `all` that fails the first part that fails, and so on.
    Of a condition without tests, the verdict itself."""
    raise NotImplementedError


def tried(conditions: Sequence[Condition], facts: Mapping[str, Any]) -> list[Attempt]:
    """The rules of a first-match list in order, up to and with the first that holds."""
    raise NotImplementedError
