"""Posting: JSON by HTTP to one place, guarded, timed, and with its answers understood."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpcore

from duly.sinks.answers import Answer, answered
from duly.sinks.base import Misconfigured, Receipt, Unreachable, said
from duly.sinks.connections import Guarded
from duly.sinks.guard import Forbidden, Guard
from duly.sinks.settings import TIMEOUT, Schema

_FIXED = (("content-type", "application/json"), ("user-agent", "duly"), ("accept-encoding", "identity"))
_NETWORK = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError)

NETWORK: dict[str, Schema] = {
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
}
"""The settings that say what may be connected to, and for how long."""


class Posting:
    """Posts to the URLs of one host. One connection serves all, and is made anew where it was closed."""

    def __init__(self, url: str, settings: Mapping[str, Any]) -> None:
        """`settings` are those of NETWORK. Raises Misconfigured."""
        self._backend = Guarded(_guard(settings))
        self.url, self.origin = _url(url, self._backend.guard)
        self._seconds = float(settings.get("timeout_seconds", 15))
        self._trust = _trust(settings.get("ca_file"))
        self._pool = httpcore.ConnectionPool(
            ssl_context=self._trust, network_backend=self._backend, max_connections=1, keepalive_expiry=30.0
        )

    def post(
        self,
        body: bytes,
        headers: Sequence[tuple[str, str]],
        understood: Callable[[Answer], Receipt],
        more: str = "",
    ) -> Receipt:
        """What `understood` makes of the answer; `failed` or `refused` where there is none.

        `more` is put behind the URL.
        """
        self._backend.allow(self._seconds)
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        try:
            with self._pool.stream(
                "POST",
                self.url + more,
                headers=[*_FIXED, *headers],
                content=body,
                extensions={"timeout": timeout},
            ) as response:
                return understood(answered(response, _NETWORK))
        except Forbidden as error:
            return Receipt("refused", str(error))
        except _NETWORK as error:
            return Receipt("failed", f"{self.origin[0]}: {_why(error)}")

    def check(self) -> str:
        """Connect, and nothing more. Raises Misconfigured, Unreachable."""
        host, port = self.origin
        self._backend.allow(self._seconds)
        try:
            stream = self._backend.connect_tcp(host, port, self._seconds)
            try:
                if self.url.startswith("https:"):
                    stream = stream.start_tls(self._trust, host, self._seconds)
            finally:
                stream.close()
        except Forbidden as error:
            raise Misconfigured(str(error)) from None
        except _NETWORK as error:
            raise Unreachable(f"{host}:{port} cannot be reached: {_why(error)}") from None
        return f"reached {host}:{port}"

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.close()


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


def _trust(file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"`ca_file`: `{file}` cannot be read as certificates: {said(error)}") from None


def _why(error: BaseException) -> str:
    """What went wrong on the way, in words."""
    if isinstance(error, httpcore.TimeoutException):
        return "no answer in time"
    return said(error) or type(error).__name__
