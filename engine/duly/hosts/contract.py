"""The contract between the parts of a service: what is handed in, what becomes of it, and what may be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(slots=True)
class Offer:
    """An event handed in: its JSON value, or the Refused that stands in the place of what could not be read.

    `body` is what came, for whoever looks into what was refused; where it is empty, `value` says it.
    """

    value: Any
    body: bytes = b""


@dataclass(slots=True)
class Receipt:
    """What became of an event handed in; what is not refused is durable.

    `id` is the event's, as far as it could be read; `code`, `message` and `path` say why it was refused, or with
    which event it is in conflict.
    """

    status: Literal["accepted", "duplicate", "conflict", "refused"]
    id: str | None = None
    code: str = ""
    message: str = ""
    path: str = ""


class Intake(Protocol):
    """Where events go in. Safe to use from several threads."""

    def accept(self, offers: Sequence[Offer], origin: str) -> list[Receipt]:
        """Take events that come from `origin`, a source or a token: a receipt for each, in order, once all of
        them are durable. Raises Busy and Unavailable; then none of them counts as taken, and all may be sent again.
        """

    def offer(self, offers: Sequence[Offer], origin: str) -> Future[list[Receipt]]:
        """The same without waiting: what `accept` gives or raises is in the future. Raises Busy and Unavailable."""


class Views(Protocol):
    """What may be looked at, as plain JSON data, at an instant in µs since 1970 UTC. Raises Unavailable."""

    def decide(self, case: Any, at: int) -> Mapping[str, Any]:
        """What the policy in force says of a case that is given whole. Raises Refused."""

    def explain(self, case: Any, at: int) -> Mapping[str, Any]:
        """The same, with its trace and an account of each clock's time. Raises Refused."""

    def case(self, name: str, at: int) -> Mapping[str, Any] | None:
        """The decision on a case that is kept; None where there is none."""

    def history(self, name: str) -> Mapping[str, Any] | None:
        """The events of a case and the actions given for it; None where there is none."""

    def due(self, limit: int, at: int) -> Sequence[Mapping[str, Any]]:
        """What will happen by itself, the earliest first."""

    def queue(self, group: str, at: int) -> Mapping[str, Any] | None:
        """What waits for a group or queue in the desk's order; None where the policy knows no such group."""

    def policy(self) -> Mapping[str, Any]:
        """The policy in force, and those adopted before."""


class Health(Protocol):
    """How the service is."""

    def alive(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether its threads run and its timers are on time, and what says so."""

    def ready(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether it can take events now, and what says so."""

    def metrics(self) -> bytes:
        """The metrics in the text format of Prometheus."""


class Part(Protocol):
    """A part of a service with threads of its own: HTTP, a source, the dispatcher of deliveries.

    It is made with the Service it is part of, and may use its `config`, `store`, `intake`, `clock`, `policy`,
    `metrics` and `health`. Those that bring events are stopped first, those that deliver last.
    """

    brings: bool
    """Whether it brings events."""

    def start(self) -> None:
        """Begin; come back at once. Raises sinks.base.Misconfigured for what cannot work."""

    def stop(self, seconds: float) -> None:
        """Begin nothing new, end what is under way within about so many seconds, let go of every thread and file.

        Deliveries go on until nothing new is left to deliver, or the seconds are over.
        """

    def where(self) -> str:
        """What a person is told of it at the start, such as `listens on http://127.0.0.1:8080`."""


class Busy(Exception):
    """More has come in than can be taken now; try again after some seconds."""

    def __init__(self, after_seconds: float) -> None:
        super().__init__(f"more has come in than can be taken; try again in {after_seconds:g} s")
        self.after_seconds = after_seconds


class Unavailable(Exception):
    """The store cannot be reached, or cannot be written. The message says why, without secrets."""
