"""Intake: where events go in. They are read and checked here, and acknowledged once the store has them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import orjson

from duly.cases import MAX_EVENT_BYTES, Event, Refused, presence, read_event
from duly.hosts.clock import Clock
from duly.hosts.contract import Busy, Offer, Receipt, Unavailable
from duly.hosts.store.records import Line, Reject
from duly.instants import MINUTE, render

MAX_WAITING = 20_000
"""Events that wait to be made durable; beyond that the intake says `Busy`."""
BATCH = 1_000
"""Events of one transaction, as far as no single offer has more."""
GATHER_SECONDS = 0.02
"""How long the first event of a transaction waits for others to join it."""
AHEAD = 5 * MINUTE
"""By how much an event may be ahead of the wall clock: clocks of different machines differ."""
KEPT_BYTES = 64 * 1024
"""How much is kept of what was refused."""


class Batch:
    """Offers that were handed in together: the lines and rejects to keep, and who waits for them."""

    __slots__ = ("done", "lines", "notes", "origin", "receipts", "rejects")

    def __init__(self, size: int, origin: str, notes: Mapping[str, bytes]) -> None:
        self.origin = origin
        self.lines: list[tuple[int, Line]] = []
        self.rejects: list[Reject] = []
        self.receipts: list[Receipt | None] = [None] * size
        self.notes = notes
        self.done: Future[list[Receipt]] = Future()


class Intake:
    """See hosts.contract.Intake. `check` raises Refused for an event that the policy cannot take."""

    def __init__(self, clock: Clock, check: Callable[[Event], None]) -> None:
        self.check = check
        self._clock = clock
        self._waiting: deque[Batch] = deque()
        self._size = 0
        self._some = threading.Condition()
        self._shut: Unavailable | None = None
        self._for_good = False
        self._stirred = False

    # For those who hand in

    def accept(
        self, offers: Sequence[Offer], origin: str, notes: Mapping[str, bytes] | None = None
    ) -> list[Receipt]:
        """See hosts.contract.Intake. `notes` are kept in the same transaction: how far a source was read."""
        return self.offer(offers, origin, notes).result()

    def offer(
        self, offers: Sequence[Offer], origin: str, notes: Mapping[str, bytes] | None = None
    ) -> Future[list[Receipt]]:
        """The same without waiting: what `accept` gives or raises is in the future. Raises Busy and Unavailable."""
        if self._shut is not None:
            raise self._shut
        if self._size + len(offers) > MAX_WAITING and self._size:
            raise Busy(1)
        batch = Batch(len(offers), origin, notes or {})
        now = self._clock.now()
        for number, offer in enumerate(offers):
            try:
                batch.lines.append((number, self._line(offer, origin, now)))
            except Refused as refused:
                batch.rejects.append(Reject(now, origin, refused.code, refused.message, _body(offer)))
                batch.receipts[number] = _refusal(offer, refused)
        with self._some:
            if self._shut is not None:
                raise self._shut
            self._waiting.append(batch)
            self._size += len(offers)
            self._some.notify()
        return batch.done

    def _line(self, offer: Offer, origin: str, now: int) -> Line:
        if isinstance(offer.value, Refused):
            raise offer.value
        event = read_event(offer.value)
        if self._clock.live and event.at > now + AHEAD:
            raise Refused("E110", f"the event says `{render(event.at)}`, and it is `{render(now)}`", "at")
        if event.at < 0:
            raise Refused("E119", f"the event says `{render(event.at)}`, which is before 1970", "at")
        self.check(event)
        found = line(event, offer.value, origin, now)
        if len(found.body) > MAX_EVENT_BYTES:
            raise Refused("E003", f"an event of {len(found.body):,} bytes; at most {MAX_EVENT_BYTES:,}")
        return found

    # For the engine

    @property
    def size(self) -> int:
        """How many events wait."""
        return self._size

    def gather(self, seconds: float) -> list[Batch]:
        """The batches to make durable next, as soon as there are any; none after so many seconds, or when stirred."""
        with self._some:
            if not self._waiting and not self._stirred and seconds > 0:
                self._some.wait(seconds)
            self._stirred = False
            if not self._waiting:
                return []
            if self._size < BATCH and self._shut is None and seconds > 0:
                self._some.wait_for(lambda: self._size >= BATCH or self._stirred, GATHER_SECONDS)
            found: list[Batch] = []
            size = 0
            while self._waiting and (not found or size + len(self._waiting[0].receipts) <= BATCH):
                batch = self._waiting.popleft()
                size += len(batch.receipts)
                found.append(batch)
            self._size -= size
            return found

    def stir(self) -> None:
        """Let `gather` come back: there is something else to do."""
        with self._some:
            self._stirred = True
            self._some.notify()

    def shut(self, reason: str, *, for_good: bool = False) -> None:
        """Take nothing more; what waits already is still gathered."""
        with self._some:
            self._for_good = self._for_good or for_good
            self._shut = Unavailable(reason)
            self._some.notify()

    def open(self) -> None:
        """Take events again, unless it was shut for good."""
        with self._some:
            if not self._for_good:
                self._shut = None

    def give_back(self, reason: str) -> None:
        """Tell those who wait that their events are not taken."""
        with self._some:
            waiting, self._size = list(self._waiting), 0
            self._waiting.clear()
        for batch in waiting:
            batch.done.set_exception(Unavailable(reason))


def line(event: Event, data: Mapping[str, Any], origin: str, now: int) -> Line:
    """The line of the journal that an event makes; the same event always makes the same."""
    envelope: dict[str, Any] = {"id": event.id, "type": event.type, "at": render(event.at)}
    for name in ("case", "customer", "person"):
        value = getattr(event, name)
        if value is not None:
            envelope[name] = value
    for name in ("actor", "data"):
        if data.get(name) is not None:
            envelope[name] = data[name]
    group = (
        f"customer:{event.customer}" if event.customer is not None
        else f"case:{event.case}" if event.case is not None
        else "set"
    )  # fmt: skip
    found = Line(event.id, event.at, group, _plain(envelope), event.case, event.customer, origin, now)
    found.everywhere = presence(event)
    return found


def _plain(envelope: dict[str, Any]) -> bytes:
    """JSON whose keys are in order, so that what says the same is the same."""
    try:
        return orjson.dumps(envelope, option=orjson.OPT_SORT_KEYS, default=_number)
    except TypeError:
        # Whole numbers of more than 64 bits: rare, and exact here as anywhere.
        import json

        return json.dumps(
            envelope, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=float
        ).encode()


def _number(value: Any) -> Any:
    """A decimal with more digits than a float has is written as it came."""
    return orjson.Fragment(str(value))


def _body(offer: Offer) -> bytes:
    if offer.body:
        return offer.body[:KEPT_BYTES]
    try:
        return orjson.dumps(offer.value, default=str)[:KEPT_BYTES]
    except TypeError:
        return repr(offer.value).encode("utf-8", "replace")[:KEPT_BYTES]


def _refusal(offer: Offer, refused: Refused) -> Receipt:
    name = offer.value.get("id") if isinstance(offer.value, dict) else None
    return Receipt(
        "refused", name if isinstance(name, str) else None, refused.code, refused.message, refused.path
    )
