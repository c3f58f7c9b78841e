"""Matchers: which program finds the rules of a list that hold for a case."""

from __future__ import annotations

from duly.conditions.index import Matcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol

    class AnyMatcher(Protocol):
        """What every matcher answers. Facts are those of `predicates.predicate`."""

        def first(self, facts: Mapping[str, Any]) -> int:
            """The number of the first rule that holds, or -1."""

        def all(self, facts: Mapping[str, Any]) -> list[int]:
            """The numbers of all rules that hold, in order."""


KINDS = ("native", "durable-rules")


def matcher(
    packed: Mapping[str, Any], kind: str = "native", name: str = "", rules: Sequence[str] = ()
) -> AnyMatcher:
    """The matcher of that kind for a rule list packed by `packing.pack_rules`.

    `name` of the list and `rules`, an id for each rule, are for messages alone. Raises for durable-rules
    `durable.Unavailable` (an ImportError) where the extra is missing, and `durable.Unsupported`
    (a ValueError) where the list has rules that it cannot carry.
    """
    if kind == "native":
        return Matcher(packed)
    if kind == "durable-rules":
        from duly.conditions.durable import DurableMatcher

        return DurableMatcher(packed, name, rules)
    raise ValueError(
        f"no matcher is called `{kind}`; there are {' and '.join(f'`{each}`' for each in KINDS)}"
    )
