"""The engine: one thread that makes events durable, works on shards, and sleeps until something is due."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from duly.cases import Refused
from duly.hosts.clock import Clock
from duly.hosts.contract import Receipt, Unavailable
from duly.hosts.health import Health
from duly.hosts.intake import Batch, Intake
from duly.hosts.logs import Log
from duly.hosts.metrics import Metrics
from duly.hosts.retention import Retention
from duly.hosts.shard import Shard, Step
from duly.hosts.store.contract import Store, Work
from duly.hosts.store.records import Line, Reject, Standing
from duly.instants import SECOND

T = TypeVar("T")

LONGEST_NAP = 1.0
"""Seconds after which the clock is looked at again whatever it said: it may have been set."""
OUTAGE = 10 * SECOND
"""What is found undone for longer was missed, and is caught up with (semantics §3.6)."""
LIMIT, SMALLEST_LIMIT = 1_000, 125
"""Lines and alarms of one transaction, at most and at least."""
LONGEST_STEP = 0.8
"""Seconds that a transaction should take at most: those who hand in events wait meanwhile, and so does a stop."""
CLOCK = "clock"
"""The note that says where a clock that moves with the events stands."""
PROBE = "probe"
"""The note that is written to find out whether the store can be written again."""
BARRED = 0.02
"""Seconds to wait where all that is to be done is in the hands of other processes."""
_BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Engine:
    """The loop of the service. `work` is what it does in a round; `run` goes round until it is told to stop."""

    def __init__(
        self, store: Store, intake: Intake, clock: Clock, shard: Shard, metrics: Metrics, health: Health,
        given: Callable[[], None], failed: Callable[[], None], retention: Retention | None = None,
    ) -> None:  # fmt: skip
        self._store, self._intake, self._clock, self._shard = store, intake, clock, shard
        self._metrics, self._health = metrics, health
        self._given, self._failed, self._retention = given, failed, retention
        self._log = Log("duly.engine")
        self._outages: dict[int, tuple[int, int]] = {}
        self._begun: set[int] = set()
        self._stop_by: float | None = None
        self._failures = 0
        self._limit, self._behind = LIMIT, False
        self._latest, self._barred = -1, False
        self._over = threading.Event()
        self._ear: threading.Thread | None = None
        self.thread = threading.Thread(target=self._run, name="duly-engine")

    def start(self) -> None:
        """Begin to work."""
        self._clock.listen(self._intake.stir)
        if self._store.shared:
            self._ear = threading.Thread(target=self._listen, name="duly-ear", daemon=True)
            self._ear.start()
        self.thread.start()

    def stop(self) -> None:
        """Do what was accepted, and what is due; then stop."""
        if self._stop_by is None:
            self._stop_by = float("inf")
        self._intake.stir()
        if self.thread.ident is not None:
            self.thread.join()
        if self._ear is not None:
            self._ear.join()

    def hurry(self, seconds: float) -> None:
        """When told to stop, take no longer than so many seconds from now."""
        self._stop_by = time.monotonic() + seconds

    def _run(self) -> None:
        try:
            while not self._ended():
                try:
                    self._round()
                    self._recovered()
                except Unavailable as error:
                    self._wait_for_the_store(error)
        except BaseException as fault:  # noqa: BLE001 - whatever it is, nobody else would hear of it
            self._log.fault("the engine has failed and stops", fault)
            self._failed()
        finally:
            self._intake.shut("the service has stopped", for_good=True)
            self._intake.give_back("the service has stopped")
            self._over.set()

    def _ended(self) -> bool:
        if self._stop_by is None:
            return False
        if time.monotonic() >= self._stop_by:
            return True
        if self._intake.size or self._failures:
            return False
        return not self._store.waiting(self._clock.now())

    def _round(self) -> None:
        """Make durable what waits, work on every shard that has something to do."""
        if self._failures:
            # A full disk can be read: only what is written says that the store is back.
            self._store.append((), (), {PROBE: str(self._clock.now()).encode()})
        batches = self._intake.gather(self._nap())
        if batches:
            self._accept(batches)
        waiting = self._store.waiting(self._clock.now())
        self._barred = bool(waiting)
        # Each gets its turn, also where the round ends before the last of them.
        for shard in sorted(waiting, key=lambda shard: (shard <= self._latest, shard)):
            if self._work(shard, self._clock.now(), _nothing) is None:
                continue
            self._latest, self._barred = shard, False
            if self._intake.size:
                # Those who hand in wait for their receipts; the work can wait until they have them.
                break
        if self._retention is not None and self._stop_by is None:
            self._retention.go_on(busy=bool(batches or self._intake.size))
        due = self._store.next_due()
        self._health.moved(0 if due is None or not self._clock.live else self._clock.now() - due)

    def _nap(self) -> float:
        """How long to wait for events: until something is due."""
        if self._barred:
            return BARRED
        if self._stop_by is not None or self._store.waiting(self._clock.now()):
            return 0
        due = self._store.next_due()
        nap = LONGEST_NAP if self._retention is None else min(LONGEST_NAP, self._retention.patience())
        return nap if due is None else min(nap, self._clock.patience(due))

    def _accept(self, batches: list[Batch]) -> None:
        begun = time.perf_counter()
        lines = [line for batch in batches for _, line in batch.lines]
        rejects = [reject for batch in batches for reject in batch.rejects]
        notes = {name: value for batch in batches for name, value in batch.notes.items()}
        now = self._clock.now()
        if not self._clock.live and lines:
            now = max(now, *(line.at for line in lines))
            notes[CLOCK] = str(now).encode()
        try:
            if self._keeps_up(lines):
                standings = self._work(0, now, lambda work: work.accept(lines, rejects, notes))
            else:
                standings = None
            if standings is None:
                standings = self._store.append(lines, rejects, notes)
                self._metrics.stepped(time.perf_counter() - begun, "accept")
        except BaseException as error:
            for batch in batches:
                batch.done.set_exception(Unavailable(str(error)))
            raise
        for line in lines:
            self._clock.heard(line.at)
        self._answer(batches, standings)

    def _keeps_up(self, lines: Sequence[Line]) -> bool:
        """Whether lines can be worked on as they are accepted, in one transaction: it is less to do, but those who
        hand them in wait for it.
        """
        return not self._store.shared and not self._behind and 0 < len(lines) <= self._limit

    def _answer(self, batches: list[Batch], standings: Sequence[Standing]) -> None:
        coming = iter(standings)
        for batch in batches:
            for number, line in batch.lines:
                receipt = batch.receipts[number] = _receipt(line.id, next(coming))
                if receipt.status == "conflict":
                    reject = Reject(line.received_at, line.origin, receipt.code, receipt.message, line.body)
                    self._store.reject([reject])
            receipts = [each for each in batch.receipts if each is not None]
            for status, count in Counter([receipt.status for receipt in receipts]).items():
                self._metrics.taken(status, batch.origin, count)
            batch.done.set_result(receipts)

    def _work(self, shard: int, now: int, first: Callable[[Work], T]) -> T | None:
        """Do `first`, then the work on a shard, in one transaction; what it gave, None where others are at work."""
        begun = time.perf_counter()
        with self._store.work(shard) as work:
            if work is None:
                return None
            found = first(work)
            if self._clock.live and shard not in self._outages:
                since = self._missed_since(work, shard, now)
                if since is not None:
                    self._outages[shard] = (since, now)
            step = self._shard.step(
                work, now, wall=self._clock.live, outage=self._outages.get(shard), limit=self._limit
            )
        self._begun.add(shard)
        seconds = time.perf_counter() - begun
        self._behind = step.more
        self._done(shard, step, seconds)
        if seconds > LONGEST_STEP:
            self._limit = max(SMALLEST_LIMIT, self._limit // 2)
        elif step.more and seconds < LONGEST_STEP / 4:
            self._limit = min(LIMIT, self._limit * 2)
        return found

    def _missed_since(self, work: Work, shard: int, now: int) -> int | None:
        """Since when nobody has worked on a shard, if what should have been done meanwhile was not."""
        earliest = work.now
        missed = bool(work.due(now - OUTAGE, 1))
        if shard not in self._begun:
            received = [line.received_at for line in work.pending(now - OUTAGE, 1)]
            missed = missed or any(at < now - OUTAGE for at in received)
            earliest = min(received, default=now) if earliest is None else earliest
        return earliest if missed and earliest is not None and earliest < now else None

    def _done(self, shard: int, step: Step, seconds: float) -> None:
        outage = None if step.more else self._outages.pop(shard, None)
        if outage is not None:
            lost = (outage[1] - outage[0]) / SECOND
            self._log.warning(
                "caught up with what was due while nobody worked", shard=shard, seconds=round(lost, 1)
            )
        self._metrics.stepped(seconds, "work")
        self._metrics.gave(step.types, step.lateness)
        if step.actions:
            self._given()
        if step.refused:
            self._log.warning(
                "events were refused by the policy; see `duly journal rejects`", count=step.refused
            )
        if step.reconciled:
            self._log.info("late events were reconciled", groups=step.reconciled)

    def _wait_for_the_store(self, error: Unavailable) -> None:
        if not self._failures:
            self._log.error("the store is unavailable; trying again", reason=str(error))
        self._health.down(str(error))
        self._intake.shut(f"the store is unavailable: {error}")
        self._intake.give_back(f"the store is unavailable: {error}")
        seconds = _BACK_OFF[min(self._failures, len(_BACK_OFF) - 1)]
        self._failures += 1
        if self._stop_by is not None:
            seconds = max(0.0, min(seconds, self._stop_by - time.monotonic()))
        self._over.wait(seconds)

    def _recovered(self) -> None:
        if self._failures:
            self._log.info("the store is back", attempts=self._failures)
            self._failures = 0
            self._begun.clear()
            self._intake.open()

    def _listen(self) -> None:
        """Hear of what other processes have accepted."""
        while not self._over.is_set():
            try:
                if self._store.wait(1):
                    self._intake.stir()
            except Unavailable:
                self._over.wait(1)


def _nothing(work: Work) -> bool:
    """There is nothing to be done before the work; that it could be."""
    return True


def _receipt(id: str, standing: Standing) -> Receipt:
    if standing == "conflict":
        refused = Refused("E108", f"another event with the id `{id}` was accepted before", "id")
        return Receipt("conflict", id, refused.code, refused.message, refused.path)
    return Receipt(standing, id)
