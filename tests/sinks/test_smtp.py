"""The sink `smtp`: mails as a server gets them, and what its answers mean."""

from __future__ import annotations

import email
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from duly.sinks.base import Message, Misconfigured, Secret, Unreachable
from duly.sinks.smtp import Smtp

Make = Callable[..., Message]
PASSWORD = "geheim-7"


class Post:
    """A mail server's view: which mails came, and what each recipient is answered with."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: dict[str, list[str]] = {}
        self.data_answers: list[str] = []
        self.logins: list[str] = []

    async def handle_RCPT(  # noqa: N802 - the server calls it so
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        answers = self.answers.get(address)
        answer = answers.pop(0) if answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server calls it so
        if self.data_answers:
            return self.data_answers.pop(0)
        mail = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    def login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


class Server(Controller):
    """A mail server on a free port of this machine."""

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "host": "localhost",
            "port": self.port,
            "from": "客服中心 <duly@example.com>",
            "security": "none",
        }

    def _trigger_server(self) -> None:
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def server(post: Post) -> Iterator[Server]:
    found = Server(post, "127.0.0.1", 0, ready_timeout=30)
    found.start()
    yield found
    if found._thread is not None:
        found.stop()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ssl.SSLContext]:
    """The file of an authority, and the context of a server that it vouches for."""
    found = trustme.CA()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    found.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.issue_cert("localhost").configure_cert(context)
    return str(file), context


def to(*addresses: str) -> list[tuple[str, str]]:
    return [(f"person:{address.partition('@')[0]}", address) for address in addresses]


def test_a_mail(server: Server, post: Post, make: Make) -> None:
    """A mail says in Chinese what was to be said, is told to be automatic, and a repeat has the same Message-ID."""
    sink = Smtp({**server.settings, "reply_to": "desk@example.com"}, lambda: 1_772_413_500)
    wanted = make(recipients=to("lin@example.com"))
    receipts = sink.deliver([wanted, make("b", recipients=to("lin@example.com"))])
    receipts += Smtp(server.settings).deliver([wanted])
    assert ["delivered"] * 3 == [each.outcome for each in receipts]
    first, second, repeat = post.mails
    assert "请关注 C-1001" == first["subject"]
    assert "客服中心 <duly@example.com>" == first["from"]
    assert "lin@example.com" == first["to"]
    assert "desk@example.com" == first["reply-to"]
    assert "第一行\n第二行\n" == first.get_content().replace("\r\n", "\n")
    assert "<0f3a5c@example.com>" == first["message-id"] == repeat["message-id"] != second["message-id"]
    assert first["references"] == second["references"]
    assert "auto-generated" == first["auto-submitted"]
    assert "Mon, 02 Mar 2026 01:05:00 -0000" == first["date"]


def test_html(server: Server, post: Post, make: Make) -> None:
    """A mail in HTML says the same as plain text, for readers that show none."""
    sink = Smtp({**server.settings, "format": "html"})
    assert "html" == sink.escape
    text = "<style>b {}</style><p>第一行 &amp; <b>更多</b></p>第二<br>\n第三"
    sink.deliver([make(text=text, recipients=to("lin@example.com"))])
    plain, html = post.mails[0].iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert "第一行 & 更多\n第二\n第三\n" == plain.get_content().replace("\r\n", "\n")
    assert text == html.get_content().replace("\r\n", "\n").rstrip("\n")


def test_each_recipient_alone(server: Server, post: Post, make: Make) -> None:
    """One recipient's failure is not the others', and a repeat goes to those who have nothing yet."""
    post.answers = {"a@example.com": ["451 later"], "b@example.com": ["550 no such user"] * 2}
    sink = Smtp(server.settings)
    everybody = to("a@example.com", "b@example.com", "c@example.com", "not an address")
    receipt = sink.deliver([make(recipients=everybody)])[0]
    assert "failed" == receipt.outcome
    assert ["c@example.com"] == post.recipients
    assert {"failed": 1, "refused": 2, "delivered": 1} == {
        outcome: [each["outcome"] for each in receipt.details.values()].count(outcome)
        for outcome in ("failed", "refused", "delivered")
    }
    again = sink.deliver([make(recipients=everybody)])[0]
    assert ["c@example.com", "a@example.com"] == post.recipients
    assert "refused" == again.outcome
    assert "550 no such user" in again.reason
    assert "not an address" in again.reason


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("452 disk full", "failed"),
        ("552 too much", "refused"),
        ("554 spam", "refused"),
        ("421 closing", "failed"),
    ],
)
def test_what_an_answer_means(server: Server, post: Post, make: Make, said: str, outcome: str) -> None:
    """What is refused for good is not tried again; after a failure the next mail goes over a new connection."""
    post.data_answers = [said]
    first, second = Smtp({**server.settings, "to": ["desk@example.com"]}).deliver([make("a"), make("b")])
    assert (outcome, "delivered") == (first.outcome, second.outcome)
    assert said in first.reason


def test_nobody_to_send_to(server: Server, make: Make) -> None:
    """A mail for nobody is refused with what is to be done; with `to` no address is needed."""
    assert "give an address" in Smtp(server.settings).deliver([make()])[0].reason
    assert Smtp(server.settings).addressed
    assert not Smtp({**server.settings, "to": ["desk@example.com"]}).addressed


NASTY = "lin@example.com\r\nBcc: all@example.com"


@pytest.mark.parametrize(
    "address",
    [NASTY, "lin@example.com\nX: y", "a@b, c@d", "a@b c@d", "lin", "@example.com", "lin@", "林@example.com",
     "<a@b> SIZE=1", "a@b\x00c", '"a\r\nb"@example.com', "a@[127.0.0.1]", "lin@exa mple.com"],
)  # fmt: skip
def test_no_address_smuggles(server: Server, post: Post, make: Make, address: str) -> None:
    """What is not one address is refused, and neither header nor envelope gets any of it."""
    receipt = Smtp(server.settings).deliver([make(recipients=[("person:lin", address)])])[0]
    assert "refused" == receipt.outcome
    assert [] == post.mails
    with pytest.raises(Misconfigured):
        Smtp({**server.settings, "from": address})


def test_no_text_smuggles(server: Server, post: Post, make: Make) -> None:
    """Neither title nor text nor id makes a header or ends the mail early."""
    text = "one\r\n.\r\nMAIL FROM:<x@example.com>\r\nBcc: y@example.com"
    nasty = make("id\r\nBcc: z@example.com", title="T\r\nBcc: all@example.com\r\n\r\nbody", text=text)
    sink = Smtp({**server.settings, "to": ["desk@example.com"]})
    assert ["delivered"] == [each.outcome for each in sink.deliver([nasty])]
    (mail,) = post.mails
    assert ["desk@example.com"] == post.recipients
    assert mail["bcc"] is None
    assert "T Bcc: all@example.com body" == mail["subject"]
    assert text.replace("\r\n", "\n") + "\n" == mail.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_and_logged_in(
    post: Post, make: Make, authority: tuple[str, ssl.SSLContext], security: str
) -> None:
    """The password goes over TLS alone, to a server whose certificate is trusted and has its name."""
    file, context = authority
    how: dict[str, Any] = (
        {"ssl_context": context, "auth_require_tls": False}
        if security == "tls"
        else {"tls_context": context, "require_starttls": True, "auth_required": True}
    )
    server = Server(post, "127.0.0.1", 0, ready_timeout=30, authenticator=post.login, **how)
    server.start()
    try:
        settings = {**server.settings, "security": security, "ca_file": file, "username": "duly",
                    "password": Secret(PASSWORD), "to": ["desk@example.com"], "timeout_seconds": 5}  # fmt: skip
        sink = Smtp(settings)
        assert sink.check().endswith("and logged in")
        assert "delivered" == sink.deliver([make()])[0].outcome
        assert ["duly", "duly"] == post.logins
        wrong = Smtp({**settings, "password": Secret("falsch")})
        receipt = wrong.deliver([make()])[0]
        assert "failed" == receipt.outcome
        assert "535" in receipt.reason
        untrusting = {name: value for name, value in settings.items() if name != "ca_file"}
        for bad, says in [
            (wrong, "535"),
            (Smtp({**settings, "host": "127.0.0.1"}), "certificate"),
            (Smtp(untrusting), "certificate"),
        ]:
            with pytest.raises(Unreachable, match=says) as caught:
                bad.check()
            assert PASSWORD not in str(caught.value)
    finally:
        server.stop()


def test_no_tls_to_be_had(server: Server, make: Make) -> None:
    """Where the server offers no TLS nothing is sent, and nobody there is a failure for all."""
    sink = Smtp({**server.settings, "security": "starttls", "to": ["desk@example.com"]})
    receipt = sink.deliver([make()])[0]
    assert "failed" == receipt.outcome
    assert "security: none" in receipt.reason
    settings = server.settings
    server.stop()
    receipts = Smtp({**settings, "to": ["desk@example.com"]}).deliver([make("a"), make("b")])
    assert ["failed", "failed"] == [each.outcome for each in receipts]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"from": "nobody"}, "`from`: expected an address"),
        ({"username": "duly"}, "stand together"),
        ({"username": "duly", "password": Secret(PASSWORD), "security": "none"}, "in the clear"),
        ({"to": ["a@b, c@d"]}, "`to`: expected an address"),
        ({"ca_file": "/nowhere.pem"}, "`ca_file`"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], says: str) -> None:
    """What cannot work is said at the start."""
    with pytest.raises(Misconfigured, match=says):
        Smtp({"host": "localhost", "from": "duly@example.com", **settings})


def test_ca_file_is_read(tmp_path: Path) -> None:
    """A file that holds no certificates is told at the start."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(Misconfigured, match="certificates"):
        Smtp({"host": "localhost", "from": "duly@example.com", "ca_file": str(tmp_path / "ca.pem")})
