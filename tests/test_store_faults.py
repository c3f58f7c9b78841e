"""Stores when something goes wrong: crashes, full disks, other processes, other versions, servers that go."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import orjson
import psycopg
import pytest
from postgres_server import Server
from stores import action, busy, entity, give, ids, line, save

from duly.hosts.contract import Unavailable
from duly.hosts.store import accepting, open_store
from duly.hosts.store.contract import Damaged, InUse, Store
from duly.hosts.store.layout import laid_out
from duly.hosts.store.migrations import steps
from duly.hosts.store.postgres import PostgresStore
from duly.hosts.store.sqlite import SqliteStore, migrate

CRASHES = int(os.environ.get("DULY_CRASHES", "3"))
"""How often each store is crashed."""

WORKER = Path(__file__).parent / "stores.py"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a SQLite store may be made."""
    return tmp_path / "duly.db"


# Crashes


def _started(url: str, name: str, rounds: int = 1000, size: int = 25) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, WORKER, url, name, str(rounds), str(size)], stdout=subprocess.PIPE, text=True
    )


def _acknowledged(process: subprocess.Popen[str], count: int) -> set[str]:
    """So many of the lines that a process says were acknowledged."""
    assert process.stdout is not None
    return {process.stdout.readline().strip() for _ in range(count)}


def _killed(process: subprocess.Popen[str]) -> set[str]:
    """Kill a process, and say what else it had said by then."""
    process.kill()
    out: IO[str] | None = process.stdout
    assert out is not None
    said = out.read()
    out.close()
    process.wait()
    return set(said[: said.rfind("\n") + 1].split())


def _sound(store: Store) -> list[str]:
    """See that the store is as if there had been no crash, whole transactions apart; the lines that were taken."""
    journal = {each.id: each for each in store.export()}
    outbox = store.outbox(limit=1_000_000)
    given = [out.id.removeprefix("did ") for out in outbox]
    for shard in range(store.shards):
        numbers = [out.seq for out in outbox if out.shard == shard]
        assert list(range(1, len(numbers) + 1)) == numbers
    counted: list[str] = []
    for case in {each.case for each in journal.values()}:
        kept = store.entity(f"case:{case}")
        counted += orjson.loads(kept.body) if kept else []
    assert Counter(counted) == Counter(given)
    assert 1 == max(Counter(given).values(), default=1)
    assert set(given) <= set(journal)
    assert len(journal) - len(given) == store.counts()["pending"]
    return given


def test_nothing_is_lost_or_done_twice_when_a_process_is_killed(store_url: str) -> None:
    """At whatever moment: what was acknowledged is in the journal, and each line is taken once, in order."""
    lot = random.Random(7)
    acknowledged: set[str] = set()
    for crash in range(CRASHES):
        process = _started(store_url, f"p{crash}")
        acknowledged |= _acknowledged(process, lot.randrange(1, 1500))
        acknowledged |= _killed(process)
        with closing(open_store(store_url, shards=2)) as store:
            taken = _sound(store)
            assert acknowledged <= set(ids(store.export()))
            assert taken
    with closing(open_store(store_url, shards=2)) as store:
        while busy(store, limit=5000):
            pass
        assert sorted(_sound(store)) == sorted(ids(store.export()))
        for case in range(7):
            kept = store.entity(f"case:C-{case}")
            done = list(orjson.loads(kept.body)) if kept else []
            for crash in range(CRASHES):
                mine = [id for id in ids(store.history(f"C-{case}")) if id.startswith(f"p{crash}-")]
                assert mine == [id for id in done if id.startswith(f"p{crash}-")]


def test_several_processes_work_on_one_store(postgres_url: str) -> None:
    """All of them append and work, one is killed, and the others do what it left."""
    open_store(postgres_url, shards=4).close()
    victim = _started(postgres_url, "victim")
    others = [_started(postgres_url, name, rounds=12) for name in ("one", "two")]
    acknowledged = _acknowledged(victim, 300)
    acknowledged |= _killed(victim)
    for process in others:
        out, _ = process.communicate(timeout=120)
        acknowledged |= set(out.split())
        assert process.returncode == 0
    with closing(open_store(postgres_url)) as store:
        while busy(store, limit=1000):
            pass
        assert acknowledged <= set(ids(store.export()))
        assert sorted(_sound(store)) == sorted(ids(store.export()))
        assert 600 <= len(acknowledged)


# Others beside us


def test_a_second_process_on_a_file_is_refused(path: Path) -> None:
    """It says whose the file is; a command beside the service may look and settle; a killed holder holds nothing."""
    process = _started(f"sqlite:{path}", "holder")
    _acknowledged(process, 1)
    with pytest.raises(InUse, match=f"`{path}` is in use by process {process.pid}: .*PostgreSQL"):
        open_store(f"sqlite:{path}")
    with closing(open_store(f"sqlite:{path}", guest=True)) as guest:
        assert guest.counts()["events"] > 0
        guest.disable("s", "by hand", 1)
    _killed(process)
    with closing(open_store(f"sqlite:{path}")) as store:
        assert "by hand" == store.outlets()["s"].disabled
        with pytest.raises(InUse, match="in use by this process"):
            open_store(f"sqlite:{path}")


def test_lines_that_are_committed_later_are_not_passed_over(postgres_url: str) -> None:
    """Numbers are given before a commit: what has a lower one may come to be seen after what has a higher one."""
    with closing(open_store(postgres_url, shards=1)) as one, closing(open_store(postgres_url)) as two:
        assert isinstance(one, PostgresStore)
        two.append([line("first", "A")])
        assert 1 == busy(two)
        with one.writing() as session:
            accepting.accept(session, [line("early", "A")], 1)
            two.append([line("late", "A")])
            assert 1 == busy(two)
            assert two.waiting(9) == []
        assert [0] == two.waiting(9)
        assert 1 == busy(two)
        assert ["first", "early", "late"] == ids(two.history("A"))
        assert ["did first", "did late", "did early"] == [out.id for out in two.outbox()]


def _together(*calls: threading.Thread) -> None:
    for each in calls:
        each.start()
    for each in calls:
        each.join()


def test_many_append_the_same_at_once(store_url: str) -> None:
    """Each id is accepted once, whoever comes first, and the same case from all sides is one case."""
    stores = [open_store(store_url, shards=3)]
    if stores[0].shared:
        stores.append(open_store(store_url))
    lot = random.Random(3)
    standings: list[str] = []

    def append(store: Store, order: list[int]) -> None:
        for start in range(0, len(order), 20):
            batch = [
                line(f"{number}", f"C-{number % 11}", "K" if number % 5 == 0 else None, n=number)
                for number in order[start : start + 20]
            ]
            standings.extend(store.append(batch))

    orders = [lot.sample(range(200), 200) for _ in range(4)]
    _together(
        *(
            threading.Thread(target=append, args=(stores[n % len(stores)], order))
            for n, order in enumerate(orders)
        )
    )
    assert Counter(accepted=200, duplicate=600) == Counter(standings)
    store = stores[0]
    for case in range(11):
        history = store.history(f"C-{case}")
        assert {"customer:K"} == {each.group for each in history}
    assert 200 == len(store.history("C-1"))
    (shard,) = store.waiting(9)
    with store.work(shard) as work:
        assert work is not None
        assert 200 == len(work.pending(9, 1000))
    for each in stores:
        each.close()


def test_shards_are_worked_on_at_once(postgres_url: str) -> None:
    """By different workers, each its own; lines accepted meanwhile are no part of the work that has begun."""
    with closing(open_store(postgres_url, shards=2)) as one, closing(open_store(postgres_url)) as two:
        with one.work(0) as mine, two.work(1) as yours, two.work(0) as none:
            assert mine is not None
            assert yours is not None
            assert none is None
            assert mine.journal("set") == yours.journal("set") == []
            assert {True, False} == {mine.hub, yours.hub}
            two.append([line("1")])
            assert (mine if mine.hub else yours).journal("set") == []
        (shard,) = one.waiting(9)
        with one.work(shard) as work:
            assert work is not None
            assert work.hub
            assert ["1"] == ids(work.pending(9, 9))


# Other versions


def test_a_file_is_brought_up_to_date(path: Path) -> None:
    """From every version there was, with all that is in it; a step that fails leaves it as it was."""
    known = steps("sqlite")
    for version in range(1, len(known) + 1):
        old = path.with_name(f"{version}.db")
        with closing(sqlite3.connect(old, isolation_level=None)) as connection:
            migrate(connection, old, known[:version])
            connection.execute("INSERT INTO rejects VALUES (1, 2, 'crm', 'E1', 'why', x'00')")
        with closing(open_store(f"sqlite:{old}")) as store:
            assert ["why"] == [each.message for each in store.rejects()]
            assert ["accepted"] == store.append([line("1", "A")])
        with closing(sqlite3.connect(old, isolation_level=None)) as connection:
            with pytest.raises(sqlite3.OperationalError):
                migrate(connection, old, [*known, "CREATE TABLE more (n);\nnonsense;"])
            assert [] == connection.execute("SELECT name FROM sqlite_schema WHERE name = 'more'").fetchall()
        with closing(open_store(f"sqlite:{old}")) as store:
            assert ["1"] == ids(store.export())
        with closing(sqlite3.connect(old, isolation_level=None)) as connection:
            migrate(connection, old, [*known, "CREATE TABLE more (n);\n"])
        with pytest.raises(
            InUse, match=f"newer Duly: its version is {len(known) + 1}, .* up to {len(known)}"
        ):
            open_store(f"sqlite:{old}")


def test_a_database_is_brought_up_to_date(postgres_url: str) -> None:
    """While nobody else has it open; a step that fails leaves it as it was."""
    known = steps("postgres")
    with closing(open_store(postgres_url, shards=2)) as store:
        assert isinstance(store, PostgresStore)
        store.append([line("1", "A")])
        with store._dialled() as connection, pytest.raises(InUse, match="other services have it open"):
            laid_out(connection, store.schema, None, 16, False, [*known, "CREATE TABLE more (n int)"])
    with store._dialled() as connection:
        with pytest.raises(psycopg.errors.SyntaxError):
            laid_out(
                connection, store.schema, None, 16, False, [*known, "CREATE TABLE more (n int); nonsense"]
            )
        assert (2, len(known)) == laid_out(connection, store.schema, None, 16, False, known)
        changed = [*known, "CREATE TABLE more (n int)"]
        assert (2, len(changed)) == laid_out(connection, store.schema, None, 16, False, changed)
    with pytest.raises(InUse, match=f"newer Duly: its version is {len(changed)}, .* up to {len(known)}"):
        open_store(postgres_url)


def test_the_number_of_shards_is_that_of_the_store(postgres_url: str) -> None:
    """Whoever comes later takes what there is, unless the policy needs one."""
    with pytest.raises(InUse, match="no store of this version"):
        open_store(postgres_url, guest=True)
    open_store(postgres_url, shards=4).close()
    for wanted in (None, 4, 16):
        with closing(open_store(postgres_url, shards=wanted)) as store:
            assert 4 == store.shards
    with pytest.raises(InUse, match="made with 4 shards"):
        open_store(postgres_url, shards=1)


# Faults of the disk


def test_a_full_disk_is_no_end(path: Path) -> None:
    """What does not fit is refused whole; once there is room it goes on."""
    with closing(open_store(f"sqlite:{path}")) as store:
        assert isinstance(store, SqliteStore)
        store.append([line("1", "A")])
        assert store._writer is not None
        (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
        store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(Unavailable, match=f"cannot use `{path}`: the disk is full"):
            store.append([line(f"big-{n}", "A", text="x" * 5000) for n in range(50)])
        with pytest.raises(Unavailable, match="the disk is full"):
            save(store, *(entity(f"case:{n}" * 100) for n in range(100)))
        assert ["1"] == ids(store.export())
        store._writer.execute("PRAGMA max_page_count = 1000000")
        assert ["accepted"] == store.append([line("2", "A")])
        assert 2 == busy(store)


def test_a_read_only_file_is_said_to_be(path: Path) -> None:
    """And may be looked at."""
    with closing(open_store(f"sqlite:{path}")) as store:
        assert isinstance(store, SqliteStore)
        store.append([line("1", "A")])
        assert store._writer is not None
        store._writer.execute("PRAGMA query_only = ON")
        with pytest.raises(Unavailable, match=f"cannot use `{path}`: it, or its folder, may not be written"):
            store.append([line("2", "A")])
        assert ["1"] == ids(store.history("A"))


def test_a_file_that_is_locked_is_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not for ever."""
    monkeypatch.setattr("duly.hosts.store.sqlite.BUSY_SECONDS", 0.01)
    with closing(open_store(f"sqlite:{path}")) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="another program has had it locked"):
            store.append([line("1", "A")])
        other.rollback()
        assert ["accepted"] == store.append([line("1", "A")])


def test_what_is_no_store_is_left_alone(path: Path) -> None:
    """A text, a database of something else, a store with a hole in it."""
    path.write_text("no database at all, but long enough to look like something " * 100, encoding="utf-8")
    with pytest.raises(Damaged, match=f"`{path}` is damaged or no SQLite file .*restore a backup"):
        open_store(f"sqlite:{path}")
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (n)")
    with pytest.raises(Damaged, match=f"`{path}` is a SQLite file of something else"):
        open_store(f"sqlite:{path}")
    path.unlink()
    with closing(open_store(f"sqlite:{path}")) as store:
        store.append([line(f"{n}", f"C-{n}", text="x" * 500) for n in range(500)])
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (path.stat().st_size - 8192))

    def look() -> None:
        with closing(open_store(f"sqlite:{path}")) as store:
            store.append([line("new", "A")])
            list(store.export())

    with pytest.raises(Damaged):
        look()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("duly.db", "no store is called `duly.db:`"),
        ("mysql://x", "no store is called `mysql:`"),
        ("sqlite:", "names no file"),
        ("sqlite::memory:", "names no file"),
        ("sqlite:/nowhere/duly.db", "there is no folder `/nowhere`"),
        ("sqlite:/proc/duly.db", "cannot write beside `/proc/duly.db`"),
        ("postgresql://duly:hidden@127.0.0.1:1/none", "PostgreSQL cannot be used: .*127.0.0.1.*refused"),
        ("postgresql://x/y?schema=Robert'); DROP", "cannot be a schema"),
    ],
)
def test_urls_that_cannot_be_opened(url: str, message: str) -> None:
    """Say why, and no secret."""
    with pytest.raises(Unavailable, match=message) as raised:
        open_store(url)
    assert "hidden" not in str(raised.value)


# Servers that go


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that a test may stop."""
    server = Server()
    yield server
    server.remove()


def _kept_trying(store: Store, id: str) -> None:
    """Do what a host does: try again until it works."""
    for _ in range(600):
        try:
            store.append([line(id, "A")])
            return
        except Unavailable:
            store.wait(0.05)
    raise AssertionError("the store never came back")


def test_a_server_that_goes_and_comes_back(own_server: Server) -> None:
    """Meanwhile the store is unavailable; then it goes on by itself, with all that was acknowledged."""
    with closing(open_store(own_server.url, shards=1)) as store:
        store.append([line("1", "A")])
        store.wait(0)
        for how in (signal.SIGINT, signal.SIGQUIT):
            own_server.stop(how)
            for _ in range(3):
                with pytest.raises(Unavailable, match="PostgreSQL cannot be used"):
                    store.append([line("lost", "A")])
            with pytest.raises(Unavailable):
                store.counts()
            own_server.start()
            _kept_trying(store, how.name)
        assert ["1", "SIGINT", "SIGQUIT"] == ids(store.history("A"))


def test_a_connection_that_is_cut_undoes_the_work(postgres_url: str, postgres: Server) -> None:
    """The worker hears of it, and the work is there to be done again."""

    def cut(store: Store) -> None:
        with store.work(0) as work:
            assert work is not None
            work.save([entity("case:A")])
            with psycopg.connect(postgres.url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in trans%'"
                )
            work.taken([1])

    with closing(open_store(postgres_url, shards=1)) as store:
        store.append([line("1", "A")])
        with pytest.raises(Unavailable):
            cut(store)
        assert store.entity("case:A") is None
        assert 1 == busy(store)


def test_a_database_that_is_read_only(postgres_url: str, postgres: Server) -> None:
    """Is said to be, and may be looked at."""
    with closing(open_store(postgres_url, shards=1)) as store:
        store.append([line("1", "A")])
        save(store, entity("case:A"))
    read_only = f"{postgres_url}&options=-cdefault_transaction_read_only%3Don"
    with closing(open_store(read_only)) as store:
        with pytest.raises(Unavailable, match="read-only"):
            store.append([line("2", "A")])
        with pytest.raises(Unavailable, match="read-only"):
            give(store, action("x"))
        assert ["1"] == ids(store.history("A"))
