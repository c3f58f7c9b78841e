"""Mail: a message as the bytes that a mail server takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from hashlib import sha256
from html.parser import HTMLParser

from duly.sinks.base import Message, Misconfigured, said, speakable

_POLICY = SMTP.clone(cte_type="7bit")
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>\Z")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\xff]{1,64}@[^\s@<>()\[\]\\,;:\"/]{1,255}\Z")


def address(text: str, where: str) -> Address:
    """`Name <name@example.com>` or the address alone. Raises Misconfigured for what cannot stand in an envelope."""
    match = _NAMED.match(text.strip())
    name, found = (match[1].strip().strip('"'), match[2]) if match else ("", text.strip())
    local, _, domain = found.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    if re.search(r"[\r\n\x00]", text) or not _ADDRESS.match(f"{local}@{domain}") or not local.isascii():
        raise Misconfigured(
            f"{where}: expected an address such as `lin@example.com`, found `{said(text, 60)}`"
        )
    return Address(said(name), local, domain)


def composed(
    message: Message, sender: Address, recipient: Address, now: float, *, reply_to: Address | None, html: bool
) -> bytes:
    """A mail to one recipient. What is sent again has the same `Message-ID`, and the mails of a case are one thread."""
    mail = EmailMessage(_POLICY)
    mail["From"], mail["To"] = sender, recipient
    if reply_to is not None:
        mail["Reply-To"] = reply_to
    mail["Subject"] = said(message.title, 400) or said(message.actions[-1]["type"])
    mail["Date"] = formatdate(now)
    mail["Message-ID"] = f"<{speakable(message.id)}@{sender.domain}>"
    thread = _thread(message.actions[-1])
    if thread:
        mail["References"] = f"<{thread}@{sender.domain}>"
    # Keeps replies of machines from coming back, and from starting another round.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_plain(message.text) if html else message.text)
    if html:
        mail.add_alternative(message.text, subtype="html")
    return mail.as_bytes()


def _thread(action: Mapping[str, object]) -> str | None:
    subject = action.get("case") or action.get("customer")
    return (
        None
        if subject is None
        else "thread-" + sha256(str(subject).encode("utf-8", "replace")).hexdigest()[:24]
    )


def _plain(text: str) -> str:
    """What a text in HTML says, for readers that show none."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    lines = ("".join(reader.found)).split("\n")
    return "\n".join(line.strip() for line in lines).strip() + "\n"


class _Reader(HTMLParser):
    """Gathers the text between tags; a paragraph or a break ends a line."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script"):
            self.hidden += 1
        if tag == "br":
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self.hidden -= 1
        if tag in ("p", "div", "li", "tr", "h1", "h2", "h3"):
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.found.append(data.replace("\n", " "))
