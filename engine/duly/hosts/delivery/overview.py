"""Overview: how the sinks of a store stand, for an operator to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from duly.hosts.delivery.settings import Settings
from duly.hosts.store.contract import Store
from duly.hosts.store.records import Parcel, State
from duly.instants import render

MOST = 1_000_000


def sinks(store: Store, settings: Settings) -> list[dict[str, Any]]:
    """Every sink that the configuration or the store knows, as JSON data: type, state, what it has before it, what
    it has delivered, its latest failure. Raises Unavailable.
    """
    outlets = store.outlets()
    found = []
    for name in [*settings.terms, *(name for name in outlets if name not in settings.terms)]:
        terms, outlet = settings.terms.get(name), outlets.get(name)
        depth = store.depth(name)
        row: dict[str, Any] = {"sink": name, "type": None if terms is None else terms.type}
        if terms is None:
            row["state"] = "not configured"
        elif outlet is not None and outlet.disabled:
            row["state"] = "switched off"
            row["switched_off"] = {"reason": outlet.disabled, "at": render(outlet.disabled_at)}
        else:
            row["state"] = "live" if terms.sends else settings.mode
        row |= {"fallback": None if terms is None else terms.fallback, **depth._asdict(), "delivered": 0}
        row["last_delivery"] = row["last_error"] = None
        if outlet is not None:
            row["delivered"] = outlet.delivered
            row["last_delivery"] = render(outlet.delivered_at) if outlet.delivered_at else None
            if outlet.error:
                row["last_error"] = {"reason": outlet.error, "at": render(outlet.error_at)}
        found.append(row)
    return found


def letters(store: Store, sink: str | None, state: State = "dead") -> Iterator[dict[str, Any]]:
    """What sinks have kept in a state, by default the dead letters, as JSON data with their actions.

    Raises Unavailable.
    """
    for name, parcel in store.parcels(sink, state, MOST):
        action: Mapping[str, Any] = orjson.loads(parcel.body)
        yield {
            "sink": name, "id": action["id"], "type": action["type"], "case": action.get("case"), "at": action["at"],
            "to": parcel.part or None, "attempts": parcel.attempt, "reason": parcel.reason,
            "from": parcel.handed_by or None, "action": action,
        }  # fmt: skip


def named(store: Store, sink: str, ids: Sequence[str]) -> tuple[list[tuple[int, int]], list[str]]:
    """The places of a sink's dead letters with these action ids, or that begin so; and the ids that none has."""
    dead = [(str(orjson.loads(each.body)["id"]), each) for _, each in store.parcels(sink, "dead", MOST)]
    places: dict[tuple[int, int], None] = {}
    unknown = []
    for id in ids:
        found: list[Parcel] = [each for known, each in dead if known == id]
        if not found:
            near = {known for known, _ in dead if known.startswith(id)}
            found = [each for known, each in dead if known in near] if len(near) == 1 and len(id) >= 4 else []
        if not found:
            unknown.append(id)
        places.update(((each.shard, each.seq), None) for each in found)
    return list(places), unknown
