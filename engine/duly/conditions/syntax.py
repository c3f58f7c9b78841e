"""The syntax of conditions: the data of a `when:` to a tree, with every fault in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

from duly.conditions.faults import Fault
from duly.conditions.fields import Field, Vocabulary
from duly.conditions.operands import Unsuited, shown, text, typed
from duly.conditions.patterns import check_pattern
from duly.conditions.suggestions import GROUPS, TESTS, meant_field, meant_test, noun, tests_of
from duly.conditions.tree import ALWAYS, All, Condition, Not, Operator, Scalar, Some, Test
from duly.diagnostics import Path, did_you_mean

DEEPEST = 32
_LISTS = ("has_any", "has_all", "has_none")
_ORDER = ("at_least", "over", "at_most", "below")
_UNSET = object()


def read(
    data: object,
    vocabulary: Vocabulary,
    at: Path = (),
    *,
    events: Collection[str] | None = None,
    raw: Callable[[Path], str | None] | None = None,
    parameters: Mapping[str, object] | None = None,
) -> tuple[Condition, list[Fault]]:
    """The condition that the data of a `when:` means, and all of its faults. Where there are faults, the
    condition holds what could be understood and must not be used to decide.

    `at` is the path of `data` in its document. `events` are the event types that are looked at: only their
    payload may be tested; None: any event's; empty: no event is looked at here. `raw` gives a plain scalar
    as it was written (`Document.raw`), so that a text field takes `0777` as it stands. `parameters` maps
    the names of declared parameters to their values for `{param: name}`; where a value is None, or the whole
    mapping, whoever holds the parameters reports it: the test is left out without a fault.
    """
    reader = _Reader(vocabulary, events, raw, parameters)
    return reader.group(data, at, 1), reader.faults


def read_value(
    data: object, field: Field, at: Path = (), raw: Callable[[Path], str | None] | None = None
) -> tuple[Any, list[Fault]]:
    """A value of the type of `field` as a policy writes it (such as what a rule sets), as a fact: text in
    NFC, durations and instants in microseconds, sets as frozenset. None where it has faults."""
    reader = _Reader(Vocabulary({}), None, raw, None)
    if field.type != "set":
        value = reader.scalar(data, field, at)
        return (None if value is _UNSET else value), reader.faults
    members = reader.scalars(data, field, at)
    return (None if reader.faults else frozenset(members)), reader.faults


class _Reader:
    """One reading of one condition; collects faults as it goes."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        events: Collection[str] | None,
        raw: Callable[[Path], str | None] | None,
        parameters: Mapping[str, object] | None,
    ) -> None:
        self.vocabulary = vocabulary
        self.events = events
        self.raw = raw
        self.parameters = parameters
        self.faults: list[Fault] = []

    def fault(self, code: str, message: str, at: Path, help: str | None = None, *, key: bool = False) -> None:
        self.faults.append(Fault(code, message, at, help, key=key))

    def group(self, data: object, at: Path, depth: int) -> Condition:
        """A mapping of tests, all of which must hold."""
        if not isinstance(data, dict):
            self.fault(
                "C001", f"expected a mapping of fields to tests, found {shown(data)}", at,
                "write `field: value`, such as `channel: phone`",
            )  # fmt: skip
            return ALWAYS
        if depth > DEEPEST:
            self.fault("C011", f"conditions nested more than {DEEPEST} deep", at, "write them flatter")
            return ALWAYS
        if not data and depth > 1:
            self.fault("C009", "an empty condition", at, "take it away, or write what must hold")
        parts = [
            self.alternatives(key, value, (*at, key), depth)
            if key in GROUPS
            else self.field(key, value, (*at, key))
            for key, value in data.items()
        ]
        return parts[0] if len(parts) == 1 else All(tuple(parts), at)

    def alternatives(self, key: str, data: object, at: Path, depth: int) -> Condition:
        """What stands under `any:`, `all:` or `not:`."""
        if key == "not":
            return Not(self.group(data, at, depth + 1), at)
        if not isinstance(data, list):
            self.fault(
                "C001", f"expected a list of conditions under `{key}:`, found {shown(data)}", at,
                "begin each condition with `- `",
            )  # fmt: skip
            return ALWAYS
        if not data:
            self.fault("C009", f"an empty list under `{key}:`", at, "take it away, or write what must hold")
        parts = tuple(self.group(part, (*at, index), depth + 1) for index, part in enumerate(data))
        return Some(parts, at) if key == "any" else All(parts, at)

    def field(self, name: str, data: object, at: Path) -> Condition:
        """One field and what is asked of it."""
        field = self.known(name, at)
        if field is None:
            return ALWAYS
        if isinstance(data, dict) and set(data) != {"param"}:
            if not data:
                self.fault("C009", f"no test for `{name}`", at, f"tests that suit it: {tests_of(field)}")
            parts = tuple(self.test(field, key, value, (*at, key)) for key, value in data.items())
            return parts[0] if len(parts) == 1 else All(parts, at)
        return self.equality(field, data, at)

    def known(self, name: str, at: Path) -> Field | None:
        """The field of that name, where it may be asked for here."""
        field = self.vocabulary.fields.get(name)
        if field is None:
            self.fault("C002", f"unknown field `{name}`", at, meant_field(name, self.vocabulary), key=True)
            return None
        if not name.startswith("event.") or self.events is None:
            return field
        if not self.events:
            self.fault(
                "C012", f"`{name}`: no event is looked at here", at, "test a field of the case", key=True
            )
            return None
        if any(name in self.vocabulary.events.get(event, ()) for event in self.events):
            return field
        carriers = ", ".join(f"`{event}`" for event in self.vocabulary.carriers(name)[:5])
        looked_at = ", ".join(f"`{event}`" for event in sorted(self.events)[:5])
        self.fault(
            "C012", f"`{name}` is not carried by {looked_at}", at,
            f"it is carried by {carriers}" if carriers else None, key=True,
        )  # fmt: skip
        return None

    def equality(self, field: Field, data: object, at: Path) -> Condition:
        """A plain value, or a list of values of which the field is any."""
        data = self.resolved(data, at)
        if data is _UNSET:
            return ALWAYS
        if field.type == "set":
            self.fault(
                "C004", f"`{field.name}` is a set and cannot equal one value", at,
                "use `has`, `has_any`, `has_all` or `has_none`",
            )  # fmt: skip
            return ALWAYS
        if data is None:
            self.fault(
                "C006", f"no value for `{field.name}`", at,
                "for a field without a value write `{exists: false}`",
            )  # fmt: skip
            return ALWAYS
        if isinstance(data, list):
            values = self.scalars(data, field, at)
            return Test(field.name, "in", tuple(values), at) if values else ALWAYS
        value = self.scalar(data, field, at)
        return ALWAYS if value is _UNSET else Test(field.name, "is", cast(Scalar, value), at)

    def test(self, field: Field, key: str, data: object, at: Path) -> Condition:
        """One named test of a field."""
        if key not in TESTS:
            self.fault("C005", f"unknown test `{key}`", at, meant_test(key, field), key=True)
            return ALWAYS
        if key not in field.suited:
            if field.type == "enum" and key in _ORDER:
                code, message = "C008", f"the values of `{field.name}` have no order for `{key}`"
                help = "declare it with `ordered: true` in the Vocabulary, or list the values"
            else:
                code, message = "C004", f"`{key}` does not suit `{field.name}`, which is {noun(field)}"
                help = f"tests that suit it: {tests_of(field)}"
            self.fault(code, message, at, help, key=True)
            return ALWAYS
        if key == "not":
            return self.other_than(field, data, at)
        if key in _LISTS:
            return self.membership(field, key, data, at)
        value = self.operand(field, key, self.resolved(data, at), at)
        if value is _UNSET:
            return ALWAYS
        order = field.values if key in _ORDER else ()
        return Test(field.name, cast(Operator, key), cast(Scalar, value), at, order)

    def other_than(self, field: Field, data: object, at: Path) -> Condition:
        if isinstance(data, dict) and set(data) != {"param"}:
            self.fault(
                "C001", f"`not` of `{field.name}` takes a value or a list of values", at,
                f"to negate a test write `not: {{{field.name}: {{…}}}}`",
            )  # fmt: skip
            return ALWAYS
        part = self.equality(field, data, at)
        return Not(part, at) if isinstance(part, Test) else ALWAYS

    def membership(self, field: Field, key: str, data: object, at: Path) -> Condition:
        data = self.resolved(data, at)
        if data is _UNSET:
            return ALWAYS
        if not isinstance(data, list):
            help = "for one value write `has`, or `has_none: [value]`"
            self.fault("C006", f"`{key}` of `{field.name}` takes a list, found {shown(data)}", at, help)
            return ALWAYS
        values = self.scalars(data, field, at)
        return Test(field.name, cast(Operator, key), tuple(values), at) if values else ALWAYS

    def operand(self, field: Field, key: str, data: object, at: Path) -> object:
        """The one value that a named test takes, or _UNSET with a fault."""
        if data is _UNSET:
            return _UNSET
        if key == "exists":
            if isinstance(data, bool):
                return data
            self.fault("C006", f"`exists` takes `true` or `false`, found {shown(data)}", at)
            return _UNSET
        if isinstance(data, list):
            help = "use `has_any` or `has_all`" if key == "has" else "use `any:` with one condition for each"
            self.fault("C006", f"`{key}` of `{field.name}` takes one value, found a list", at, help)
            return _UNSET
        if key == "matches":
            return self.pattern(field, data, at)
        value = self.scalar(data, field, at)
        if value == "" and key in ("contains", "starts_with", "ends_with"):
            self.fault(
                "C009", f"an empty text for `{key}` holds for every text", at, "write `{exists: true}`"
            )
        return value

    def pattern(self, field: Field, data: object, at: Path) -> object:
        try:
            pattern = text(data, field, self.raw(at) if self.raw else None)
            check_pattern(pattern, field.name)
        except Unsuited as error:
            self.fault(error.code, error.message, at, error.help)
            return _UNSET
        return pattern

    def scalar(self, data: object, field: Field, at: Path) -> object:
        """One typed value, or _UNSET with a fault (or for a parameter without a value)."""
        value = self.resolved(data, at)
        if value is _UNSET:
            return _UNSET
        try:
            return typed(value, field, self.raw(at) if self.raw and value is data else None)
        except Unsuited as error:
            self.fault(error.code, error.message, at, error.help)
            return _UNSET

    def scalars(self, data: object, field: Field, at: Path) -> list[Scalar]:
        """The typed values of a list, without those that have faults."""
        if not isinstance(data, list):
            self.fault("C006", f"expected a list for `{field.name}`, found {shown(data)}", at)
            return []
        if not data:
            self.fault("C009", f"an empty list for `{field.name}`", at, "write the values, or take it away")
        values: dict[Scalar, None] = {}
        for index, each in enumerate(data):
            value = self.scalar(each, field, (*at, index))
            if value is _UNSET:
                continue
            if value in values:
                self.fault(
                    "C010",
                    f"{shown(each)} is in the list for `{field.name}` twice",
                    (*at, index),
                    "keep one of the two",
                )
            else:
                values[cast(Scalar, value)] = None
        return list(values)

    def resolved(self, data: object, at: Path) -> object:
        """The data, or the value of the parameter that it names."""
        if not (isinstance(data, dict) and set(data) == {"param"}):
            return data
        if self.parameters is None:
            return _UNSET
        name = data["param"]
        if not isinstance(name, str) or name not in self.parameters:
            help = did_you_mean(str(name), self.parameters) or "declare it in the manifest"
            self.fault("C013", f"unknown parameter {shown(name)}", (*at, "param"), help)
            return _UNSET
        value = self.parameters[name]
        return _UNSET if value is None else value
