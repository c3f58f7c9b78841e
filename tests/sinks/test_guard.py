"""The guard: no URL and no name leads a webhook into the network it runs in."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

from duly.sinks.base import Message, Misconfigured
from duly.sinks.guard import Forbidden, Guard, embedded, public
from duly.sinks.webhook import Webhook

Make = Callable[..., Message]

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a00:1::", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.167.1.1", "2606:4700::1111", "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]  # fmt: skip
NOTATIONS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "017700000001", "0",
    "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "１２７.0.0.1", "169.254.169.254", "[fe80::1]",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses(text: str) -> None:
    """Nothing but the open internet is public, whatever form an address hides in."""
    address = ipaddress.ip_address(text)
    assert not public(embedded(address))
    assert not Guard().permits(address)
    assert Guard(allow_private=True).permits(address)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text: str) -> None:
    """Addresses of the open internet may be connected to."""
    assert Guard().permits(ipaddress.ip_address(text))


def test_listed_networks() -> None:
    """A network that is listed is allowed, in the forms that lead there too, and its neighbours are not."""
    guard = Guard(networks=["10.1.0.0/16", "fd00::/8"])
    allowed = [
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "fd00::1",
        "10.2.0.1",
        "::ffff:10.2.0.1",
        "fc00::1",
        "127.0.0.1",
    ]
    assert [True, True, True, False, False, False, False] == [
        guard.permits(ipaddress.ip_address(each)) for each in allowed
    ]


@pytest.mark.parametrize("host", NOTATIONS)
def test_every_notation(host: str, make: Make) -> None:
    """An address of this machine is refused however it is written; most are refused at the start."""
    said = ""
    try:
        hook = Webhook({"url": f"http://{host}:9/"})
        # A name is looked up when it is needed.
        said = hook.deliver([make()])[0].reason
        hook.close()
    except Misconfigured as error:
        said = str(error)
    assert "not a public address" in said


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the resolver give these addresses for names in `.example`, one list after the other; what was asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def fake(host: Any, port: Any, *words: Any, **options: Any) -> Any:
        if not str(host).endswith(".example") or options.get("flags", 0) & socket.AI_NUMERICHOST:
            return real(host, port, *words, **options)
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(str(host))
        return [entry for address in found for entry in real(address, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    return asked


def test_a_name_for_this_machine(monkeypatch: pytest.MonkeyPatch, receiver: Any, make: Make) -> None:
    """A name that leads to loopback is refused, also in a check, and nothing is connected to."""
    resolving(monkeypatch, ["127.0.0.1", "::ffff:127.0.0.1"])
    hook = Webhook({"url": f"http://inside.example:{receiver.port}/"})
    receipt = hook.deliver([make()])[0]
    assert "refused" == receipt.outcome
    assert "allow_networks" in receipt.reason
    with pytest.raises(Misconfigured, match=r"inside\.example"):
        hook.check()
    hook.close()
    assert [] == receiver.requests


def test_rebinding(monkeypatch: pytest.MonkeyPatch, receivers: Any, make: Make) -> None:
    """A name is asked for once a connection, and what was looked at is what is connected to."""
    allowed = receivers("127.0.0.1")
    asked = resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    hook = Webhook({"url": f"http://turning.example:{allowed.port}/", "allow_networks": ["127.0.0.1/32"]})
    assert "delivered" == hook.deliver([make("a")])[0].outcome
    assert ["turning.example"] == asked
    # The next answer of the resolver is one that is not allowed; the connection that stands is used on.
    assert "delivered" == hook.deliver([make("b")])[0].outcome
    hook.close()
    receipt = hook.deliver([make("c")])[0]
    hook.close()
    assert "refused" == receipt.outcome
    assert ["a", "b"] == [each.headers["webhook-id"] for each in allowed.requests]


def test_only_what_is_allowed_of_several(monkeypatch: pytest.MonkeyPatch, receiver: Any, make: Make) -> None:
    """Of several addresses only those allowed are tried, one after the other."""
    resolving(monkeypatch, ["127.0.0.9", "127.0.0.3", "127.0.0.1"])
    networks = ["127.0.0.1/32", "127.0.0.3/32"]
    hook = Webhook({"url": f"http://several.example:{receiver.port}/", "allow_networks": networks})
    assert "delivered" == hook.deliver([make()])[0].outcome
    hook.close()


def test_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that the resolver does not know is no answer of the guard."""
    with pytest.raises(socket.gaierror):
        Guard().resolve("nowhere.invalid", 80)
    with pytest.raises(Forbidden, match=r"127\.0\.0\.1"):
        Guard().resolve("127.0.0.1", 80)
