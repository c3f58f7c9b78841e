"""`duly journal`: out of one store and into another, with what was refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from serving import DESK, Running, configured, counted, outbox, surroundings

from duly.hosts.store import open_store

PIPE = {"pipe": {"type": "stdin"}}
EVENTS = [
    {"id": "1", "type": "case.opened", "case": "C-1", "customer": "K-1", "at": "2026-03-11T09:00:00+08:00",
     "data": {"category": "outage"}},
    {"id": "2", "type": "case.opened", "case": "C-2", "customer": "K-1", "at": "2026-03-11T09:10:00+08:00",
     "data": {"category": "no such thing"}},
    {"id": "3", "type": "case.closed", "case": "C-1", "at": "2026-03-11T12:00:00+08:00"},
    {"id": "4", "type": "agent.replied", "case": "C-1", "at": "2026-03-11T09:02:00+08:00",
     "data": {"automated": False}},
]  # fmt: skip


def journal(folder: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """`duly journal` with these words."""
    done = subprocess.run(
        [sys.executable, "-m", "duly_cli.main", "journal", *words], cwd=folder, capture_output=True,
        input=given, check=False, env=surroundings(folder),
    )  # fmt: skip
    assert done.returncode in (0, 1, 2), done.stderr
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with the history of one case, and one event that was refused."""
    place = tmp_path / "old"
    place.mkdir()
    configured(place, DESK, time="events", sources=PIPE)
    with Running(place, given=b"\n".join(json.dumps(each).encode() for each in EVENTS)) as service:
        assert 0 == service.ended(), service.told
    return place


def test_a_journal_moves_to_another_store(folder: Path, tmp_path: Path) -> None:
    """What was exported gives the same actions in a new store, counts once, and is sent to nobody."""
    exported = journal(folder, "export")
    assert (0, ["1", "3", "4"]) == (
        exported.returncode, [json.loads(line)["id"] for line in exported.stdout.splitlines()]
    )  # fmt: skip
    place = tmp_path / "new"
    place.mkdir()
    sinks = {"out": {"type": "jsonl", "settings": {"path": "actions.jsonl"}}}
    configured(place, DESK, time="events", sources=PIPE, sinks=sinks)
    for told in (b"3 accepted", b"3 duplicate"):
        done = journal(place, "import", "-", given=exported.stdout)
        assert (0, True) == (done.returncode, told in done.stderr), done.stderr
    with Running(place, given=b"") as service:
        assert 0 == service.ended(), service.told

    def stand(where: Path) -> set[str]:
        gone = {each["data"]["cancels"] for each in outbox(where) if each["type"] == "action.cancelled"}
        return {each["id"] for each in outbox(where) if each["type"] != "action.cancelled"} - gone

    assert stand(folder) == stand(place) != set()
    sent = place / "actions.jsonl"
    assert not sent.exists() or not sent.read_bytes()


def test_what_was_refused_is_kept_with_its_reason(folder: Path) -> None:
    """An event that was refused stands among the rejects; putting it in again is refused again, with its line."""
    done = journal(folder, "rejects")
    (found,) = map(json.loads, done.stdout.splitlines())
    assert ("pipe", "C202", "2") == (found["origin"], found["code"], json.loads(found["event"])["id"])
    again = journal(folder, "import", "-", given=b"\n" + json.dumps(EVENTS[1]).encode() + b"\nrubbish\n")
    assert 1 == again.returncode
    assert [b"line 2: " in again.stderr, b"line 3: " in again.stderr, b"2 refused" in again.stderr] == [
        True
    ] * 3


def test_a_running_service_is_not_imported_beside(folder: Path) -> None:
    """Import works on the store itself: while a service does, it is refused; looking is not."""
    configured(folder, DESK, time="events", sources={"feed": {"type": "file", "path": "events.jsonl"}})
    with Running(folder) as service:
        service.says("running")
        done = journal(folder, "import", "-", given=json.dumps(EVENTS[0]).encode())
        assert 2 == done.returncode
        assert 3 == len(journal(folder, "export").stdout.splitlines())
        assert 0 == service.stop()


def test_a_store_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Without a store there is nothing to export, and none is made by asking."""
    configured(tmp_path, DESK)
    assert 2 == journal(tmp_path, "export").returncode
    assert not (tmp_path / "duly.db").exists()
    assert not counted(tmp_path)


def test_names_of_the_journal_are_those_of_the_store(folder: Path) -> None:
    """What is exported is what the store holds."""
    store = open_store(f"sqlite:{folder / 'duly.db'}", guest=True)
    try:
        ids = [line.id for line in store.export()]
    finally:
        store.close()
    assert ["1", "3", "4"] == ids
