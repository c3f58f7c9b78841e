"""The source `nats`: events from a stream of NATS JetStream, by a durable consumer that asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from duly.hosts.contract import Part, Receipt
from duly.hosts.service import Service
from duly.hosts.sources.feed import Feed, checked
from duly.sinks.base import revealed
from duly.sinks.nats_line import FAULTS, SETTINGS, NatsLine, why
from duly.sinks.settings import mapping

WAIT_SECONDS = 1.0
"""How long to wait for something to come."""

SCHEMA = mapping(
    {
        **SETTINGS,
        "stream": {
            "description": "The stream that the events are in.",
            "type": "string",
            "minLength": 1,
            "examples": ["CASES"],
        },
        "subject": {
            "description": "The subject to take, where not all of the stream's.",
            "type": "string",
            "pattern": r"^\S+$",
            "x-expected": "a subject such as `cases.>`",
            "examples": ["cases.>"],
        },
        "durable": {
            "description": "The name of the consumer, which is made where there is none; `duly` where nothing is said.",
            "type": "string",
            "pattern": r"^[A-Za-z0-9_-]+$",
            "x-expected": "a name such as `duly`",
            "examples": ["duly"],
        },
        "batch": {
            "description": "How many events are taken at once; 500 where nothing is said.",
            "type": "integer",
            "minimum": 1,
            "maximum": 10000,
            "examples": [500],
        },
        "ack_wait_seconds": {
            "description": "After how long an event that was not settled is given again; 60 where nothing is said.",
            "type": "integer",
            "minimum": 1,
            "examples": [60],
        },
    },
    required=["url", "stream"],
    examples=[{"url": "nats://127.0.0.1:4222", "stream": "CASES", "durable": "duly"}],
)


def source(name: str, settings: Mapping[str, Any], service: Service) -> Part:
    """The source that the configuration calls `name`. Raises Faulty, Misconfigured."""
    checked(name, service, SCHEMA)
    return Feed(name, JetStream(settings.get("settings") or {}), service)


class JetStream:
    """See Broker. Several processes may share one durable consumer: each event goes to one of them."""

    faults = FAULTS

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._line = NatsLine(settings, "duly-source-nats")
        self._place = ", ".join(
            urlsplit(each.strip()).hostname or "" for each in revealed(settings["url"]).split(",")
        )
        self._stream: str = settings["stream"]
        self._subject: str = settings.get("subject", "")
        self._durable: str = settings.get("durable", "duly")
        self._batch = int(settings.get("batch", 500))
        self._wanted = ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT, ack_wait=float(settings.get("ack_wait_seconds", 60)),
            max_ack_pending=max(1000, 2 * self._batch),
        )  # fmt: skip
        self._asking: tuple[JetStreamContext, JetStreamContext.PullSubscription] | None = None

    def take(self) -> list[tuple[Msg, bytes]]:
        """See Broker."""
        return [(each, each.data) for each in self._line.do(self._fetch, WAIT_SECONDS)]

    def settle(self, taken: Sequence[tuple[Msg, Receipt]]) -> None:
        """See Broker. What is refused is terminated: it is kept here, and giving it again would not mend it."""

        async def settling(stream: JetStreamContext) -> None:
            for message, receipt in taken:
                await (message.term() if receipt.status in ("refused", "conflict") else message.ack())

        self._line.do(settling, flush=True)

    def give_back(self, taken: Sequence[Msg]) -> None:
        """See Broker."""

        async def giving(stream: JetStreamContext) -> None:
            for message in taken:
                await message.nak()

        self._line.do(giving, flush=True)

    def said(self, fault: BaseException) -> str:
        """See Broker."""
        return why(fault)

    def where(self) -> str:
        """See Broker."""
        return f"the stream {self._stream} of NATS at {self._place}, as {self._durable}"

    def close(self) -> None:
        """See Broker."""
        self._line.close()

    async def _fetch(self, stream: JetStreamContext) -> list[Msg]:
        if self._asking is None or self._asking[0] is not stream:
            asking = await stream.pull_subscribe(
                self._subject, durable=self._durable, stream=self._stream, config=self._wanted
            )
            self._asking = stream, asking
        try:
            return await self._asking[1].fetch(self._batch, timeout=WAIT_SECONDS)
        except (TimeoutError, nats.errors.TimeoutError):
            return []
