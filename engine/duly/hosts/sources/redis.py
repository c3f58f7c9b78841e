"""The source `redis`: events from a stream of Redis, by a consumer group."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import redis

from duly.hosts.contract import Part, Receipt
from duly.hosts.service import Service
from duly.hosts.sources.feed import Feed, checked
from duly.sinks.base import revealed
from duly.sinks.redis_line import FAULTS, SETTINGS, connected, why
from duly.sinks.settings import mapping

WAIT_SECONDS = 1.0
"""How long to wait for something to come."""

SCHEMA = mapping(
    {
        **SETTINGS,
        "group": {
            "description": "The consumer group, which is made where there is none; `duly` where nothing is said.",
            "type": "string",
            "minLength": 1,
            "examples": ["duly"],
        },
        "consumer": {
            "description": "What this process is called in the group; host and process where nothing is said.",
            "type": "string",
            "minLength": 1,
            "examples": ["node-1"],
        },
        "field": {
            "description": "The field of an entry that holds the event as JSON; `event` where nothing is said.",
            "type": "string",
            "minLength": 1,
            "examples": ["event"],
        },
        "batch": {
            "description": "How many events are taken at once; 500 where nothing is said.",
            "type": "integer",
            "minimum": 1,
            "maximum": 10000,
            "examples": [500],
        },
        "claim_after_seconds": {
            "description": "After how long what another consumer left is taken over; 60 where nothing is said.",
            "type": "number",
            "exclusiveMinimum": 0,
            "examples": [60],
        },
    },
    required=["url", "stream"],
    examples=[{"url": "redis://127.0.0.1:6379/0", "stream": "cases"}],
)


def source(name: str, settings: Mapping[str, Any], service: Service) -> Part:
    """The source that the configuration calls `name`. Raises Faulty, Misconfigured."""
    checked(name, service, SCHEMA)
    return Feed(name, Stream(settings.get("settings") or {}), service)


class Stream:
    """See Broker. Several processes may share one group: each event goes to one of them."""

    faults = FAULTS

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._client = connected(settings, WAIT_SECONDS)
        self._place = urlsplit(revealed(settings["url"])).hostname or "this machine"
        self._stream: str = settings["stream"]
        self._group: str = settings.get("group", "duly")
        self._consumer: str = settings.get("consumer", f"{socket.gethostname()}-{os.getpid()}")
        self._field = settings.get("field", "event").encode()
        self._batch = int(settings.get("batch", 500))
        self._claim_after = round(float(settings.get("claim_after_seconds", 60)) * 1000)
        self._ready = False
        self._mine: str | None = "0"
        self._theirs = "0-0"

    def take(self) -> list[tuple[bytes, bytes]]:
        """See Broker: what this consumer took before it fell silent, what others left behind, what is new."""
        try:
            return [(id, _body(fields, self._field)) for id, fields in self._next()]
        except FAULTS:
            # Whatever it was, this consumer's own are looked through again: some may not have been settled.
            self._ready, self._mine = False, "0"
            raise

    def settle(self, taken: Sequence[tuple[bytes, Receipt]]) -> None:
        """See Broker."""
        try:
            self._client.xack(self._stream, self._group, *(id for id, _ in taken))
        except FAULTS:
            self._mine = "0"
            raise

    def give_back(self, taken: Sequence[bytes]) -> None:
        """See Broker: a group has no way of giving back; others take over what nobody settles."""

    def said(self, fault: BaseException) -> str:
        """See Broker."""
        return why(fault)

    def where(self) -> str:
        """See Broker."""
        return f"the stream {self._stream} of Redis at {self._place}, as {self._group}"

    def close(self) -> None:
        """See Broker."""
        self._client.close()

    def _next(self) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        if not self._ready:
            self._make_group()
        if self._mine is not None:
            found = self._read(self._mine)
            # Those that are there still are settled before the next are asked for, so the first are always next.
            self._mine = "0" if found else None
            if found:
                return found
        return self._claimed() or self._read(">")

    def _make_group(self) -> None:
        try:
            self._client.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._ready = True

    def _read(self, since: str) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        block = round(WAIT_SECONDS * 1000) if since == ">" else None
        found: Any = self._client.xreadgroup(
            self._group, self._consumer, {self._stream: since}, count=self._batch, block=block
        )
        streams = found.items() if isinstance(found, dict) else found or ()
        return [(id, fields or {}) for _, entries in streams for id, fields in _flat(entries)]

    def _claimed(self) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        """What another consumer took longer ago than allowed, and never settled."""
        found: Any = self._client.xautoclaim(
            self._stream, self._group, self._consumer, self._claim_after, self._theirs, count=self._batch
        )
        following, entries = found[0], found[1]
        self._theirs = following.decode() if isinstance(following, bytes) else str(following)
        return [(id, fields or {}) for id, fields in entries if id is not None]


def _flat(entries: Any) -> Any:
    """Entries as (id, fields), which newer protocols nest one deeper."""
    if entries and isinstance(entries[0], list) and entries[0] and isinstance(entries[0][0], (tuple, list)):
        return entries[0]
    return entries


def _body(fields: Mapping[bytes, bytes], name: bytes) -> bytes:
    """The event in an entry; an entry without it is refused as what it is, with a reason."""
    return fields.get(name, b"")
