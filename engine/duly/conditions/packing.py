"""Packing: conditions, rule lists and vocabularies as plain JSON data for the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from duly.conditions.fields import Vocabulary
from duly.conditions.tree import Condition


def pack_condition(condition: Condition) -> Any:
    """A condition for `predicates.predicate`."""
    raise NotImplementedError


def pack_rules(conditions: Sequence[Condition]) -> dict[str, Any]:
    """The conditions of a rule list for `index.Matcher`; the number of a rule is its position."""
    raise NotImplementedError


def pack_vocabulary(vocabulary: Vocabulary) -> dict[str, Any]:
    """A vocabulary for `values.Intake`."""
    raise NotImplementedError


def pack_tree(condition: Condition) -> Any:
    """A condition as it was written, with its places, for `unpack_tree`: what a bundle keeps to explain."""
    raise NotImplementedError


def unpack_tree(data: Any) -> Condition:
    """The condition that `pack_tree` packed."""
    raise NotImplementedError
