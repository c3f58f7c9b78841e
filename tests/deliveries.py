"""What tests of deliveries share: a store, a clock to turn, sinks, and couriers that go round by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import orjson

from duly.hosts.delivery import settings as reading
from duly.hosts.delivery.calls import Around
from duly.hosts.delivery.courier import Courier
from duly.hosts.store import open_store
from duly.hosts.store.contract import Store
from duly.hosts.store.records import Out
from duly.instants import SECOND, parse, render
from duly.sinks.base import DELIVERED, Message, Receipt
from duly.testing import VirtualClock

FAILED = Receipt("failed", "connection refused")
REFUSED = Receipt("refused", "400 Bad Request")
GONE = Receipt("gone", "410 Gone")
OFFICE = {
    "timezone": "UTC",
    "zone": {"at": [], "offsets": [0]},
    "eras": [{"from": None, "week": [[[8 * 3600, 18 * 3600]]] * 7}],
}
"""A calendar that is open from 08:00 to 18:00 UTC every day."""


CALENDARS = {"office": OFFICE}


class Place:
    """A sink that does what it is told: `down` fails all, `poison` fails ids, `refuses` refuses them."""

    def __init__(self, clock: VirtualClock, *, atomic: bool = False, addressed: bool = False) -> None:
        self.clock = clock
        self.atomic = atomic
        self.addressed = addressed
        self.down = False
        self.poison: set[str] = set()
        self.refuses: set[str] = set()
        self.answer: Receipt | None = None
        self.calls: list[list[Message]] = []
        self.tried: list[tuple[str, int]] = []
        self.taken: list[tuple[int, Message]] = []

    def deliver(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """See Sink."""
        now = self.clock.now()
        self.calls.append(list(messages))
        self.tried += [(message.id, now) for message in messages]
        receipts = [self._receipt(message) for message in messages]
        if self.atomic and any(receipt.outcome != "delivered" for receipt in receipts):
            return [next(receipt for receipt in receipts if receipt.outcome != "delivered")] * len(receipts)
        for message, receipt in zip(messages, receipts, strict=True):
            if receipt.outcome == "delivered":
                self.taken.append((now, message))
        return receipts

    def _receipt(self, message: Message) -> Receipt:
        ids = {action["id"] for action in message.actions}
        if self.answer is not None:
            return self.answer
        if self.down or ids & self.poison:
            return FAILED
        return REFUSED if ids & self.refuses else DELIVERED

    @property
    def ids(self) -> list[str]:
        """The ids of the actions taken, in order."""
        return [action["id"] for _, message in self.taken for action in message.actions]


class World:
    """A store with its outbox, sinks, and a clock; couriers go round by hand."""

    def __init__(self, folder: Path, spec: Mapping[str, Any], start: str = "2026-03-02T09:00:00Z") -> None:
        self.clock = VirtualClock(start)
        self.url = f"sqlite:{folder / 'duly.db'}"
        self.store: Store = open_store(self.url)
        self.settings, self.faults = reading.read(spec, {"always", "office"})
        self.sinks = {name: Place(self.clock) for name in self.settings.terms}
        self.counts: dict[tuple[str, str], int] = {}
        self.store.subscribe(list(self.sinks))
        self.couriers: dict[str, Courier] = {}
        self.given = 0

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def restart(self) -> None:
        """As after a crash: nothing is known but what stands in the store."""
        self.couriers.clear()

    def around(self) -> Around:
        def count(sink: str, outcome: str, number: int) -> None:
            self.counts[sink, outcome] = self.counts.get((sink, outcome), 0) + number

        return Around(self.clock.now, lambda _, actions: (actions[0]["type"], ""), lambda: CALENDARS, count)

    def give(self, *actions: Mapping[str, Any]) -> None:
        """Let actions be given out, in one transaction."""
        with self.store.work(0) as work:
            assert work is not None
            work.give([out(action) for action in actions])

    def courier(self, name: str) -> Courier:
        if name not in self.couriers:
            self.couriers[name] = Courier(name, self.sinks[name], self.settings, self.store, self.around())
        return self.couriers[name]

    def settle(self) -> int | None:
        """Let every courier go round until there is nothing to do now; when there is again."""
        while True:
            moments = [self.courier(name).round() for name in self.sinks]
            now = self.clock.now()
            if all(moment is None or moment > now for moment in moments):
                return min((moment for moment in moments if moment is not None), default=None)

    def run(self, seconds: float = 10**7) -> None:
        """Let so much time pass, and everything happen that is due in it."""
        end = self.clock.now() + round(seconds * SECOND)
        while True:
            moment = self.settle()
            now = self.clock.now()
            if moment is None or moment > end:
                if seconds < 10**7:
                    self.clock.advance((end - now) / SECOND)
                return
            self.clock.advance((moment - now) / SECOND)

    def fates(self) -> dict[str, set[tuple[str, str]]]:
        """What became of every action given out: (sink, fate) by id."""
        found: dict[str, set[tuple[str, str]]] = {}
        for name, sink in self.sinks.items():
            for id in sink.ids:
                found.setdefault(id, set()).add((name, "delivered"))
        for state in ("retry", "deferred", "dead", "moot", "withheld"):
            for name, parcel in self.store.parcels(None, state, 100_000):
                id = orjson.loads(parcel.body)["id"]
                found.setdefault(id, set()).add(
                    (name, state if parcel.reason else f"{state} without a reason")
                )
        return found


def out(action: Mapping[str, Any]) -> Out:
    """An action as it stands in the outbox."""
    group = f"customer:{action['customer']}" if action.get("customer") else f"case:{action.get('case')}"
    return Out(action["id"], parse(action["at"]), action["type"], group, orjson.dumps(action))


def action(id: str, type: str = "notify", to: Sequence[str] = ("person:lin",), **more: Any) -> dict[str, Any]:
    """An action as the engine gives it out."""
    at = more.pop("at", "2026-03-02T09:00:00Z")
    data = {"to": list(to), **more.pop("data", {})} if to else dict(more.pop("data", {}))
    return {
        "id": id, "type": type, "case": more.pop("case", "C-1"), "at": at, "reason": more.pop("reason", "test"),
        "rule": more.pop("rule", "reaction#test"), "data": data, **more,
    }  # fmt: skip


def instants(moments: Sequence[int]) -> Iterator[str]:
    return map(render, moments)
