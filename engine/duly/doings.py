"""Doings: what a host wants to know of a timeline besides its actions: who acted, who was begun, who told whom."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.actions import Action
    from duly.cases import Event

    Speaking = tuple[str | None, Event | None]


class Said:
    """What the hub said to a case or a customer; `cause` is what it had been told by one of them, if anything."""

    __slots__ = ("at", "cause", "event", "facts", "key")

    def __init__(
        self, key: str, at: int, event: Event, facts: Mapping[str, Any], cause: Event | None
    ) -> None:
        self.key = key
        self.at = at
        self.event = event
        self.facts = facts
        self.cause = cause


class Doings:
    """What happened since the host last looked, in order.

    `touched` are the keys of entities that may have changed, `acted` their actions, `begun` the new ones, each
    with the key of the entity that spoke to it first (None: an event from outside), `said` what the hub told, and
    `rang` the instants of the alarms that rang.
    """

    __slots__ = ("_cause", "_hub", "acted", "begun", "rang", "said", "speaker", "touched")

    def __init__(self, hub: frozenset[str]) -> None:
        self._hub = hub
        self._cause: Event | None = None
        self.speaker: str | None = None
        self.clear()

    def clear(self) -> None:
        """Forget what the host has looked at."""
        self.touched: dict[str, None] = {}
        self.acted: list[tuple[str, Sequence[Action]]] = []
        self.begun: list[tuple[str, str | None]] = []
        self.said: list[Said] = []
        self.rang: list[int] = []

    def turn(self, key: str, actions: Sequence[Action]) -> None:
        """An entity had a turn."""
        self.touched[key] = None
        if actions:
            self.acted.append((key, tuple(actions)))

    def speak(self, key: str, other: str, at: int, event: Event, facts: Mapping[str, Any]) -> Speaking:
        """An entity is about to tell another something; what to give to `fall_silent` afterwards."""
        before = self.speaker, self._cause
        if key in self._hub and other not in self._hub:
            self.said.append(Said(other, at, event, facts, self._cause))
        self.speaker = key
        if other in self._hub and key not in self._hub:
            self._cause = event
        return before

    def fall_silent(self, before: Speaking) -> None:
        """What was said has been heard, with all that followed from it."""
        self.speaker, self._cause = before
