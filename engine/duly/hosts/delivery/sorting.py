"""Sorting: what is to become of the parcels that a sink has before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from duly.calendars.calendars import Calendars
from duly.hosts.delivery import moot
from duly.hosts.delivery.bundles import Bundles, bundle_id, part_id
from duly.hosts.delivery.limits import Windows
from duly.hosts.delivery.quiet import Quiet, until
from duly.hosts.delivery.routes import CANCELLED
from duly.hosts.delivery.settings import Settings
from duly.hosts.delivery.severity import CANCELLING
from duly.hosts.store.contract import Store
from duly.hosts.store.records import Parcel, Settlement
from duly.instants import SECOND, parse, render

FRESH = 10 * SECOND
"""What was given out less than this ago is not looked up again before it is delivered, in µs."""

LIMITED = "limited: "
"""What the reason of a parcel begins with that has its turn under the limit of its recipient."""

Action = Mapping[str, Any]


@dataclass(slots=True)
class Load:
    """Parcels that go out as one message, with their actions; `line` is the order that they must keep."""

    id: str
    line: str
    recipients: Sequence[tuple[str, str]]
    parcels: list[Parcel] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    @property
    def attempt(self) -> int:
        """How often it has been tried."""
        return max(parcel.attempt for parcel in self.parcels)


@dataclass(slots=True)
class Sorted:
    """What became of parcels: those to deliver now, and those that are settled without."""

    loads: list[Load] = field(default_factory=list)
    unwanted: list[Parcel] = field(default_factory=list)
    again: list[Parcel] = field(default_factory=list)
    ended: list[Parcel] = field(default_factory=list)
    unknown: list[tuple[Parcel, str]] = field(default_factory=list)

    def settlement(self, now: int) -> Settlement:
        """What can be settled at once."""
        return Settlement(now, unwanted=self.unwanted, again=list(self.again), ended=list(self.ended))


class Sorting:
    """How the parcels of one sink are sorted. It remembers limits and open bundles, and whose line is held up."""

    def __init__(
        self,
        sink: str,
        settings: Settings,
        store: Store,
        calendars: Callable[[], Mapping[str, Any]],
        *,
        addressed: bool,
    ) -> None:
        self.sink = sink
        self.held: dict[str, int] = {}
        """Until when a line waits for a message of it that has failed."""
        self._settings = settings
        self._terms = settings.terms[sink]
        self._store = store
        self._specs = calendars
        self._calendars: tuple[Mapping[str, Any], Calendars] = ({}, Calendars({}))
        self._addressed = addressed
        self._bundles = Bundles(self._terms.bundling)
        self._windows = Windows(self._terms.limit_each)

    def sort(self, parcels: Sequence[Parcel], now: int, most: int) -> Sorted:
        """What is to become of parcels that `Store.outgoing` gave, in its order.

        At most so many loads are made ready; what comes after them is left as it is.
        """
        found = Sorted()
        rows = self.read(parcels)
        later = self._later([(parcel, action) for parcel, action, _, wanted in rows if wanted], now)
        by_bundle: dict[str, Load] = {}
        for parcel, action, original, wanted in rows:
            if not wanted:
                found.unwanted.append(parcel)
                continue
            if len(found.loads) >= most and (not parcel.bundle or parcel.bundle not in by_bundle):
                break
            self._place(found, by_bundle, parcel, action, original, later.get(parcel.group, ()), now)
        for load in found.loads:
            if len(load.parcels) > 1:
                load.id = bundle_id(self.sink, load.parcels[0].bundle)
        return found

    def read(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Action, Action | None, bool]]:
        """Parcels with their action, the action that this one takes back, and whether the sink wants it.

        What was put off, has failed or was handed on by another sink was wanted when it came.
        """
        read = [(parcel, orjson.loads(parcel.body)) for parcel in parcels]
        originals = self._originals(read)
        return [
            (
                parcel,
                action,
                original,
                parcel.due > 0 or self.sink in self._settings.routes.wanted(action, original),
            )
            for parcel, action in read
            for original in [originals.get(action["id"])]
        ]

    def has_by_rule(self, sink: str, action: Action) -> bool:
        """Whether another sink gets an action by itself."""
        return sink in self._settings.routes.wanted(action)

    def _place(
        self, found: Sorted, by_bundle: dict[str, Load], parcel: Parcel, action: Action, original: Action | None,
        later: Sequence[Action], now: int,
    ) -> None:  # fmt: skip
        """Settle one parcel, or make it ready, once for each recipient where each gets his own."""
        if not self._terms.sends:
            reason = "dry run" if self._settings.mode == "dry_run" else "not one of the pilot's sinks"
            found.ended.append(replace(parcel, state="withheld", reason=reason))
            return
        why = moot.why(action, later)
        if why is not None:
            found.ended.append(replace(parcel, state="moot", reason=why))
            return
        recipients = self._recipients(parcel, action if original is None else original)
        if not self._addressed:
            self._ready(found, by_bundle, parcel, action, recipients, now)
            return
        several = len(recipients) > 1 or bool(parcel.part)
        for reference, address in recipients:
            share = replace(parcel, part=reference) if several else parcel
            if address:
                self._ready(found, by_bundle, share, action, [(reference, address)], now)
            else:
                found.unknown.append((share, self._nobody(reference, action)))

    def _recipients(self, parcel: Parcel, action: Action) -> list[tuple[str, str]]:
        addresses = self._settings.addresses
        found = addresses.recipients(action, self.sink)
        if parcel.part:
            found = [each for each in found if each[0] == parcel.part] or [
                (parcel.part, addresses.address(parcel.part, self.sink) or "")
            ]
        if not self._addressed:
            return found
        default = addresses.defaults.get(self.sink, "")
        reached = [each for each in found if each[1]]
        if default and len(reached) < max(1, len(found)):
            # One message to the default address speaks for all whose own is not known.
            who = next((reference for reference, address in found if not address), "")
            return [*reached, (who, default)]
        return found or [("", "")]

    def _nobody(self, reference: str, action: Action) -> str:
        if not reference:
            return f"`{action['type']}` names nobody, and the sink `{self.sink}` has no `address` of its own"
        return (
            f"no address of `{reference}` is known: give it one under `addresses`, "
            f"or the sink `{self.sink}` an `address` for whoever has none"
        )

    def _ready(
        self, found: Sorted, by_bundle: dict[str, Load], parcel: Parcel, action: Action,
        recipients: list[tuple[str, str]], now: int,
    ) -> None:  # fmt: skip
        """Make a parcel ready, unless it has to wait."""
        names = tuple(reference for reference, _ in recipients if reference)
        line = ",".join(names) or parcel.group or str(action.get("case") or action.get("customer") or "")
        cancels = action["type"] in CANCELLING
        held = self.held.get(line, 0)
        if held > now:
            found.again.append(
                replace(
                    parcel, due=held, state="retry", reason=parcel.reason or "waits behind one that failed"
                )
            )
            return
        if not cancels:
            waits = self._put_off(parcel, action, names, now)
            if waits is not None:
                found.again.append(waits)
                return
        if parcel.bundle and parcel.bundle in by_bundle:
            load = by_bundle[parcel.bundle]
        else:
            load = Load(part_id(action["id"], parcel.part) if parcel.part else action["id"], line, recipients)
            found.loads.append(load)
            if parcel.bundle:
                by_bundle[parcel.bundle] = load
        load.parcels.append(parcel)
        load.actions.append(action)

    def _put_off(self, parcel: Parcel, action: Action, names: tuple[str, ...], now: int) -> Parcel | None:
        """The parcel as it waits, for people to be awake, for others to go with, or for its turn; else None."""
        hours: list[Quiet | None] = [self._settings.quiet_hours.get(name) for name in names]
        opens = until(action, self._terms.quiet, hours, self._known(), now)
        if opens is not None:
            reason = f"quiet hours until {render(opens)}"
            return replace(parcel, due=opens, state="deferred", reason=reason, bundle="")
        if parcel.attempt or parcel.bundle:
            return None
        bundle = self._bundles.place(action, names, now)
        if bundle is not None:
            reason = f"goes out with others at {render(bundle[1])}"
            return replace(parcel, due=bundle[1], state="deferred", reason=reason, bundle=bundle[0])
        if parcel.reason.startswith(LIMITED):
            return None
        free = self._windows.free_at(names, now)
        if free > now:
            reason = f"{LIMITED}{', '.join(names)} may be told more at {render(free)}"
            return replace(parcel, due=free, state="deferred", reason=reason)
        return None

    def _known(self) -> Calendars:
        """The calendars of the policy in force, built for this thread alone: they grow while they are asked."""
        specs = self._specs()
        if specs is not self._calendars[0]:
            self._calendars = (specs, Calendars(specs))
        return self._calendars[1]

    def _originals(self, read: Sequence[tuple[Parcel, Action]]) -> dict[str, Action]:
        """What each `action.cancelled` takes back, by the id of the latter: it goes to the same sinks and people."""
        found: dict[str, Action] = {}
        for parcel, action in read:
            if action["type"] == CANCELLED:
                original = self._given(parcel.group, action["data"].get("cancels"))
                if original is not None:
                    found[action["id"]] = original
        return found

    def _given(self, group: str, id: Any) -> Action | None:
        after = (0, 0)
        while True:
            page = self._store.outbox(group, after)
            for out in page:
                if out.id == id:
                    action: Action = orjson.loads(out.body)
                    return action
            if not page:
                return None
            after = (page[-1].shard, page[-1].seq)

    def _later(self, read: Iterable[tuple[Parcel, Action]], now: int) -> dict[str, list[Action]]:
        """What was given out after parcels that have waited and can make them moot, by group."""
        groups: dict[str, tuple[int, int]] = {}
        for parcel, action in read:
            if parcel.due or parse(action["at"]) < now - FRESH:
                place = (parcel.shard, parcel.seq)
                groups[parcel.group] = min(place, groups.get(parcel.group, place))
        found: dict[str, list[Action]] = {}
        if groups:
            for out in self._store.following(groups, moot.TAKING_BACK):
                found.setdefault(out.group, []).append(orjson.loads(out.body))
        return found
