"""Operands: the values that a policy writes beside a field, typed by the field."""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal

from duly import durations, instants
from duly.conditions.exact import canonical
from duly.conditions.fields import NOUNS, Field
from duly.conditions.tree import Scalar
from duly.diagnostics import nearest

LONGEST_TEXT = 65_536


class Unsuited(ValueError):
    """A value that does not suit its field: a code, a message, and what to do."""

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


_BOOLEANS = {
    **dict.fromkeys(("yes", "on", "y", "1", "是"), "did you mean `true`?"),
    **dict.fromkeys(("no", "off", "n", "0", "否"), "did you mean `false`?"),
    **dict.fromkeys(("true", "false"), "take the quotes away"),
}


def typed(data: object, field: Field, raw: str | None = None) -> Scalar:
    """One scalar of a policy as the field compares it; of a set, one member. Raises Unsuited.

    `raw` is the scalar as it was written, for fields that hold text: `0777` and `no` stay as they are.
    """
    if data is None or isinstance(data, (list, dict)):
        raise _other(data, field)
    match field.type:
        case "text":
            return text(data, field, raw)
        case "enum" | "set":
            return _member(data, field, raw)
        case "boolean":
            if isinstance(data, bool):
                return data
            raise _other(data, field, _BOOLEANS.get(str(data).casefold()))
        case "number" | "integer":
            return _number(data, field)
        case "duration":
            return _duration(data, field, raw)
        case "instant":
            return _instant(data, field)


def text(data: object, field: Field, raw: str | None = None) -> str:
    """A text in NFC: what was written, also where YAML takes it for a number or a boolean."""
    written = data if isinstance(data, str) else raw
    if written is None:
        raise _other(data, field, "set it in quotes")
    normal = unicodedata.normalize("NFC", written)
    if len(normal.encode("utf-8", "surrogatepass")) > LONGEST_TEXT:
        raise Unsuited("C006", f"text of over 64 KiB for `{field.name}`")
    return normal


def _member(data: object, field: Field, raw: str | None) -> str:
    member = text(data, field, raw)
    if not field.values or member in field.values:
        return member
    help = known_values(member, field.values)
    if any(sign in member for sign in "，、；"):
        help = "part values with a plain comma: `[a, b]`; " + help
    raise Unsuited("C003", f"`{member}` is no value of `{field.name}`", help)


def known_values(word: str, values: tuple[str, ...]) -> str:
    """The help line for an unknown value: the nearest one, and those that are known (at most 12)."""
    near = nearest(word, values)
    known = "known values: " + ", ".join(f"`{value}`" for value in values[:12])
    known += f" and {len(values) - 12} more" if len(values) > 12 else ""
    return f"did you mean `{near}`? {known}" if near else known


def _number(data: object, field: Field) -> int | float | Decimal:
    if isinstance(data, bool) or not isinstance(data, (int, float, Decimal)):
        quoted = isinstance(data, str) and _is_number(data)
        raise _other(data, field, "take the quotes away" if quoted else None)
    try:
        number = canonical(data)
    except ValueError as error:
        raise Unsuited("C006", f"`{field.name}`: {error}") from None
    if field.type == "integer":
        if number != int(number):
            raise _other(data, field)
        return int(number)
    return number


def _is_number(data: str) -> bool:
    try:
        return Decimal(data).is_finite()
    except ArithmeticError:
        return False


def _duration(data: object, field: Field, raw: str | None) -> int:
    written = data if isinstance(data, str) else raw
    try:
        duration = durations.parse(written if written is not None else str(data))
    except ValueError as error:
        raise Unsuited("C006", f"`{field.name}`: {error}") from None
    if duration.unit == durations.WORKING_DAYS:
        raise Unsuited(
            "C006",
            f"`{duration.text}` for `{field.name}`: a field cannot be compared with working days",
            "they depend on a calendar; write hours or plain days, such as `48h` or `2d`",
        )
    return duration.amount


def _instant(data: object, field: Field) -> int:
    try:
        return instants.parse(data)  # type: ignore[arg-type]
    except ValueError as error:
        date = isinstance(data, str) and re.match(r"\d{4}-\d\d-\d\d\Z", data, re.ASCII)
        help = "add the time and the offset, such as `T09:00:00+08:00`" if date else None
        raise Unsuited("C006", f"`{field.name}`: {error}", help) from None


def _other(data: object, field: Field, help: str | None = None) -> Unsuited:
    found = f"the text {shown(data)}" if isinstance(data, str) else shown(data)
    return Unsuited("C006", f"expected {NOUNS[field.type]} for `{field.name}`, found {found}", help)


def shown(data: object) -> str:
    """A value of a document as messages show it: in backticks, as JSON, at most 60 characters."""
    if data is None:
        return "nothing"
    if isinstance(data, (list, dict)):
        return "a list" if isinstance(data, list) else "a mapping"
    written = data if isinstance(data, str) else str(data) if isinstance(data, Decimal) else json.dumps(data)
    return f"`{written}`" if len(written) <= 60 else f"`{written[:57]}…`"
