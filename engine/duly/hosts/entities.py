"""Entities: those of one shard, fetched from its store when they are asked for, and the latest of them kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from duly.hosts.store.contract import Work
from duly.hosts.store.records import Kept
from duly.machines.packed import Packing
from duly.machines.state import State


class Entities(dict[str, Any]):
    """What a timeline runs. `groups` says of each key that is here which group it belongs to."""

    def __init__(self, packing: Packing) -> None:
        super().__init__()
        self.packing = packing
        self.groups: dict[str, str] = {}
        self._stored: dict[str, tuple[str, int | None]] = {}
        self._recent: set[str] = set()
        self._absent: set[str] = set()
        self._work: Work | None = None

    def begin(self, work: Work) -> None:
        """From now on they are fetched from there."""
        self._work = work
        self._absent.clear()

    def fetch(self, keys: Iterable[str]) -> None:
        """Get all of these that are not here at once."""
        have, absent = super().__contains__, self._absent
        missing = [key for key in keys if not have(key) and key not in absent]
        if not missing or self._work is None:
            return
        found = self._work.load(missing)
        unpacked = self.packing.unpacked
        for key, kept in found.items():
            self[key] = unpacked(kept.body)
            self.groups[key] = kept.group
            self._stored[key] = kept.group, kept.alarm
        absent.update([key for key in missing if key not in found])

    def get(self, key: str, default: Any = None) -> Any:
        """The entity, wherever it is."""
        found = super().get(key)
        if found is None and key not in self._absent:
            self.fetch((key,))
            found = super().get(key)
        return default if found is None else found

    def __missing__(self, key: str) -> Any:
        self.fetch((key,))
        found = super().get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return self.get(str(key)) is not None

    def drop(self, key: str) -> None:
        """Forget an entity that is no more."""
        self.pop(key, None)
        self.groups.pop(key, None)
        self._stored.pop(key, None)
        self._absent.add(key)

    def rows(self, keys: Iterable[str]) -> list[Kept]:
        """These entities as they are stored from now on."""
        packed, groups, stored, found = self.packing.packed, self.groups, self._stored, []
        for key in keys:
            state = super().get(key)
            if state is not None:
                group, alarm = place = groups[key], state.alarm
                closed = isinstance(state, State) and state.closed
                steady = stored.get(key) == place
                if not steady:
                    stored[key] = place
                found.append(Kept(key, group, alarm, state.at, packed(state), closed, steady))
        return found

    def settle(self, touched: Collection[str], size: int) -> None:
        """Keep about so many, a quarter more at most: those that were touched last."""
        if size <= 0:
            self.clear()
            self.groups.clear()
            self._stored.clear()
            return
        self._recent.update(touched)
        if len(self) <= size + size // 4:
            return
        # What was touched since the last time goes behind the rest, and the first of all go.
        for key in self._recent:
            if super().__contains__(key):
                self[key] = self.pop(key)
        self._recent.clear()
        for key in list(self)[: len(self) - size]:
            del self[key]
            del self.groups[key]
            self._stored.pop(key, None)
