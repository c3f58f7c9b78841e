"""The security of HTTP: who may ask, forged and replayed webhooks, and what people send who mean no good."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import logging
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from duly.hosts import logs
from duly.hosts.config import Faulty
from duly.hosts.http import signatures
from duly.hosts.http.problems import Problem
from duly.instants import SECOND, parse

sys.path.insert(0, str(Path(__file__).parent))
web = importlib.import_module("web")
if TYPE_CHECKING:
    from serving import until
    from web import KEY, ROOT, START, Web, bearer, opened, serving
else:
    until = importlib.import_module("serving").until
    KEY, ROOT, START, Web, bearer = web.KEY, web.ROOT, web.START, web.Web, web.bearer
    opened, serving = web.opened, web.serving

HOW_TO = ROOT / "docs" / "how-to"
HOOK = {"secret": {"env": "HOOK"}, "type": "http-webhook"}
SOURCES = {
    "plain": {**HOOK, "secrets": [{"env": "OLD"}]},
    "zendesk": {**HOOK, "scheme": "zendesk", "mapping": str(HOW_TO / "zendesk" / "zendesk.mapping.yaml")},
    "zammad": {**HOOK, "scheme": "zammad", "mapping": str(HOW_TO / "zammad" / "zammad.mapping.yaml")},
    "feed": {"type": "file", "path": "none.jsonl", "follow": True},
}
NOW = parse(START) // SECOND
PATHS = [
    ("POST", "/v1/events", "events"), ("POST", "/v1/decide", "read"), ("POST", "/v1/explain", "read"),
    ("GET", "/v1/cases/C-1", "read"), ("GET", "/v1/cases/C-1/history", "read"), ("GET", "/v1/due", "read"),
    ("GET", "/v1/queues/desk", "read"), ("GET", "/v1/policy", "read"), ("GET", "/metrics", "read"),
]  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service with hooks, which waits for nobody long."""
    folder = tmp_path_factory.mktemp("service")
    with serving(folder, SOURCES, header_seconds=0.25, body_seconds=0.4, header_bytes=8192) as running:
        yield running


@pytest.mark.parametrize(("method", "path", "right"), PATHS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer"}, {"authorization": "Bearer tok-crmx"}, {"authorization": "Bearer tok-cr"},
     {"authorization": "Basic dG9rLWNybQ=="}, {"authorization": "tok-crm"}, {"authorization": "Bearer \xfc"}],
)  # fmt: skip
def test_without_a_token(desk: Web, method: str, path: str, right: str, headers: dict[str, str]) -> None:
    """Whoever has no token, or a wrong one, is told nothing but that."""
    sent = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
    answer = httpx.request(method, desk.url + path, headers=sent)
    assert (401, "E301", 'Bearer realm="duly"') == (
        answer.status_code, answer.json()["error"]["code"], answer.headers["www-authenticate"]
    )  # fmt: skip


def test_two_tokens_are_none(desk: Web) -> None:
    """Of two headers none is chosen."""
    both = [("authorization", "Bearer tok-look"), ("authorization", "Bearer tok-crm")]
    assert 401 == httpx.get(desk.url + "/v1/policy", headers=both).status_code


@pytest.mark.parametrize(("method", "path", "right"), PATHS)
def test_without_the_right(desk: Web, method: str, path: str, right: str) -> None:
    """A token is good for what it may, and for nothing else."""
    token = "tok-look" if right == "events" else "tok-slow"
    answer = httpx.request(method, desk.url + path, headers=bearer(token))
    assert (403, "E302") == (answer.status_code, answer.json()["error"]["code"])


def signed(body: bytes, key: bytes, name: str = "msg-1", at: int = NOW) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    digest = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    mark = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": name, "webhook-timestamp": str(at), "webhook-signature": mark}


GOOD = base64.b64decode(KEY.removeprefix("whsec_"))


def test_the_published_example() -> None:
    """The example of the Standard Webhooks specification is accepted; the same with another body is not."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signatures.check("standard", [secret], headers, b'{"test": 2432232314}', 1614265330 * SECOND)
    with pytest.raises(Problem):
        signatures.check("standard", [secret], headers, b'{"test": 2432232315}', 1614265330 * SECOND)


def test_signed_webhooks(desk: Web) -> None:
    """A signed message is taken, with the new and with the old secret; sent again it is a duplicate."""
    body = json.dumps(opened("h1")).encode()
    assert 202 == desk.post("/hooks/plain", body, **signed(body, GOOD)).status_code
    assert 200 == desk.post("/hooks/plain", body, **signed(body, GOOD)).status_code
    assert 200 == desk.post("/hooks/plain", body, **signed(body, b"old-secret", at=NOW - 290)).status_code
    both = signed(body, GOOD)
    both["webhook-signature"] = "v1,AAAA v2,x " + both["webhook-signature"]
    assert 200 == desk.post("/hooks/plain", body, **both).status_code


BODY = json.dumps(opened("forged")).encode()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "E303"),
        (signed(BODY, b"guess"), "E303"),
        (signed(BODY + b" ", GOOD), "E303"),
        ({**signed(BODY, GOOD), "webhook-id": "msg-2"}, "E303"),
        ({**signed(BODY, GOOD), "webhook-timestamp": str(NOW + 1)}, "E303"),
        ({**signed(BODY, GOOD), "webhook-signature": "v1,"}, "E303"),
        (
            {**signed(BODY, GOOD), "webhook-signature": "v1a," + signed(BODY, GOOD)["webhook-signature"][3:]},
            "E303",
        ),
        (signed(BODY, GOOD, at=NOW - 301), "E304"),
        (signed(BODY, GOOD, at=NOW + 301), "E304"),
        ({**signed(BODY, GOOD), "webhook-timestamp": "9" * 40}, "E303"),
        ({**signed(BODY, GOOD), "webhook-timestamp": "-1"}, "E303"),
    ],
)
def test_forged_and_old_webhooks(desk: Web, headers: dict[str, str], code: str) -> None:
    """What is not signed with a secret, or was signed at another time, is not taken."""
    answer = desk.post("/hooks/plain", BODY, **headers)
    assert (401, code) == (answer.status_code, answer.json()["error"]["code"])
    assert desk.service.store.entity("case:forged") is None


def zendesk(body: bytes, at: str = START, key: bytes = KEY.encode()) -> dict[str, str]:
    """The headers of Zendesk."""
    mark = base64.b64encode(hmac.new(key, at.encode() + body, hashlib.sha256).digest()).decode()
    return {"x-zendesk-webhook-signature": mark, "x-zendesk-webhook-signature-timestamp": at}


def zammad(body: bytes, key: bytes = KEY.encode()) -> dict[str, str]:
    """The headers of Zammad."""
    return {"x-hub-signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
            "x-zammad-trigger": "duly: article"}  # fmt: skip


def test_zendesk_and_zammad(desk: Web) -> None:
    """The webhooks of both systems become events; forged, old and altered ones do not."""
    comment = json.loads((HOW_TO / "zendesk" / "comment-of-an-agent.json").read_text(encoding="utf-8"))
    body = json.dumps({**comment, "time": START}).encode()
    answer = desk.post("/hooks/zendesk", body, **zendesk(body))
    assert (202, comment["id"]) == (answer.status_code, answer.json()["id"])
    bad: list[Mapping[str, str]] = [
        {}, zendesk(body, key=b"x"), zendesk(body + b" "), zendesk(body, "2026-03-11T01:54:59Z"),
        zendesk(body, "today"), {**zendesk(body), "x-zendesk-webhook-signature-timestamp": "2026-03-11T02:00:01Z"},
    ]  # fmt: skip
    assert [401] * 6 == [desk.post("/hooks/zendesk", body, **headers).status_code for headers in bad]
    message = json.loads((HOW_TO / "zammad" / "article-of-an-agent.json").read_text(encoding="utf-8"))["body"]
    body = json.dumps(message).encode()
    answers = [desk.post("/hooks/zammad", body, **zammad(body)) for _ in range(2)]
    assert [(202, "accepted"), (200, "duplicate")] == [
        (each.status_code, each.json()["status"]) for each in answers
    ]
    assert 401 == desk.post("/hooks/zammad", body, **zammad(body, b"x")).status_code
    assert 401 == desk.post("/hooks/zammad", body + b"\n", **zammad(body)).status_code


def test_what_hooks_refuse(desk: Web) -> None:
    """Unknown hooks, and sources that are none, are not there; messages that become nothing say why."""
    unknown = [
        desk.post(f"/hooks/{name}", BODY, **signed(BODY, GOOD))
        for name in ("nobody", "feed", "..%2fplain", "")
    ]
    assert [404] * 4 == [each.status_code for each in unknown]
    body = b'{"ticket": {}}'
    answer = desk.post("/hooks/zammad", body, **{**zammad(body), "x-zammad-trigger": "another"})
    assert (422, "E201") == (answer.status_code, answer.json()["error"]["code"])
    answer = desk.post("/hooks/zammad", body, **{**zammad(body), "x-zammad-trigger": "duly: created"})
    assert (422, "E202", "ticket.id") == (
        answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["path"]
    )  # fmt: skip
    body = b'{"type": "zen:event-type:user.created"}'
    assert {"receipts": [], "unmatched": 1} == {
        key: value
        for key, value in desk.post("/hooks/zendesk", body, **zendesk(body)).json().items()
        if key != "counts"
    }
    body = b"[" * 5000
    assert 400 == desk.post("/hooks/zendesk", body, **zendesk(body)).status_code


def test_a_hook_without_a_secret_is_not_served(tmp_path: Path) -> None:
    """A hook that anybody could use is a fault of the configuration, and so is a mapping that is wrong."""
    with (
        pytest.raises(Faulty, match="has no `secret`"),
        serving(tmp_path, {"open": {"type": "http-webhook"}}),
    ):
        pass
    (tmp_path / "bad.mapping.yaml").write_text("kind: Mapping\n", encoding="utf-8")
    for mapping, told in (("bad.mapping.yaml", "apiVersion"), ("none.mapping.yaml", "cannot read")):
        with pytest.raises(Faulty, match=told), serving(tmp_path, {"hook": {**HOOK, "mapping": mapping}}):
            pass


NAMES = [
    "../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/duly.db", "....//duly.config.yaml", "C:\\boot.ini",
    "a'; DROP TABLE entities; --", "x" * 500, "%F0%9F%92%A9", "%FF%FE", "case:C", "*", "C/1/history/2",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "path", ["/v1/cases/{}", "/v1/cases/{}/history", "/v1/queues/{}", "/hooks/{}", "/{}"]
)
def test_names_are_names(desk: Web, name: str, path: str) -> None:
    """Whatever a name looks like, it is looked for, and not found."""
    method = "POST" if path.startswith("/hooks") else "GET"
    raw = path.format(name).encode().decode("latin-1").replace(" ", "%20").replace("\\", "%5C")
    status, body = exchanged(
        desk, f"{method} {raw} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-crm\r\n\r\n"
    )
    assert (404, "E310") == (status, body["error"]["code"])
    assert "root:" not in json.dumps(body)


@pytest.mark.parametrize("name", ["x" * 501, "a%00b", "a%0dSet-Cookie:%20x", "%1b%5b31m"])
def test_odd_names_are_refused(desk: Web, name: str) -> None:
    """Names with control characters, or without an end, are no names."""
    status, body = exchanged(
        desk, f"GET /v1/cases/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-crm\r\n\r\n"
    )
    assert (400, "E311") == (status, body["error"]["code"])


def exchanged(desk: Web, request: str | bytes) -> tuple[int, Any]:
    """The status and the JSON that a request gets which no library would send."""
    raw = talked(desk, request)
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body) if body.startswith(b"{") else body


def talked(desk: Web, request: str | bytes) -> bytes:
    """What comes back for some bytes, until nothing more does."""
    with socket.create_connection(("127.0.0.1", desk.server.port), timeout=20) as channel:
        channel.sendall(request if isinstance(request, bytes) else request.encode("latin-1"))
        found = b""
        while b"\r\n\r\n" not in found or not complete(found):
            piece = channel.recv(65536)
            if not piece:
                break
            found += piece
        return found


def complete(answer: bytes) -> bool:
    """Whether all of an answer is there."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return length is not None and len(body) >= int(length[1])


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"NONSENSE\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"z" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
    ],
)  # fmt: skip
def test_broken_requests(desk: Web, request_: bytes) -> None:
    """What is no HTTP is answered with 400, or not at all; the service goes on."""
    answer = talked(desk, request_)
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert 200 == httpx.get(desk.url + "/healthz").status_code


def test_slow_senders_are_let_go(desk: Web) -> None:
    """Whoever does not send a request, or goes on with none, does not keep a connection."""
    beginnings = [b"", b"POST /v1/events HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"]
    for beginning in beginnings:
        with socket.create_connection(("127.0.0.1", desk.server.port), timeout=20) as channel:
            channel.sendall(beginning)
            assert b"" == channel.recv(100)
    second = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", desk.server.port), timeout=20) as channel:
        channel.sendall(second)
        while not complete(channel.recv(65536, socket.MSG_PEEK)):
            pass
        channel.recv(65536)
        channel.sendall(second[:10])
        assert b"" == channel.recv(100)
    head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-crm\r\nContent-Type: application/json\r\n"
    status, body = exchanged(desk, head + "Content-Length: 100\r\n\r\n{")
    assert (408, "E309") == (status, body["error"]["code"])


def test_headers_of_every_answer(desk: Web) -> None:
    """Each answer has what keeps browsers from mischief, and none says what it was made with."""
    answers = [desk.client.get("/healthz"), desk.client.get("/nothing"), desk.client.put("/v1/events"),
               httpx.get(desk.url + "/v1/due"), desk.post("/v1/events", b"{")]  # fmt: skip
    assert [200, 404, 405, 401, 400] == [each.status_code for each in answers]
    for each in answers:
        assert "nosniff" == each.headers["x-content-type-options"]
        assert "no-store" == each.headers["cache-control"]
        assert "default-src 'none'" in each.headers["content-security-policy"]
        assert {"server", "x-powered-by"}.isdisjoint(each.headers)
        assert (
            re.search(r"uvicorn|starlette|python|Traceback", each.text + str(each.headers), re.IGNORECASE)
            is None
        )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abc-1.2_3", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("a\u00e9", False),
        ('"}', False),
        ("", False),
    ],
)
def test_request_ids(desk: Web, given: str, kept: bool) -> None:
    """A plain id of the sender is used; anything else gets one of ours."""
    answer = httpx.get(desk.url + "/healthz", headers=[(b"x-request-id", given.encode("latin-1"))])
    assert kept == (answer.headers["x-request-id"] == given)
    assert re.fullmatch("[A-Za-z0-9._-]{1,64}", answer.headers["x-request-id"])


def test_logs_cannot_be_forged(desk: Web, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that is sent begins a line of the log, talks to a terminal, or is a secret."""
    caplog.set_level(logging.DEBUG, "duly")
    evil = "x%0a2026-01-01T00:00:00Z%20error%20forged%1b[2J"
    exchanged(desk, f"GET /v1/cases/{evil} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-crm\r\n\r\n")
    exchanged(
        desk,
        f"GET /{evil} HTTP/1.1\r\nHost: x\r\nX-Request-Id: a%0ab\r\nAuthorization: Bearer tok-crm\r\n\r\n",
    )
    desk.post("/v1/events", {**opened("log"), "id": "forged\n\x1b[2J"})
    shown = [
        logs.Lines(form, [KEY], ()).format(record) for record in caplog.records for form in ("json", "text")
    ]
    assert len(shown) >= 6
    assert [
        each for each in shown if not each.isprintable() or "tok-crm" in each or "error forged" in each
    ] == []


def test_a_fault_of_ours_is_not_shown(
    desk: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault in Duly is logged with its place, and answered without."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(desk.service.store, "upcoming", broken)
    answer = desk.client.get("/v1/due", headers={"x-request-id": "look-for-me"})
    assert (500, "E312") == (answer.status_code, answer.json()["error"]["code"])
    assert "look-for-me" in answer.json()["error"]["message"]
    assert "inside" not in answer.text
    assert "secret of the inside" in caplog.text
