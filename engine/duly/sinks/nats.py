"""The sink `nats`: actions to a stream of NATS JetStream, which drops repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import nats.errors
import nats.js.errors
import orjson
from nats.js import JetStreamContext

from duly.sinks.base import Message, Receipt, Unreachable, speakable
from duly.sinks.nats_line import FAULTS, SETTINGS, NatsLine, why
from duly.sinks.settings import mapping

_NEVER = (nats.errors.MaxPayloadError, nats.errors.BadSubjectError)


class Nats:
    """Publishes each action with its id as `Nats-Msg-Id`: a repeat within the stream's `duplicate_window` is dropped.

    A message counts as delivered once the stream has stored it.
    """

    schema = mapping(
        {
            **SETTINGS,
            "subject": {
                "description": "The subject to publish to; `{type}` in it is the action's type.",
                "type": "string",
                "pattern": r"^[^\s*>]+$",
                "x-expected": "a subject such as `duly.actions.{type}`",
                "examples": ["duly.actions.{type}"],
            },
            "stream": {
                "description": "The stream that must take it; without it, whichever does.",
                "type": "string",
                "minLength": 1,
                "examples": ["ACTIONS"],
            },
        },
        required=["url", "subject"],
        examples=[{"url": "nats://127.0.0.1:4222", "subject": "duly.actions.{type}"}],
    )

    worded = False

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._subject: str = settings["subject"]
        self._stream: str | None = settings.get("stream")
        self._line = NatsLine(settings, "duly-sink-nats")

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink. The actions go out in order, and the answers are then waited for together."""
        try:
            return self._line.do(lambda stream: self._publish(stream, messages))
        except FAULTS as error:
            return [Receipt("failed", why(error))] * len(messages)

    def check(self) -> str:
        """Connect, and ask which stream takes the subject."""
        subject = self._subject.replace("{type}", "notify")
        try:
            found = self._line.do(lambda stream: stream.find_stream_name_by_subject(subject))
        except nats.js.errors.NotFoundError:
            raise Unreachable(
                f"no stream takes the subject `{subject}`; add it to the subjects of one"
            ) from None
        except FAULTS as error:
            raise Unreachable(why(error)) from None
        finally:
            self._line.close()
        if self._stream not in (None, found):
            raise Unreachable(f"the stream `{found}` takes the subject `{subject}`, not `{self._stream}`")
        return f"the stream {found} takes {self._subject}"

    def close(self) -> None:
        """See Sink."""
        self._line.close()

    async def _publish(self, stream: JetStreamContext, messages: Sequence[Message]) -> list[Receipt]:
        waiting = [[await self._send(stream, action) for action in message.actions] for message in messages]
        receipts = []
        for futures in waiting:
            answers = await asyncio.gather(*futures, return_exceptions=True)
            receipts.append(_receipt(answers))
        return receipts

    async def _send(self, stream: JetStreamContext, action: Mapping[str, Any]) -> asyncio.Future[Any]:
        headers = {"Nats-Msg-Id": speakable(action["id"])}
        subject = self._subject.replace("{type}", action["type"])
        body = orjson.dumps(action, default=str)
        try:
            return await stream.publish_async(subject, body, stream=self._stream, headers=headers)
        except _NEVER as error:
            refused: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused


def _receipt(answers: Sequence[Any]) -> Receipt:
    for answer in answers:
        if isinstance(answer, BaseException):
            return Receipt("refused" if isinstance(answer, _NEVER) else "failed", why(answer))
    last = answers[-1]
    return Receipt(
        "delivered", details={"stream": last.stream, "sequence": last.seq, "repeat": bool(last.duplicate)}
    )
