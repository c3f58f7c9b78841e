"""The sink `apprise`: chat services and whatever else Apprise can reach, one target at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import apprise

from duly.sinks.base import Escape, Message, Misconfigured, Receipt, Secret, revealed, said
from duly.sinks.settings import TEXT_OR_SECRET, mapping
from duly.sinks.targets import Targets

_FORMATS: dict[str, Escape] = {"text": "plain", "markdown": "markdown", "html": "html"}
# They answer 200 to what they refuse, and Apprise looks no further.
_BLIND = {"DingTalk", "Feishu", "Lark", "WeCom Bot"}


class Apprise:
    """Tells one target after the other, and keeps a result for each: Apprise itself would say yes or no of all.

    A recipient's address is the name of a target, or a URL of Apprise.
    """

    schema = mapping(
        {
            "targets": {
                "title": "map of targets",
                "description": "The URLs of Apprise by a name that addresses can use, each for one target.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": TEXT_OR_SECRET,
                "examples": [{"duty-room": {"env": "DINGTALK_URL"}, "desk": {"file": "/run/secrets/wecom"}}],
            },
            "format": {
                "description": "What texts are written in: `text`, which is the default, `markdown` or `html`.",
                "enum": ["text", "markdown", "html"],
                "examples": ["markdown"],
            },
            "everybody": {
                "description": "Whether every message goes to all targets, not only to those that are addressed.",
                "type": "boolean",
                "examples": [True],
            },
        },
        required=["targets"],
        examples=[{"targets": {"duty-room": {"env": "DINGTALK_URL"}}, "everybody": True}],
    )

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._format: str = settings.get("format", "text")
        self.escape = _FORMATS[self._format]
        self._services = {
            name: _service(url, f"`targets.{name}`") for name, url in settings["targets"].items()
        }
        self._everybody = bool(settings.get("everybody"))
        self.addressed = not self._everybody
        self._targets = Targets()

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink."""
        return [self._one(message) for message in messages]

    def check(self) -> str:
        """Say which services there are: no chat service can be asked without sending something."""
        named = ", ".join(f"{name} ({service.service_name})" for name, service in self._services.items())
        blind = sorted({str(service.service_name) for service in self._services.values()} & _BLIND)
        hint = "".join(f"; for {name} take a sink of type `chat`, which reads its answers" for name in blind)
        return f"the URLs are well formed: {named}{hint}"

    def _one(self, message: Message) -> Receipt:
        names = list(self._services) if self._everybody else [address for _, address in message.recipients]
        if not names:
            return Receipt(
                "refused", "nobody to send to: give addresses for this sink, or set `everybody: true`"
            )
        # An address may be a URL that holds a token, so who it is of is what results are kept by.
        shown = names if self._everybody else [who for who, _ in message.recipients]
        return self._targets.deliver(message, list(zip(shown, names, strict=True)), self._telling(message))

    def _telling(self, message: Message) -> Callable[[str], Receipt]:
        def tell(name: str) -> Receipt:
            try:
                service = self._services.get(name) or _service(Secret(name), "its address", self._services)
            except Misconfigured as error:
                return Receipt("refused", str(error))
            with _heard() as heard:
                try:
                    done = service.notify(
                        body=message.text or message.title, title=message.title, body_format=self._format
                    )
                except Exception as error:  # noqa: BLE001 - a plugin may raise whatever its library does
                    return Receipt("failed", f"{service.service_name}: {type(error).__name__}")
            if done:
                return Receipt("delivered")
            return Receipt("failed", said("; ".join(heard)) or f"{service.service_name} did not take it")

        return tell


def _service(url: str | Secret, where: str, known: Mapping[str, Any] = {}) -> Any:
    """What Apprise makes of a URL. Raises Misconfigured, without showing the URL, which holds a token."""
    text = revealed(url)
    if "://" not in text:
        names = ", ".join(f"`{name}`" for name in known)
        more = f" or the name of a target: {names}" if names else ""
        raise Misconfigured(f"{where}: expected a URL such as `dingtalk://TOKEN`{more}")
    with _heard():
        service = apprise.Apprise.instantiate(text, suppress_exceptions=True)
    if service is None:
        scheme = said(text.partition("://")[0], 30)
        raise Misconfigured(f"{where}: Apprise does not understand this URL of the scheme `{scheme}://`")
    return service


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise says in its log while it is at work in this thread: it gives no other reason.

    What it says below a warning may hold URLs with their tokens, and is not listened to.
    """
    found: list[str] = []
    thread = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                found.append(record.getMessage())

    ear = Ear(logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.addHandler(ear)
    try:
        yield found
    finally:
        logger.removeHandler(ear)
