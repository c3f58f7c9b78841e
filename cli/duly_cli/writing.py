"""Writing: answers as JSON, one a line, the same bytes whichever way they are made."""

from __future__ import annotations

import json
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    Encode = Callable[[Any], str]

_MANY = 100
"""From so many answers on, importing orjson (14 ms) is won back: it is ten times as fast as the json module."""


def plain(found: Any) -> Any:
    """What JSON has no form for: sets as sorted lists, decimals as numbers."""
    if isinstance(found, frozenset):
        return sorted(found)
    return float(found)


# A decision is a tree: looking for circles in it would take as long as writing it.
compact: Encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=plain, check_circular=False
).encode
indented: Encode = json.JSONEncoder(ensure_ascii=False, indent=2, default=plain).encode


class Writer:
    """Writes answers to standard output: for a person the first one indented, else one a line."""

    __slots__ = ("_encode", "_first", "_ready", "_written")

    def __init__(self, source: BinaryIO) -> None:
        self._first = indented if sys.stdout.isatty() else compact
        self._encode = compact
        self._ready = awaited(source)
        self._written = 0

    def write(self, answer: Any) -> None:
        """Write one answer, and see that it arrives where the one who asked may be waiting for it."""
        if self._written == _MANY:
            self._encode = quick()
        encode = self._first if self._written == 0 else self._encode
        self._written += 1
        sys.stdout.write(encode(answer) + "\n")
        if self._ready is not None and not self._ready():
            sys.stdout.flush()


def quick() -> Encode:
    """`compact` by way of orjson where that is installed; the same texts."""
    try:
        import orjson
    except ImportError:
        return compact

    def encode(answer: Any) -> str:
        try:
            text = orjson.dumps(answer, default=plain).decode()
        except TypeError:
            return compact(answer)
        # The two differ in how they write an exponent, and in nothing else. A length of time has one below 100 µs.
        return compact(answer) if "e-5" in text or "e-6" in text or _has_float(answer) else text

    return encode


def _has_float(answer: Any) -> bool:
    """Whether a field of the case was worked out to be a fraction, which may be of any size."""
    fields = answer.get("fields")
    return bool(fields) and any(field["value"].__class__ is float for field in fields.values())


def awaited(source: BinaryIO) -> Callable[[], bool] | None:
    """A function that tells whether input is waiting; None for a file, which always has some, and no one at its end
    who waits for answers.
    """
    try:
        number = source.fileno()
        if stat.S_ISREG(os.fstat(number).st_mode):
            return None
    except (OSError, ValueError):
        return None
    if os.name == "nt":
        return lambda: False
    from select import select

    return lambda: bool(select([number], [], [], 0)[0])
