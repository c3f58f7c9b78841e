"""Exact numbers: decimals that no float stands for, ordered and compared as they are written."""

from decimal import Decimal, InvalidOperation

LARGEST_EXACT_FLOAT = 2.0**53
_MOST_DIGITS = 400


class Exact(Decimal):
    """A decimal that also compares with floats by their written form.

    A float means the shortest decimal that reads back as it (`0.1` is one tenth), which is what JSON and
    YAML wrote; the comparison of Decimal and float in Python takes its binary value instead.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self._beside(other) == 0

    def __ne__(self, other: object) -> bool:
        return self._beside(other) != 0

    def __lt__(self, other: object) -> bool:
        return (order := self._beside(other)) is not None and order < 0

    def __le__(self, other: object) -> bool:
        return (order := self._beside(other)) is not None and order <= 0

    def __gt__(self, other: object) -> bool:
        return (order := self._beside(other)) is not None and order > 0

    def __ge__(self, other: object) -> bool:
        return (order := self._beside(other)) is not None and order >= 0

    def __hash__(self) -> int:
        return Decimal.__hash__(self)

    def _beside(self, other: object) -> int | None:
        """-1, 0 or 1 as this is below, equal to or over the other; None beside what is no number."""
        if isinstance(other, float):
            other = Decimal(repr(other))
        elif isinstance(other, bool) or not isinstance(other, (int, Decimal)):
            return None
        return int(self.compare(Decimal(other)))


def canonical(number: float | Decimal) -> int | float | Exact:
    """The number as conditions compare it: an int, a float below 2^53, or an Exact where neither says it.

    Raises ValueError, with a sentence for the user, where it is not finite or has over 400 digits.
    """
    if isinstance(number, int):
        return int(number)
    if isinstance(number, float) and -LARGEST_EXACT_FLOAT < number < LARGEST_EXACT_FLOAT:
        return number
    try:
        decimal = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    except InvalidOperation:  # pragma: no cover - Decimal and float always convert
        raise ValueError(f"not a number: `{number}`") from None
    if not decimal.is_finite():
        raise ValueError(f"expected a finite number, found `{decimal}`")
    if abs(decimal.adjusted()) > _MOST_DIGITS or len(decimal.as_tuple().digits) > _MOST_DIGITS:
        raise ValueError(f"number out of range: `{str(decimal)[:40]}`; at most {_MOST_DIGITS} digits")
    if decimal == decimal.to_integral_value():
        return int(decimal)
    near = float(decimal)
    return near if Decimal(repr(near)) == decimal else Exact(decimal)


def pack(value: object) -> object:
    """A typed value as JSON data: an Exact as `{"decimal": "…"}`, a set as a sorted list."""
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    return [pack(each) for each in value] if isinstance(value, tuple) else value


def unpack(data: object) -> object:
    """What `pack` packed, lists left as lists."""
    if isinstance(data, dict):
        return Exact(data["decimal"])
    return [unpack(each) for each in data] if isinstance(data, list) else data
