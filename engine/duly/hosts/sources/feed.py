"""A feed: the thread that takes events from a broker, and lets the broker forget those that are durable here."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

from duly import reading, validation
from duly.cases import Refused
from duly.hosts.config import Faulty
from duly.hosts.contract import Busy, Offer, Receipt, Unavailable
from duly.hosts.logs import Log
from duly.hosts.service import Service

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""How long to wait, in seconds, after the first fault in a row, doubled with each, and at most."""


class Broker(Protocol):
    """What a feed takes from: connected when first asked, anew after a fault. Used by one thread."""

    faults: tuple[type[Exception], ...]

    def take(self) -> Sequence[tuple[Any, bytes]]:
        """What it has next, each with the broker's own name for it; nothing after about a second. Raises a fault."""

    def settle(self, taken: Sequence[tuple[Any, Receipt]]) -> None:
        """Let it forget these: they are durable, or kept as refused. Raises a fault; then they come again."""

    def give_back(self, taken: Sequence[Any]) -> None:
        """Let it give these to somebody else. Raises a fault; then it finds out by itself, later."""

    def said(self, fault: BaseException) -> str:
        """What went wrong, in words, without secrets."""

    def where(self) -> str:
        """Which broker it is, without secrets."""

    def close(self) -> None:
        """Let go of the connection."""


class Feed:
    """See hosts.contract.Part. Whatever happens between taking and forgetting, the broker still has the event."""

    brings = True

    def __init__(self, name: str, broker: Broker, service: Service) -> None:
        self._name, self._broker = name, broker
        self._intake = service.intake
        self._log = Log(f"duly.source.{name}")
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"duly-source-{name}", daemon=True)

    def start(self) -> None:
        """See Part."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """See Part."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def where(self) -> str:
        """See Part."""
        return f"takes events from {self._broker.where()}"

    def _run(self) -> None:
        wait = FIRST_WAIT
        while not self._ending.is_set():
            try:
                self._once()
            except self._broker.faults as fault:
                self._log.warning(
                    "the broker cannot be reached", reason=self._broker.said(fault), again_in=wait
                )
                self._ending.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                if wait != FIRST_WAIT:
                    self._log.info("the broker can be reached again")
                wait = FIRST_WAIT
        try:
            self._broker.close()
        except self._broker.faults as fault:
            self._log.debug("the connection was cut", reason=self._broker.said(fault))

    def _once(self) -> None:
        taken = self._broker.take()
        if not taken:
            return
        receipts = self._handed_in([_offer(body) for _, body in taken])
        if receipts is None:
            self._broker.give_back([each for each, _ in taken])
            return
        for receipt in receipts:
            if receipt.status in ("refused", "conflict"):
                self._log.warning(
                    "an event was refused", id=receipt.id, code=receipt.code, reason=receipt.message
                )
        self._broker.settle([(each, receipt) for (each, _), receipt in zip(taken, receipts, strict=True)])

    def _handed_in(self, offers: Sequence[Offer]) -> list[Receipt] | None:
        """What became of the events, once they are durable; None where the service ends before."""
        wait = FIRST_WAIT
        while not self._ending.is_set():
            try:
                return self._intake.accept(offers, self._name)
            except Busy as busy:
                self._ending.wait(busy.after_seconds)
            except Unavailable:
                self._ending.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
        return None


def checked(name: str, service: Service, schema: dict[str, Any]) -> None:
    """Raises Faulty where the settings of a source do not fit their schema."""
    config = service.config
    kind = config.sources[name]["type"]
    faults = validation.settings(
        config.document, ("spec", "sources", name, "settings"), f"sources/{kind}", schema
    )
    if faults:
        raise Faulty(faults)


def _offer(body: bytes) -> Offer:
    try:
        return Offer(reading.value(body), body)
    except Refused as refused:
        return Offer(refused, body)
