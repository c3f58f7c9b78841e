"""What tests of a service need: a clock to turn by hand, a sink to look into."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from duly.hosts.clock import WallClock
from duly.instants import SECOND, parse
from duly.sinks.base import DELIVERED, Message, Receipt

__all__ = ["Collecting", "VirtualClock"]


class VirtualClock(WallClock):
    """A wall clock that a test turns: `advance` lets time pass, `jump` sets the clock as an administrator would."""

    def __init__(self, start: str = "2026-03-02T09:00:00Z") -> None:
        self._at = parse(start) * 1000
        self._ticks = 0
        self._changed: list[Callable[[], None]] = []
        super().__init__(lambda: self._at, lambda: self._ticks)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ticks += round(seconds * SECOND) * 1000
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        """Set the clock forward, or back, while no time passes."""
        self._at += round(seconds * SECOND) * 1000
        for each in self._changed:
            each()

    def listen(self, changed: Callable[[], None]) -> None:
        """See Clock."""
        self._changed.append(changed)


class Collecting:
    """A sink that keeps what it is given. `answers` are the receipts that it gives first, one a message."""

    def __init__(self, answers: Sequence[Receipt] = ()) -> None:
        self.messages: list[Message] = []
        self._answers = list(answers)
        self._arrived = threading.Condition()

    @property
    def actions(self) -> list[Mapping[str, Any]]:
        """The actions of all messages that were taken, in order."""
        return [action for message in self.messages for action in message.actions]

    def deliver(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """See Sink."""
        receipts = []
        with self._arrived:
            for message in messages:
                receipt = self._answers.pop(0) if self._answers else DELIVERED
                if receipt.outcome == "delivered":
                    self.messages.append(message)
                receipts.append(receipt)
            self._arrived.notify_all()
        return receipts

    def wait(self, count: int, seconds: float = 10) -> list[Mapping[str, Any]]:
        """The actions, as soon as there are `count` of them. Raises TimeoutError with what there is."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.actions) >= count, seconds):
                raise TimeoutError(f"{len(self.actions)} actions after {seconds} s, expected {count}")
            return self.actions
