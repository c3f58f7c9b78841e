"""Intervals: sorted, disjoint, half-open stretches of time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Interval = tuple[int, int]
    """From and to, in microseconds; `to` is outside."""


def merged(pieces: Iterable[Interval]) -> list[Interval]:
    """The union of `pieces`, which may overlap, touch, be empty, and stand in any order."""
    union: list[Interval] = []
    for start, end in sorted(pieces):
        if start >= end:
            continue
        if union and start <= union[-1][1]:
            if end > union[-1][1]:
                union[-1] = (union[-1][0], end)
        else:
            union.append((start, end))
    return union


def clipped(pieces: Iterable[Interval], low: int, high: int) -> list[Interval]:
    """What of `pieces` lies in `[low, high)`."""
    return [(max(start, low), min(end, high)) for start, end in pieces if start < high and end > low]


def intersection(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """What two lists of sorted, disjoint intervals share."""
    shared: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            shared.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return shared


def gaps(pieces: Sequence[Interval], low: int, high: int) -> list[Interval]:
    """What of `[low, high)` the sorted, disjoint `pieces` leave out."""
    left: list[Interval] = []
    for start, end in clipped(pieces, low, high):
        if low < start:
            left.append((low, start))
        low = end
    if low < high:
        left.append((low, high))
    return left
