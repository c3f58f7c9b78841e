"""Calls: what is taken to a sink, and what its receipts mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from duly.hosts.delivery.limits import Window
from duly.hosts.delivery.reach import Reach
from duly.hosts.delivery.retry import asked
from duly.hosts.delivery.settings import Terms
from duly.hosts.delivery.sorting import Action, Load, Sorting
from duly.hosts.store.contract import Store
from duly.hosts.store.records import Parcel
from duly.sinks.base import Message, Receipt, Sink

STUBBORN = 3
"""After so many attempts a message holds up its recipient's others no longer."""

REASON = 300
"""A reason is cut to so many characters."""

Render = Callable[[str, Sequence[Action]], tuple[str, str]]
"""The title and the text of a message with these actions, for a sink."""


@dataclass(slots=True)
class Around:
    """What a courier works with besides its sink: time, the resolved calendars of the policy in force, words, and who
    is told of what it does.
    """

    now: Callable[[], int]
    render: Render = lambda sink, actions: ("", "")
    calendars: Callable[[], Mapping[str, Any]] = dict
    count: Callable[[str, str, int], None] = lambda sink, outcome, count: None
    mask: Callable[[str], str] = str
    stopping: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Outcome:
    """What a round has come to, to be settled at its end."""

    delivered: list[Parcel] = field(default_factory=list)
    again: list[Parcel] = field(default_factory=list)
    ended: list[Parcel] = field(default_factory=list)
    handed: list[tuple[str, Parcel]] = field(default_factory=list)
    error: str = ""
    answered: bool = False
    gone: bool = False


class Calls:
    """Takes loads to one sink, each line in its order, and sees to what could not be delivered."""

    def __init__(
        self, sink: Sink, terms: Terms, store: Store, around: Around, sorting: Sorting, reach: Reach
    ) -> None:
        self.name = terms.name
        self.atomic = bool(getattr(sink, "atomic", False))
        self.patience = 0
        """Until when the other side wants to be left alone."""
        self.window = None if terms.limit is None else Window(terms.limit)
        self._addressed = bool(getattr(sink, "addressed", False))
        self._sink, self._terms, self._store, self._around = sink, terms, store, around
        self._sorting, self._reach = sorting, reach

    def deliver(self, loads: list[Load], now: int, outcome: Outcome, *, early: bool = False) -> None:
        """Take loads to the sink, each line in its order."""
        while loads:
            if outcome.gone or self._around.stopping():
                outcome.again += [_put_back(each, now) for load in loads for each in load.parcels]
                return
            wave, loads = self._wave(loads)
            ready = [(load, message) for load in wave if (message := self._message(load, outcome, now))]
            if not ready:
                continue
            receipts = self._receipts([message for _, message in ready])
            if self.window is not None:
                for _ in ready:
                    self.window.take(now)
            self._take_all([load for load, _ in ready], receipts, outcome, now, early=early)
            loads = self._held_back(loads, outcome, now)

    def _take_all(
        self, loads: list[Load], receipts: Sequence[Receipt], outcome: Outcome, now: int, *, early: bool
    ) -> None:
        """What the receipts of one call mean, for the sink and for each message."""
        down = all(receipt.outcome == "failed" for receipt in receipts)
        if not down:
            outcome.answered = True
            self._reach.answered()
        elif not early and not all(self._reach.suspects(load.parcels[0]) for load in loads):
            self._reach.failed(now)
        if down and self.atomic and len(loads) > 1:
            # Which of them is at fault is not known: they are tried one by one, and this attempt counts for none.
            outcome.error = _clean(self._around.mask(receipts[0].reason)) or "failed"
            self._be_patient(receipts[0], now)
            self._around.count(self.name, "failed", len(loads))
            outcome.again += [
                replace(each, due=each.due or now, state="retry", reason=outcome.error)
                for load in loads for each in load.parcels
            ]  # fmt: skip
            return
        for load, receipt in zip(loads, receipts, strict=True):
            self._take(load, receipt, outcome, now, early=early)

    def _wave(self, loads: list[Load]) -> tuple[list[Load], list[Load]]:
        """What may go in one call: one of each line, so that a failure changes no order; or, where it delivers
        all or none, as many as there are, but by itself what has failed before.
        """
        if self.atomic:
            if loads[0].attempt:
                return loads[:1], loads[1:]
            fresh = next((number for number, load in enumerate(loads) if load.attempt), len(loads))
            return loads[:fresh], loads[fresh:]
        lines: set[str] = set()
        wave: list[Load] = []
        rest: list[Load] = []
        for load in loads:
            (rest if load.line in lines else wave).append(load)
            lines.add(load.line)
        return wave, rest

    def _held_back(self, loads: list[Load], outcome: Outcome, now: int) -> list[Load]:
        """The loads whose line goes on; the others wait behind the one that failed."""
        going = []
        for load in loads:
            held = self._sorting.held.get(load.line, 0)
            if held <= now:
                going.append(load)
                continue
            outcome.again += [
                replace(each, due=held, state="retry", reason=each.reason or "waits behind one that failed")
                for each in load.parcels
            ]
        return going

    def _message(self, load: Load, outcome: Outcome, now: int) -> Message | None:
        """The message of a load; None where it cannot be written, which no other try would change."""
        try:
            title, text = self._around.render(self.name, load.actions)
        except Exception as error:  # noqa: BLE001 - one that cannot be written must not hold up the others
            reason = f"cannot be written: {self._said(error)}"
            for parcel in load.parcels:
                self.give_up(parcel, reason, outcome, now)
            return None
        return Message(load.id, load.actions, load.attempt + 1, title, text, load.recipients)

    def _receipts(self, messages: Sequence[Message]) -> list[Receipt]:
        try:
            receipts = list(self._sink.deliver(messages))
        except Exception as error:  # noqa: BLE001 - whatever a sink does, the others go on
            return [Receipt("failed", self._said(error))] * len(messages)
        if len(receipts) != len(messages):
            reason = f"the sink gave {len(receipts)} receipts for {len(messages)} messages"
            return [Receipt("failed", reason)] * len(messages)
        return receipts

    def _take(self, load: Load, receipt: Receipt, outcome: Outcome, now: int, *, early: bool) -> None:
        """What a receipt means for the parcels of a message."""
        reason = _clean(self._around.mask(receipt.reason))
        self._around.count(self.name, receipt.outcome, 1)
        if receipt.outcome == "delivered":
            outcome.delivered += load.parcels
            self._sorting.held.pop(load.line, None)
            return
        outcome.error = reason or receipt.outcome
        if receipt.outcome == "gone" and not self._addressed:
            self._store.disable(self.name, reason or "the other side wants nothing more (gone)", now)
            outcome.gone = True
            outcome.again += [_put_back(each, now) for each in load.parcels]
        elif receipt.outcome != "failed":
            for parcel in load.parcels:
                self.give_up(parcel, reason or receipt.outcome, outcome, now)
        elif early:
            self._be_patient(receipt, now)
            # It does not count: what it was due for, it still is.
            outcome.again += load.parcels
        else:
            self._be_patient(receipt, now)
            self._fail(load, reason, receipt.after_seconds, outcome, now)

    def _be_patient(self, receipt: Receipt, now: int) -> None:
        """Where the other side asked to be left alone for a time, nothing at all is sent until then."""
        if receipt.after_seconds is not None:
            self.patience = max(self.patience, now + asked(receipt.after_seconds))

    def _fail(self, load: Load, reason: str, after: float | None, outcome: Outcome, now: int) -> None:
        attempt = load.attempt + 1
        due = self._terms.retry.after(load.id, attempt, now, after)
        if due is None:
            since = load.actions[0].get("at", "?")
            for parcel in load.parcels:
                said = f"given up after {attempt} attempts, of {since}: {reason}"
                self.give_up(replace(parcel, attempt=attempt), said, outcome, now)
            return
        if attempt < STUBBORN:
            self._sorting.held[load.line] = due
        outcome.again += [
            replace(each, attempt=attempt, due=due, state="retry", reason=reason) for each in load.parcels
        ]

    def give_up(self, parcel: Parcel, reason: str, outcome: Outcome, now: int) -> None:
        """To the fallback with it, or to the dead letters."""
        fallback = self._terms.fallback
        if fallback is not None and not self._sorting.has_by_rule(fallback, orjson.loads(parcel.body)):
            said = _clean(f"from `{self.name}`: {reason}")
            outcome.handed.append((fallback, replace(parcel, reason=said)))
            outcome.error = outcome.error or reason
            self._around.count(self.name, "handed", 1)
            return
        if fallback is not None:
            reason = f"{reason}; `{fallback}` has it by its own rule"
        outcome.ended.append(replace(parcel, state="dead", reason=_clean(reason), bundle=""))
        outcome.error = outcome.error or reason
        self._around.count(self.name, "dead", 1)

    def _said(self, error: Exception) -> str:
        text = self._around.mask(str(error)).strip()
        return _clean(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _put_back(parcel: Parcel, now: int) -> Parcel:
    """A parcel that was taken up and not delivered, as if nothing had happened."""
    return parcel if parcel.due else replace(parcel, due=now, state="deferred", reason="put back")


def _clean(text: str) -> str:
    """A reason in one line, without what would disturb a terminal."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:REASON]
