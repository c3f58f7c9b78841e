"""Bundles: several messages for one recipient that go out as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from duly.hosts.delivery.severity import NOTICES

FULL = 100
"""A bundle has no more messages than this; what comes then begins another."""


@dataclass(frozen=True, slots=True)
class Bundling:
    """Whatever comes for a recipient `within` µs of the first message goes out with it."""

    within: int


@dataclass(slots=True)
class _Open:
    name: str
    due: int
    count: int


class Bundles:
    """The bundles that still take something in, by recipient.

    The name of a bundle is kept with each message in it, so that it is the same bundle after a restart; and its
    members never change once it is due, so that a repeat carries the same id.
    """

    def __init__(self, bundling: Bundling | None) -> None:
        self._bundling = bundling
        self._open: dict[str, _Open] = {}

    def place(
        self, action: Mapping[str, Any], recipients: tuple[str, ...], now: int
    ) -> tuple[str, int] | None:
        """The bundle that a message goes into, and when it goes out; None where it goes by itself."""
        if self._bundling is None or not recipients or action["type"] not in NOTICES:
            return None
        key = "\x1f".join(recipients)
        found = self._open.get(key)
        if found is None or found.due <= now or found.count >= FULL:
            self._open = {name: each for name, each in self._open.items() if each.due > now}
            due = now + self._bundling.within
            number = 0 if found is None or found.due <= now else _number(found.name) + 1
            found = self._open[key] = _Open(f"{','.join(recipients)}@{due}#{number}", due, 0)
        found.count += 1
        return found.name, found.due


def _number(name: str) -> int:
    return int(name.rpartition("#")[2])


def bundle_id(sink: str, name: str) -> str:
    """The id of the message that a bundle becomes."""
    return sha256(f"{sink}\x1f{name}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def part_id(action: str, recipient: str) -> str:
    """The id of a message that is one recipient's share of an action for several."""
    return sha256(f"{action}\x1f{recipient}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
