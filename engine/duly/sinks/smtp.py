"""The sink `smtp`: mail."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from email.headerregistry import Address
from typing import Any

from duly.sinks.base import Escape, Message, Misconfigured, Receipt, Unreachable, revealed, said
from duly.sinks.mail import address, composed
from duly.sinks.settings import SECRET, TEXT_OR_SECRET, TIMEOUT, mapping
from duly.sinks.targets import Targets

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Smtp:
    """Sends each recipient a mail of his own through one mail server."""

    schema = mapping(
        {
            "host": {
                "description": "The mail server.",
                "type": "string",
                "minLength": 1,
                "examples": ["smtp.example.com"],
            },
            "port": {
                "description": "Its port; 587 with `starttls`, 465 with `tls`, 25 with `none` where nothing is said.",
                "type": "integer",
                "minimum": 1,
                "maximum": 65535,
                "examples": [587],
            },
            "security": {
                "description": "`starttls`, which is the default: TLS after a greeting; `tls`: from the start; `none`.",
                "enum": ["starttls", "tls", "none"],
                "examples": ["starttls"],
            },
            "from": {
                "description": "Who the mail is from.",
                "type": "string",
                "minLength": 3,
                "examples": ["客服中心 <duly@example.com>"],
            },
            "reply_to": {
                "description": "Where replies go, where that is not who it is from.",
                "type": "string",
                "minLength": 3,
                "examples": ["desk@example.com"],
            },
            "to": {
                "description": "Who gets every mail; without it each goes to those whose address is known.",
                "type": "array",
                "minItems": 1,
                "items": {"type": "string"},
                "x-expected": "a list of addresses",
                "examples": [["desk@example.com"]],
            },
            "username": {**TEXT_OR_SECRET, "description": "The user to log in as.", "examples": ["duly"]},
            "password": {**SECRET, "description": "The password to log in with."},
            "format": {
                "description": "What texts are written in: `plain`, which is the default, or `html`.",
                "enum": ["plain", "html"],
                "examples": ["html"],
            },
            "ca_file": {
                "description": "A file of the authorities that may vouch for the server, in place of the machine's.",
                "type": "string",
                "minLength": 1,
                "x-file": True,
                "examples": ["/etc/duly/our-ca.pem"],
            },
            "timeout_seconds": TIMEOUT,
        },
        required=["host", "from"],
        examples=[{"host": "smtp.example.com", "from": "duly@example.com"}],
    )

    def __init__(self, settings: Mapping[str, Any], now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._host: str = settings["host"]
        self._security: str = settings.get("security", "starttls")
        self._port = int(settings.get("port", _PORTS[self._security]))
        self._sender = address(settings["from"], "`from`")
        self._reply_to = address(settings["reply_to"], "`reply_to`") if "reply_to" in settings else None
        self._to = [(each, str(address(each, "`to`").addr_spec)) for each in settings.get("to", ())]
        self.addressed = not self._to
        self._login = _login(settings, self._security)
        self.escape: Escape = "html" if settings.get("format") == "html" else "plain"
        self._seconds = float(settings.get("timeout_seconds", 15))
        try:
            self._trust = ssl.create_default_context(cafile=settings.get("ca_file"))
        except OSError as error:
            raise Misconfigured(f"`ca_file` cannot be read as certificates: {said(error)}") from None
        self._targets = Targets()

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink. One connection serves all; where none is to be had, all have failed."""
        line = _Line(self._connect)
        try:
            return [
                self._targets.deliver(message, self._to or message.recipients, self._sending(message, line))
                if self._to or message.recipients
                else Receipt(
                    "refused", "nobody to send to: give an address for this sink, or `to` in its settings"
                )
                for message in messages
            ]
        finally:
            line.hang_up()

    def check(self) -> str:
        """Connect and log in; no mail is begun."""
        try:
            server = self._connect()
            server.noop()
            server.quit()
        except _NETWORK as error:
            raise Unreachable(f"{self._host}:{self._port}: {_why(error)}") from None
        return f"reached {self._host}:{self._port}" + (" and logged in" if self._login else "")

    def _sending(self, message: Message, line: _Line) -> Callable[[str], Receipt]:
        def send(to: str) -> Receipt:
            try:
                recipient = address(to, "recipient")
            except Misconfigured as error:
                return Receipt("refused", str(error))
            mail = composed(message, self._sender, recipient, self._now(), reply_to=self._reply_to,
                            html=self.escape == "html")  # fmt: skip
            return line.send(self._sender, recipient, mail)

        return send

    def _connect(self) -> smtplib.SMTP:
        # The name of this machine; asking for its full one can take the resolver many seconds.
        name = socket.gethostname()
        server: smtplib.SMTP
        if self._security == "tls":
            server = smtplib.SMTP_SSL(
                self._host, self._port, name, timeout=self._seconds, context=self._trust
            )
        else:
            server = smtplib.SMTP(self._host, self._port, name, timeout=self._seconds)
        try:
            if self._security == "starttls":
                server.starttls(context=self._trust)
            if self._login is not None:
                server.login(*self._login)
        except BaseException:
            server.close()
            raise
        return server


class _Line:
    """A connection made when it is first needed, and again after the server has hung up."""

    def __init__(self, connect: Callable[[], smtplib.SMTP]) -> None:
        self._connect = connect
        self._server: smtplib.SMTP | None = None
        self._dead: Receipt | None = None

    def send(self, sender: Address, recipient: Address, mail: bytes) -> Receipt:
        if self._server is None and self._dead is None:
            try:
                self._server = self._connect()
            except _NETWORK as error:
                self._dead = Receipt("failed", _why(error))
        if self._server is None:
            return self._dead or Receipt("failed")
        try:
            self._server.sendmail(sender.addr_spec, [recipient.addr_spec], mail)
        except _NETWORK as error:
            receipt = _refusal(error)
            if receipt.outcome == "failed":
                self.hang_up()
            return receipt
        return Receipt("delivered")

    def hang_up(self) -> None:
        if self._server is not None:
            try:
                self._server.quit()
            except _NETWORK:
                self._server.close()
            self._server = None


_NETWORK = (smtplib.SMTPException, OSError)


def _login(settings: Mapping[str, Any], security: str) -> tuple[str, str] | None:
    if ("username" in settings) != ("password" in settings):
        raise Misconfigured("`username` and `password` stand together or not at all")
    if "username" not in settings:
        return None
    if security == "none":
        raise Misconfigured(
            "with `security: none` the password would go over the network in the clear; use `starttls`"
        )
    return revealed(settings["username"]), revealed(settings["password"])


def _refusal(error: Exception) -> Receipt:
    """Whether trying again may help: codes of 500 and more say no, but for those that speak of the connection."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return Receipt("refused" if code >= 500 else "failed", _answer(code, text), details={"code": code})
    if isinstance(error, (smtplib.SMTPSenderRefused, smtplib.SMTPDataError)):
        code = error.smtp_code
        refused = code >= 500 and code not in (530, 535)
        return Receipt("refused" if refused else "failed", _why(error), details={"code": code})
    return Receipt("failed", _why(error))


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {said(text.decode('utf-8', 'replace') if isinstance(text, bytes) else text)}"


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{said(error)}; if the server has no TLS, say `security: none`"
    return said(error) or type(error).__name__
