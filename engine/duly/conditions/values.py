"""Intake of values: the JSON values of a case, an event or a customer to typed facts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Check = Callable[[Any], Any]
    Fault = dict[str, str]

LONGEST_TEXT = 65_536
MOST_MEMBERS = 10_000
_LARGEST_FLOAT = 9007199254740992.0  # 2^53: from here on floats skip whole numbers
_PREFIXES = {"case": "", "event": "event.", "customer": "customer."}


class Refused(ValueError):
    """A value that does not suit its field: a code, and a sentence for the user without the field."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Intake:
    """Checks and types the fields of one subject: `case` (bare names), `event` or `customer`."""

    __slots__ = ("_checks", "_defaults", "_prefix", "_required")

    def __init__(self, packed_vocabulary: Mapping[str, Any], subject: str = "case") -> None:
        prefix = self._prefix = _PREFIXES[subject]
        self._checks: dict[str, tuple[str, Check]] = {}
        self._defaults: list[tuple[str, Any]] = []
        self._required: list[str] = []
        for name, field in packed_vocabulary["fields"].items():
            if not name.startswith(prefix) if prefix else "." in name:
                continue
            check = _check(field)
            if field.get("sensitive"):
                check = _discreet(check)
            self._checks[name[len(prefix) :]] = (name, check)
            if field.get("derived"):
                continue  # a Classification sets it: a default here would pass for a value that came in
            if "default" in field:
                self._defaults.append((name, _default(field)))
            elif field.get("required"):
                self._required.append(name)

    def __call__(self, raw: Mapping[str, Any], complete: bool = True) -> tuple[dict[str, Any], list[Fault]]:
        """The facts that `raw` (name to JSON value, names without prefix) states, and its faults.

        Facts are named as conditions name them (`event.automated`). Known fields are checked and typed:
        text in NFC, sets as frozenset, durations and instants in microseconds, numbers as int, float or a
        decimal. Unknown fields pass untouched. With `complete` (a whole case or customer) null is absent,
        defaults are filled in and required fields are asked for, save derived ones, which a Classification
        sets; without (a change), null stays as None, which says that the value is gone. Matchers take None
        as missing.

        A fault is `{"code", "message", "path"}` with the field's name as path, and its field is not in
        the facts.
        """
        facts: dict[str, Any] = {}
        faults: list[Fault] = []
        known = self._checks.get
        for bare, value in raw.items():
            entry = known(bare)
            if entry is None:
                self._unknown(bare, value, facts, faults)
                continue
            name, check = entry
            if value is None:
                if not complete:
                    facts[name] = None
                continue
            try:
                facts[name] = check(value)
            except Refused as error:
                faults.append({"code": error.code, "message": f"`{bare}`: {error}", "path": bare})
        if complete:
            self._complete(facts, faults)
        return facts, faults

    def _unknown(self, bare: str, value: Any, facts: dict[str, Any], faults: list[Fault]) -> None:
        if bare.startswith(("event.", "customer.")):  # it would pass for a fact of another subject
            message = f"a field cannot be called `{bare[:80]}`: conditions use that name for something else"
            faults.append({"code": "C205", "message": message, "path": bare})
        elif value is not None:
            facts[self._prefix + bare] = value

    def _complete(self, facts: dict[str, Any], faults: list[Fault]) -> None:
        for name, default in self._defaults:
            if name not in facts and not (
                faults and any(self._prefix + fault["path"] == name for fault in faults)
            ):
                facts[name] = default
        for name in self._required:
            bare = name[len(self._prefix) :]
            if name not in facts and not any(fault["path"] == bare for fault in faults):
                faults.append({"code": "C203", "message": f"`{bare}` is required", "path": bare})


def _default(field: Mapping[str, Any]) -> Any:
    default = field["default"]
    if isinstance(default, list):
        return frozenset(default)
    if isinstance(default, dict):
        from duly.conditions.exact import unpack

        return unpack(default)
    return default


def _check(field: Mapping[str, Any]) -> Check:
    """The function that types one JSON value of the field or raises Refused."""
    kind = field["type"]
    if kind == "enum":
        return _one_of(field["values"])
    if kind == "set":
        return _set_of(field.get("values"))
    if kind in ("duration", "instant"):
        return _duration() if kind == "duration" else _instant()
    return _CHECKS[kind]


def _discreet(check: Check) -> Check:
    """The check of a sensitive field, whose messages do not tell the value."""

    def discreet(value: Any) -> Any:
        try:
            return check(value)
        except Refused as error:
            message = "a value that does not suit the field; it is sensitive and not shown"
            raise Refused(error.code, message) from None

    return discreet


def _found(value: Any) -> str:
    """A JSON value as messages show it."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    import json

    try:
        written = json.dumps(value, ensure_ascii=False)
    except TypeError:
        written = str(value)
    written = written.encode("utf-8", "backslashreplace").decode("utf-8")
    return f"`{written}`" if len(written) <= 60 else f"`{written[:57]}…`"


def _text(value: Any) -> Any:
    if value.__class__ is not str:
        raise Refused("C201", f"expected a text, found {_found(value)}")
    if value.isascii():
        if len(value) > LONGEST_TEXT:
            raise Refused("C204", "text of over 64 KiB")
        return value
    import unicodedata

    if not unicodedata.is_normalized("NFC", value):
        value = unicodedata.normalize("NFC", value)
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise Refused("C201", "text that is not valid Unicode: half of a surrogate pair") from None
    if size > LONGEST_TEXT:
        raise Refused("C204", "text of over 64 KiB")
    return value


def _number(value: Any) -> Any:
    kind = value.__class__
    if kind is int or (kind is float and -_LARGEST_FLOAT < value < _LARGEST_FLOAT):
        return value
    if kind is float or kind.__name__ in ("Decimal", "Exact"):
        from duly.conditions.exact import canonical

        try:
            return canonical(value)
        except ValueError as error:
            raise Refused("C201", str(error)) from None
    number = kind is str and value.strip().lstrip("+-").replace(".", "", 1).isdecimal()
    hint = "; a number takes no quotes" if number else ""
    raise Refused("C201", f"expected a number, found {_found(value)}{hint}")


def _integer(value: Any) -> int:
    if value.__class__ is int:
        return value
    number = _number(value)
    if number != int(number):
        raise Refused("C201", f"expected a whole number, found {_found(value)}")
    return int(number)


def _boolean(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise Refused("C201", f"expected `true` or `false`, found {_found(value)}")


def _duration() -> Check:
    """The check of a duration. Its module is imported by vocabularies that have such fields alone."""
    from duly import durations

    def check(value: Any) -> int:
        if value.__class__ is not str or not value.isascii():
            raise Refused("C201", f"expected a duration such as `30m`, found {_found(value)}")
        try:
            duration = durations.parse(value)
        except ValueError as error:
            raise Refused("C201", str(error)) from None
        if duration.unit == durations.WORKING_DAYS:
            raise Refused("C201", f"expected elapsed time such as `48h`, found working days: `{value}`")
        return duration.amount

    return check


def _instant() -> Check:
    """The check of an instant."""
    from duly import instants

    def check(value: Any) -> int:
        if value.__class__ is not str or not value.isascii():
            example = "2026-03-02T09:00:00+08:00"
            raise Refused("C201", f"expected an instant such as `{example}`, found {_found(value)}")
        try:
            return instants.parse(value)
        except ValueError as error:
            raise Refused("C201", str(error)) from None

    return check


def _one_of(values: list[str]) -> Check:
    """The check of an enum."""
    known = {value: value for value in values}.get

    def check(value: Any) -> Any:
        found = known(value) if value.__class__ is str else None
        if found is not None:
            return found
        text = _text(value)
        if known(text) is not None:
            return text
        from duly.diagnostics import did_you_mean

        help = did_you_mean(text[:200], values)
        raise Refused("C202", f"`{text[:60]}` is no known value" + (f"; {help}" if help else ""))

    return check


def _set_of(values: list[str] | None) -> Check:
    """The check of a set: of any texts, or of the listed ones."""
    member = _one_of(values) if values else _text

    def check(value: Any) -> frozenset[str]:
        if value.__class__ is not list:
            raise Refused("C201", f"expected a list of texts, found {_found(value)}")
        if len(value) > MOST_MEMBERS:
            raise Refused("C204", f"set of over {MOST_MEMBERS:,} members")
        return frozenset([member(each) for each in value])

    return check


_CHECKS = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}
