"""`duly run`: the real process, what it does with events, time, signals and trouble."""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from postgres_server import Server

from duly import instants

sys.path.insert(0, str(Path(__file__).parent))
serving = importlib.import_module("serving")
if TYPE_CHECKING:
    from serving import DESK, PROMPT, Running, configured, counted, outbox, simulated, surroundings, until
else:
    DESK, PROMPT, Running, configured = serving.DESK, serving.PROMPT, serving.Running, serving.configured
    counted, outbox, simulated = serving.counted, serving.outbox, serving.simulated
    surroundings, until = serving.surroundings, serving.until

PIPE = {"pipe": {"type": "stdin"}}
FEED = {"feed": {"type": "file", "path": "events.jsonl"}}


def day(cases: int) -> list[bytes]:
    """The events of a day at the desk, in order of time."""
    events: list[dict[str, Any]] = []
    start = instants.parse("2026-03-11T09:00:00+08:00")
    for number in range(cases):
        at = start + number * 7 * instants.MINUTE
        name, category = f"C-{number}", "outage" if number % 3 else "question"
        told: list[tuple[int, dict[str, Any]]] = [
            (0, {"type": "case.opened", "data": {"category": category}}),
            (number % 5 * 4, {"type": "agent.replied", "data": {"automated": number % 7 == 0}}),
            (60, {"type": "case.closed"}),
        ]
        for minutes, event in told[: 2 + number % 2]:
            moment = instants.render(at + minutes * instants.MINUTE)
            events.append({"id": f"{name}/{event['type']}", "case": name, "customer": f"K-{number % 9}",
                           "at": moment, **event})  # fmt: skip
    return [json.dumps(each).encode() for each in sorted(events, key=lambda each: str(each["at"]))]


def by_id(actions: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Actions by their ids, of which each comes once."""
    found = {action["id"]: action for action in actions}
    assert len(found) == len(actions)
    return found


def now(seconds: float = 0) -> str:
    """The instant, as an event says it."""
    return instants.render(time.time_ns() // 1000 + round(seconds * instants.SECOND))


def opened(name: str, urgency: str = "urgent", at: str = "") -> bytes:
    """A case of the policy that is prompt."""
    event = {
        "id": f"e-{name}",
        "type": "case.opened",
        "case": name,
        "at": at or now(),
        "data": {"urgency": urgency},
    }
    return json.dumps(event).encode() + b"\n"


def test_standard_input_gives_what_simulate_gives(tmp_path: Path) -> None:
    """Events from a pipe, some twice, some bad, give the actions that `duly simulate` gives; and the service ends."""
    events = day(60)
    wrong = {"id": "e", "type": "case.opened", "case": "C", "at": now(), "data": {"category": "weather"}}
    bad = [b"{", b'{"id": "x"}', json.dumps(wrong).encode()]
    configured(tmp_path, time="events", sources=PIPE)
    end = "2026-03-20T00:00:00Z"
    with Running(tmp_path, "--until", end, given=b"\n".join([*events, *bad, *events[:5]])) as run:
        assert (0, 3) == (run.ended(), run.told.count("an event was refused")), run.told
    expected = simulated(tmp_path, DESK, events, "--until", end)
    assert len(expected) > 100
    assert by_id(expected) == by_id(outbox(tmp_path))
    assert (3, 0) == tuple(counted(tmp_path)[each] for each in ("rejects", "pending"))


def test_a_file_is_followed(tmp_path: Path) -> None:
    """A file is read as it grows, through rotation and truncation, over restarts; each line of it once."""
    file, lines = tmp_path / "events.jsonl", [opened(f"C-{number}", "normal") for number in range(9)]

    def read(count: int) -> None:
        until(lambda: counted(tmp_path)["events"] == count)

    configured(tmp_path, PROMPT, sources=FEED)
    with Running(tmp_path) as run:
        run.says("waiting for it")
        file.write_bytes(lines[0] + lines[1][:20])
        read(1)
        assert 0 == run.stop(), run.told
    with file.open("ab") as writer:
        writer.write(lines[1][20:])
    with Running(tmp_path) as run:
        read(2)
        with file.open("ab") as writer:
            writer.write(lines[2])
            file.rename(tmp_path / "events.jsonl.1")
            writer.write(lines[3])
        file.write_bytes(lines[4])
        read(5)
        assert 0 == run.stop()
    with file.open("ab") as writer:
        writer.write(lines[5])
    file.rename(tmp_path / "events.jsonl.2")
    file.write_bytes(lines[6])
    with Running(tmp_path) as run:
        run.says("what was left of it")
        read(7)
        file.write_bytes(lines[7])
        run.says("written anew")
        read(8)
        with file.open("ab") as writer:
            writer.write(lines[8].rstrip())
        assert 0 == run.stop()
    configured(tmp_path, PROMPT, sources={"feed": {**FEED["feed"], "follow": False}})
    with Running(tmp_path) as run:
        assert 0 == run.ended()
    assert (9, 0) == tuple(counted(tmp_path)[each] for each in ("events", "rejects"))


def test_time_passes(tmp_path: Path) -> None:
    """By the wall clock a promise of a second is broken a second later, and what follows is dated then."""
    configured(tmp_path, PROMPT, sources=FEED)
    with Running(tmp_path) as run:
        run.says("running")
        (tmp_path / "events.jsonl").write_bytes(opened("C-1"))
        until(lambda: "clock.breached" in [action["type"] for action in outbox(tmp_path)])
        assert 0 == run.stop(), run.told
    found = {action["type"]: action for action in outbox(tmp_path)}
    assert found["clock.started"]["due_by"] == found["clock.breached"]["at"]


def test_events_of_the_future_are_refused(tmp_path: Path) -> None:
    """What is more than five minutes ahead of the clock is refused, and kept; a little may clocks differ."""
    configured(tmp_path, PROMPT, sources=PIPE)
    given = opened("C-1", at=now(600)) + opened("C-2", at=now(60))
    with Running(tmp_path, given=given) as run:
        assert (0, 1) == (run.ended(), run.told.count("E110")), run.told
    assert (1, 1) == tuple(counted(tmp_path)[each] for each in ("events", "rejects"))


def test_two_on_one_file(tmp_path: Path) -> None:
    """A second service on the same SQLite file is told so and ends; the first goes on."""
    configured(tmp_path, PROMPT, sources=FEED)
    with Running(tmp_path) as first:
        first.says("running")
        with Running(tmp_path) as second:
            assert 2 == second.ended()
            assert f"is in use by process {first.process.pid}" in second.told
        (tmp_path / "events.jsonl").write_bytes(opened("C-1"))
        until(lambda: counted(tmp_path)["events"] == 1)
        assert 0 == first.stop()


def test_two_on_one_database(tmp_path: Path, postgres_url: str) -> None:
    """Two services share the work of a PostgreSQL store; when one is killed, the other does all of it."""
    folders = [tmp_path / "one", tmp_path / "other"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        configured(folder, PROMPT, sources={f"feed-{number}": FEED["feed"]}, store={"url": postgres_url})
        lines = [opened(f"{folder.name}-{each}") for each in range(40)]
        (folder / "events.jsonl").write_bytes(b"".join(lines))

    def breached(count: int) -> bool:
        found = by_id(outbox(tmp_path, postgres_url)).values()
        return count == len([each for each in found if each["type"] == "clock.breached"])

    with Running(folders[0]) as one:
        one.says("running")
        with Running(folders[1]) as other:
            until(lambda: breached(80))
            one.kill()
            with (folders[1] / "events.jsonl").open("ab") as file:
                file.write(b"".join(opened(f"later-{each}") for each in range(40)))
            until(lambda: breached(120))
            assert 0 == other.stop(), other.told
    assert (120, 0) == tuple(counted(tmp_path, postgres_url)[each] for each in ("events", "pending"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_to(number: int, tmp_path: Path) -> None:
    """A signal in the middle of much work ends it in order: what was read is accepted and done."""
    events = day(2_000)
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(events) + b"\n")
    configured(tmp_path, time="events", sources=FEED, stop_within="5m")
    with Running(tmp_path) as run:
        until(lambda: counted(tmp_path)["actions"] > 0)
        assert 0 == run.stop(number), run.told
        assert "stopped" in run.lines[-1]
    counts = counted(tmp_path)
    assert 0 == counts["pending"]
    assert 0 < counts["events"]


def test_systemd_is_told(tmp_path: Path) -> None:
    """Systemd hears when it is ready, that it lives, and when it stops; a file is touched."""
    configured(tmp_path, PROMPT, sources=FEED, watchdog={"file": "alive"})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(serving.PATIENCE)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        with Running(tmp_path, environment=told) as run:
            assert [b"READY=1", b"WATCHDOG=1"] == [channel.recv(100), channel.recv(100)]
            assert (tmp_path / "alive").exists()
            run.process.terminate()
            while (last := channel.recv(100)) == b"WATCHDOG=1":
                pass
            assert (b"STOPPING=1", 0) == (last, run.ended())


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    """Where nothing can be written any more, the service says so, waits, and goes on; nothing is lost."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(opened("C-0", "normal"))
    configured(tmp_path, PROMPT, sources=FEED)
    with Running(tmp_path) as run:
        until(lambda: counted(tmp_path)["events"] == 1)
        size = max(each.stat().st_size for each in tmp_path.iterdir())
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (size + 8192, -1))
        with file.open("ab") as writer:
            writer.write(b"".join(opened(f"C-{number}", "normal") for number in range(1, 3_000)))
        run.says("the store is unavailable")
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (-1, -1))
        run.says("the store is back")
        until(lambda: counted(tmp_path)["events"] == 3_000)
        assert 0 == run.stop(), run.told


def test_a_database_that_goes_is_waited_for(tmp_path: Path) -> None:
    """The server is gone without a word while events come; when it is back, the service goes on by itself."""
    server = Server(fsync=True)
    try:
        file = tmp_path / "events.jsonl"
        file.write_bytes(opened("C-0", "normal"))
        configured(tmp_path, PROMPT, sources=FEED, store={"url": server.url})
        with Running(tmp_path) as run:
            run.says("running")
            until(lambda: len(outbox(tmp_path, server.url)) == 1)
            server.stop(signal.SIGQUIT)
            with file.open("ab") as writer:
                writer.write(b"".join(opened(f"C-{number}", "normal") for number in range(1, 300)))
            run.says("the store is unavailable")
            server.start()
            run.says("the store is back")
            until(lambda: counted(tmp_path, server.url)["events"] == 300)
            assert 0 == run.stop(), run.told
        started = [each["case"] for each in outbox(tmp_path, server.url) if each["type"] == "clock.started"]
        assert sorted(f"C-{number}" for number in range(300)) == sorted(started)
    finally:
        server.remove()


MOUNTED = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o "$0" none state && exec "$@"']
"""What runs a program with an empty file system of its own in the folder `state`."""


@pytest.fixture
def mountable(tmp_path: Path) -> Path:
    """A folder with a `state` that may be mounted upon; skips where that is not allowed."""
    (tmp_path / "state").mkdir()
    tried = subprocess.run([*MOUNTED, "rw", "true"], cwd=tmp_path, capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("no file system may be mounted here")
    return tmp_path


def test_a_read_only_disk_is_no_place_to_start(mountable: Path) -> None:
    """Where the store cannot be written from the beginning, the service says so and ends."""
    configured(mountable, PROMPT, sources=FEED, store={"url": "sqlite:state/duly.db"})
    with Running(mountable, within=[*MOUNTED, "ro"]) as run:
        assert (2, True) == (run.ended(), "Read-only file system" in run.told), run.told


@pytest.mark.parametrize(
    ("broken", "code", "told"),
    [
        ({"store": {"url": "sqlite:nowhere/duly.db"}}, 2, "there is no folder"),
        ({"policy": "nowhere"}, 2, "there is no such file or folder"),
        ({"sources": {"crm": {"type": "file"}}}, 1, "error D504: a source of type `file` has no `path`"),
        ({"http": {"listen": "127.0.0.1:0", "tokens": [{"name": "a", "secret": {"env": "NO_SUCH"}, "may": ["read"]}]}},
         1, "error D501: environment variable `NO_SUCH` is not set"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("words", [[], ["--check"]], ids=["run", "check"])
def test_what_cannot_be_run_is_said(
    broken: dict[str, Any], code: int, told: str, words: list[str], tmp_path: Path
) -> None:
    """A configuration that will not do ends the service at once, with the reason and no traceback."""
    configured(tmp_path, **{"policy": PROMPT, **broken})
    with Running(tmp_path, *words) as run:
        assert (code, True, False) == (run.ended(), told in run.told, "Traceback" in run.told), run.told


def test_check_starts_nothing(tmp_path: Path) -> None:
    """`--check` says that all is well and ends; beside a service that runs as well."""
    configured(tmp_path, PROMPT, sources=FEED)
    with Running(tmp_path, "--check") as run:
        assert (0, True) == (run.ended(), "can be run" in run.told), run.told
    with Running(tmp_path) as first:
        first.says("running")
        with Running(tmp_path, "--check") as run:
            assert (0, True) == (run.ended(), "can be run" in run.told), run.told


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    """A part that needs an extra says which to install."""
    configured(tmp_path, PROMPT, http={"listen": "127.0.0.1:0"})
    without = (
        "import sys; sys.modules['starlette'] = None; from duly_cli.main import main; sys.exit(main(['run']))"
    )
    done = subprocess.run([sys.executable, "-c", without], cwd=tmp_path, capture_output=True, check=False,
                          env=surroundings(tmp_path), text=True)  # fmt: skip
    assert (1, True) == (done.returncode, "pip install 'duly[service]'" in done.stderr), done.stderr


def test_no_configuration_shows_one(tmp_path: Path) -> None:
    """Where there is no configuration, an example is shown, which can be run."""
    with Running(tmp_path) as run:
        assert 2 == run.ended()
    example = run.told.partition("looks like this:\n")[2]
    (tmp_path / "duly.config.yaml").write_text(example, encoding="utf-8")
    os.symlink(PROMPT, tmp_path / "policy")
    with Running(tmp_path, "--check") as run:
        assert 0 == run.ended(), run.told
