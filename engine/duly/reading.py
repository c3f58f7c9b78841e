"""Reading: JSON and JSON Lines as they come in, a line at a time, whatever is in it."""

from __future__ import annotations

import json

from duly.cases import MAX_EVENT_BYTES, MAX_NESTING, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_EXACT_DIGITS = 15
_FURTHEST = 1e300


def _constant(name: str) -> Any:
    raise Refused("E005", f"`{name}` is not a number JSON knows")


def _decimal(text: str) -> Any:
    """A float where it says the number exactly, else a decimal."""
    number = float(text)
    if len(text) > _EXACT_DIGITS and number:
        from decimal import Decimal

        exact = Decimal(text) if -_FURTHEST <= number <= _FURTHEST else None
        if exact is not None and len(exact.as_tuple().digits) > _EXACT_DIGITS:
            return exact
    if not -_FURTHEST <= number <= _FURTHEST:
        raise Refused("E005", f"`{text[:40]}` is further from 0 than any number that can be kept")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused("E006", f"key `{twice}` is there twice", twice)
    return found


_decoder = json.JSONDecoder(parse_constant=_constant, parse_float=_decimal, object_pairs_hook=_object)


def _decoded(text: str) -> Any:
    """As the decoder's own `decode`, which looks for blanks around the value before anything else."""
    try:
        found, end = _decoder.raw_decode(text)
    except json.JSONDecodeError:
        end = -1
    return found if end == len(text) else _decoder.decode(text)


def value(text: bytes) -> Any:
    """The JSON value that the bytes say. Raises Refused with the reason and the column."""
    found = message(text)
    if len(text) > MAX_EVENT_BYTES:
        _check_sizes(found, len(text))
    return found


def listed(text: bytes) -> list[Any]:
    """The values of a JSON list; a Refused stands in the place of one that is too large, or nested too deep.

    Raises Refused where the whole is no list, or no JSON.
    """
    found = _parsed(text)
    if not isinstance(found, list):
        raise Refused("E102", "expected a list of events")
    deep = text.count(b"{") + text.count(b"[") > MAX_NESTING
    large = len(text) > MAX_EVENT_BYTES
    return [_fitting(each, deep, large) for each in found] if deep or large else found


def message(text: bytes) -> Any:
    """The JSON value of a message of another system, which may be larger than an event. Raises Refused."""
    found = _parsed(text)
    if text.count(b"{") + text.count(b"[") > MAX_NESTING and _depth(found) > MAX_NESTING:
        raise Refused("E004", f"nested more than {MAX_NESTING} deep")
    return found


def _fitting(found: Any, deep: bool, large: bool) -> Any:
    if deep and isinstance(found, (dict, list)) and _depth(found) > MAX_NESTING:
        return Refused("E004", f"nested more than {MAX_NESTING} deep")
    if large and (size := _size(found)) > MAX_EVENT_BYTES:
        return Refused("E003", f"an event of {size:,} bytes; at most {MAX_EVENT_BYTES:,}")
    return found


def _parsed(text: bytes) -> Any:
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(
            "E002", f"byte 0x{text[error.start]:02x} at position {error.start + 1} is not UTF-8"
        ) from None
    try:
        found = _decoded(decoded)
    except json.JSONDecodeError as error:
        raise Refused("E001", f"not JSON: {_reason(error)}") from None
    except RecursionError:
        raise Refused("E004", f"nested more than {MAX_NESTING} deep") from None
    except ValueError as error:
        raise Refused("E001", f"not JSON: {str(error)[:80].lower()}") from None
    if b"\\ud" in text or b"\\uD" in text:
        _check_characters(found)
    return found


def _check_characters(found: Any) -> None:
    """JSON may escape half of a character, which no answer could repeat."""
    try:
        json.dumps(found, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise Refused("E002", f"`{half}` is half of a character") from None


def _reason(error: json.JSONDecodeError) -> str:
    if error.pos >= len(error.doc.rstrip()):
        return "it ends too early"
    reason = error.msg[0].lower() + error.msg[1:].replace("'", "`")
    return f"{reason} at {f'line {error.lineno} of it, ' if error.lineno > 1 else ''}column {error.colno}"


def _depth(found: Any) -> int:
    level, deepest = [found], 0
    while level:
        deepest += 1
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list))
        ] if all(isinstance(each, (dict, list)) for each in level) else []  # fmt: skip
    return deepest


def _check_sizes(found: Any, size: int) -> None:
    """A case may be large by its many events; each of them, and the rest, may not."""
    events = found.get("events") if isinstance(found, dict) else None
    for number, event in enumerate(events if isinstance(events, list) else ()):
        own = _size(event)
        size -= own
        if own > MAX_EVENT_BYTES:
            raise Refused(
                "E003", f"an event of {own:,} bytes; at most {MAX_EVENT_BYTES:,}", f"events[{number}]"
            )
    if size > MAX_EVENT_BYTES:
        raise Refused("E003", f"{size:,} bytes; at most {MAX_EVENT_BYTES:,} but for `events`")


def _size(found: Any) -> int:
    return len(json.dumps(found, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass"))


def values(stream: Iterable[bytes]) -> Iterator[tuple[int, Any]]:
    """Each JSON value of some lines with the number of its first; a Refused stands in the place of a bad one.

    The input is JSON Lines, or values spread over lines whose further lines are indented or close a bracket;
    blank lines are passed over. One bad value never takes the next one with it.
    """
    number = start = balance = 0
    parts: list[bytes] = []
    for raw in stream:
        number += 1
        if not parts and raw[:1] == b"{" and raw[-2:] == b"}\n":
            yield number, _one(raw[:-1])
            continue
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if parts and line.startswith(b"{"):
            yield start, _one(b"".join(parts))
            parts = []
        if parts:
            parts.append(line)
            balance += _balance(line)
        elif not line.strip():
            continue
        else:
            balance = 0 if line.rstrip().endswith(b"}") else _balance(line)
            start, parts = number, [line]
        if balance <= 0:
            yield start, _one(b"".join(parts).strip())
            parts = []
    if parts:
        yield start, _one(b"".join(parts).strip())


def _one(text: bytes) -> Any:
    try:
        return value(text)
    except Refused as refused:
        return refused


def _balance(line: bytes) -> int:
    """Brackets opened less brackets closed, outside of texts."""
    depth, inside, escaped = 0, False, False
    for sign in line:
        if inside:
            if escaped:
                escaped = False
            elif sign == 0x5C:
                escaped = True
            elif sign == 0x22:
                inside = False
        elif sign == 0x22:
            inside = True
        elif sign in b"{[":
            depth += 1
        elif sign in b"}]":
            depth -= 1
    return depth
