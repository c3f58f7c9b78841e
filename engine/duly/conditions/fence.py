"""The fence around durable-rules: what of a rule list and of the facts goes over to it, and in which form.

durable-rules 2.0.28 answers wrongly or dies outside a small part of what it offers
(docs/decisions/durable-rules.md). Inside the fence a document is flat, holds only what the rules test, under
names of ours: short texts, true or false, small integers; what is missing is left out. A number, duration
or instant goes over as its place among the values that the rules compare it with: 2i before the i-th, 2i + 1
on it. So there are no floats, no large integers and no decimals to go wrong. Parts of texts, patterns, sets,
long texts and alternatives inside alternatives are decided by `predicates` and go over as true.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right

from duly.conditions.predicates import predicate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Facts = Mapping[str, Any]
    Reader = Callable[[Facts], Any]
    Key = tuple[str, str]  # kind, and the field or the packed condition that is decided natively
    Test = Sequence[Any]  # field, operator, value

LONGEST = 200
"""Characters of a text that durable-rules compares. It takes texts of over 64 KiB for others."""
MARKER = "m"
"""The field that every document has and every row tests first: no row holds for a document of another."""
RETRACTED = '{"sid": "0", "id": "1"}'
"""What takes a document back. All have one session and one id: durable-rules dies of the 1,025th session."""
FIRST = '{"m": 2, "sid": "0", "id": "1"}'
"""The document that a new ruleset is asked first. Only its last row holds for it."""

_RESERVED = """
    all any pri count cap dist name id sid $lt $lte $gt $gte $eq $neq $mt $imt $iall $iany $ex $nex $or $and $m
    $add $sub $mul $div $l $r $forward $i $s $time $timerName $baseTime
"""
_ORDER = ("at_least", "over", "at_most", "below", "!at_least", "!over", "!at_most", "!below")
_EQUAL = ("is", "in", "!is", "!in")


class Columns:
    """What the documents of a rule list carry: `readers` has one for each column that a test has asked for."""

    __slots__ = ("_exact", "_places", "readers")

    def __init__(self, packed: Mapping[str, Any]) -> None:
        self.readers: dict[Key, Reader] = {}
        self._exact = bool(packed.get("exact"))
        points: dict[str, set[Any]] = {}
        for _, tests, _ in packed["rows"]:
            for field, operator, value in map(self._unpacked, tests):
                if _kind(operator, value) == "number":
                    points.setdefault(field, set()).update(value if isinstance(value, list) else [value])
        self._places = {
            field: {point: 2 * place + 1 for place, point in enumerate(sorted(some))}
            for field, some in points.items()
        }

    def test(self, test: Test) -> tuple[Key, str, Any]:
        """A packed test as the column that it reads, and the operator and value for that."""
        field, operator, value = self._unpacked(test)
        kind = _kind(operator, value)
        if kind == "native":
            return self.native(test)
        if kind == "number":
            places = self._places[field]
            value = [places[each] for each in value] if isinstance(value, list) else places[value]
        if (kind, field) not in self.readers:
            self.readers[kind, field] = (
                _place(field, [*self._places[field]]) if kind == "number" else _READERS[kind](field)
            )
        return (kind, field), operator, value

    def native(self, condition: Any) -> tuple[Key, str, Any]:
        """A packed condition that is decided natively, as a column of its own."""
        key = ("native", json.dumps(condition))
        if key not in self.readers:
            self.readers[key] = _decided(condition)
        return key, "is", True

    def names(self) -> dict[Key, str]:
        """A name for each column asked for so far, no two with the same hash."""
        taken = set(map(fnv1a, [MARKER, *_RESERVED.split()]))
        found: dict[Key, str] = {}
        number = 0
        for key in self.readers:
            while fnv1a(f"c{number}") in taken:
                number += 1
            found[key] = f"c{number}"
            taken.add(fnv1a(f"c{number}"))
        return found

    def _unpacked(self, test: Test) -> Test:
        if not self._exact:
            return test
        from duly.conditions.exact import unpack

        return test[0], test[1], unpack(test[2])


def document(facts: Facts, columns: Iterable[tuple[str, Reader]]) -> str:
    """The facts as a document with these columns: JSON in ASCII, equal texts in equal form."""
    found: dict[str, Any] = {MARKER: 1, "sid": "0", "id": "1"}
    for name, read in columns:
        value = read(facts)
        if value is not None:
            found[name] = value
    return json.dumps(found)


def fnv1a(name: str) -> int:
    """The 32-bit hash that is all durable-rules knows of a name (FNV-1a)."""
    hashed = 0x811C9DC5
    for byte in name.encode():
        hashed = (hashed ^ byte) * 0x01000193 & 0xFFFFFFFF
    return hashed


def _kind(operator: str, value: Any) -> str:
    """The kind of column that a test reads: text, boolean, number, presence or native."""
    if operator == "exists":
        return "presence"
    if operator not in _EQUAL:
        return "number" if operator in _ORDER else "native"
    values = value if isinstance(value, list) else [value]
    if not values:
        return "native"
    if all(isinstance(each, bool) for each in values):
        return "boolean"
    if all(isinstance(each, str) for each in values):
        return "text" if all(map(_short, values)) else "native"
    return "number"


def _short(text: str) -> bool:
    """Whether a text may go over: short, and no other text has its JSON form (halves of surrogate pairs)."""
    return len(text) <= LONGEST and (text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text))


def _text(field: str) -> Reader:
    """A text that no rule can compare with is left out: whether a value is there is a column of its own."""

    def read(facts: Facts) -> str | None:
        value = facts.get(field)
        return value if value.__class__ is str and _short(value) else None

    return read


def _boolean(field: str) -> Reader:
    def read(facts: Facts) -> bool | None:
        value = facts.get(field)
        return value if value is True or value is False else None

    return read


def _presence(field: str) -> Reader:
    return lambda facts: None if facts.get(field) is None else True


def _place(field: str, points: list[Any]) -> Reader:
    def read(facts: Facts) -> int | None:
        value = facts.get(field)
        return None if value is None else bisect_left(points, value) + bisect_right(points, value)

    return read


def _decided(condition: Any) -> Reader:
    holds = predicate(condition)
    return lambda facts: True if holds(facts) else None


_READERS: dict[str, Callable[[str], Reader]] = {"text": _text, "boolean": _boolean, "presence": _presence}
