"""A message of another system, as its mapping looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final


class _Missing:
    """What stands for a value that is not there."""

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Message:
    """A message: the part that is looked at, the whole, its headers in lower case, when it came in (µs)."""

    item: Any
    root: Any
    headers: Mapping[str, str]
    received: int

    @classmethod
    def of(cls, payload: Any, headers: Mapping[str, str], received: int) -> Message:
        """A whole message. Of headers whose names differ in case alone the last one counts."""
        return cls(payload, payload, {name.lower(): value for name, value in headers.items()}, received)

    def at(self, item: Any) -> Message:
        """The same message, looked at in one of its parts."""
        return replace(self, item=item)
