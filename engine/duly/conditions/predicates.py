"""Predicates: packed conditions as functions of the facts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def predicate(packed: Any) -> Callable[[Mapping[str, Any]], bool]:
    """The function that tells whether a condition packed by `packing.pack_condition` holds for facts.

    `facts` maps names as conditions write them (`tier`, `event.automated`) to values typed by
    `values.Intake`; a value that is absent or None is missing.
    """
    raise NotImplementedError
