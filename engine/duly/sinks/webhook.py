"""The sink `webhook`: an HTTP POST for each message, signed as Standard Webhooks has it."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpcore
import orjson

from duly.sinks.base import Message, Misconfigured, Receipt, Unreachable, revealed, said, speakable
from duly.sinks.connections import Guarded
from duly.sinks.guard import Forbidden, Guard
from duly.sinks.settings import SECRET, TEXT_OR_SECRET, TIMEOUT, mapping
from duly.sinks.signatures import key_of, signed

LIMIT = 16_384
"""How many bytes of an answer are read; it is looked at only where it says why something was refused."""

_AGAIN = frozenset((408, 425, 429))
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
_FIXED = (("content-type", "application/json"), ("user-agent", "duly"), ("accept-encoding", "identity"))
_NETWORK = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError)
_LONGEST = 7 * 86_400.0
"""The longest wait that is granted, in seconds."""


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
            "allow_private": {
                "description": "Whether addresses of private networks and of this machine may be posted to.",
                "type": "boolean",
                "examples": [False],
            },
            "allow_networks": {
                "description": "The networks that may be posted to although they are private.",
                "type": "array",
                "items": {"type": "string"},
                "x-expected": "a list of networks such as `10.1.0.0/16`",
                "examples": [["10.1.0.0/16"]],
            },
            "ca_file": {
                "description": "A file of the authorities that may vouch for the receiver, in place of the machine's.",
                "type": "string",
                "minLength": 1,
                "x-file": True,
                "examples": ["/etc/duly/our-ca.pem"],
            },
            "timeout_seconds": TIMEOUT,
        },
        required=["url"],
        examples=[{"url": "https://hooks.example.com/duly", "secret": {"env": "HOOK_SECRET"}}],
    )

    def __init__(self, settings: Mapping[str, Any], now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._guard = _guard(settings)
        self._url, self._origin = _url(revealed(settings["url"]), self._guard)
        secrets = [*([settings["secret"]] if "secret" in settings else ()), *settings.get("secrets", ())]
        self._keys = [key_of(secret) for secret in secrets]
        self._headers = [
            _header(name, revealed(value)) for name, value in settings.get("headers", {}).items()
        ]
        self._texts = bool(settings.get("texts"))
        self._seconds = float(settings.get("timeout_seconds", 15))
        self._trust = _trust(settings.get("ca_file"))
        self._backend = Guarded(self._guard)
        self._pool = httpcore.ConnectionPool(
            ssl_context=self._trust, network_backend=self._backend, max_connections=1, keepalive_expiry=30.0
        )

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink. Once the other side wants no more, nothing more is sent."""
        receipts: list[Receipt] = []
        for message in messages:
            gone = receipts and receipts[-1].outcome == "gone"
            receipts.append(receipts[-1] if gone else self._post(message))
        return receipts

    def check(self) -> str:
        """Connect, and nothing more."""
        host, port = self._origin
        self._backend.allow(self._seconds)
        try:
            stream = self._backend.connect_tcp(host, port, self._seconds)
            try:
                if self._url.startswith("https:"):
                    stream = stream.start_tls(self._trust, host, self._seconds)
            finally:
                stream.close()
        except Forbidden as error:
            raise Misconfigured(str(error)) from None
        except _NETWORK as error:
            raise Unreachable(f"{host}:{port} cannot be reached: {_why(error)}") from None
        return f"reached {host}:{port}" + ("" if self._keys else "; messages are not signed")

    def close(self) -> None:
        """See Sink."""
        self._pool.close()

    def _post(self, message: Message) -> Receipt:
        body = orjson.dumps(_body(message, texts=self._texts), default=str)
        id, timestamp = speakable(message.id), int(self._now())
        headers = [
            *_FIXED,
            *self._headers,
            ("webhook-id", id),
            ("webhook-timestamp", str(timestamp)),
            *([("webhook-signature", signed(id, timestamp, body, self._keys))] if self._keys else ()),
        ]
        self._backend.allow(self._seconds)
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        try:
            with self._pool.stream(
                "POST", self._url, headers=headers, content=body, extensions={"timeout": timeout}
            ) as response:
                return _receipt(response, self._now())
        except Forbidden as error:
            return Receipt("refused", str(error))
        except _NETWORK as error:
            return Receipt("failed", f"{self._origin[0]}: {_why(error)}")


def _guard(settings: Mapping[str, Any]) -> Guard:
    try:
        return Guard(
            allow_private=bool(settings.get("allow_private")), networks=settings.get("allow_networks", ())
        )
    except ValueError as error:
        raise Misconfigured(
            f"`allow_networks`: expected a network such as `10.1.0.0/16`, found {error}"
        ) from None


def _url(text: str, guard: Guard) -> tuple[str, tuple[str, int]]:
    """The URL as it is requested, and its host and port. Raises Misconfigured, without showing what may be secret."""
    wanted = "expected an address such as `https://hooks.example.com/duly`"
    if re.search(r"[\x00-\x20\x7f]", text):
        raise Misconfigured(
            "`url`: it has a space or a control character; what is not ASCII is written with `%`"
        )
    try:
        parts = urlsplit(text)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").encode("idna").decode()
    except (UnicodeError, ValueError) as error:
        raise Misconfigured(f"`url`: {wanted}; {said(error)}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Misconfigured(f"`url`: {wanted}, found one of the scheme `{parts.scheme[:20]}`")
    if parts.username is not None or parts.password is not None:
        raise Misconfigured(
            "`url`: a user name or password does not belong there; write a header `Authorization`"
        )
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    if not re.fullmatch(r"[\x21-\x7e]*", rest):
        raise Misconfigured("`url`: what is not ASCII is written with `%`, such as `%20` for a space")
    try:
        # Of a name that is no address in any notation nothing is known yet.
        socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
        guard.resolve(host, port)
    except Forbidden as error:
        raise Misconfigured(f"`url`: {error}") from None
    except OSError:
        pass
    written = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{written}:{port}{rest or '/'}", (host, port)


def _header(name: str, value: str) -> tuple[str, str]:
    """A header of the configuration. Raises Misconfigured, without its value."""
    if not _HEADER_NAME.match(name) or name.lower() in _OURS or name.lower().startswith("webhook-"):
        raise Misconfigured(f"`headers`: `{said(name, 60)}` is not a header that can be set")
    if not _HEADER_VALUE.match(value):
        raise Misconfigured(
            f"`headers`: the value of `{name}` is empty, or has a character that no header can hold"
        )
    return name, value


def _trust(file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"`ca_file`: `{file}` cannot be read as certificates: {said(error)}") from None


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


def _receipt(response: httpcore.Response, now: float) -> Receipt:
    status = response.status
    detail = _detail(response)
    if 200 <= status < 300:
        return Receipt("delivered", details={"status": status})
    reason = f"answered {status}{_phrase(status)}" + (f": {detail}" if detail else "")
    if status == 410:
        return Receipt("gone", reason, details={"status": status})
    if 300 <= status < 400:
        reason = f"answered {status}, a redirect, which is not followed; set `url` to where it leads"
    elif 400 <= status < 500 and status not in _AGAIN:
        return Receipt("refused", reason, details={"status": status})
    return Receipt("failed", reason, _after(response, now), {"status": status})


def _detail(response: httpcore.Response) -> str:
    """The beginning of what the other side says. No more is read than can be of use."""
    found = b""
    try:
        for chunk in response.iter_stream():
            found += chunk
            if len(found) >= LIMIT:
                break
    except _NETWORK:
        pass  # What it said before stands, and the status says the rest.
    return said(found[:LIMIT].decode("utf-8", "replace"))


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _after(response: httpcore.Response, now: float) -> float | None:
    """How many seconds the other side asks to wait, in its header `Retry-After`: a number, or a date."""
    value = next((value for name, value in response.headers if name.lower() == b"retry-after"), None)
    if value is None:
        return None
    text = value.decode("ascii", "replace").strip()
    if text.isdigit():
        return min(float(text[:9]), _LONGEST)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - now), _LONGEST)
    except (TypeError, ValueError, OverflowError):
        return None


def _why(error: BaseException) -> str:
    """What went wrong on the way, in words."""
    if isinstance(error, httpcore.TimeoutException):
        return "no answer in time"
    return said(error) or type(error).__name__
