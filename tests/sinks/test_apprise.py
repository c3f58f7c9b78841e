"""The sink `apprise`: one target at a time, each with a result of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from duly.sinks.apprise import Apprise
from duly.sinks.base import Message, Misconfigured, Secret

Make = Callable[..., Message]
# Apprise asks Python 3.11 and 3.12 for a module that later ones do not have.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def url(receiver: Any, path: str = "hook") -> str:
    return f"json://127.0.0.1:{receiver.port}/{path}"


def test_everybody(receiver: Any, make: Make) -> None:
    """With `everybody` each target gets every message, in Chinese too."""
    targets = {"desk": Secret(url(receiver, "desk")), "duty-room": url(receiver, "room")}
    sink = Apprise({"targets": targets, "everybody": True})
    assert not sink.addressed
    assert "desk (JSON), duty-room (JSON)" in sink.check()
    receipt = sink.deliver([make()])[0]
    assert "delivered" == receipt.outcome
    assert {"desk": "delivered", "duty-room": "delivered"} == {
        name: each["outcome"] for name, each in receipt.details.items()
    }
    assert ["/desk", "/room"] == [each.path for each in receiver.requests]
    told = json.loads(receiver.requests[0].body)
    assert ("请关注 C-1001", "第一行\n第二行") == (told["title"], told["message"].replace("\r\n", "\n"))


def test_one_target_fails(receivers: Any, make: Make, answer: Any) -> None:
    """One target's failure is not the others', and a repeat goes to that one alone."""
    bad, good = receivers(), receivers()
    bad.answers = [answer(500)]
    sink = Apprise({"targets": {"bad": url(bad), "good": url(good)}, "everybody": True})
    receipt = sink.deliver([make()])[0]
    assert "failed" == receipt.outcome
    assert {"bad": "failed", "good": "delivered"} == {
        name: each["outcome"] for name, each in receipt.details.items()
    }
    assert "error=500" in receipt.reason
    assert "delivered" == sink.deliver([make()])[0].outcome
    assert (2, 1) == (len(bad.requests), len(good.requests))


def test_addresses(receiver: Any, make: Make) -> None:
    """An address is the name of a target or a URL of its own; anything else is refused."""
    sink = Apprise({"targets": {"desk": url(receiver, "desk")}})
    assert sink.addressed
    own = url(receiver, "lin?+secret=geheim")
    people = [
        ("role:supervisor", "desk"),
        ("person:lin", own),
        ("person:wang", "@wang"),
        ("person:li", "nosuch://x"),
    ]
    receipt = sink.deliver([make(recipients=people)])[0]
    assert "refused" == receipt.outcome
    assert ["/desk", "/lin"] == [each.path.partition("?")[0] for each in receiver.requests]
    assert "or the name of a target: `desk`" in receipt.details["person:wang"]["reason"]
    assert "scheme `nosuch://`" in receipt.details["person:li"]["reason"]
    assert "geheim" not in str(receipt)
    assert "nobody to send to" in sink.deliver([make()])[0].reason


@pytest.mark.parametrize("format", ["text", "markdown", "html"])
def test_formats(receiver: Any, make: Make, format: str) -> None:
    """Texts are asked for in the format that is sent."""
    sink = Apprise({"targets": {"desk": url(receiver)}, "everybody": True, "format": format})
    assert {"text": "plain", "markdown": "markdown", "html": "html"}[format] == sink.escape
    assert "delivered" == sink.deliver([make(text="一 **二** <b>三</b>")])[0].outcome


def test_nobody_there(receivers: Any, make: Make) -> None:
    """A service that is not there is a failure, and no token of its URL is told."""
    gone = receivers()
    gone.close()
    sink = Apprise({"targets": {"desk": Secret(url(gone, "geheim"))}, "everybody": True})
    receipt = sink.deliver([make()])[0]
    assert "failed" == receipt.outcome
    assert "geheim" not in str(receipt)


@pytest.mark.parametrize(
    ("target", "service"),
    [
        ("dingtalk://abcdefghijklmnop0123456789/", "DingTalk"),
        ("feishu://abcd1234-abcd-1234-abcd-1234abcd1234", "Feishu"),
        ("wecombot://abcd1234-abcd-1234-abcd-1234abcd1234", "WeCom Bot"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general", "Slack"),
        ("mailto://duly:geheim@example.com", "E-Mail"),
    ],
)
def test_services(target: str, service: str) -> None:
    """The services that people here use are known, and their URLs understood."""
    said = Apprise({"targets": {"desk": target}, "everybody": True}).check()
    assert service in said
    assert (service in ("DingTalk", "Feishu", "WeCom Bot")) == ("type `chat`" in said)


@pytest.mark.parametrize("target", ["geheim", "nosuch://geheim", "dingtalk://", "json://:geheim@"])
def test_urls_that_cannot_work(target: str) -> None:
    """A URL that Apprise does not understand is told at the start, without its token."""
    with pytest.raises(Misconfigured, match=r"`targets\.desk`") as caught:
        Apprise({"targets": {"desk": Secret(target)}})
    assert "geheim" not in str(caught.value)
