"""What a sink is: one method that delivers, and says what became of each delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What one sink is to deliver: an action, or several for one recipient bundled into one.

    `actions` are as interface.md §4 has them; `id` is the action's, or stands for all that are bundled: a
    repeat carries the same one. `recipients` are the people, roles or groups it goes to, with the addresses that
    the configuration gives for this sink. `title` and `text` are rendered from its template.
    """

    id: str
    actions: Sequence[Mapping[str, Any]]
    attempt: int = 1
    title: str = ""
    text: str = ""
    recipients: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one delivery.

    `delivered`; `failed`, to be tried again, not before `after_seconds` where the other side asked for that;
    `refused`, which trying again will not change; `gone`: the other side wants nothing more, ever.
    """

    outcome: Literal["delivered", "failed", "refused", "gone"]
    reason: str = ""
    after_seconds: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


DELIVERED = Receipt("delivered")


class Sink(Protocol):
    """A place where actions go. May take its time; is called by one thread at a time.

    A constructor takes the `settings` of the configuration, checked against `schema` where it has one, and
    raises Misconfigured for what cannot work. A sink may also have `close()`, called when the service stops, and
    `check()`, which says in a sentence how it stands, or raises Misconfigured, and delivers nothing.

    Two attributes tell how it likes to be called. With `atomic = True` a call delivers all messages or none, such
    as one transaction: then many for one recipient may come in one call; otherwise only one of each, so that a
    failure changes no order. With `addressed = True` it can send to addresses alone, such as mail: then each
    message has one recipient with an address, and none comes without.
    """

    def deliver(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Deliver; a receipt for each message, in order. An exception counts as `failed` for all of them."""


class Misconfigured(Exception):
    """Settings that cannot work: what was found, what was expected, what to do."""
