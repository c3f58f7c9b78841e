"""Couriers: the threads that deliver, one for each sink, as long as this process is the one who does."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace

from duly.hosts.clock import Clock
from duly.hosts.contract import Unavailable
from duly.hosts.delivery.calls import Around
from duly.hosts.delivery.courier import Courier
from duly.hosts.delivery.settings import Settings
from duly.hosts.logs import Log
from duly.hosts.store.contract import Store
from duly.instants import SECOND
from duly.sinks.base import Sink
from duly.sinks.registry import close

LEASE = 30 * SECOND
"""How long a sink stays with a process that no longer renews it, in µs."""

LONGEST_SLEEP = 2.0
"""After so many seconds the outbox is looked into though nobody has said anything: an operator may have let dead
letters be tried again."""

_LISTENS = 0.5


class Couriers:
    """Delivers what the outbox has to all sinks, from `start` to `stop`.

    `clock` must be one on which time passes by itself, whatever the events say; `owner` is a name for this process
    that no other has. Once it is stopped, the sinks are closed.
    """

    def __init__(
        self, sinks: Mapping[str, Sink], settings: Settings, store: Store, clock: Clock, owner: str, around: Around
    ) -> None:  # fmt: skip
        self._sinks = sinks
        self._settings = settings
        self._store = store
        self._clock = clock
        self._owner = owner
        self._finishing = threading.Event()
        self._stopped = threading.Event()
        self._around = replace(around, now=clock.now, stopping=self._stopped.is_set)
        self._bells = {name: threading.Event() for name in sinks}
        self._leases = dict.fromkeys(sinks, 0)
        self._log = Log("duly.delivery")
        self._threads = [
            threading.Thread(target=self._deliver, name=f"duly-sink-{name}", args=(name,), daemon=True)
            for name in sinks
        ]
        self._ear = threading.Thread(target=self._listen, name="duly-leases", daemon=True)

    def subscribe(self) -> None:
        """Let the sinks that are new take what is given out from now on, before the engine does. Raises Unavailable."""
        self._store.subscribe(list(self._sinks))

    def start(self) -> None:
        """Begin to deliver; come back at once."""
        self._clock.listen(self.wake)
        for thread in (*self._threads, self._ear):
            thread.start()

    def wake(self) -> None:
        """Something new may be in the outbox."""
        for bell in self._bells.values():
            bell.set()

    def stop(self, seconds: float = 10) -> None:
        """Deliver what can be delivered now, for at most so many seconds; let go of the sinks and of every thread.

        What a sink is busy with by then it may take a little longer to end.
        """
        by = time.monotonic() + seconds
        self._finishing.set()
        self.wake()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0, by - time.monotonic()))
        self._stopped.set()
        self.wake()
        for thread in (*self._threads, self._ear):
            if thread.ident is not None:
                thread.join()

    def _deliver(self, name: str) -> None:
        bell = self._bells[name]
        courier: Courier | None = None
        failures = 0
        while not self._stopped.is_set():
            bell.clear()
            try:
                courier = self._at_work(name, courier)
                again = None if courier is None else courier.round()
                failures = 0
            except Unavailable as error:
                failures += 1
                self._log.warning("the store is unavailable; delivering later", sink=name, reason=str(error))
            except Exception as fault:  # noqa: BLE001 - one sink's trouble must not end its deliveries for good
                failures += 1
                courier = None
                self._log.fault("a round of deliveries has failed", fault, sink=name)
            if failures:
                self._stopped.wait(min(0.1 * 2 ** min(failures, 10), 10))
                if self._finishing.is_set():
                    break
                continue
            now = self._clock.now()
            if again is not None and again <= now:
                continue
            if self._finishing.is_set():
                break
            bell.wait(LONGEST_SLEEP if again is None else min(self._clock.patience(again), LONGEST_SLEEP))
        self._let_go(name)

    def _at_work(self, name: str, courier: Courier | None) -> Courier | None:
        """The courier of a sink, as long as this process has it; a new one where it has it anew."""
        now = self._clock.now()
        if self._leases[name] > now:
            return courier or Courier(name, self._sinks[name], self._settings, self._store, self._around)
        if self._claim(name):
            return Courier(name, self._sinks[name], self._settings, self._store, self._around)
        return None

    def _claim(self, name: str) -> bool:
        now = self._clock.now()
        held = self._store.claim(name, self._owner, now + LEASE, now)
        self._leases[name] = now + LEASE if held else 0
        return held

    def _listen(self) -> None:
        """Hear of what is given out, and keep the sinks that this process has, also while a message takes long."""
        renewed = time.monotonic()
        while not self._stopped.is_set():
            try:
                if self._store.wait(_LISTENS):
                    self.wake()
                if time.monotonic() - renewed >= LEASE / SECOND / 3:
                    renewed = time.monotonic()
                    for name, until in self._leases.items():
                        if until:
                            self._claim(name)
            except Unavailable:
                self._stopped.wait(_LISTENS)

    def _let_go(self, name: str) -> None:
        try:
            if self._leases[name]:
                now = self._clock.now()
                self._store.claim(name, self._owner, now, now)
        except Unavailable:
            # The lease runs out by itself.
            self._log.info("the lease of a sink could not be given back", sink=name)
        try:
            close(self._sinks[name])
        except Exception as fault:  # noqa: BLE001 - the service stops all the same
            self._log.fault("a sink could not be closed", fault, sink=name)
