"""The sink `chat`: what robots of DingTalk, Feishu and WeCom get, and what their answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from duly.sinks.base import Message, Misconfigured, Secret
from duly.sinks.chat import ROBOTS, Chat

Make = Callable[..., Message]
NOW = 1_772_413_500.25


def sink(service: str, receiver: Any, **settings: Any) -> Chat:
    return Chat({"service": service, "token": Secret("T/1"), "url": f"http://127.0.0.1:{receiver.port}/send?key={{token}}",
                 "allow_private": True, **settings}, lambda: NOW)  # fmt: skip


def yes(service: str) -> bytes:
    return json.dumps({ROBOTS[service].code: 0, "errmsg": "ok"}).encode()


@pytest.mark.parametrize(
    ("service", "settings", "body"),
    [
        ("dingtalk", {}, {"msgtype": "text", "text": {"content": "请关注 C-1001\n第一行\n第二行"}}),
        ("dingtalk", {"format": "markdown"},
         {"msgtype": "markdown", "markdown": {"title": "请关注 C-1001", "text": "请关注 C-1001\n第一行\n第二行"}}),
        ("feishu", {}, {"msg_type": "text", "content": {"text": "请关注 C-1001\n第一行\n第二行"}}),
        ("wecom", {}, {"msgtype": "text", "text": {"content": "请关注 C-1001\n第一行\n第二行"}}),
        ("wecom", {"format": "markdown"},
         {"msgtype": "markdown", "markdown": {"content": "请关注 C-1001\n第一行\n第二行"}}),
    ],
)  # fmt: skip
def test_what_is_posted(
    receiver: Any, make: Make, answer: Any, service: str, settings: dict[str, Any], body: dict[str, Any]
) -> None:
    """A robot gets its message in its service's form, at its own token."""
    receiver.answers.append(answer(200, {}, yes(service)))
    chat = sink(service, receiver, **settings)
    assert "delivered" == chat.deliver([make()])[0].outcome
    assert "reached 127.0.0.1" in chat.check()
    chat.close()
    assert body == json.loads(receiver.requests[0].body)
    assert "/send?key=T%2F1" == receiver.requests[0].path


def test_signatures(receiver: Any, make: Make, answer: Any) -> None:
    """A robot that asks for a signature gets it where its service looks for it."""
    receiver.answers += [answer(200, {}, yes("dingtalk")), answer(200, {}, yes("feishu"))]
    for service in ("dingtalk", "feishu"):
        chat = sink(service, receiver, secret=Secret("SEC"))
        assert "delivered" == chat.deliver([make()])[0].outcome
        chat.close()
    ding, feishu = receiver.requests
    asked = parse_qs(urlsplit(ding.path).query)
    assert ["1772413500250"] == asked["timestamp"]
    wanted = hmac.new(b"SEC", b"1772413500250\nSEC", hashlib.sha256).digest()
    assert [base64.b64encode(wanted).decode()] == asked["sign"]
    told = json.loads(feishu.body)
    wanted = hmac.new(b"1772413500\nSEC", b"", hashlib.sha256).digest()
    assert ("1772413500", base64.b64encode(wanted).decode()) == (told["timestamp"], told["sign"])


@pytest.mark.parametrize(
    ("service", "status", "body", "outcome", "reason"),
    [
        (
            "dingtalk",
            200,
            '{"errcode":310000,"errmsg":"keywords not in content"}',
            "failed",
            "310000: keywords",
        ),
        ("dingtalk", 200, '{"errcode":130101,"errmsg":"send too fast"}', "failed", "130101: send too fast"),
        ("wecom", 200, '{"errcode":93000,"errmsg":"invalid webhook url"}', "failed", "93000"),
        ("wecom", 200, '{"errcode":45009}', "failed", "errcode 45009"),
        ("feishu", 200, '{"code":19021,"msg":"sign match fail"}', "failed", "code 19021: sign match fail"),
        ("feishu", 200, '{"StatusCode":0}', "failed", "does not say"),
        ("feishu", 200, "<html>", "failed", "does not say"),
        ("feishu", 200, "[]", "failed", "does not say"),
        ("wecom", 500, "", "failed", "answered 500"),
        ("wecom", 404, "", "refused", "answered 404"),
    ],
)
def test_what_an_answer_means(
    receiver: Any, make: Make, answer: Any, service: str, status: int, body: str, outcome: str, reason: str
) -> None:
    """Only a body that says so counts as delivered; what the service says is the reason."""
    receiver.answers.append(answer(status, {}, body.encode()))
    chat = sink(service, receiver)
    receipt = chat.deliver([make()])[0]
    chat.close()
    assert outcome == receipt.outcome
    assert reason in receipt.reason
    assert "T/1" not in receipt.reason


def test_a_long_text(receiver: Any, make: Make, answer: Any) -> None:
    """A text that is longer than the service takes is cut between characters."""
    receiver.answers.append(answer(200, {}, yes("wecom")))
    chat = sink("wecom", receiver)
    assert "delivered" == chat.deliver([make(text="长" * 5000)])[0].outcome
    chat.close()
    content = json.loads(receiver.requests[0].body)["text"]["content"]
    assert content.endswith("长…")
    assert len(content.encode()) <= 2000


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"service": "feishu", "format": "markdown"}, "no Markdown"),
        ({"service": "wecom", "secret": Secret("x")}, "no signatures"),
        ({"service": "wecom", "url": "http://127.0.0.1/{token}"}, "not a public address"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], says: str) -> None:
    """What cannot work is said at the start, without the token."""
    with pytest.raises(Misconfigured, match=says) as caught:
        Chat({"token": Secret("geheim"), **settings})
    assert "geheim" not in str(caught.value)
