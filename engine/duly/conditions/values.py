"""Intake of values: the JSON values of a case, an event or a customer to typed facts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Intake:
    """Checks and types the fields of one subject: `case` (bare names), `event` or `customer`."""

    __slots__ = ()

    def __init__(self, packed_vocabulary: Mapping[str, Any], subject: str = "case") -> None:
        raise NotImplementedError

    def __call__(
        self, raw: Mapping[str, Any], complete: bool = True
    ) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """The facts that `raw` (name to JSON value, names without prefix) states, and its faults.

        Facts are named as conditions name them (`event.automated`). Known fields are checked and typed:
        text in NFC, sets as frozenset, durations and instants in microseconds, numbers as int, float or a
        decimal. Unknown fields pass untouched. With `complete` (a whole case or customer) null is absent,
        defaults are filled in and required fields are asked for; without (a change), null stays as None,
        which says that the value is gone. Matchers take None as missing.

        A fault is `{"code", "message", "path"}` with the field's name as path, and its field is not in
        the facts.
        """
        raise NotImplementedError
