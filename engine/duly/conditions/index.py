"""The native matcher: which rules of a list hold for a case, by a bitmap index over their tests."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Matcher:
    """The rules of one list, packed by `packing.pack_rules`. Never changes; may be shared by threads."""

    __slots__ = ()

    def __init__(self, packed: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def first(self, facts: Mapping[str, Any]) -> int:
        """The number of the first rule that holds, or -1. `facts` as for `predicates.predicate`."""
        raise NotImplementedError

    def all(self, facts: Mapping[str, Any]) -> list[int]:
        """The numbers of all rules that hold, in order."""
        raise NotImplementedError
