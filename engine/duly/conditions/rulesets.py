"""Rulesets: a packed rule list in the terms of durable-rules, within the sizes that it survives."""

from __future__ import annotations

import json

from duly.conditions.fence import MARKER, Columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from duly.conditions.fence import Key, Reader

MOST_ROWS = 30
"""Rows in a ruleset: at 64 open branches durable-rules reports error 303 and nothing fires."""
MOST_WIDE = 480
"""Different tests on one level of a ruleset: at 513 durable-rules hangs for ever."""
MOST_COLUMNS = 200
"""Fields in a document, of 253."""
MOST_GROUPED = 30
"""Entries of the groups in one row, of 31: two for the row, two for a list or a negation, four for both. Tests
beyond them are decided natively."""
MOST_LISTED = 10_000
"""Rows of a list, in some 400 MB."""

NONE = -1

_ORDER = {
    "at_least": "$gte", "over": "$gt", "at_most": "$lte", "below": "$lt",
    "!at_least": "$lt", "!over": "$lte", "!at_most": "$gt", "!below": "$gte",
}  # fmt: skip


class Refusal:
    """Why durable-rules has no room for a rule: the number of the rule (-1: the whole list), and a sentence."""

    __slots__ = ("message", "rule")

    def __init__(self, rule: int, message: str) -> None:
        self.rule = rule
        self.message = message


class Section:
    """Consecutive rulesets that take one document: its columns (name to reader), and of each ruleset the
    definition and the rule of each row. The last row belongs to none: it holds for the document FIRST."""

    __slots__ = ("columns", "rulesets")

    def __init__(self) -> None:
        self.columns: dict[str, Reader] = {}
        self.rulesets: list[tuple[str, list[int]]] = []


def unsupported(packed: Mapping[str, Any]) -> list[Refusal]:
    """What durable-rules has no room for in a rule list packed by `packing.pack_rules`, in rule order."""
    columns = Columns(packed)
    found: dict[int, str] = {}
    if len(packed["rows"]) > MOST_LISTED:
        rows = f"{len(packed['rows']):,}"
        found[-1] = f"{rows} rules, each alternative counted; durable-rules is given {MOST_LISTED:,} at most"
    for row in packed["rows"]:
        reason = _Row(columns, row).refused()
        if reason:
            found.setdefault(row[0], reason)
    return [Refusal(rule, found[rule]) for rule in sorted(found)]


def sections(packed: Mapping[str, Any]) -> list[Section]:
    """The rulesets of a rule list of which nothing is `unsupported`, in rule order."""
    columns = Columns(packed)
    rows = [_Row(columns, row) for row in packed["rows"]]
    names = columns.names()
    found: list[Section] = []
    for bundle in _bundled(rows):
        needed = {names[part.key]: columns.readers[part.key] for row in bundle for part in row.parts}
        if not found or len(found[-1].columns | needed) > MOST_COLUMNS:
            found.append(Section())
        found[-1].columns |= needed
        tests = [[{MARKER: 1}, *row.written(names)] for row in bundle] + [[{MARKER: 2}]]
        definition = {str(row): {"all": [{"m": {"$and": some}}]} for row, some in enumerate(tests)}
        found[-1].rulesets.append((json.dumps(definition), [*(row.rule for row in bundle), NONE]))
    return found


class _Part:
    """One test of a row: the column that it reads, and what of it."""

    __slots__ = ("key", "operator", "value")

    def __init__(self, key: Key, operator: str, value: Any) -> None:
        self.key = key
        self.operator = operator
        self.value = value

    def width(self) -> int:
        """How many tests it puts on one level."""
        return len(self.value) if self.operator == "in" else 1 + self.operator.startswith("!")

    def grouped(self) -> int:
        """How many entries its groups take."""
        return 2 * self.operator.startswith("!") + 2 * self.operator.endswith("in")

    def rank(self) -> tuple[int, Key]:
        """Equality first: it leaves the fewest branches open, and rows that begin alike share them."""
        return 3 if self.operator[0] == "!" else {"is": 0, "in": 1}.get(self.operator, 2), self.key

    def written(self, name: str) -> dict[str, Any]:
        """The test as durable-rules writes it. A negated one also holds where the field is missing."""
        value = self.value
        missing = {"$nex": {name: 1}}
        match self.operator:
            case "is":
                return {name: value}
            case "in":
                return {"$or": [{name: each} for each in value]}
            case "exists":
                return {name: True} if value else missing
            case "!is":
                return {"$or": [missing, {"$neq": {name: value}}]}
            case "!in":
                return {"$or": [missing, {"$and": [{"$neq": {name: each}} for each in value]}]}
            case operator:
                test = {_ORDER[operator]: {name: value}}
                return {"$or": [missing, test]} if operator[0] == "!" else test


class _Row:
    """One packed row: the number of its rule, and its tests in the order in which they are tried."""

    __slots__ = ("parts", "rule")

    def __init__(self, columns: Columns, row: Sequence[Any]) -> None:
        self.rule, tests, rest = row
        parts = []
        room = MOST_GROUPED - 2
        for test in tests:
            part = _Part(*columns.test(test))
            if part.grouped() > room:
                part = _Part(*columns.native(test))
            room -= part.grouped()
            parts.append(part)
        if rest is not None:
            parts.append(_Part(*columns.native(rest)))
        self.parts = sorted(parts, key=_Part.rank)

    def width(self) -> int:
        return max((part.width() for part in self.parts), default=1)

    def keys(self) -> set[Key]:
        return {part.key for part in self.parts}

    def written(self, names: Mapping[Key, str]) -> list[dict[str, Any]]:
        return [part.written(names[part.key]) for part in self.parts]

    def refused(self) -> str | None:
        """Why durable-rules has no room for it."""
        if self.width() > MOST_WIDE:
            field = max(self.parts, key=_Part.width).key[1]
            return f"`{field}` has {self.width():,} values in one test; durable-rules takes {MOST_WIDE}"
        if len(self.keys()) > MOST_COLUMNS:
            return f"{len(self.keys()):,} different tests in one rule; durable-rules takes {MOST_COLUMNS}"
        return None


def _bundled(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    """The rows, in order, as many together as one ruleset takes."""
    bundle: list[_Row] = []
    keys: set[Key] = set()
    wide = 0
    for row in rows:
        full = (
            len(bundle) == MOST_ROWS
            or wide + row.width() > MOST_WIDE
            or len(keys | row.keys()) > MOST_COLUMNS
        )
        if bundle and full:
            yield bundle
            bundle, wide, keys = [], 0, set()
        bundle.append(row)
        wide += row.width()
        keys |= row.keys()
    if bundle:
        yield bundle
