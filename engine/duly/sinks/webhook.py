"""The sink `webhook`: an HTTP POST for each message, signed as Standard Webhooks has it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from duly.sinks.answers import meant
from duly.sinks.base import Message, Misconfigured, Receipt, revealed, said, speakable
from duly.sinks.posting import NETWORK, Posting
from duly.sinks.settings import SECRET, TEXT_OR_SECRET, mapping
from duly.sinks.signatures import key_of, signed

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\t \x21-\x7e]*[\x21-\x7e])?\Z", re.ASCII)
_OURS = (
    "content-type",
    "content-length",
    "host",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "user-agent",
)


class Webhook:
    """Posts JSON `{type, timestamp, data}` to one URL, where `data` is the action."""

    schema = mapping(
        {
            "url": {
                **TEXT_OR_SECRET,
                "description": "Where to post to: `https://…`, or `http://…` within your own network.",
                "examples": ["https://hooks.example.com/duly", {"env": "HOOK_URL"}],
            },
            "secret": {
                **SECRET,
                "description": "What messages are signed with, such as `whsec_…`; the receiver has the same.",
            },
            "secrets": {
                "description": "Several secrets in place of one, while one takes over from another.",
                "type": "array",
                "minItems": 1,
                "items": SECRET,
                "x-expected": "a list of secrets",
                "examples": [[{"env": "HOOK_SECRET"}, {"env": "OLD_HOOK_SECRET"}]],
            },
            "headers": {
                "title": "map of headers",
                "description": "Headers that go with every message, such as a token.",
                "type": "object",
                "additionalProperties": TEXT_OR_SECRET,
                "examples": [{"Authorization": {"env": "HOOK_AUTHORIZATION"}}],
            },
            "texts": {
                "description": "Whether `title` and `text`, rendered for people, go along in `data`.",
                "type": "boolean",
                "examples": [True],
            },
            **NETWORK,
        },
        required=["url"],
        examples=[{"url": "https://hooks.example.com/duly", "secret": {"env": "HOOK_SECRET"}}],
    )

    def __init__(self, settings: Mapping[str, Any], now: Callable[[], float] = time.time) -> None:
        self._now = now
        secrets = [*([settings["secret"]] if "secret" in settings else ()), *settings.get("secrets", ())]
        self._keys = [key_of(secret) for secret in secrets]
        self._headers = [
            _header(name, revealed(value)) for name, value in settings.get("headers", {}).items()
        ]
        self.worded = bool(settings.get("texts"))
        self._posting = Posting(revealed(settings["url"]), settings)

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink. Once the other side wants no more, nothing more is sent."""
        receipts: list[Receipt] = []
        for message in messages:
            gone = receipts and receipts[-1].outcome == "gone"
            receipts.append(receipts[-1] if gone else self._post(message))
        return receipts

    def check(self) -> str:
        """Connect, and nothing more."""
        return self._posting.check() + ("" if self._keys else "; messages are not signed")

    def close(self) -> None:
        """See Sink."""
        self._posting.close()

    def _post(self, message: Message) -> Receipt:
        body = orjson.dumps(_body(message, texts=self.worded), default=str)
        id, timestamp = speakable(message.id), int(self._now())
        headers = [*self._headers, ("webhook-id", id), ("webhook-timestamp", str(timestamp))]
        if self._keys:
            headers.append(("webhook-signature", signed(id, timestamp, body, self._keys)))
        return self._posting.post(body, headers, lambda answer: meant(answer, self._now()))


def _header(name: str, value: str) -> tuple[str, str]:
    """A header of the configuration. Raises Misconfigured, without its value."""
    if not _HEADER_NAME.match(name) or name.lower() in _OURS or name.lower().startswith("webhook-"):
        raise Misconfigured(f"`headers`: `{said(name, 60)}` is not a header that can be set")
    if not _HEADER_VALUE.match(value):
        raise Misconfigured(
            f"`headers`: the value of `{name}` is empty, or has a character that no header can hold"
        )
    return name, value


def _body(message: Message, *, texts: bool) -> dict[str, Any]:
    """What is posted: one action as `data`, or those that are bundled under `actions`."""
    action = message.actions[-1]
    if len(message.actions) == 1:
        found: dict[str, Any] = {"type": action["type"], "timestamp": action["at"], "data": dict(action)}
    else:
        data = {"actions": [dict(each) for each in message.actions]}
        found = {"type": "actions.bundled", "timestamp": action["at"], "data": data}
    if texts:
        found["data"] |= {"title": message.title, "text": message.text}
    return found
