"""Alarms: who is to be woken when, the earliest first; of one instant, in the order of their keys."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

_BITS = 32
_SLOT = (1 << _BITS) - 1


class Alarms:
    """A heap of whole numbers, each an instant and the slot of a key. Tuples of the two would lie scattered in memory,
    and with a million of them the next one would cost twice as much.
    """

    __slots__ = ("_at", "_free", "_heap", "_keys", "_together")

    def __init__(self) -> None:
        self._heap: list[int] = []
        self._keys: list[str] = []
        self._free: list[int] = []
        # The keys of the instant that is under way, where there are several, as a heap.
        self._at = 0
        self._together: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._heap or self._together)

    def __len__(self) -> int:
        return len(self._heap) + len(self._together)

    @property
    def first(self) -> int | None:
        """The earliest instant; None where there is no alarm."""
        if not self._heap:
            return self._at if self._together else None
        first = self._heap[0] >> _BITS
        return min(first, self._at) if self._together else first

    def set(self, at: int, key: str) -> None:
        """Wake `key` at an instant, in µs; also, if it is to be woken at others already."""
        if self._together and at == self._at:
            heappush(self._together, key)
        elif self._free:
            slot = self._free.pop()
            self._keys[slot] = key
            heappush(self._heap, at << _BITS | slot)
        else:
            heappush(self._heap, at << _BITS | len(self._keys))
            self._keys.append(key)

    def take(self) -> tuple[int, str]:
        """The earliest alarm, which is then none any more. Raises IndexError where there is none."""
        heap, together = self._heap, self._together
        if together:
            if not heap or heap[0] >> _BITS >= self._at:
                return self._at, heappop(together)
            # One was set before those that are under way: they have to wait again.
            waiting, self._together = together, []
            for key in waiting:
                self.set(self._at, key)
        at = heap[0] >> _BITS
        key = self._next()
        if not heap or heap[0] >> _BITS != at:
            return at, key
        together = [key]
        while heap and heap[0] >> _BITS == at:
            together.append(self._next())
        heapify(together)
        self._at, self._together = at, together
        return at, heappop(together)

    def _next(self) -> str:
        slot = heappop(self._heap) & _SLOT
        self._free.append(slot)
        return self._keys[slot]
