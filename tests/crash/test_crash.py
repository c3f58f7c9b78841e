"""Crashes: the real process, ended by kill -9 in the middle of its work, again and again.

Nothing is lost by it and nothing is done otherwise: in the end everything is as if it had never happened. How often
it is killed says DULY_KILLS.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import DESK, PROMPT, Running, configured, outbox, simulated

from duly import instants
from duly.hosts.delivery.couriers import LEASE
from duly.hosts.store import open_store
from duly.hosts.store.records import Line

KILLS = int(os.environ.get("DULY_KILLS", "8"))
SEED = int(os.environ.get("DULY_SEED", "20260302"))
BURST = 250
NDJSON = {"content-type": "application/x-ndjson"}
END = "2027-01-01T00:00:00Z"


def stream(chance: random.Random) -> Iterator[bytes]:
    """Events without an end, in order of time: cases of many customers, opened, answered, closed."""
    at = instants.parse("2026-03-11T09:00:00+08:00")
    ahead: list[tuple[int, str, dict[str, Any]]] = []
    for person in ("lin", "wu"):
        ahead.append((at, f"on-{person}", {"type": "person.on_duty", "person": f"person:{person}"}))
    number = 0
    while True:
        number += 1
        at += chance.randrange(1, 1200 * instants.SECOND)
        whose = {"case": f"C-{number}", "customer": f"K-{chance.randrange(1 + number // 3)}"}
        data = {
            "urgency": chance.choice(["urgent", "normal"]),
            "category": chance.choice(["outage", "question"]),
        }
        ahead.append((at, f"o-{number}", {"type": "case.opened", **whose, "data": data}))
        answered = at + chance.randrange(1, 90 * instants.MINUTE)
        ahead.append(
            (answered, f"r-{number}", {"type": "agent.replied", **whose, "data": {"automated": False}})
        )
        closed = answered + chance.randrange(1, 2 * instants.HOUR)
        ahead.append((closed - 1, f"w-{number}", {"type": "work.checked", **whose}))
        ahead.append((closed, f"c-{number}", {"type": "case.closed", **whose}))
        ahead.sort(key=lambda each: each[:2])
        while ahead[0][0] < at:
            moment, name, event = ahead.pop(0)
            yield json.dumps({"id": name, "at": instants.render(moment), **event}).encode() + b"\n"


def kept(url: str) -> tuple[list[tuple[str, bytes]], dict[str, bytes]]:
    """The journal of a store, in order of ids, and the entities it has of the cases and customers in it."""
    store = open_store(url, guest=True)
    try:
        lines: list[Line] = list(store.export())
        keys = {f"case:{line.case}" for line in lines} | {f"customer:{line.customer}" for line in lines}
        found = {key: store.entity(key) for key in sorted(keys | {"desk", "set"})}
    finally:
        store.close()
    journal = sorted((line.id, line.body) for line in lines)
    return journal, {key: each.body for key, each in found.items() if each is not None}


def delivered(file: Path) -> dict[str, Any]:
    """What a sink has got, by id; what came twice is the same. A line that a crash cut off was not delivered."""
    found: dict[str, Any] = {}
    for line in file.read_bytes().splitlines():
        try:
            action = json.loads(line)
        except ValueError:
            continue
        assert action == found.setdefault(action["id"], action)
    return found


def unneeded(url: str) -> set[str]:
    """What a sink did not send, because by then it was needed no more; else there is nothing that it has not sent."""
    store = open_store(url, guest=True)
    try:
        depth = store.depth("out")
        assert (0, 0, 0, 0) == (depth.new, depth.retry, depth.deferred, depth.dead)
        return {json.loads(parcel.body)["id"] for _, parcel in store.parcels("out", "moot", 1_000_000)}
    finally:
        store.close()


class Feed:
    """Hands events to services: over HTTP, where each is acknowledged, or by a file, which is followed."""

    def __init__(self, events: Iterator[bytes], file: Path, over_http: bool) -> None:
        self.events, self.file, self.over_http = events, file, over_http
        self.acknowledged: set[str] = set()
        self.troubles: list[str] = []
        self.unanswered: list[bytes] = []

    @property
    def source(self) -> dict[str, Any]:
        """What the configuration says of it."""
        if self.over_http:
            token = {"name": "crash", "secret": {"env": "TOKEN"}, "may": ["events"]}
            return {"http": {"listen": "127.0.0.1:0", "tokens": [token]}}
        return {"sources": {"feed": {"type": "file", "path": str(self.file)}}}

    def more(self, count: int) -> list[bytes]:
        """The next events, which stand in the file from now on."""
        found = [next(self.events) for _ in range(count)]
        with self.file.open("ab") as file:
            file.writelines(found)
        return found

    def give(self, run: Running, count: int) -> None:
        """Hand in so many events, or as many as the service lives for."""
        if not self.over_http:
            self.more(count)
            return
        address = run.says("listens on").split()[-1]
        with httpx.Client(
            base_url=address, headers={"authorization": "Bearer swordfish"}, timeout=60
        ) as client:
            while count > 0 or self.unanswered:
                # What was not answered may have been taken or not: it is sent again, as it was.
                self.unanswered = self.unanswered or self.more(25)
                count -= 25
                try:
                    answer = client.post("/v1/events", content=b"".join(self.unanswered), headers=NDJSON)
                except httpx.TransportError:
                    return
                receipts = [json.loads(line) for line in answer.text.splitlines()]
                taken = {each["id"] for each in receipts if each.get("status") in {"accepted", "duplicate"}}
                self.acknowledged |= taken
                if len(taken) == len(self.unanswered):
                    self.unanswered = []
                else:
                    self.troubles.append(answer.text[-300:])


def killed(folder: Path, feed: Feed, chance: random.Random) -> None:
    """Start a service, feed it, and kill it: mostly at work, now and then while it starts."""
    with Running(folder, environment={"TOKEN": "swordfish"}) as run:
        feeding = threading.Thread(target=feed.give, args=(run, BURST))
        if chance.random() < 0.75:
            run.says("running")
            feeding.start()
        time.sleep(chance.uniform(0, 0.5))
        run.kill()
        if feeding.ident is not None:
            feeding.join()
        assert " error " not in run.told, run.told


def finish(folder: Path, feed: Feed, **spec: Any) -> None:
    """Let a service take everything, and time run to its end; then let it deliver what is still to be delivered."""
    sources: dict[str, Any] = {"feed": {"type": "file", "path": str(feed.file), "follow": False}}
    configured(folder, sources=sources, **spec)
    with Running(folder, "--until", END) as run:
        assert 0 == run.ended(60 + 8 * KILLS), run.told
    with Running(folder) as run:
        assert 0 == run.ended(60 + 8 * KILLS), run.told


@pytest.mark.parametrize(
    ("kind", "policy", "over_http"),
    [("sqlite", DESK, False), ("sqlite", PROMPT, True), ("postgresql", PROMPT, True)],
    ids=["sqlite-file", "sqlite-http", "postgresql-http"],
)
def test_nothing_is_lost_by_crashes(
    kind: str, policy: Path, over_http: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """After many crashes journal, actions and states are those of a service that never crashed, and of `simulate`;
    every action has been delivered, and what was delivered twice is the same."""
    chance = random.Random(SEED)
    hurt, whole = tmp_path / "hurt", tmp_path / "whole"
    spec: dict[Path, dict[str, Any]] = {}
    urls: dict[Path, str] = {}
    for folder in (hurt, whole):
        folder.mkdir()
        server = request.getfixturevalue("postgres") if kind == "postgresql" else None
        urls[folder] = f"{server.url}&schema={folder.name}" if server else f"sqlite:{folder / 'duly.db'}"
        sinks = {"out": {"type": "jsonl", "settings": {"path": "actions.jsonl"}}}
        spec[folder] = {"policy": policy, "time": "events", "sinks": sinks, "store": {"url": urls[folder]}}
    feed = Feed(stream(chance), tmp_path / "events.jsonl", over_http)
    configured(hurt, **feed.source, **spec[hurt])
    for _ in range(KILLS):
        killed(hurt, feed, chance)
    time.sleep(0 if kind == "sqlite" else LEASE / instants.SECOND)
    for folder in (hurt, whole):
        finish(folder, feed, **spec[folder])
    print(f"{KILLS} kills, {len(feed.acknowledged)} acknowledged, troubles: {feed.troubles}")
    lines = feed.file.read_bytes().splitlines()
    journal, states = kept(urls[hurt])
    assert len(lines) == len(journal)
    assert feed.acknowledged <= {name for name, _ in journal}
    assert (journal, states) == kept(urls[whole])
    given = outbox(hurt, urls[hurt])
    expected = {each["id"]: each for each in simulated(tmp_path, policy, lines, "--until", END)}
    assert expected == {each["id"]: each for each in given}
    assert len(expected) == len(given)
    assert expected.keys() - delivered(hurt / "actions.jsonl").keys() <= unneeded(urls[hurt])
