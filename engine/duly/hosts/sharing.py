"""Sharing: whether the work on a policy's cases can be divided among shards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duly.acting import ActingSet


def wants_one_shard(policy: ActingSet) -> bool:
    """Whether cases meet at the desk or in the set: then a store has one shard only, that both are in.

    Who is on duty is told to every shard, so that a roster alone does not want it.
    """
    # The set says something to customers only where it hears of cases: waves, duties for each customer.
    return bool(policy.desk_hears or policy.sets.hears or _set_opens_cases(policy.compiled))


def _set_opens_cases(compiled: Mapping[str, Any]) -> bool:
    """Whether the set may open a case, by a duty of its own or in answer to an event of nobody.

    The ladder of such a duty starts when it is late, which it is only where the set hears of evidence.
    """
    duties = [duty.get("do", []) for duty in compiled["duties"] if duty.get("for_each", "set") != "case"]
    reactions = [each for each in compiled["reactions"]["reactions"] if "count" not in each]
    return _opens_cases([duties, reactions])


def _opens_cases(part: Any) -> bool:
    if isinstance(part, Mapping):
        return "open_case" in part or _opens_cases(list(part.values()))
    return isinstance(part, (list, tuple)) and any(map(_opens_cases, part))
