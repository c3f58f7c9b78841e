"""Targets: one message for several, each with a result of its own, so that one's failure is not everybody's."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from duly.sinks.base import Message, Receipt

_REMEMBERED = 10_000


class Targets:
    """Delivers to one target at a time, and remembers who has a message already: a repeat goes to the others."""

    def __init__(self) -> None:
        self._reached: OrderedDict[tuple[str, str], None] = OrderedDict()

    def deliver(
        self, message: Message, targets: Sequence[tuple[str, Any]], send: Callable[[Any], Receipt]
    ) -> Receipt:
        """The receipt for all (name, target) together, with `details` of each by name.

        `failed` while one may still be reached, else `refused` where one never will be.
        """
        found: dict[str, Receipt] = {}
        for name, target in targets:
            key = (message.id, name)
            if key in self._reached:
                found[name] = Receipt("delivered", "has it already")
                continue
            receipt = found[name] = send(target)
            if receipt.outcome == "delivered":
                self._reached[key] = None
                if len(self._reached) > _REMEMBERED:
                    self._reached.popitem(last=False)
        return _together(found)


def _together(found: dict[str, Receipt]) -> Receipt:
    details = {name: {"outcome": each.outcome, "reason": each.reason} for name, each in found.items()}
    for outcome in ("failed", "refused", "gone"):
        those = {name: each for name, each in found.items() if each.outcome == outcome}
        if those:
            reason = "; ".join(f"{name}: {each.reason}" for name, each in those.items())
            waits = [each.after_seconds for each in those.values() if each.after_seconds is not None]
            # A target that wants no more closes the sink only where there is no other.
            if outcome == "gone" and len(those) < len(found):
                return Receipt("refused", reason, None, details)
            return Receipt(outcome, reason, max(waits, default=None), details)
    return Receipt("delivered", details=details)
