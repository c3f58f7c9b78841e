"""Courier: takes to one sink what the outbox has for it, one round after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from duly.hosts.delivery.calls import Around, Calls, Outcome
from duly.hosts.delivery.reach import Reach
from duly.hosts.delivery.settings import Settings
from duly.hosts.delivery.sorting import Sorted, Sorting
from duly.hosts.store.contract import Store
from duly.hosts.store.records import Parcel, Settlement
from duly.sinks.base import Sink

ROUND = 50
"""How many messages a round takes to a sink that delivers one by one; as many may be repeated after a crash."""

ROUND_ATOMIC = 500
"""How many it takes to one that delivers all or none."""

_FOREVER = 1 << 62


class Courier:
    """Delivers to one sink; whoever calls it is the only one who does."""

    def __init__(self, name: str, sink: Sink, settings: Settings, store: Store, around: Around) -> None:
        self.name = name
        self._store = store
        self._terms = settings.terms[name]
        self._around = around
        addressed = bool(getattr(sink, "addressed", False))
        self._sorting = Sorting(name, settings, store, around.calendars, addressed=addressed)
        self._reach = Reach()
        self._calls = Calls(sink, self._terms, store, around, self._sorting, self._reach)
        if store.parcels(name, "retry", 1):
            self._reach.doubt()

    def round(self) -> int | None:
        """Do what can be done now; when to come again: now or before where there is more, None where nothing
        is known to come. Raises Unavailable where the store is.
        """
        now = self._around.now()
        known = self._store.outlets().get(self.name)
        if known is not None and known.disabled:
            return self._stand_in(known.disabled, now)
        if now < self._calls.patience:
            return self._calls.patience
        most = ROUND_ATOMIC if self._calls.atomic else ROUND
        if self._calls.window is not None:
            most = min(most, self._calls.window.room(now))
            if not most:
                return self._calls.window.free_at(now)
        parcels = self._fetch(now)
        if self._reach.doubtful and (parcels or not self._reach.down):
            early = self._first_in_line()
            if not early:
                self._reach.trust()
            elif early[0].due > now >= self._reach.next_try:
                if self._try_early(early, now):
                    return now
            elif early[0].due > now and self._reach.down:
                return min(self._reach.next_try, early[0].due)
        if not parcels:
            return self._store.next_out(self.name)
        return self._work_off(parcels, now, 1 if self._reach.down else most)

    def _work_off(self, parcels: Sequence[Parcel], now: int, most: int) -> int | None:
        """Sort parcels, deliver what is ready, settle all; when to come again."""
        found = self._sorting.sort(parcels, now, most)
        outcome = Outcome(again=found.again, ended=found.ended)
        for parcel, reason in found.unknown:
            self._calls.give_up(parcel, reason, outcome, now)
        self._calls.deliver(found.loads, now, outcome)
        self._settle(outcome, found.unwanted, now)
        if now < self._calls.patience:
            return self._calls.patience
        if not self._reach.down:
            return now
        coming = self._store.next_out(self.name)
        return self._reach.next_try if coming is None or coming <= now else min(coming, self._reach.next_try)

    def _fetch(self, now: int) -> list[Parcel]:
        """What is to be delivered, in order, no bundle cut in two."""
        most = 4 * ROUND if not self._calls.atomic else ROUND_ATOMIC
        parcels = self._store.outgoing(self.name, now, most)
        if len(parcels) == most and parcels[-1].bundle:
            last = parcels[-1].bundle
            parcels = [each for each in parcels if each.bundle != last] or parcels
        first: dict[str, tuple[int, int]] = {}
        for each in parcels:
            if each.bundle:
                place = (each.shard, each.seq)
                first[each.bundle] = min(place, first.get(each.bundle, place))
        again = [each for each in parcels if each.due]
        again.sort(key=lambda each: (*first.get(each.bundle, (each.shard, each.seq)), each.bundle))
        return again + [each for each in parcels if not each.due]

    # Whether the sink is there

    def _first_in_line(self) -> list[Parcel]:
        """The oldest of what waits because the sink failed, with what goes out together with it."""
        waiting = [each for _, each in self._store.parcels(self.name, "retry", 4 * ROUND)]
        together: dict[str, list[Parcel]] = {}
        for each in waiting:
            together.setdefault(each.bundle or f"{each.shard}/{each.seq}/{each.part}", []).append(each)
        for parcels in together.values():
            if not any(map(self._reach.suspects, parcels)):
                return parcels
        return []

    def _try_early(self, parcels: list[Parcel], now: int) -> bool:
        """Try what failed before its time, to see whether the sink is back: then the rest of it is due too.

        It counts only if it succeeds. Whether there is anything new to look at.
        """
        found = self._sorting_early(parcels, now)
        outcome = Outcome(again=found.again, ended=found.ended)
        for parcel, reason in found.unknown:
            self._calls.give_up(parcel, reason, outcome, now)
        self._calls.deliver(found.loads, now, outcome, early=True)
        if outcome.answered:
            self._store.hasten(self.name, now)
            self._sorting.held.clear()
            self._reach.trust()
        elif found.loads:
            self._reach.failed_early(parcels, now)
        self._settle(outcome, found.unwanted, now)
        return outcome.answered or not found.loads

    def _sorting_early(self, parcels: list[Parcel], now: int) -> Sorted:
        held, self._sorting.held = self._sorting.held, {}
        found = self._sorting.sort(parcels, now, 1)
        self._sorting.held = held
        return found

    # Settling

    def _settle(self, outcome: Outcome, unwanted: list[Parcel], now: int) -> None:
        settled = Settlement(
            now, outcome.delivered, unwanted, outcome.again, outcome.ended, outcome.handed, outcome.error
        )
        for each in outcome.ended:
            if each.state != "dead":
                self._around.count(self.name, each.state, 1)
        self._store.settle(self.name, settled)

    def _stand_in(self, why: str, now: int) -> int | None:
        """The sink is switched off: all that is for it goes to its fallback, or stays until it is enabled."""
        fallback = self._terms.fallback
        if fallback is None:
            return None
        parcels = self._store.outgoing(self.name, _FOREVER, 4 * ROUND)
        if not parcels:
            return None
        outcome = Outcome()
        unwanted = []
        for parcel, action, _, wanted in self._sorting.read(parcels):
            if not wanted:
                unwanted.append(parcel)
            elif self._sorting.has_by_rule(fallback, action):
                reason = f"`{self.name}` is switched off, and `{fallback}` has it by its own rule"
                outcome.ended.append(replace(parcel, state="moot", reason=reason, bundle=""))
            else:
                self._calls.give_up(parcel, f"switched off: {why}", outcome, now)
        self._settle(outcome, unwanted, now)
        return now
