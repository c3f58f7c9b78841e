"""`duly audit`: what a service did for a case is reproduced from its journal, and what was tampered with is found."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from serving import DESK, Running, configured, surroundings

PIPE = {"pipe": {"type": "stdin"}}


def told(name: str, type: str, at: str, **more: Any) -> dict[str, Any]:
    """An event of one case and its customer."""
    return {"id": f"{name}/{type}/{at}", "type": type, "case": name, "customer": "K-1", "at": at, **more}


def audited(folder: Path, *words: str) -> tuple[int, str]:
    """The exit code of `duly audit`, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "duly_cli.main", "audit", *words], cwd=folder, capture_output=True, text=True,
        check=False, env=surroundings(folder),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store in which two cases have their history; an event of one of them came late, and one twice."""
    opened = {"data": {"category": "outage"}}
    events = [
        told("C-1", "case.opened", "2026-03-11T09:00:00+08:00", **opened),
        told("C-2", "case.opened", "2026-03-11T09:05:00+08:00", **opened),
        told("C-1", "case.closed", "2026-03-11T12:00:00+08:00"),
        told("C-1", "agent.replied", "2026-03-11T09:03:00+08:00", data={"automated": False}),
        told("C-1", "case.closed", "2026-03-11T12:00:00+08:00"),
    ]
    configured(tmp_path, DESK, time="events", sources=PIPE)
    for part in (events[:3], events[3:]):
        with Running(tmp_path, given=b"\n".join(json.dumps(each).encode() for each in part)) as service:
            assert 0 == service.ended(), service.told
    return tmp_path


@pytest.mark.parametrize("case", ["C-1", "C-2"])
def test_what_was_done_is_reproduced(folder: Path, case: str) -> None:
    """State and actions follow from the journal, late events and repeats among it; the revision is named."""
    code, text = audited(folder, case, "--format", "json")
    found = json.loads(text)
    assert (0, True, [], []) == (code, found["same"], found["states"], found["actions"])
    assert sum(found["revisions"].values()) == found["given"] > 0
    assert (3, 1)[case == "C-2"] == found["events"]


def test_a_change_behind_the_service_is_found(folder: Path) -> None:
    """An action that somebody changed, one that he took away and a state that he wrote are told apart."""
    with sqlite3.connect(folder / "duly.db") as connection:
        rows = connection.execute("SELECT shard, seq, body FROM outbox WHERE grp = 'customer:K-1'").fetchall()
        shard, seq, body = rows[0]
        changed = json.loads(body)
        changed["reason"] = "because I say so"
        connection.execute(
            "UPDATE outbox SET body = ? WHERE (shard, seq) = (?, ?)",
            (json.dumps(changed).encode(), shard, seq),
        )
        connection.execute("DELETE FROM outbox WHERE (shard, seq) = (?, ?)", rows[1][:2])
        connection.execute(
            "UPDATE entities SET body = replace(body, 'outage', 'question') WHERE key = 'case:C-2'"
        )
    connection.close()
    code, text = audited(folder, "C-2", "--format", "json")
    found = json.loads(text)
    assert (1, False) == (code, found["same"])
    assert [["case:C-2", "different"]] == found["states"]
    assert ["different", "missing"] == sorted(what for _, what in found["actions"])
    assert "not what the journal gives" in audited(folder, "C-2")[1]


def test_nothing_is_known_of_another_case(folder: Path) -> None:
    """A case that is not kept is a wrong use, not a finding."""
    code, text = audited(folder, "C-404")
    assert (2, True) == (code, "no case `C-404` is kept" in text)
