"""Crashes: the real process, ended by kill -9 in the middle of its work, again and again.

Nothing is lost by it and nothing is done otherwise: in the end everything is as if it had never happened. How often
it is killed says DULY_KILLS.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duly import instants
from duly.hosts.store import open_store
from duly.hosts.store.contract import Line

sys.path.insert(0, str(Path(__file__).parent.parent))
if TYPE_CHECKING:
    from serving import DESK, PROMPT, Running, configured, outbox, simulated
else:
    serving = importlib.import_module("serving")
    DESK, PROMPT, Running, configured = serving.DESK, serving.PROMPT, serving.Running, serving.configured
    outbox, simulated = serving.outbox, serving.simulated

KILLS = int(os.environ.get("DULY_KILLS", "8"))
SEED = int(os.environ.get("DULY_SEED", "20260302"))
BURST = 250
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


def killed(folder: Path, events: Iterator[bytes], chance: random.Random) -> None:
    """Start a service, feed it, and kill it: mostly at work, now and then while it starts."""
    with Running(folder) as run:
        if chance.random() < 0.75:
            run.says("running")
        with (folder / "events.jsonl").open("ab") as file:
            file.writelines(next(events) for _ in range(BURST))
        time.sleep(chance.uniform(0, 0.5))
        run.kill()
        assert "error" not in run.told, run.told


@pytest.mark.parametrize("policy", [DESK, PROMPT], ids=["desk", "prompt"])
def test_nothing_is_lost_by_crashes(policy: Path, tmp_path: Path) -> None:
    """After many crashes journal, actions and states are those of a service that never crashed, and of `simulate`;
    every action has been delivered, and what was delivered twice is the same."""
    chance = random.Random(SEED)
    hurt, whole = tmp_path / "hurt", tmp_path / "whole"
    sinks = {"out": {"type": "jsonl", "settings": {"path": "actions.jsonl"}}}
    feed = {"type": "file", "path": "../hurt/events.jsonl"}
    for folder in (hurt, whole):
        folder.mkdir()
        configured(folder, policy, time="events", sources={"feed": feed}, sinks=sinks)
    events = stream(chance)
    for _ in range(KILLS):
        killed(hurt, events, chance)
    for folder in (hurt, whole):
        configured(folder, policy, time="events", sources={"feed": {**feed, "follow": False}}, sinks=sinks)
        with Running(folder, "--until", END) as run:
            assert 0 == run.ended(60 + 5 * KILLS), run.told
    lines = (hurt / "events.jsonl").read_bytes().splitlines()
    journal, states = kept(f"sqlite:{hurt / 'duly.db'}")
    assert KILLS * BURST == len(lines) == len(journal)
    assert (journal, states) == kept(f"sqlite:{whole / 'duly.db'}")
    given = outbox(hurt)
    expected = {each["id"]: each for each in simulated(tmp_path, policy, lines, "--until", END)}
    assert expected == {each["id"]: each for each in given}
    assert len(expected) == len(given)
    missing = expected.keys() - delivered(hurt / "actions.jsonl").keys()
    assert missing == expected.keys() - delivered(whole / "actions.jsonl").keys()
