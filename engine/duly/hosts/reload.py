"""Reloading: a running service notices that there is another policy, and lets it be in force from then on.

What cannot be run changes nothing: the last valid policy stays in force, and the log says why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from duly.acting import ActingSet
from duly.hosts.contract import Unavailable
from duly.hosts.logs import Log
from duly.versions import revision

EVERY_SECONDS = 2.0


class Unusable(Exception):
    """A policy that cannot be run; the message says why and where."""


class Place(Protocol):
    """Where policies come from."""

    def mark(self) -> object:
        """What the place looks like now, cheaply; another answer means that it is worth loading again."""

    def load(self, running: ActingSet) -> ActingSet:
        """The policy that counts now, of the set that is `running`. Raises Unusable."""


class Reload:
    """Part of a service; see hosts.contract.Part. It looks at the place every few seconds, and when told to.

    A place that has just changed is given time until the next look, so that half a copy is not loaded.
    """

    brings = True
    """It is stopped before the engine is, as those are that bring events."""

    def __init__(
        self, place: Place, adopt: Callable[[ActingSet], None], running: Callable[[], ActingSet],
        every: float = EVERY_SECONDS,
    ) -> None:  # fmt: skip
        self._place = place
        self._adopt = adopt
        self._running = running
        self._every = every
        self._log = Log("duly.reload")
        self._loaded = self._seen = place.mark()
        self._told = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="reload", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Look no more."""
        self._done.set()
        self._told.set()
        self._thread.join(seconds)

    def where(self) -> str:
        """What is told of it at the start."""
        return f"looks for another policy every {self._every:g} s, and at SIGHUP"

    def look(self) -> None:
        """Load again, whether or not the place looks different; from any thread, a signal's among them."""
        self._told.set()

    def _watch(self) -> None:
        while not self._done.is_set():
            asked = self._told.wait(self._every)
            self._told.clear()
            if self._done.is_set():
                return
            mark = self._place.mark()
            settled = mark == self._seen
            self._seen = mark
            if asked or (settled and mark not in (self._loaded, ())):
                self._take(mark)

    def _take(self, mark: object) -> None:
        before = self._running()
        try:
            policy = self._place.load(before)
            self._loaded = mark
            if revision(policy) != revision(before):
                self._adopt(policy)
        except Unusable as error:
            self._loaded = mark
            self._log.error(
                "a new policy cannot be run; the one in force stays", reason=str(error), **_named(before)
            )
        except Unavailable as error:
            # It is tried again at the next look.
            self._log.warning("a new policy could not be adopted yet", reason=str(error))
        except Exception as error:  # noqa: BLE001 - a fault of loading must not end the watch
            self._loaded = mark
            self._log.error("a new policy could not be loaded", reason=str(error), kind=type(error).__name__)


def _named(policy: ActingSet) -> dict[str, Any]:
    return {"version": policy.identity["version"], "revision": policy.identity["revision"]}
