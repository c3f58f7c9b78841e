"""Tables of the native matcher: for each field, which rows' tests of it hold for a value, as bits of an int.

Where a table of finished masks would be large (many rows times many values), the masks are put together
when asked for: `SparseValues` and `SparseRanks` stand in for the dict and the list.
"""

from __future__ import annotations

from duly.conditions.masks import Members, Prefixes, SparseRanks, SparseValues, mask_of
from duly.conditions.predicates import predicate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Test = tuple[int, str, Any]  # row, operator, value
    Intervals = list[tuple[int, int]]  # of ranks, both ends included

BUDGET = 6 * 1024 * 1024
"""Bytes for tables of finished masks; where they are used up, the next tables are sparse."""
_VALUE, _ORDER, _PREFIX, _MEMBER = range(4)
_KIND = {
    "is": _VALUE, "in": _VALUE, "exists": _VALUE,
    "at_least": _ORDER, "over": _ORDER, "at_most": _ORDER, "below": _ORDER,
    "starts_with": _PREFIX, "has": _MEMBER, "has_any": _MEMBER,
}  # fmt: skip
_KIND.update({"!" + operator: kind for operator, kind in _KIND.items()})


class Tables:
    """The tables of a list of packed rows.

    `full` is the mask of all rows; `rules` and `residuals` go by row. `plain` are (field, lookup of a value
    with the mask of other values, that mask); `ordered` are (field, points, rank of a value that is
    a point, masks by rank, mask of a missing value); `others` are (field, function of a value).
    """

    __slots__ = ("_budget", "full", "ordered", "others", "plain", "residuals", "rules")

    def __init__(self, rows: Sequence[Any]) -> None:
        self._budget = BUDGET
        self.full = (1 << len(rows)) - 1
        self.rules: list[int] = [row[0] for row in rows]
        self.residuals = [None if rest is None else predicate(rest) for _, _, rest in rows]
        self.plain: list[tuple[str, Callable[[Any, int], int], int]] = []
        self.ordered: list[tuple[str, list[Any], Callable[[Any], int | None], Any, int]] = []
        self.others: list[tuple[str, Callable[[Any], int]]] = []
        asked: dict[str, list[list[Test]]] = {}
        for row, (_, tests, _) in enumerate(rows):
            for field, operator, value in tests:
                kinds = asked.get(field)
                if kinds is None:
                    kinds = asked[field] = [[], [], [], []]
                kinds[_KIND[operator]].append((row, operator, value))
        for field, (values, order, prefixes, members) in asked.items():
            if order:
                self._add_ordered(field, values + order)
            elif values:
                self._add_plain(field, values)
            if prefixes:
                self.others.append((field, Prefixes(self.full, prefixes)))
            if members:
                self.others.append((field, Members(self.full, members)))

    def _affords(self, masks: int) -> bool:
        """Whether the budget has room for so many finished masks; takes it."""
        size = masks * (self.full.bit_length() // 8 + 40)
        if size > self._budget:
            return False
        self._budget -= size
        return True

    def _add_plain(self, field: str, tests: list[Test]) -> None:
        """A table by value, for equality and presence."""
        flips: dict[Any, list[int]] = {}  # value → rows that answer unlike they do for other values
        failing: list[int] = []  # rows that fail for other values
        absent: list[int] = []  # rows that fail without a value
        for row, operator, value in _single(tests):
            if operator == "exists":
                (absent if value else failing).append(row)
                continue
            if operator[0] != "!":
                failing.append(row)
                absent.append(row)
            for each in value if operator.endswith("in") else (value,):
                flips.setdefault(each, []).append(row)
        for row, some in _several(tests).items():
            allowed, denied, present, missing = _folded(some)
            if not missing:
                absent.append(row)
            if not present or allowed is not None:
                failing.append(row)
            if present:
                for each in denied if allowed is None else allowed - denied:
                    flips.setdefault(each, []).append(row)
        full = self.full
        other, missing_mask = full ^ mask_of(failing), full ^ mask_of(absent)
        if self._affords(len(flips)):
            masks: dict[Any, int] = {value: other ^ mask_of(rows) for value, rows in flips.items()}
            masks[None] = missing_mask
            self.plain.append((field, masks.get, other))
        else:
            self.plain.append((field, SparseValues(flips, missing_mask).get, other))

    def _add_ordered(self, field: str, tests: list[Test]) -> None:
        """A table by rank among the points that the tests compare with: rank 2i lies before point i, 2i + 1 on it."""
        points = sorted({each for _, operator, value in tests for each in _points(operator, value)})
        ranks = {point: 2 * place + 1 for place, point in enumerate(points)}
        last = 2 * len(points)
        changes: list[list[int]] = [[] for _ in range(last + 2)]  # rank → rows whose answer changes there
        absent: list[int] = []
        tested: set[int] = set()
        grouped: dict[int, list[Test]] = {}
        for test in tests:
            grouped.setdefault(test[0], []).append(test)
        for row, some in grouped.items():
            tested.add(row)
            intervals, missing = _intervals(some[0], ranks, last)
            for test in some[1:]:
                more, also_missing = _intervals(test, ranks, last)
                intervals, missing = _crossed(intervals, more), missing and also_missing
            if not missing:
                absent.append(row)
            for start, end in intervals:
                changes[start].append(row)
                changes[end + 1].append(row)
        del changes[last + 1]
        base = self.full ^ mask_of(tested)
        masks: Any
        if self._affords(len(changes)):
            masks = []
            for rows in changes:
                for row in rows:
                    base ^= 1 << row
                masks.append(base)
        else:
            masks = SparseRanks(base, changes)
        self.ordered.append((field, points, ranks.get, masks, self.full ^ mask_of(absent)))


def _single(tests: list[Test]) -> Iterable[Test]:
    """The tests of rows that test the field once."""
    seen: dict[int, Test | None] = {}
    for test in tests:
        seen[test[0]] = None if test[0] in seen else test
    return [test for test in seen.values() if test is not None]


def _several(tests: list[Test]) -> dict[int, list[Test]]:
    """The tests of rows that test the field more than once, by row."""
    grouped: dict[int, list[Test]] = {}
    for test in tests:
        grouped.setdefault(test[0], []).append(test)
    return {row: some for row, some in grouped.items() if len(some) > 1}


def _folded(tests: list[Test]) -> tuple[set[Any] | None, set[Any], bool, bool]:
    """Several tests of one field in one row: the values allowed (None: any) and denied, and whether a
    value may be present and missing."""
    allowed: set[Any] | None = None
    denied: set[Any] = set()
    present = missing = True
    for _, operator, value in tests:
        if operator == "exists":
            present, missing = present and value, missing and not value
            continue
        values = set(value) if operator.endswith("in") else {value}
        if operator[0] == "!":
            denied |= values
        else:
            allowed = values if allowed is None else allowed & values
            missing = False
    return allowed, denied, present, missing


def _points(operator: str, value: Any) -> Iterable[Any]:
    if operator == "exists":
        return ()
    return value if operator.endswith("in") else (value,)


def _intervals(test: Test, ranks: dict[Any, int], last: int) -> tuple[Intervals, bool]:
    """The ranks for which one test holds, in order, and whether it holds without a value."""
    _, operator, value = test
    negated = operator[0] == "!"
    match operator.lstrip("!"):
        case "exists":
            return ([(0, last)] if value else []), not value
        case "is":
            found = [(ranks[value], ranks[value])]
        case "in":
            found = [(rank, rank) for rank in sorted({ranks[each] for each in value})]
        case "at_least":
            found = [(ranks[value], last)]
        case "over":
            found = [(ranks[value] + 1, last)]
        case "at_most":
            found = [(0, ranks[value])]
        case _:
            found = [(0, ranks[value] - 1)]
    return (_outside(found, last), True) if negated else (found, False)


def _outside(intervals: Intervals, last: int) -> Intervals:
    """The ranks between the intervals."""
    found: Intervals = []
    start = 0
    for first, end in intervals:
        if first > start:
            found.append((start, first - 1))
        start = end + 1
    if start <= last:
        found.append((start, last))
    return found


def _crossed(some: Intervals, others: Intervals) -> Intervals:
    """The ranks in both."""
    found: Intervals = []
    one = other = 0
    while one < len(some) and other < len(others):
        start, end = max(some[one][0], others[other][0]), min(some[one][1], others[other][1])
        if start <= end:
            found.append((start, end))
        if some[one][1] < others[other][1]:
            one += 1
        else:
            other += 1
    return found
