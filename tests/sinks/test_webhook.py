"""The sink `webhook`: what goes over the wire, and what each answer means."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from standardwebhooks.webhooks import Webhook as Independent
from standardwebhooks.webhooks import WebhookVerificationError

from duly.sinks.base import Message, Misconfigured, Secret, Unreachable
from duly.sinks.webhook import Webhook

Make = Callable[..., Message]
OLD, NEW = (Secret("whsec_" + base64.b64encode(bytes([n]) * 32).decode()) for n in (1, 2))


def sink(url: str, **settings: Any) -> Webhook:
    return Webhook({"url": url, "allow_networks": ["127.0.0.0/8"], **settings})


def test_signed_as_standard_webhooks(receiver: Any, make: Make) -> None:
    """An independent implementation accepts the signature by either secret, and refuses what was changed."""
    hook = sink(
        receiver.url,
        secret=NEW,
        secrets=[OLD],
        headers={"X-Tenant": "a", "Authorization": Secret("Bearer t")},
    )
    assert ["delivered"] == [each.outcome for each in hook.deliver([make("0f3a5c")])]
    hook.close()
    request = receiver.requests[0]
    assert "0f3a5c" == request.headers["webhook-id"]
    assert ("a", "Bearer t") == (request.headers["x-tenant"], request.headers["authorization"])
    for secret in (OLD, NEW):
        told = Independent(secret.reveal()).verify(request.body, request.headers)
        assert {"type", "timestamp", "data"} == set(told)
        assert ("notify", "2026-03-02T01:05:00Z") == (told["type"], told["timestamp"])
        assert make("0f3a5c").actions[0] == told["data"]
    with pytest.raises(WebhookVerificationError):
        Independent(OLD.reveal()).verify(request.body.replace(b"C-1001", b"C-1002"), request.headers)


def test_a_repeat_has_the_same_id(receiver: Any, make: Make) -> None:
    """What is sent again carries the same id; one connection serves all."""
    hook = sink(receiver.url)
    hook.deliver([make("a"), make("a"), make("not fit for a header\r\nX: y")])
    hook.close()
    ids = [each.headers["webhook-id"] for each in receiver.requests]
    assert "a" == ids[0] == ids[1]
    assert ids[2].isalnum()


def test_texts_and_bundles(receiver: Any, make: Make) -> None:
    """Texts for people go along where asked for; several actions in one message are all there."""
    hook = sink(receiver.url, texts=True)
    one, two = make("a"), make("b")
    hook.deliver([one, Message("ab", [*one.actions, *two.actions], title="两个", text="…")])
    hook.close()
    first, second = (json.loads(each.body) for each in receiver.requests)
    assert "请关注 C-1001" == first["data"]["title"]
    assert "actions.bundled" == second["type"]
    assert ["a", "b"] == [each["id"] for each in second["data"]["actions"]]
    assert "两个" == second["data"]["title"]


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "after"),
    [
        (200, {}, "delivered", None),
        (202, {}, "delivered", None),
        (301, {"location": "http://127.0.0.1:1/"}, "failed", None),
        (307, {"location": "http://169.254.169.254/latest/meta-data"}, "failed", None),
        (400, {}, "refused", None),
        (401, {}, "refused", None),
        (404, {}, "refused", None),
        (408, {}, "failed", None),
        (410, {}, "gone", None),
        (425, {}, "failed", None),
        (429, {}, "failed", None),
        (429, {"retry-after": "120"}, "failed", 120),
        (429, {"retry-after": "99999999999999999999"}, "failed", 604_800),
        (429, {"retry-after": "soon"}, "failed", None),
        (503, {"retry-after": "Mon, 02 Mar 2026 01:06:40 GMT"}, "failed", 100),
        (503, {"retry-after": "Mon, 02 Mar 2020 01:06:40 GMT"}, "failed", 0),
        (500, {}, "failed", None),
        (599, {}, "failed", None),
    ],
)
def test_what_an_answer_means(
    receiver: Any,
    make: Make,
    answer: Any,
    status: int,
    headers: dict[str, str],
    outcome: str,
    after: float | None,
) -> None:
    """Each status has its outcome, and a wait that is asked for is told; no redirect is followed."""
    receiver.answers.append(answer(status, headers, b"because\r\n\x1b[31m of this" if status >= 300 else b""))
    now = 1_772_413_500.0  # 2026-03-02T01:05:00Z
    hook = Webhook({"url": receiver.url, "allow_private": True}, lambda: now)
    receipt = hook.deliver([make()])[0]
    hook.close()
    assert (outcome, after) == (receipt.outcome, receipt.after_seconds)
    assert 1 == len(receiver.requests)
    assert not set("\r\n\x1b") & set(receipt.reason)
    assert status < 300 or str(status) in receipt.reason


def test_gone_is_gone(receiver: Any, make: Make, answer: Any) -> None:
    """After a 410 nothing more of the batch is sent."""
    receiver.answers += [answer(200), answer(410)]
    hook = sink(receiver.url)
    receipts = hook.deliver([make("a"), make("b"), make("c")])
    hook.close()
    assert ["delivered", "gone", "gone"] == [each.outcome for each in receipts]
    assert 2 == len(receiver.requests)


@pytest.mark.parametrize("status", [200, 500])
def test_an_endless_answer(receiver: Any, make: Make, answer: Any, status: int) -> None:
    """Of an answer that never ends no more is read than time and limit allow, and its status counts."""
    receiver.answers.append(answer(status, {}, b"x" * 100, drip=True))
    hook = sink(receiver.url, timeout_seconds=0.3)
    receipts = hook.deliver([make("a"), make("b")])
    hook.close()
    assert ["delivered" if status == 200 else "failed", "delivered"] == [each.outcome for each in receipts]


def test_a_huge_answer(receiver: Any, make: Make, answer: Any) -> None:
    """A reason quotes the beginning of what was answered, however much it was."""
    receiver.answers.append(answer(400, {}, "太长".encode() * 1_000_000))
    hook = sink(receiver.url)
    receipt = hook.deliver([make()])[0]
    hook.close()
    assert "refused" == receipt.outcome
    assert len(receipt.reason) < 300
    assert "太长" in receipt.reason


def test_nobody_there(receivers: Any, make: Make) -> None:
    """A receiver that is not there is a failure to be tried again, and a check says so."""
    gone = receivers()
    gone.close()
    hook = sink(gone.url)
    receipt = hook.deliver([make()])[0]
    assert "failed" == receipt.outcome
    assert "127.0.0.1" in receipt.reason
    with pytest.raises(Unreachable, match="cannot be reached"):
        hook.check()
    hook.close()


def test_a_receiver_that_came_back(receivers: Any, receiver: Any, make: Make) -> None:
    """A connection that the other side has closed meanwhile is made anew."""
    hook = sink(receiver.url)
    for number in range(3):
        assert "delivered" == hook.deliver([make(str(number))])[0].outcome
        hook.close()
    assert "reached" in hook.check()
    hook.close()
    assert 3 == len(receiver.requests)


def tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_certificates(receivers: Any, make: Make, tmp_path: Path) -> None:
    """Only a certificate for the name in the URL, from an authority that is trusted, is accepted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ours, other = (receivers(context=tls(authority, name)) for name in ("localhost", "elsewhere.example"))
    for receiver, trust, outcome in [
        (ours, {"ca_file": str(tmp_path / "ca.pem")}, "delivered"),
        (ours, {}, "failed"),
        (other, {"ca_file": str(tmp_path / "ca.pem")}, "failed"),
    ]:
        hook = sink(receiver.url.replace("127.0.0.1", "localhost"), **trust)
        receipt = hook.deliver([make()])[0]
        assert outcome == receipt.outcome, receipt.reason
        if outcome == "delivered":
            assert "not signed" in hook.check()
        else:
            assert "certificate" in receipt.reason
            with pytest.raises(Unreachable, match="certificate"):
                hook.check()
        hook.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"url": "ftp://example.com/"}, "scheme `ftp`"),
        ({"url": "example.com/hook"}, "expected an address"),
        ({"url": "https:///hook"}, "expected an address"),
        ({"url": "https://example.com:99999/"}, "expected an address"),
        ({"url": "https://lin:geheim@example.com/"}, "password does not belong there"),
        ({"url": "https://example.com/a b"}, "has a space"),
        ({"url": "https://example.com/\u00e9"}, "not ASCII"),
        ({"url": "https://example.com/\r\nX: y"}, "control character"),
        ({"url": "https://exa\x00mple.com/"}, "control character"),
        ({"url": "https://example.com/", "secret": Secret("geheim")}, "begins with `whsec_`"),
        ({"url": "https://example.com/", "secret": Secret("whsec_geheim!")}, "not base64"),
        ({"url": "https://example.com/", "secret": Secret("whsec_Z2VoZWlt")}, "24 to 64 bytes, this one 6"),
        ({"url": "https://example.com/", "headers": {"X-A": "geheim\r\nX-B: c"}}, "value of `X-A`"),
        ({"url": "https://example.com/", "headers": {"X A": "geheim"}}, "`X A` is not a header"),
        ({"url": "https://example.com/", "headers": {"Webhook-Id": "geheim"}}, "cannot|not a header"),
        ({"url": "https://example.com/", "headers": {"Host": "geheim"}}, "not a header"),
        ({"url": "https://example.com/", "allow_networks": ["10.0.0.1/8"]}, "expected a network"),
        ({"url": "https://example.com/", "ca_file": "/nowhere.pem"}, "`ca_file`"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], says: str) -> None:
    """What cannot work is said at the start, and no secret with it."""
    with pytest.raises(Misconfigured, match=says) as caught:
        Webhook(settings)
    assert "geheim" not in str(caught.value)
    assert "Z2VoZWlt" not in str(caught.value)
