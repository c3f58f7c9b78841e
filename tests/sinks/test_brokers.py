"""Brokers: actions into NATS JetStream and Redis streams, each once, and events out of them, none lost."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nats
import pytest
import redis

from duly.cases import Refused
from duly.hosts.config import Faulty
from duly.hosts.config import read as read_config
from duly.hosts.contract import Busy, Offer, Receipt, Unavailable
from duly.hosts.sources import source
from duly.sinks.base import Message, Misconfigured, Secret, Unreachable
from duly.sinks.nats import Nats
from duly.sinks.redis import Redis

Make = Callable[..., Message]
Until = Callable[[Callable[[], Any], str], Any]


def asked(url: str, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """What a coroutine finds that asks JetStream."""

    async def asking() -> Any:
        client = await nats.connect(url)
        try:
            return await work(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(asking())


class TestNats:
    """The sink `nats`."""

    @pytest.fixture(autouse=True)
    def _stream(self, nats_server: Any) -> Iterator[None]:
        asked(nats_server.url, lambda js: js.add_stream(name="ACTIONS", subjects=["duly.>"]))
        yield
        asked(nats_server.url, lambda js: js.delete_stream("ACTIONS"))

    def settings(self, server: Any, **more: Any) -> dict[str, Any]:
        return {"url": server.url, "subject": "duly.actions.{type}", "timeout_seconds": 5, **more}

    def test_each_once(self, nats_server: Any, make: Make) -> None:
        """Actions are in the stream once, in order, however often they come, also over a new connection."""
        first, second = Nats(self.settings(nats_server)), Nats(self.settings(nats_server, stream="ACTIONS"))
        batch = [make(f"{number:03}") for number in range(100)]
        assert ["delivered"] * 100 == [each.outcome for each in first.deliver(batch)]
        first.close()
        receipts = second.deliver([*batch[50:], make("new", type="clock.breached")])
        assert [True] * 50 + [False] == [each.details["repeat"] for each in receipts]
        second.close()

        async def stored(js: Any) -> list[Any]:
            return [await js.get_msg("ACTIONS", number) for number in range(1, 102)]

        found = asked(nats_server.url, stored)
        assert [each.actions[0]["id"] for each in batch] == [
            json.loads(each.data)["id"] for each in found[:100]
        ]
        assert "duly.actions.clock.breached" == found[100].subject
        assert batch[0].actions[0] == json.loads(found[0].data)
        assert "000" == found[0].headers["Nats-Msg-Id"]

    def test_no_stream(self, nats_server: Any, make: Make) -> None:
        """A subject that no stream takes is a failure with what to do, and a check finds it before."""
        sink = Nats(self.settings(nats_server, subject="elsewhere"))
        receipts = sink.deliver([make("a"), make("b")])
        assert ["failed", "failed"] == [each.outcome for each in receipts]
        assert "no stream takes this subject" in receipts[0].reason
        with pytest.raises(Unreachable, match="no stream takes the subject `elsewhere`"):
            sink.check()
        with pytest.raises(Unreachable, match="not `OTHER`"):
            Nats(self.settings(nats_server, stream="OTHER")).check()
        assert "the stream ACTIONS takes" in Nats(self.settings(nats_server)).check()

    def test_too_large(self, nats_server: Any, make: Make) -> None:
        """What the server will never take is refused, and what comes after it is delivered."""
        sink = Nats(self.settings(nats_server))
        receipts = sink.deliver([make("a", note="x" * 2_000_000), make("b")])
        sink.close()
        assert ["refused", "delivered"] == [each.outcome for each in receipts]

    def test_away_and_back(self, nats_server: Any, make: Make, until: Until) -> None:
        """While the server is away deliveries fail; once it is back they go on by themselves."""
        sink = Nats({**self.settings(nats_server), "timeout_seconds": 1})
        assert "delivered" == sink.deliver([make("a")])[0].outcome
        nats_server.stop()
        assert "failed" == sink.deliver([make("b")])[0].outcome
        nats_server.start()
        until(lambda: sink.deliver([make("b")])[0].outcome == "delivered", "the server to be back")
        sink.close()
        assert 2 == asked(nats_server.url, lambda js: js.stream_info("ACTIONS")).state.messages

    def test_settings(self) -> None:
        """What cannot work is said at the start; a secret is not told."""
        with pytest.raises(Misconfigured, match="expected an address"):
            Nats({"url": "http://127.0.0.1", "subject": "a"})
        sink = Nats({"url": Secret("nats://duly:geheim@127.0.0.1:1"), "subject": "a", "timeout_seconds": 2})
        with pytest.raises(Unreachable, match="no server can be reached") as caught:
            sink.check()
        assert "geheim" not in str(caught.value)


class TestRedis:
    """The sink `redis`."""

    @pytest.fixture
    def client(self, redis_server: Any) -> Iterator[Any]:
        with redis.Redis.from_url(redis_server.url) as found:
            yield found
            found.flushall()

    def test_each_once(self, redis_server: Any, client: Any, make: Make) -> None:
        """Actions are in the stream once, in order, however often they come."""
        settings = {"url": redis_server.url, "stream": "actions"}
        batch = [make(f"{number:03}") for number in range(100)]
        first, second = Redis(settings), Redis(settings)
        assert "can add to actions" == first.check()
        assert ["delivered"] * 100 == [each.outcome for each in first.deliver(batch)]
        first.close()
        receipts = second.deliver([*batch[50:], make("new", case=None)])
        second.close()
        assert [True] * 50 + [False] == [each.details["repeat"] for each in receipts]
        found = [fields for _, fields in client.xrange("actions")]
        assert [each.actions[0]["id"].encode() for each in batch] == [each[b"id"] for each in found[:100]]
        assert batch[0].actions[0] == json.loads(found[0][b"action"])
        assert (b"C-1001", b"") == (found[0][b"case"], found[100][b"case"])

    def test_scripts_forgotten(self, redis_server: Any, client: Any, make: Make) -> None:
        """A server that has forgotten the script, as after a restart, is told it again."""
        sink = Redis(
            {"url": redis_server.url, "stream": "actions", "max_length": 10, "remember_seconds": 1000}
        )
        sink.deliver([make("a")])
        client.script_flush()
        assert "delivered" == sink.deliver([make("b")])[0].outcome
        sink.close()
        assert 2 == client.xlen("actions")
        assert 990 < client.ttl("{actions}:seen:a") <= 1000

    def test_not_a_stream(self, redis_server: Any, client: Any, make: Make) -> None:
        """What cannot be added is not remembered: once there is room for it, it is delivered."""
        client.set("actions", "a text")
        sink = Redis({"url": redis_server.url, "stream": "actions"})
        receipt = sink.deliver([make("a")])[0]
        assert "failed" == receipt.outcome
        assert "WRONGTYPE" in receipt.reason
        with pytest.raises(Misconfigured, match="is a string, not a stream"):
            sink.check()
        client.delete("actions")
        assert "delivered" == sink.deliver([make("a")])[0].outcome
        sink.close()
        assert 1 == client.xlen("actions")

    def test_away(self, make: Make) -> None:
        """A server that is not there is a failure to be tried again, and its password is not told."""
        sink = Redis({"url": Secret("redis://:geheim@127.0.0.1:1/0"), "stream": "a", "timeout_seconds": 1})
        receipt = sink.deliver([make()])[0]
        assert "failed" == receipt.outcome
        with pytest.raises(Unreachable) as caught:
            sink.check()
        assert "geheim" not in str(caught.value) + receipt.reason
        sink.close()
        with pytest.raises(Misconfigured, match="`url`"):
            Redis({"url": "http://x", "stream": "a"})


class Desk:
    """An intake that keeps what is handed in, and may be told to be busy, away, or to die."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.trouble: list[Exception] = []
        self.open = threading.Event()
        self.open.set()

    def accept(
        self, offers: Sequence[Offer], origin: str, notes: Mapping[str, bytes] | None = None
    ) -> list[Receipt]:
        self.open.wait()
        if self.trouble:
            raise self.trouble.pop(0)
        assert "broker" == origin
        receipts = []
        for offer in offers:
            if isinstance(offer.value, Refused):
                receipts.append(Receipt("refused", None, offer.value.code, offer.value.message))
            else:
                receipts.append(
                    Receipt("duplicate" if offer.value in self.taken else "accepted", offer.value["id"])
                )
                self.taken.append(offer.value)
        return receipts

    @property
    def ids(self) -> list[str]:
        return [each["id"] for each in self.taken]


def feed(type: str, desk: Desk, folder: Path, **settings: Any) -> Any:
    """A source called `broker`, made as the service makes it."""
    lines = json.dumps({"apiVersion": "duly/v1", "kind": "Config", "spec": {
        "policy": ".", "sources": {"broker": {"type": type, "settings": settings}}}})  # fmt: skip
    config = read_config(lines.encode(), str(folder / "duly.config.yaml"), {})
    service: Any = SimpleNamespace(config=config, intake=desk)
    return source("broker", config.sources["broker"], service)


def events(*names: str) -> list[bytes]:
    return [json.dumps({"id": name, "type": "case.opened", "case": "C-1"}).encode() for name in names]


class Broker:
    """A broker as a test sees it: what is put in, and what it still keeps for the group of consumers."""

    def __init__(self, type: str, server: Any) -> None:
        self.type, self.server = type, server
        self.settings = {"url": server.url, "stream": "cases", "timeout_seconds": 5}
        if type == "nats":
            asked(server.url, lambda js: js.add_stream(name="cases", subjects=["cases"]))

    def put(self, *bodies: bytes) -> None:
        if self.type == "redis":
            with redis.Redis.from_url(self.server.url) as client:
                for body in bodies:
                    client.xadd("cases", {"event": body})
            return

        async def publishing(js: Any) -> None:
            for body in bodies:
                await js.publish("cases", body)

        asked(self.server.url, publishing)

    def owed(self) -> int:
        """How many are not settled yet, or never were taken."""
        if self.type == "redis":
            with redis.Redis.from_url(self.server.url) as client:
                (group,) = client.xinfo_groups("cases")
                return int(group["pending"]) + int(client.xlen("cases") - int(group.get("entries-read") or 0))
        info = asked(self.server.url, lambda js: js.consumer_info("cases", "duly"))
        return int(info.num_ack_pending + info.num_pending)

    def pending(self) -> int:
        """How many were taken and are not settled."""
        if self.type == "redis":
            with redis.Redis.from_url(self.server.url) as client:
                return sum(int(group["pending"]) for group in client.xinfo_groups("cases"))
        return int(asked(self.server.url, lambda js: js.consumer_info("cases", "duly")).num_ack_pending)

    def clear(self) -> None:
        if self.type == "redis":
            with redis.Redis.from_url(self.server.url) as client:
                client.flushall()
        else:
            asked(self.server.url, lambda js: js.delete_stream("cases"))


@pytest.fixture(params=["nats", "redis"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    found = Broker(request.param, request.getfixturevalue(f"{request.param}_server"))
    yield found
    found.clear()


def test_events_come_in_order(broker: Broker, until: Until, tmp_path: Path) -> None:
    """Events are handed in, in their order, and forgotten by the broker once they are durable."""
    desk = Desk()
    names = [f"e-{number:04}" for number in range(300)]
    broker.put(*events(*names[:200]))
    part = feed(broker.type, desk, tmp_path, **broker.settings, batch=50)
    assert "the stream cases of" in part.where()
    part.start()
    until(lambda: len(desk.taken) >= 200, "the events")
    broker.put(*events(*names[200:]))
    until(lambda: len(desk.taken) >= 300, "the rest")
    until(lambda: broker.pending() == 0, "the broker to forget")
    part.stop(10)
    assert names == desk.ids


def test_what_is_refused_does_not_come_again(broker: Broker, until: Until, tmp_path: Path) -> None:
    """What is no event is handed in as refused, to be kept, and the broker gives it once."""
    desk = Desk()
    broker.put(b"{", b"\xff", *events("e-1"), b"")
    part = feed(broker.type, desk, tmp_path, **broker.settings)
    part.start()
    until(lambda: desk.ids == ["e-1"] and broker.pending() == 0, "the events")
    part.stop(10)
    assert ["e-1"] == desk.ids


def test_nothing_is_lost_while_the_intake_is_shut(broker: Broker, until: Until, tmp_path: Path) -> None:
    """While the intake is busy or away the broker keeps the events, and they are handed in again."""
    desk = Desk()
    desk.trouble = [Busy(0.01), Unavailable("the store is away")]
    broker.put(*events("e-1", "e-2"))
    part = feed(broker.type, desk, tmp_path, **broker.settings)
    part.start()
    until(lambda: desk.ids == ["e-1", "e-2"], "the events")
    part.stop(10)
    assert [] == desk.trouble


def test_what_a_dead_consumer_left(broker: Broker, until: Until, tmp_path: Path) -> None:
    """What one process took and did not settle goes to another."""
    broker.put(*events("e-1", "e-2"))
    dying, desk = Desk(), Desk()
    dying.trouble = [Unavailable("the disk is full")] * 1000
    limits: dict[str, Any] = (
        {"ack_wait_seconds": 1} if broker.type == "nats" else {"claim_after_seconds": 0.2}
    )
    names = {"consumer": "one"} if broker.type == "redis" else {}
    first = feed(broker.type, dying, tmp_path, **broker.settings, **limits, **names)
    first.start()
    until(lambda: len(dying.trouble) < 1000 and broker.pending() == 2, "the first to take them")
    first.stop(10)
    second = feed(broker.type, desk, tmp_path, **broker.settings, **limits)
    second.start()
    until(
        lambda: sorted(desk.ids) == ["e-1", "e-2"] and broker.pending() == 0, "the second to take them over"
    )
    second.stop(10)
    assert [] == dying.taken


def test_a_broker_away_and_back(broker: Broker, until: Until, tmp_path: Path) -> None:
    """A source outlives its broker's absence, and goes on where it was."""
    desk = Desk()
    broker.put(*events("e-1"))
    part = feed(broker.type, desk, tmp_path, **broker.settings)
    part.start()
    until(lambda: desk.ids == ["e-1"] and broker.pending() == 0, "the first event")
    broker.server.stop()
    broker.server.start()
    if broker.type == "redis":
        broker.server.ready()

    def put() -> bool:
        try:
            broker.put(*events("e-2"))
        except (OSError, nats.errors.Error):
            return False
        return True

    until(put, "the broker to be back")
    until(lambda: "e-2" in desk.ids, "the second event")
    part.stop(10)


@pytest.mark.parametrize(
    ("type", "settings", "says"),
    [
        ("nats", {"url": "nats://127.0.0.1"}, "`stream` is missing"),
        ("nats", {"url": "nats://127.0.0.1", "stream": "a", "durabel": "x"}, "unknown key `durabel`"),
        ("redis", {"stream": "a"}, "`url` is missing"),
        ("redis", {"url": "redis://x", "stream": "a", "batch": 0}, "at least 1"),
    ],
)
def test_settings_that_cannot_work(tmp_path: Path, type: str, settings: dict[str, Any], says: str) -> None:
    """Settings of a source are checked where they stand."""
    with pytest.raises(Faulty) as caught:
        feed(type, Desk(), tmp_path, **settings)
    assert says in caught.value.diagnostics[0].message
    assert 1 == caught.value.diagnostics[0].span.line
