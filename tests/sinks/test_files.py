"""The sinks `console`, `jsonl` and `sql`: what is kept of each action, and once."""

from __future__ import annotations

import io
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from duly.sinks.base import Message, Misconfigured, Unreachable
from duly.sinks.console import Console
from duly.sinks.jsonl import JsonLines
from duly.sinks.sql import Sql

Make = Callable[..., Message]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_console(make: Make, capsys: pytest.CaptureFixture[str], stream: str) -> None:
    """A message is one line, whatever it says."""
    nasty = make(title="一\n二", text="三\r\n2026-03-02 forged\x1b[2J", recipients=[("role:supervisor", "")])
    assert ["delivered"] == [each.outcome for each in Console({"stream": stream}).deliver([nasty])]
    printed = getattr(capsys.readouterr(), stream[3:])
    assert 1 == printed.count("\n")
    assert "\x1b" not in printed
    assert printed.startswith("2026-03-02T01:05:00Z notify → role:supervisor 一 二 三")


def test_console_as_json(make: Make) -> None:
    """With `json`, the actions are there as they are, for the next command of a pipe."""
    stream = io.StringIO()
    wanted = make()
    Console({"format": "json"}, stream).deliver([wanted, make("b")])
    assert wanted.actions[0] == json.loads(stream.getvalue().splitlines()[0])
    assert ["0f3a5c", "b"] == [json.loads(line)["id"] for line in stream.getvalue().splitlines()]


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()]


def test_lines_and_rotation(make: Make, tmp_path: Path) -> None:
    """Actions are appended; a file that was moved away is left alone, and a new one begun."""
    path = tmp_path / "actions.jsonl"
    sink = JsonLines({"path": str(path)})
    sink.deliver([make("a"), make("b")])
    JsonLines({"path": str(path)}).check()
    path.rename(tmp_path / "actions.1.jsonl")
    sink.deliver([make("c")])
    sink.deliver([make("d")])
    sink.close()
    assert (["a", "b"], ["c", "d"]) == (ids(tmp_path / "actions.1.jsonl"), ids(path))
    os.truncate(path, 0)
    sink.deliver([make("e")])
    sink.close()
    assert ["e"] == ids(path)


def test_a_torn_line(make: Make, tmp_path: Path) -> None:
    """What a crash left of a line does not spoil the next one."""
    path = tmp_path / "actions.jsonl"
    path.write_bytes(b'{"id": "a"}\n{"id": "b", "ty')
    sink = JsonLines({"path": str(path)})
    sink.deliver([make("b")])
    sink.close()
    assert [b'{"id": "a"}', b'{"id": "b", "ty'] == path.read_bytes().splitlines()[:2]
    assert "b" == json.loads(path.read_bytes().splitlines()[2])["id"]


def test_a_full_disk(make: Make) -> None:
    """A disk without room is a failure to be tried again."""
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    sink = JsonLines({"path": "/dev/full"})
    receipts = sink.deliver([make("a"), make("b")])
    assert ["failed", "failed"] == [each.outcome for each in receipts]
    assert "No space left" in receipts[0].reason


def test_no_such_folder(make: Make, tmp_path: Path) -> None:
    """A check says what is wrong with the place, and leaves nothing behind."""
    sink = JsonLines({"path": str(tmp_path / "gone" / "actions.jsonl")})
    assert "failed" == sink.deliver([make()])[0].outcome
    with pytest.raises(Misconfigured, match="is not there"):
        sink.check()
    with pytest.raises(Misconfigured, match="is a folder"):
        JsonLines({"path": str(tmp_path)}).check()
    JsonLines({"path": str(tmp_path / "new.jsonl")}).check()
    assert [] == list(tmp_path.iterdir())


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Callable[[str], list[Any]]]:
    """The address of a database, and what asks it."""
    if request.param == "sqlite":
        file = tmp_path / "actions.db"

        def ask(query: str) -> list[Any]:
            connection = sqlite3.connect(file)
            try:
                with connection:
                    return connection.execute(query).fetchall()
            finally:
                connection.close()

        return f"sqlite:{file}", ask
    url = request.getfixturevalue("postgres").url

    def ask_server(query: str) -> list[Any]:
        import psycopg

        with psycopg.connect(url) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    return url, ask_server


def test_rows(make: Make, database: tuple[str, Callable[[str], list[Any]]]) -> None:
    """Each action is a row, once, however often it comes, whatever is in it."""
    url, ask = database
    sink = Sql({"url": url, "table": "kept", "create": True})
    odd = make(
        "odd", case="C-\x00'; DROP TABLE kept; --", data={"note": "a\x00b", "path": "\\u0000", "text": "客户"}
    )
    for batch in ([make("a"), make("b")], [make("b"), odd], [make("a")]):
        assert ["delivered"] * len(batch) == [each.outcome for each in sink.deliver(batch)]
    sink.close()
    sink.deliver([make("a"), make("c")])
    assert "found the table kept" == sink.check()
    assert ["a", "b", "c", "odd"] == [row[0] for row in ask("SELECT id FROM kept ORDER BY id")]
    (row,) = ask("SELECT type, case_id, customer, action FROM kept WHERE id = 'a'")
    assert ("notify", "C-1001", "K-7") == row[:3]
    assert make("a").actions[0] == (json.loads(row[3]) if isinstance(row[3], str) else row[3])
    (row,) = ask("SELECT action, case_id FROM kept WHERE id = 'odd'")
    kept = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    assert {"note": "a\ufffdb", "path": "\\u0000", "text": "客户"} == kept["data"]
    assert "C-\ufffd'; DROP TABLE kept; --" == row[1]
    ask("DROP TABLE kept")


def test_no_table(make: Make, database: tuple[str, Callable[[str], list[Any]]]) -> None:
    """Where the table is missing nothing is lost: the actions have failed, and a check says what to do."""
    url, ask = database
    sink = Sql({"url": url, "table": "missing"})
    assert ["failed", "failed"] == [each.outcome for each in sink.deliver([make("a"), make("b")])]
    with pytest.raises(Unreachable, match="create: true"):
        sink.check()
    Sql({"url": url, "table": "missing", "create": True}).check()
    assert ["delivered"] == [each.outcome for each in sink.deliver([make("a")])]
    sink.close()
    ask("DROP TABLE missing")


def test_no_database(make: Make, tmp_path: Path) -> None:
    """A database that is not there is a failure to be tried again, and its password is not told."""
    for url in (f"sqlite:{tmp_path}/gone/a.db", "postgresql://duly:geheim@127.0.0.1:1/x?connect_timeout=2"):
        sink = Sql({"url": url})
        receipt = sink.deliver([make()])[0]
        assert "failed" == receipt.outcome
        assert "geheim" not in receipt.reason
        sink.close()
    with pytest.raises(Misconfigured, match="expected `sqlite:PATH`"):
        Sql({"url": "mysql://x"})
    with pytest.raises(Misconfigured, match="`table`"):
        Sql({"url": "sqlite:x", "table": "a; DROP TABLE b"})
