"""Values: what a rule writes for a part of an event, to what stands in a message."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from duly.cases import Refused
from duly.hosts.mapping import instants
from duly.hosts.mapping.message import MISSING, Message
from duly.hosts.mapping.paths import Path
from duly.instants import render

Taker: TypeAlias = Callable[[Message], Any]
"""Gives the value that a message has; MISSING where it has none. Raises Refused with the place."""

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")


def taker(value: Any) -> Taker:
    """What takes a value, as the schema lets it be written, out of messages."""
    if isinstance(value, list):
        return _list([taker(each) for each in value])
    if not isinstance(value, dict):
        return lambda message: value
    take, place = _origin(value)
    if "as" in value or "form" in value or "timezone" in value:
        take = _converted(take, value, place)
    if "table" in value:
        take = _looked_up(take, value, place)
    if "default" in value:
        take = _defaulted(take, value["default"])
    return take


def place_of(value: Any) -> str:
    """Where a value is taken from, for messages of faults."""
    return _origin(value)[1] if isinstance(value, dict) else ""


def text(value: Any) -> str:
    """A scalar as a text: numbers as JSON writes them, `true` and `false`. ValueError for a structure."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise ValueError(f"expected a text or a number, found {_named(value)}")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _origin(value: dict[str, Any]) -> tuple[Taker, str]:
    """What takes the bare value, and where it is taken from."""
    if "path" in value:
        path = Path(value["path"])
        return path.find, path.text
    if "header" in value:
        name = value["header"].lower()
        return lambda message: message.headers.get(name, MISSING), f"header {value['header']}"
    if "received" in value:
        return lambda message: render(message.received), "received"
    key = "join" if "join" in value else "first"
    parts = [taker(each) for each in value[key]]
    places = [place_of(each) for each in value[key]]
    place = next((each for each in places if each), "")
    return (_joined(parts, places) if key == "join" else _first(parts)), place


def _joined(parts: list[Taker], places: list[str]) -> Taker:
    def take(message: Message) -> Any:
        texts = []
        for part, place in zip(parts, places, strict=True):
            value = part(message)
            if value is MISSING:
                return MISSING
            try:
                texts.append(text(value))
            except ValueError as error:
                raise Refused("E203", str(error), place) from None
        return "".join(texts)

    return take


def _first(parts: list[Taker]) -> Taker:
    def take(message: Message) -> Any:
        return next((value for part in parts if (value := part(message)) is not MISSING), MISSING)

    return take


def _list(parts: list[Taker]) -> Taker:
    def take(message: Message) -> Any:
        return [value for part in parts if (value := part(message)) is not MISSING]

    return take


def _defaulted(take: Taker, default: Any) -> Taker:
    def defaulted(message: Message) -> Any:
        value = take(message)
        return default if value is MISSING else value

    return defaulted


def _looked_up(take: Taker, spec: dict[str, Any], place: str) -> Taker:
    table = spec["table"]

    def look_up(message: Message) -> Any:
        value = take(message)
        if value is MISSING:
            return MISSING
        try:
            key = text(value)
        except ValueError as error:
            raise Refused("E203", str(error), place) from None
        if key in table:
            return table[key]
        if "otherwise" in spec:
            return spec["otherwise"]
        raise Refused("E203", f"`{key[:80]}` is not in the table; it has {_known(table)}", place)

    return look_up


def _converted(take: Taker, spec: dict[str, Any], place: str) -> Taker:
    wanted = spec.get("as", "instant")

    def convert(message: Message) -> Any:
        value = take(message)
        if value is MISSING:
            return MISSING
        try:
            if wanted == "instant":
                return render(instants.read(value, spec.get("form"), spec.get("timezone")))
            return _CONVERSIONS[wanted](value)
        except ValueError as error:
            raise Refused("E203", str(error), place) from None

    return convert


def _number(value: Any) -> Any:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = Decimal(value.strip())
        return int(number) if number == int(number) and abs(number) < 10**15 else float(number)
    raise ValueError(f"expected a number, found {_named(value)}")


def _boolean(value: Any) -> bool:
    found = _BOOLEANS.get(text(value).strip().lower())
    if found is None:
        raise ValueError(f"expected `true` or `false`, found {_named(value)}")
    return found


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "text": text,
    "lower": lambda value: text(value).lower(),
    "upper": lambda value: text(value).upper(),
    "number": _number,
    "boolean": _boolean,
    "list": lambda value: value if isinstance(value, list) else [value],
}


def _named(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"`{str(value)[:80]}`"


def _known(table: dict[str, Any]) -> str:
    names = [f"`{name}`" for name in list(table)[:8]]
    return ", ".join(names) + (", …" if len(table) > len(names) else "")
