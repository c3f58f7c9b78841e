"""The service: one process that keeps promises. It is put together here, started, watched and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import orjson

from duly.acting import ActingSet
from duly.cases import Event
from duly.hosts import sources
from duly.hosts.clock import Clock, EventClock, WallClock
from duly.hosts.config import Config, Faulty
from duly.hosts.contract import Part
from duly.hosts.engine import CLOCK, Engine
from duly.hosts.health import Health, Watchdog, leave
from duly.hosts.intake import Intake
from duly.hosts.logs import Log
from duly.hosts.metrics import Metrics
from duly.hosts.shard import Shard, wants_one_shard
from duly.hosts.store import open_store
from duly.hosts.store.contract import Store
from duly.instants import SECOND
from duly.sinks.base import Misconfigured
from duly.versions import revision

SHARDS = 16
"""Shards of a store that several processes share, where nothing asks for one."""


class Service:
    """What runs: `intake` takes events, `store` keeps them, `clock` says what counts as now, `policy` is in force.

    Its parts are made with it: HTTP as `http.serve(service)`, deliveries as `delivery.Dispatcher(service)`, each
    source as `sources.source(name, settings, service)`; see hosts.contract.Part.
    """

    def __init__(
        self, config: Config, policy: ActingSet, clock: Clock | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.config = config
        self.log = Log("duly.service")
        self.metrics = Metrics()
        self.health = Health(self.metrics)
        self.store: Store = open_store(config.store.url, shards=_shards(config, policy))
        self._sets: dict[str, ActingSet] = {revision(policy): policy}
        self.policy = policy
        self.clock = clock or self._clock()
        self.intake = Intake(self.clock, self._check)
        self.metrics.waiting(lambda: self.intake.size)
        self._engine = Engine(
            self.store, self.intake, self.clock, Shard(self.acting), self.metrics, self.health
        )
        self._watchdog = Watchdog(
            self.health, config.watchdog, config.folder, os.environ if environment is None else environment
        )
        self._wanted = threading.Event()
        self._open_sources = 0
        self._begin_with(policy)
        self.parts: list[Part] = list(self._parts())

    # Policies

    def acting(self, revision: str) -> ActingSet:
        """The acting set of a revision that was adopted."""
        found = self._sets.get(revision)
        if found is None:
            compiled = orjson.loads(self.store.compiled(revision))
            found = self._sets[revision] = ActingSet(compiled, self.config.matcher)
        return found

    def adopt(self, policy: ActingSet, at: int | None = None) -> None:
        """Let a revision be in force from an instant on, by default from now; nothing where it is already."""
        name = revision(policy)
        adopted = self.store.adoptions()
        if adopted and adopted[-1][1] == name:
            return
        self._sets[name] = policy
        self.store.adopt(name, self.clock.now() if at is None else at, orjson.dumps(policy.compiled))
        self.policy = policy
        self.intake.stir()
        self.log.info("adopted a policy", **policy.identity)

    def _check(self, event: Event) -> None:
        """Raises Refused for an event that the policy in force cannot take."""
        self.policy.check(event)

    def _begin_with(self, policy: ActingSet) -> None:
        adopted = self.store.adoptions()
        self.adopt(policy, None if adopted else 0)

    def _clock(self) -> Clock:
        if self.config.time == "wall":
            clock = WallClock()
            clock.jumped = self._jumped
            return clock
        stands = self.store.noted(CLOCK)
        return EventClock(None if stands is None else int(stands))

    def _jumped(self, seconds: float) -> None:
        self.metrics.jumped()
        by = round(abs(seconds), 3)
        if seconds > 0:
            self.log.warning("the machine's clock was set forward", seconds=by)
        else:
            self.log.warning("the machine's clock was set back; time stands still until then", seconds=by)

    # Life

    def start(self) -> None:
        """Begin to work and to take events; come back at once. Raises Faulty for a part that cannot work."""
        self._engine.start()
        try:
            for part in self.parts:
                self.log.info(part.where())
                part.start()
        except Misconfigured as error:
            self.stop()
            raise Faulty([self.config.fault(("spec",), str(error))]) from None
        self.health.becomes("running")
        self._watchdog.tell("READY=1")

    def run(self) -> None:
        """Start, go on until told to stop, and stop. SIGTERM and SIGINT tell it; a second one leaves at once."""
        with self._signals():
            self.start()
            while not self._wanted.wait(self._watchdog.every):
                self._watchdog.beat()
            self.stop()

    def end(self) -> None:
        """Tell the service to stop; come back at once."""
        self._wanted.set()

    def source_ended(self) -> None:
        """A source has come to its end. With the last of them, and nothing else to listen to, the service ends."""
        self._open_sources -= 1
        if self._open_sources <= 0 and self.config.http is None:
            self.end()

    def stop(self) -> None:
        """Take nothing more, finish what was accepted, deliver what is to be delivered, let go of everything."""
        self.health.becomes("stopping")
        self._watchdog.tell("STOPPING=1")
        self.log.info("stopping")
        by = time.monotonic() + self.config.stop_within / SECOND
        bring = [part for part in self.parts if getattr(part, "brings", True)]
        for part in bring:
            part.stop(max(0, by - time.monotonic()))
        self.intake.shut("the service is stopping", for_good=True)
        self._engine.stop(max(0, by - time.monotonic()))
        for part in self.parts:
            if part not in bring:
                part.stop(max(0, by - time.monotonic()))
        self.store.close()
        self.health.becomes("stopped")
        self.log.info("stopped")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def told(number: int, _: Any) -> None:
            if self._wanted.is_set():
                leave(128 + number)
            self.end()

        before = {each: signal.signal(each, told) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _parts(self) -> Iterator[Part]:
        if self.config.sinks:
            yield self._part("delivery.dispatcher", "Dispatcher")
        if self.config.http is not None:
            yield self._part("http.server", "serve")
        for name, settings in self.config.sources.items():
            if settings["type"] != "http-webhook":
                self._open_sources += 1
                yield sources.source(name, settings, self)

    def _part(self, module: str, name: str) -> Part:
        """A part that is imported only where it is asked for: what it needs may not be installed."""
        part: Part = getattr(import_module(f"duly.hosts.{module}"), name)(self)
        return part


def _shards(config: Config, policy: ActingSet) -> int:
    if config.store.url.startswith("sqlite:") or wants_one_shard(policy):
        return 1
    return config.store.shards or SHARDS
