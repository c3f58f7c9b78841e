"""Lines: the event that a line of the journal says, and the texts of what comes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from duly.cases import Event, fill
from duly.hosts.store.records import Line


def event(line: Line) -> Event:
    """The event of an accepted line: it was read once, so that only what it says is looked at again. Raises Refused
    and ValueError for a line that nobody could have accepted.
    """
    data = orjson.loads(line.body)
    found = Event(line.id, data["type"], line.at)
    found.case, found.customer, found.person = line.case, line.customer, data.get("person")
    fill(found, data)
    return found


def action_body(shown: Mapping[str, Any]) -> bytes:
    """An action as it goes into the outbox."""
    try:
        return orjson.dumps(shown, default=_plain)
    except TypeError:  # a number of more than 64 bits
        return json.dumps(shown, separators=(",", ":"), default=_plain).encode()


def _plain(found: Any) -> Any:
    """What JSON has no form for: sets as sorted lists, decimals as numbers."""
    return sorted(found) if isinstance(found, (set, frozenset)) else float(found)
