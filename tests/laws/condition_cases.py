"""Random vocabularies, conditions and cases, and an oracle that shares no code with the engine.

`problem(random)` makes one problem: raw data as documents and JSON give it, clean and dirty. `native(problem)`
is its engine side: the tree of each condition and the facts of each case. `oracle` says what is right.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from duly.conditions.fields import Vocabulary
from duly.conditions.packing import pack_vocabulary
from duly.conditions.syntax import read
from duly.conditions.tree import Condition
from duly.conditions.values import Intake
from duly.conditions.vocabulary import read_vocabulary

LONG = Decimal("0.1000000000000000055511151231257827021181583404541015625")  # the binary value of 0.1
POLICY_NUMBERS = [0, 1, 1.0, -1, 2, 2.5, 0.1, 1000, 1000.0, Decimal("0.30000000000000004"), LONG,
                  Decimal("0.10000000000000000001"), 2**53, 2**53 + 1, 10**23, Decimal("1E+23"),
                  Decimal(99999999999999991611392), -0.5]  # fmt: skip
CASE_NUMBERS = [0, 0.0, -0.0, 1, 1.0, -1, 2, 2.5, 0.1, 0.1 + 0.2, 0.3, 1000, 999.99, float(2**53), 2**53 + 1,
                1e23, 10**23, 99999999999999991611392, 5e-324, 1.7e308, -0.5]  # fmt: skip
TEXTS = ["a", "ab", "abc", "refund", "please refund", "退款", "请退款", "caf\u00e9", "cafe\u0301", "1", "1.0", "true",
         "A", "🙂", "\u1100\u1161", "가", "ﬁ", "line\nbreak"]  # fmt: skip
CASE_TEXTS = [*TEXTS, "", " ", "x" * 65_536]
PATTERNS = ["^a", "b+c", "退", "a|c", "^$", "[0-9]+", "^(?i)REFUND$", "caf\u00e9", "cafe\u0301", ".{3,5}"]
ENUMS = [
    ["low", "normal", "high", "urgent"],
    ["普通", "紧急"],
    ["yes", "no", "1", "true"],
    ["caf\u00e9", "tea"],
]
MEMBERS = ["outage", "vip", "退款", "caf\u00e9", "1"]
DURATIONS = ["90s", "1m30s", "2h", "120m", "3d", "72h", "1w", "0s", "1h30m"]
INSTANTS = ["2026-03-02T09:00:00+08:00", "2026-03-02T01:00:00Z", "2026-03-02T01:00:00.000001Z",
            "1969-12-31T23:59:59-02:00", "2024-02-29T12:00:00+05:45"]  # fmt: skip
DIRT: list[Any] = [True, False, 0, 1, "1", "true", "", [], ["vip"], [1], {}, {"a": 1}, "\ud800", float("nan"),
                   float("inf"), "x" * 65_537, "汉" * 30_000, "2wd", "5 minutes", "2026-03-02T09:00:00", 1.5,
                   "unknown", ["\ud800"], [None], "2026-02-30T00:00:00Z", "２h"]  # fmt: skip
TYPES = ["text", "number", "integer", "boolean", "enum", "set", "duration", "instant"]


@dataclass
class Problem:
    """`spec` of a Vocabulary, `whens` as documents give them, `cases` with `case`, `event`, `customer` values."""

    spec: dict[str, Any]
    whens: list[Any]
    cases: list[dict[str, dict[str, Any]]]
    types: dict[str, dict[str, Any]]
    """Each field's declaration by the name that conditions use."""


@dataclass
class Native:
    """The engine's side of a problem; `faults` holds, for each case, the names of the fields refused."""

    vocabulary: Vocabulary
    conditions: list[Condition]
    facts: list[dict[str, Any]]
    faults: list[set[str]]


def problem(random: Random, rules: int = 6, cases: int = 6, dirt: float = 0.1) -> Problem:
    """One random problem; `dirt` is the share of case values that have a wrong type or value."""
    fields = {f"f{n}": _field(random) for n in range(random.randint(1, 6))}
    event = {f"e{n}": _field(random) for n in range(random.randint(0, 2))}
    customer = {f"c{n}": _field(random) for n in range(random.randint(0, 2))}
    types = {
        **fields,
        **{f"event.{name}": field for name, field in event.items()},
        **{f"customer.{name}": field for name, field in customer.items()},
    }
    spec = {"fields": fields, "customer": customer, "events": {"thing.happened": {"fields": event}}}
    whens = [_when(random, types, 0) for _ in range(rules)]
    made = [
        {
            "case": _values(random, fields, dirt),
            "event": _values(random, event, dirt),
            "customer": _values(random, customer, dirt),
        }
        for _ in range(cases)
    ]
    return Problem(spec, whens, made, types)


def native(problem: Problem) -> Native:
    """The engine's reading of a problem; fails where the engine finds a fault in its policy side."""
    vocabulary, faults = read_vocabulary(problem.spec)
    assert faults == []
    conditions = []
    for when in problem.whens:
        condition, faults = read(when, vocabulary)
        assert faults == [], (when, faults)
        conditions.append(condition)
    packed = pack_vocabulary(vocabulary)
    intakes = {subject: Intake(packed, subject) for subject in ("case", "event", "customer")}
    prefixes = {"case": "", "event": "event.", "customer": "customer."}
    all_facts, all_faults = [], []
    for case in problem.cases:
        facts: dict[str, Any] = {}
        refused: set[str] = set()
        for subject, intake in intakes.items():
            some, found = intake(case[subject])
            facts.update(some)
            refused |= {prefixes[subject] + fault["path"] for fault in found}
        all_facts.append(facts)
        all_faults.append(refused)
    return Native(vocabulary, conditions, all_facts, all_faults)


def raw_facts(problem: Problem, case: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The values of a case by the names that conditions use, null left out."""
    prefixes = {"case": "", "event": "event.", "customer": "customer."}
    return {
        prefixes[subject] + name: value
        for subject, values in case.items()
        for name, value in values.items()
        if value is not None
    }


# Generation


def _field(random: Random) -> dict[str, Any]:
    type_ = random.choice(TYPES)
    field: dict[str, Any] = {"type": type_}
    if type_ == "enum":
        field["values"] = random.choice(ENUMS)
        field["ordered"] = random.random() < 0.6
    if type_ == "set" and random.random() < 0.5:
        field["values"] = MEMBERS
    return field


def _values(random: Random, fields: dict[str, Any], dirt: float) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in fields.items():
        chance = random.random()
        if chance < dirt:
            values[name] = random.choice(DIRT)
        elif chance < dirt + 0.15:
            if random.random() < 0.5:
                values[name] = None
        else:
            values[name] = _case_value(random, field)
    if random.random() < 0.3:
        values["unknown"] = random.choice(DIRT)
    return values


def _case_value(random: Random, field: dict[str, Any]) -> Any:
    match field["type"]:
        case "text":
            return random.choice(CASE_TEXTS)
        case "number":
            return random.choice(CASE_NUMBERS)
        case "integer":
            return random.choice([0, 1, 1.0, 2, -1, 1000, 2**53 + 1, 1e23])
        case "boolean":
            return random.random() < 0.5
        case "enum":
            value = random.choice(field["values"])
            return unicodedata.normalize("NFD", value) if random.random() < 0.3 else value
        case "set":
            members = [*MEMBERS, *MEMBERS, *([] if "values" in field else ["other"])]
            return random.sample(members, random.randint(0, 4))
        case "duration":
            return random.choice(DURATIONS)
        case _:
            return random.choice(INSTANTS)


def _when(random: Random, types: dict[str, Any], depth: int) -> dict[str, Any]:
    """A condition of one to four entries."""
    when: dict[str, Any] = {}
    for _ in range(random.randint(1, 4 if depth == 0 else 2)):
        group = random.random()
        if depth < 3 and group < 0.12:
            when["any"] = [_when(random, types, depth + 1) for _ in range(random.randint(1, 3))]
        elif depth < 3 and group < 0.18:
            when["all"] = [_when(random, types, depth + 1) for _ in range(random.randint(1, 3))]
        elif depth < 3 and group < 0.28:
            when["not"] = _when(random, types, depth + 1)
        else:
            name = random.choice(list(types))
            when[name] = _test(random, types[name])
    return when


def _test(random: Random, field: dict[str, Any]) -> Any:
    type_ = field["type"]
    chance = random.random()
    if chance < 0.08:
        return {"exists": random.random() < 0.5}
    if type_ == "set":
        return _set_test(random)
    if chance < 0.35:
        return _operand(random, field)
    if chance < 0.5:
        return _operands(random, field)
    if chance < 0.6:
        return {"not": _operand(random, field)}
    if chance < 0.68:
        return {"not": _operands(random, field)}
    if type_ == "text":
        operator = random.choice(["contains", "starts_with", "ends_with", "matches"])
        return {operator: random.choice(PATTERNS if operator == "matches" else TEXTS)}
    if type_ in ("number", "integer", "duration", "instant") or field.get("ordered"):
        operators = random.sample(["at_least", "over", "at_most", "below", "not"], random.randint(1, 3))
        return {operator: _operand(random, field) for operator in operators}
    return _operand(random, field)


def _set_test(random: Random) -> dict[str, Any]:
    operators = random.sample(["has", "has_any", "has_all", "has_none"], random.randint(1, 2))
    return {
        operator: random.choice(MEMBERS)
        if operator == "has"
        else random.sample(MEMBERS, random.randint(1, 3))
        for operator in operators
    }


def _operand(random: Random, field: dict[str, Any]) -> Any:
    match field["type"]:
        case "text":
            return random.choice(TEXTS)
        case "number":
            return random.choice(POLICY_NUMBERS)
        case "integer":
            return random.choice([0, 1, 2, -1, 1000, 2**53 + 1, 10**23])
        case "boolean":
            return random.random() < 0.5
        case "enum":
            return random.choice(field["values"])
        case "duration":
            return random.choice(DURATIONS)
        case _:
            return random.choice(INSTANTS)


def _operands(random: Random, field: dict[str, Any]) -> list[Any]:
    """One to three operands that differ."""
    chosen: list[Any] = []
    for _ in range(random.randint(1, 3)):
        operand = _operand(random, field)
        if typed(operand, field) not in [typed(each, field) for each in chosen]:
            chosen.append(operand)
    return chosen


# The oracle


class Bad(Exception):
    """A value that does not suit its field."""


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def typed(value: Any, field: dict[str, Any]) -> Any:
    """A raw value as the oracle compares it; raises Bad where it does not suit the field."""
    type_ = field["type"]
    if type_ == "boolean":
        if isinstance(value, bool):
            return value
        raise Bad
    if type_ in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise Bad
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not number.is_finite() or (type_ == "integer" and number % 1 != 0):
            raise Bad
        return number
    if type_ == "set":
        if not isinstance(value, list):
            raise Bad
        members = [typed(each, {"type": "text"}) for each in value]
        if any(each not in field.get("values", members) for each in members):
            raise Bad
        return members
    if not isinstance(value, str):
        raise Bad
    if type_ == "duration":
        if not re.fullmatch(r"(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?|(?=.)([0-9]+w)?([0-9]+d)?", value):
            raise Bad
        return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"([0-9]+)([a-z])", value))
    if type_ == "instant":
        try:
            instant = datetime.datetime.fromisoformat(value)
        except ValueError:
            raise Bad from None
        if instant.tzinfo is None:
            raise Bad
        return instant
    text = unicodedata.normalize("NFC", value)
    try:
        if len(text.encode()) > 65_536 or (type_ == "enum" and text not in field["values"]):
            raise Bad
    except UnicodeEncodeError:
        raise Bad from None
    return text


def refused(types: dict[str, Any], raw: dict[str, Any]) -> set[str]:
    """The names of the values of a case that do not suit their fields."""
    found = set()
    for name, value in raw.items():
        if name in types:
            try:
                typed(value, types[name])
            except Bad:
                found.add(name)
    return found


def oracle(when: dict[str, Any], types: dict[str, Any], raw: dict[str, Any]) -> bool:
    """Whether a condition holds for the raw values of a case, all of which suit their fields."""
    for name, asked in when.items():
        if name == "any":
            holds = any(oracle(part, types, raw) for part in asked)
        elif name == "all":
            holds = all(oracle(part, types, raw) for part in asked)
        elif name == "not":
            holds = not oracle(asked, types, raw)
        else:
            value = typed(raw[name], types[name]) if name in raw else None
            tests = asked if isinstance(asked, dict) else {"is": asked}
            holds = all(_holds(test, operand, value, types[name]) for test, operand in tests.items())
        if not holds:
            return False
    return True


def _holds(test: str, operand: Any, value: Any, field: dict[str, Any]) -> bool:
    if test == "exists":
        return (value is not None) is operand
    if test == "not":
        return not _holds("is", operand, value, field)
    if value is None:
        return False
    member = {"type": "text"} if field["type"] == "set" else field
    if isinstance(operand, list):
        operands = [typed(each, member) for each in operand]
    else:
        operands = [typed(operand, member) if test != "matches" else unicodedata.normalize("NFC", operand)]
    one = operands[0]
    if field["type"] == "enum" and test in ("at_least", "over", "at_most", "below"):
        value, one = field["values"].index(value), field["values"].index(one)
    match test:
        case "is":
            return value in operands
        case "at_least":
            return bool(value >= one)
        case "over":
            return bool(value > one)
        case "at_most":
            return bool(value <= one)
        case "below":
            return bool(value < one)
        case "has" | "contains":
            return bool(one in value)
        case "has_any":
            return bool(set(operands) & set(value))
        case "has_all":
            return set(operands) <= set(value)
        case "has_none":
            return not set(operands) & set(value)
        case "starts_with":
            return bool(value.startswith(one))
        case "ends_with":
            return bool(value.endswith(one))
        case _:
            insensitive = "(?i)" in one
            return bool(re.search(one.replace("(?i)", ""), value, re.IGNORECASE if insensitive else 0))
