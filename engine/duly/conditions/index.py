"""The native matcher: which rules of a list hold for a case, by a bitmap index over their tests.

A row is a rule, or one of its alternatives, and a bit of an int. For each field a table tells, for a value,
the rows whose tests of that field hold. The answers of the tables are ANDed; of the rows that are left, the
lowest one whose residual condition holds is the first match. A new matcher first tries its rows one after
the other: for the few cases of a short run that costs less than the tables, which are built as soon as
the trials have taken about as long as building takes. Lists of very few rows become functions instead.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import eq, ne

from duly.conditions.predicates import predicate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from duly.conditions.predicates import Predicate
    from duly.conditions.tables import Tables

ROUNDS = 25
"""How many times its rows a matcher tries before it builds the tables."""
FEW = 5
"""Rows up to which functions that try them are faster than any table."""


class Matcher:
    """The rules of one list, packed by `packing.pack_rules`. Its answers never change; threads may share it."""

    __slots__ = ("_few", "_left", "_residuals", "_rows", "_tables")

    def __init__(self, packed: Mapping[str, Any]) -> None:
        self._rows: list[Any] = packed["rows"]
        if packed.get("exact"):
            self._rows = _with_decimals(self._rows)
        self._residuals: dict[int, Predicate] = {}
        self._left = ROUNDS * len(self._rows)
        self._few: list[tuple[int, Predicate | None]] | None = None
        self._tables: Tables | None = None

    def first(self, facts: Mapping[str, Any]) -> int:
        """The number of the first rule that holds, or -1. `facts` as for `predicates.predicate`."""
        if self._few is not None:
            for rule, holds in self._few:
                if holds is None or holds(facts):
                    return rule
            return -1
        tables = self._tables
        if tables is None:
            row = self._tried(facts, 0)
            return self._rows[row][0] if row >= 0 else -1
        mask = _candidates(tables, facts)
        residuals = tables.residuals
        while mask:
            lowest = mask & -mask
            row = lowest.bit_length() - 1
            residual = residuals[row]
            if residual is None or residual(facts):
                return tables.rules[row]
            mask ^= lowest
        return -1

    def all(self, facts: Mapping[str, Any]) -> list[int]:
        """The numbers of all rules that hold, in order."""
        if self._few is not None:
            return list(dict.fromkeys(rule for rule, holds in self._few if holds is None or holds(facts)))
        tables = self._tables
        if tables is None:
            return self._all_tried(facts)
        mask = _candidates(tables, facts)
        residuals, rules = tables.residuals, tables.rules
        found: list[int] = []
        last = -1
        while mask:
            lowest = mask & -mask
            mask ^= lowest
            row = lowest.bit_length() - 1
            rule = rules[row]
            if rule != last:
                residual = residuals[row]
                if residual is None or residual(facts):
                    found.append(rule)
                    last = rule
        return found

    def build(self) -> None:
        """Builds the tables now, and not after the first cases."""
        from duly.conditions.tables import Tables

        self._tables = Tables(self._rows)

    def _tried(self, facts: Mapping[str, Any], start: int) -> int:
        """The first row from `start` on that holds, or -1."""
        get = facts.get
        rows = self._rows
        for row in range(start, len(rows)):
            _, tests, rest = rows[row]
            for field, operator, value in tests:
                if not _HOLDS[operator](get(field), value):
                    break
            else:
                if rest is None or self._residual(row, rest)(facts):
                    self._count(row + 1 - start)
                    return row
        self._count(len(rows) - start)
        return -1

    def _all_tried(self, facts: Mapping[str, Any]) -> list[int]:
        found: dict[int, None] = {}
        row = self._tried(facts, 0)
        while row >= 0:
            found[self._rows[row][0]] = None
            row = self._tried(facts, row + 1)
        return list(found)

    def _count(self, rows: int) -> None:
        """Takes note of rows that were tried; builds the tables, or functions, when it has been enough."""
        self._left -= rows
        if self._left < 0 and self._tables is None:
            if len(self._rows) <= FEW:
                self._few = [(row[0], _holds(row)) for row in self._rows]
            else:
                self.build()

    def _residual(self, number: int, rest: Any) -> Predicate:
        residual = self._residuals.get(number)
        if residual is None:
            residual = self._residuals[number] = predicate(rest)
        return residual


def _holds(row: Any) -> Predicate | None:
    """A row as one function of the facts; None where it holds whatever they are."""
    _, tests, rest = row
    parts = tests if rest is None else [*tests, rest]
    return predicate(["all", parts]) if parts else None


def _candidates(tables: Tables, facts: Mapping[str, Any]) -> int:
    """The rows whose indexed tests hold, as bits."""
    get = facts.get
    mask = tables.full
    for field, masks, other in tables.plain:
        mask &= masks(get(field), other)
    for field, points, ranks, masks_by_rank, missing in tables.ordered:
        value = get(field)
        if value is None:
            mask &= missing
        else:  # rank 2i lies before point i, 2i + 1 on it
            rank = ranks(value)
            mask &= masks_by_rank[2 * bisect_left(points, value) if rank is None else rank]
    for field, table in tables.others:
        mask &= table(get(field))
    return mask


def _with_decimals(rows: list[Any]) -> list[Any]:
    from duly.conditions.exact import unpack

    return [
        [rule, [[field, operator, unpack(value)] for field, operator, value in tests], rest]
        for rule, tests, rest in rows
    ]


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "is": eq,
    "!is": ne,
    "in": lambda found, values: found in values,
    "!in": lambda found, values: found not in values,
    "exists": lambda found, value: (found is not None) is value,
    "at_least": lambda found, value: found is not None and found >= value,
    "!at_least": lambda found, value: found is None or not found >= value,
    "over": lambda found, value: found is not None and found > value,
    "!over": lambda found, value: found is None or not found > value,
    "at_most": lambda found, value: found is not None and found <= value,
    "!at_most": lambda found, value: found is None or not found <= value,
    "below": lambda found, value: found is not None and found < value,
    "!below": lambda found, value: found is None or not found < value,
    "has": lambda found, value: found is not None and value in found,
    "!has": lambda found, value: found is None or value not in found,
    "has_any": lambda found, values: found is not None and not found.isdisjoint(values),
    "!has_any": lambda found, values: found is None or found.isdisjoint(values),
    "starts_with": lambda found, value: found is not None and found.startswith(value),
}
"""What an indexed test means for a value that was found; None: missing."""
