"""What a sink is: one method that delivers, and says what became of each delivery."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
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


Escape = Literal["plain", "html", "markdown", "json"]
"""What a sink's texts are written in, and so how the values in them are escaped."""


class Sink(Protocol):
    """A place where actions go. May take its time; is called by one thread at a time.

    A constructor takes the `settings` of the configuration, checked against `schema` where it has one, with a
    Secret for each `{env: NAME}` and `{file: PATH}`, and raises Misconfigured for what cannot work.

    A sink may have besides, each with its default where it has not:
    `schema`, of the class: the JSON Schema of its settings (anything goes);
    `escape`: an Escape, what it wants its texts written in (`plain`);
    `worded = False`: it has no use for titles and texts, and none are rendered for it;
    `atomic = True`: a call delivers all messages or none, such as one transaction: then many for one recipient
    may come in one call; otherwise only one of each, so that a failure changes no order;
    `addressed = True`: it can send to addresses alone, such as mail: then each message has one recipient with
    an address, and none comes without;
    `check() -> str`: tries whether it can work, without delivering anything, and says in a line what it found;
    raises Misconfigured or Unreachable (nothing is tried);
    `close() -> None`: lets go of what it holds when the service stops (nothing to let go of).
    """

    def deliver(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Deliver; a receipt for each message, in order. An exception counts as `failed` for all of them."""


class Misconfigured(Exception):
    """Settings that cannot work: what was found, what was expected, what to do."""


class Unreachable(Exception):
    """What a check could not reach, or was turned away by, and what was said; without secrets."""


class Secret:
    """A text that shows itself as `***`. `reveal` gives it to the one place that needs it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Not for logs, messages or exceptions."""
        return self._text

    def matches(self, offered: str) -> bool:
        """Whether somebody else knows it too; takes the same time whatever is offered."""
        return hmac.compare_digest(self._text.encode(), offered.encode())

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a secret is not written anywhere")


def revealed(setting: str | Secret) -> str:
    """The text of a setting that may be secret."""
    return setting.reveal() if isinstance(setting, Secret) else setting


def needs(what: str, error: ModuleNotFoundError, extra: str) -> str:
    """What to say where the package of an extra is not installed."""
    missing = (error.name or "").split(".")[0]
    return f"{what} needs the package `{missing}`, which is not installed; run: pip install 'duly[{extra}]'"


_SPEAKABLE = re.compile(r"[0-9A-Za-z_-]{1,128}\Z", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def speakable(id: str) -> str:
    """A message's id as any header can carry it: the id itself, or a hash of one that is unusual."""
    return id if _SPEAKABLE.match(id) else sha256(id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def said(text: object, limit: int = 200) -> str:
    """What another side said, in one line and cut short, so that it can stand in a reason."""
    line = " ".join(_CONTROL.sub(" ", str(text)).split())
    return line if len(line) <= limit else f"{line[:limit]}…"
