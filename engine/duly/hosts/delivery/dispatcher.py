"""Dispatcher: the threads that deliver, one for each sink, as long as this process is the one who does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace

from duly.hosts.clock import Clock
from duly.hosts.contract import Unavailable
from duly.hosts.delivery.courier import Around, Courier
from duly.hosts.delivery.settings import Settings
from duly.hosts.store.contract import Store
from duly.instants import SECOND
from duly.sinks.base import Sink

LEASE = 30 * SECOND
"""How long a sink stays with a process that no longer renews it, in µs."""

LONGEST_SLEEP = 2.0
"""After so many seconds the outbox is looked into even though nobody has said anything: another process may have
given something out, or an operator let dead letters be tried again."""

_log = logging.getLogger("duly.delivery")


class Dispatcher:
    """Delivers what the outbox has to all sinks, from `start` to `stop`.

    `clock` must be one on which time passes by itself, whatever the events say; `owner` is a name for this process
    that no other has. Once it is stopped, the sinks are closed.
    """

    def __init__(
        self, sinks: Mapping[str, Sink], settings: Settings, store: Store, clock: Clock, owner: str, around: Around
    ) -> None:
        self._sinks = sinks
        self._settings = settings
        self._store = store
        self._clock = clock
        self._owner = owner
        self._stopped = threading.Event()
        self._around = replace(around, now=clock.now, stopping=self._stopped.is_set)
        self._bells = {name: threading.Event() for name in sinks}
        self._leases: dict[str, bool] = dict.fromkeys(sinks, False)
        self._threads: list[threading.Thread] = []
        clock.listen(self.wake)

    def start(self) -> None:
        """Let the sinks take what is given out from now on. Raises Unavailable; to be called before the engine
        gives out anything.
        """
        self._store.subscribe(list(self._sinks))
        names = [(self._deliver, f"sink {name}", (name,)) for name in self._sinks]
        for target, name, arguments in [*names, (self._renew, "leases", ())]:
            thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """There is something new in the outbox; to be called after each commit that gave out actions."""
        for bell in self._bells.values():
            bell.set()

    def stop(self, seconds: float = 10) -> bool:
        """Finish the messages that are under way, and let go of the sinks; whether all did so in time."""
        self._stopped.set()
        self.wake()
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def alive(self) -> bool:
        """Whether all its threads run."""
        return all(thread.is_alive() for thread in self._threads)

    def _deliver(self, name: str) -> None:
        bell = self._bells[name]
        courier: Courier | None = None
        failures = 0
        while not self._stopped.is_set():
            bell.clear()
            patience = LONGEST_SLEEP
            try:
                if not self._leases[name]:
                    courier = None
                    self._claim(name)
                if self._leases[name]:
                    courier = courier or Courier(
                        name, self._sinks[name], self._settings, self._store, self._around
                    )
                    again = courier.round()
                    patience = LONGEST_SLEEP if again is None else self._clock.patience(again)
                failures = 0
            except Unavailable as error:
                failures += 1
                _log.warning("the store cannot be reached: %s", error, extra={"sink": name})
            except Exception:
                failures += 1
                _log.exception("delivering failed", extra={"sink": name})
            if failures:
                patience = min(0.1 * 2**failures, 10)
                self._stopped.wait(patience)
            elif patience > 0:
                bell.wait(min(patience, LONGEST_SLEEP))
        self._close(name)

    def _claim(self, name: str) -> None:
        now = self._clock.now()
        self._leases[name] = self._store.claim(name, self._owner, now + LEASE, now)

    def _renew(self) -> None:
        """Keep the sinks that this process has, also while a message takes long."""
        while not self._stopped.wait(LEASE / SECOND / 3):
            for name, held in self._leases.items():
                if held:
                    try:
                        self._claim(name)
                    except Unavailable:
                        # Whoever delivers will notice, too; nobody else can claim it meanwhile either.
                        continue

    def _close(self, name: str) -> None:
        try:
            if self._leases[name]:
                now = self._clock.now()
                self._store.claim(name, self._owner, now, now)
        except Unavailable:
            # The lease runs out by itself.
            _log.info("the lease could not be given back", extra={"sink": name})
        close = getattr(self._sinks[name], "close", None)
        if close is not None:
            try:
                close()
            except Exception:
                _log.exception("closing failed", extra={"sink": name})
