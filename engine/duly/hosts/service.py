"""The service: one process that keeps promises. It is put together here, started, watched and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from duly.acting import ActingSet
from duly.cases import Event
from duly.hosts import parts, reload
from duly.hosts.clock import Clock, EventClock, WallClock
from duly.hosts.config import Config, Faulty
from duly.hosts.contract import Part
from duly.hosts.engine import CLOCK, Engine
from duly.hosts.health import Health, Watchdog, leave
from duly.hosts.intake import Intake
from duly.hosts.logs import Log
from duly.hosts.metrics import Metrics
from duly.hosts.retention import Retention
from duly.hosts.shard import Shard
from duly.hosts.sharing import wants_one_shard
from duly.instants import SECOND
from duly.sinks.base import Misconfigured
from duly.versions import revision

PATIENT_SECONDS = 3_600.0
"""How long deliveries may take at the end of the input, as long as they go on."""


class Service:
    """What runs: `intake` takes events, `store` keeps them, `clock` says what counts as now, `policy` is in force.

    `places` gives, for explanations, the place of each rule in the files of the policy. One that is made for
    `checking` is never started; it may stand beside a service that runs.

    Its parts are made with it: HTTP as `http.serve(service)`, deliveries as `delivery.Dispatcher(service)`, each
    source as `sources.source(name, settings, service)`; see hosts.contract.Part.
    """

    def __init__(
        self, config: Config, policy: ActingSet, places: Callable[[], Mapping[str, Any]] = dict,
        clock: Clock | None = None, environment: Mapping[str, str] | None = None, *, checking: bool = False,
    ) -> None:  # fmt: skip
        self.config = config
        self.log = Log("duly.service")
        self.metrics = Metrics()
        self.health = Health(self.metrics)
        self.policy = policy
        self.places = places
        self.checking = checking
        self.failed = False
        self.until: int | None = None
        self.when_given: list[Callable[[], None]] = []
        self._sets: dict[str, ActingSet] = {revision(policy): policy}
        self._watchdog = Watchdog(
            self.health, config.watchdog, config.folder, os.environ if environment is None else environment
        )
        self._wanted, self._told, self._stopped = threading.Event(), False, False
        self._reload: reload.Reload | None = None
        self._open_sources = sum(each["type"] != "http-webhook" for each in config.sources.values())
        self.store = parts.store(config, policy, checking=checking)
        try:
            self.clock = clock or self._clock()
            if isinstance(self.clock, WallClock):
                self.clock.jumped = self._jumped
            self.intake = Intake(self.clock, self._check)
            self.metrics.waiting(lambda: self.intake.size)
            self._engine = Engine(
                self.store, self.intake, self.clock, Shard(self.acting), self.metrics, self.health, self.given,
                self._failed, self._retention(),
            )  # fmt: skip
            adopted = self.store.adoptions()
            if adopted:
                self._same_set(adopted[-1][1])
            if not checking:
                self.adopt(policy, None if adopted else 0)
            self.parts: list[Part] = list(parts.made(self))
        except BaseException:
            self.store.close()
            raise

    # Policies

    def acting(self, revision: str) -> ActingSet:
        """The acting set of a revision that was adopted."""
        found = self._sets.get(revision)
        if found is None:
            compiled = orjson.loads(self.store.compiled(revision))
            found = self._sets[revision] = ActingSet(compiled, self.config.matcher)
        return found

    def _same_set(self, revision: str) -> None:
        """Raises Faulty where the state that is kept belongs to another set than the one to be run."""
        kept, asked = self.acting(revision).identity["set"], self.policy.identity["set"]
        if kept != asked:
            message = (
                f"the state in {self.config.store.shown} belongs to the set `{kept}`; the policy is `{asked}`"
            )
            fault = self.config.fault(("spec", "store"), message, "give this policy a store of its own")
            raise Faulty([fault])

    def adopt(self, policy: ActingSet, at: int | None = None) -> None:
        """Let a revision be in force from an instant on, by default from now; nothing where it is already.

        Raises Unusable for one that the store has too many shards for.
        """
        name = revision(policy)
        adopted = self.store.adoptions()
        if adopted and adopted[-1][1] == name:
            return
        if self.store.shards > 1 and wants_one_shard(policy):
            raise reload.Unusable(
                f"its cases meet at the desk or in the set, which needs a store of one shard; {self.config.store.shown}"
                f" has {self.store.shards}: move the journal to a store of one, see docs/operations.md"
            )
        self._sets[name] = policy
        self.store.adopt(name, self.clock.now() if at is None else at, orjson.dumps(policy.compiled))
        self.policy = policy
        self.intake.stir()
        self.log.info("adopted a policy", **policy.identity)

    def follow(self, place: reload.Place) -> None:
        """Once started, look for another policy there, and let it be in force from when it was found on."""
        self._reload = reload.Reload(place, self.adopt, lambda: self.policy)
        self.parts.append(self._reload)

    def _check(self, event: Event) -> None:
        """Raises Refused for an event that the policy in force cannot take."""
        self.policy.check(event)

    def _clock(self) -> Clock:
        if self.config.time == "wall":
            return WallClock()
        stands = self.store.noted(CLOCK)
        return EventClock(None if stands is None else int(stands))

    def _retention(self) -> Retention | None:
        keep = self.config.store.retention
        return None if keep is None else Retention(keep, self.store, self.clock, self.metrics)

    def _jumped(self, seconds: float) -> None:
        self.metrics.jumped()
        by = round(abs(seconds), 3)
        if seconds > 0:
            self.log.warning("the machine's clock was set forward", seconds=by)
        else:
            self.log.warning("the machine's clock was set back; time stands still until then", seconds=by)

    # Life

    def told(self) -> str:
        """What a person wants to know of it before anything else."""
        who = self.policy.identity
        named = " ".join(each for each in (who["set"], who["version"]) if each)
        return f"policy {named} ({who['revision'][:19]}), state in {self.config.store.shown}, time: {self.config.time}"

    def start(self) -> None:
        """Begin to work and to take events; come back at once. Raises Faulty for a part that cannot work."""
        self.log.info(f"starting: {self.told()}")  # noqa: G004
        try:
            # Sinks get what is given out from their start on: before the first action is.
            self._start_parts(brings=False)
            self._engine.start()
            self._start_parts(brings=True)
        except Misconfigured as error:
            self.stop()
            raise Faulty([self.config.fault(("spec",), str(error))]) from None
        if not self.failed:
            self.health.becomes("running")
        self._watchdog.tell("READY=1")
        self.log.info("running")

    def _start_parts(self, *, brings: bool) -> None:
        for part in self.parts:
            if part.brings == brings:
                part.start()
                self.log.info(part.where())

    def given(self) -> None:
        """Actions were given out: tell those who want to know, each in `when_given`."""
        for each in self.when_given:
            each()

    def run(self) -> None:
        """Start, go on until told to stop, and stop. SIGTERM and SIGINT tell it; a second one leaves at once.

        SIGHUP lets it look for another policy now.
        """
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
        """Take nothing more, finish what was accepted, deliver what is to be delivered, let go of everything.

        Told to by a signal, it takes `stop_within` for that; at the end of its input, as long as it needs.
        """
        if self._stopped:
            return
        self._stopped = True
        self.health.becomes("stopping")
        self._watchdog.tell("STOPPING=1")
        self.log.info("stopping")
        for part in self.parts:
            if part.brings:
                part.stop(self._left())
        self.intake.shut("the service is stopping", for_good=True)
        if self.until is not None and not self._told:
            self.store.append((), (), {CLOCK: str(self.until).encode()})
            self.clock.heard(self.until)
        self._engine.stop()
        for part in self.parts:
            if not part.brings:
                part.stop(self._left())
        self.store.close()
        self.health.becomes("stopped")
        self.log.info("stopped")

    def close(self) -> None:
        """Let go of what was never started."""
        self.store.close()

    def _left(self) -> float:
        """How many seconds a part may take to stop."""
        return self.config.stop_within / SECOND if self._told else PATIENT_SECONDS

    def _failed(self) -> None:
        self.failed = True
        self.health.becomes("failed")
        self.end()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def told(number: int, _: Any) -> None:
            if self._told:
                leave(128 + number)
            self._told = True
            self._engine.hurry(self.config.stop_within / SECOND)
            self.end()

        def look(number: int, _: Any) -> None:
            if self._reload is not None:
                self._reload.look()

        before = {each: signal.signal(each, told) for each in (signal.SIGTERM, signal.SIGINT)}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, look)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
