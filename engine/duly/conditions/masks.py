"""Masks: which rows' tests of a field hold for a value, as bits of an int, put together when asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable
    from typing import Any

    Test = tuple[int, str, Any]  # row, operator, value

STRIDE = 4
"""Changes between two finished masks of a SparseRanks."""


def mask_of(rows: Iterable[int]) -> int:
    """The bits of some rows."""
    mask = 0
    for row in rows:
        mask |= 1 << row
    return mask


class SparseValues:
    """Masks by value, of which only the few rows that differ from the mask of other values are kept."""

    __slots__ = ("_flips", "_missing")

    def __init__(self, flips: dict[Any, list[int]], missing: int) -> None:
        self._flips = {
            value: tuple(rows) if len(rows) < STRIDE else mask_of(rows) for value, rows in flips.items()
        }
        self._missing = missing

    def get(self, value: Any, other: int) -> int:
        """The mask of a value, given the mask of other values."""
        if value is None:
            return self._missing
        rows = self._flips.get(value)
        if rows is None:
            return other
        if isinstance(rows, int):
            return other ^ rows
        for row in rows:
            other ^= 1 << row
        return other


class SparseRanks:
    """Masks by rank, of which one every few changes is kept and the others are put together from it."""

    __slots__ = ("_masks", "_rows", "_upto")

    def __init__(self, base: int, changes: list[list[int]]) -> None:
        from array import array

        self._rows: array[int] = array("I")
        self._upto: array[int] = array("I")  # rank → how many changes have come up to and with it
        self._masks: list[int] = []
        for rows in changes:
            for row in rows:
                if len(self._rows) % STRIDE == 0:
                    self._masks.append(base)
                self._rows.append(row)
                base ^= 1 << row
            self._upto.append(len(self._rows))
        self._masks.append(base)

    def __getitem__(self, rank: int) -> int:
        upto = self._upto[rank]
        mask = self._masks[upto // STRIDE]
        for row in self._rows[upto - upto % STRIDE : upto]:
            mask ^= 1 << row
        return mask


class Prefixes:
    """Rows by the beginnings that they ask of a text: one beginning a row."""

    __slots__ = ("_lengths", "_masks", "_others")

    def __init__(self, full: int, tests: list[Test]) -> None:
        asked: dict[str, list[int]] = {}
        for row, _, value in tests:
            asked.setdefault(value, []).append(row)
        self._others = full ^ mask_of(row for row, _, _ in tests)
        self._masks = {value: mask_of(rows) for value, rows in asked.items()}
        self._lengths = sorted({len(value) for value in asked})

    def __call__(self, value: str | None) -> int:
        """The rules whose tests hold for the text; None: it is missing."""
        mask = self._others
        if value is not None:
            get = self._masks.get
            for length in self._lengths:
                mask |= get(value[:length], 0)
        return mask


class Members:
    """Rows by the members that they ask of a set (at least one of theirs) or refuse (any of theirs)."""

    __slots__ = ("_asked", "_others", "_refused")

    def __init__(self, full: int, tests: list[Test]) -> None:
        asked: dict[str, list[int]] = {}
        refused: dict[str, list[int]] = {}
        asking: list[int] = []
        for row, operator, value in tests:
            negated = operator[0] == "!"
            if not negated:
                asking.append(row)
            for each in value if operator.endswith("any") else (value,):
                (refused if negated else asked).setdefault(each, []).append(row)
        self._others = full ^ mask_of(asking)
        self._asked = {value: mask_of(rows) for value, rows in asked.items()}
        self._refused = {value: mask_of(rows) for value, rows in refused.items()}

    def __call__(self, value: frozenset[str] | None) -> int:
        """The rules whose tests hold for the set; None: it is missing."""
        mask = self._others
        if value is None:
            return mask
        get = self._asked.get
        for each in value if len(value) < 64 else value & self._asked.keys():
            mask |= get(each, 0)
        if self._refused:
            for each in value & self._refused.keys():
                mask &= ~self._refused[each]
        return mask
