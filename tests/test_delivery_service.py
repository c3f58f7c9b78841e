"""Deliveries of a process that runs: its threads, its leases, and the commands beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from deliveries import CALENDARS, action, out

from duly.hosts.clock import WallClock
from duly.hosts.delivery import settings as reading
from duly.hosts.delivery.calls import Around
from duly.hosts.delivery.couriers import Couriers
from duly.hosts.store import open_store
from duly.hosts.store.contract import Store
from duly.sinks.base import Message, Receipt
from duly.testing import Collecting

SPEC: Mapping[str, Any] = {"sinks": {"chat": {"type": "console"}, "log": {"type": "console"}}}


class Closing(Collecting):
    """A collecting sink that tells that it was let go of."""

    closed = False

    def close(self) -> None:
        self.closed = True


class Refusing:
    """A sink that refuses everything."""

    def deliver(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """See Sink."""
        return [Receipt("refused", "频道不存在")] * len(messages)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of the kind that a service has alone."""
    opened = open_store(f"sqlite:{tmp_path / 'duly.db'}")
    yield opened
    opened.close()


def couriers(store: Store, owner: str, sinks: Mapping[str, Any]) -> Couriers:
    clock = WallClock()
    settings, _ = reading.read(SPEC)
    found = Couriers(sinks, settings, store, clock, owner, Around(clock.now, calendars=lambda: CALENDARS))
    found.subscribe()
    return found


def give(store: Store, *actions: Mapping[str, Any]) -> None:
    with store.work(0) as work:
        assert work is not None
        work.give([out(each) for each in actions])


def test_threads_deliver_what_is_committed(store: Store) -> None:
    """Each sink has its thread, which hears of commits; at the end all is delivered, and the sinks are let go of."""
    sinks = {"chat": Closing(), "log": Closing()}
    running = couriers(store, "one", sinks)
    running.start()
    give(store, *(action(f"a{number}") for number in range(100)))
    for sink in sinks.values():
        assert len(sink.wait(100)) == 100
    give(store, *(action(f"b{number}") for number in range(500)))
    running.stop(30)
    for sink in sinks.values():
        assert [f"b{number}" for number in range(500)] == [each["id"] for each in sink.actions[100:]]
        assert sink.closed
    assert (0, 0, 0, 0, 0, 0) == store.depth("chat")


def test_one_of_two_processes_delivers(store: Store) -> None:
    """Who holds the lease delivers; once it lets go, the other goes on where it stood."""
    first = {"chat": Closing(), "log": Closing()}
    second = {"chat": Closing(), "log": Closing()}
    one = couriers(store, "one", first)
    one.start()
    give(store, action("a"))
    for sink in first.values():
        sink.wait(1)
    two = couriers(store, "two", second)
    two.start()
    give(store, *(action(f"b{number}") for number in range(50)))
    one.stop(30)
    give(store, action("c"))
    two.wake()
    for sink in second.values():
        sink.wait(1)
    two.stop(30)
    expected = ["a", *(f"b{number}" for number in range(50)), "c"]
    for name, sink in first.items():
        assert expected == [each["id"] for each in (*sink.actions, *second[name].actions)]
        assert ["c"] == [each["id"] for each in second[name].actions]


def test_a_sink_that_fails_stops_no_other(store: Store) -> None:
    """A thread whose sink does nothing but raise goes on, and so do the others."""

    class Raising:
        def deliver(self, messages: Sequence[Message]) -> Sequence[Receipt]:
            raise RuntimeError("out of order")

    log = Closing()
    running = couriers(store, "one", {"chat": Raising(), "log": log})
    running.start()
    give(store, action("a"))
    log.wait(1)
    give(store, action("b"))
    log.wait(2)
    running.stop(30)
    outlet = store.outlets()["chat"]
    assert outlet.error == "RuntimeError: out of order"
    assert store.depth("chat").retry + store.depth("chat").new == 2


CONFIG = """\
apiVersion: duly/v1
kind: Config
spec:
  store: {url: "sqlite:duly.db"}
  sinks:
    客服群: {type: console, fallback: log}
    log: {type: jsonl, settings: {path: out.jsonl}}
"""


def ask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "duly_cli.main", "sinks", *words], cwd=folder, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, store: Store) -> Path:
    """A configuration beside a store that a service has open, with dead letters."""
    (tmp_path / "duly.config.yaml").write_text(CONFIG, "utf-8")
    settings, _ = reading.read({"sinks": {"客服群": {"type": "console"}, "log": {"type": "console"}}})
    clock = WallClock()
    sinks: dict[str, Any] = {"客服群": Refusing(), "log": Collecting()}
    running = Couriers(sinks, settings, store, clock, "one", Around(clock.now))
    running.subscribe()
    running.start()
    give(store, action("3f2a9c", case="C-投诉-1", at="2026-03-02T01:00:00Z"), action("77b0d1", case="C-2"))
    running.stop(30)
    return tmp_path


def test_an_operator_looks_after_sinks_beside_the_service(folder: Path, store: Store) -> None:
    """`list`, `dead`, `retry` and `enable` work on the store that a service has open."""
    rows = [json.loads(line) for line in ask(folder, "list", "--format", "json").stdout.splitlines()]
    assert [("客服群", "console", "live", 2, 0), ("log", "jsonl", "live", 0, 2)] == [
        (row["sink"], row["type"], row["state"], row["dead"], row["delivered"]) for row in rows
    ]
    assert rows[0]["last_error"]["reason"] == "频道不存在"
    listed = ask(folder, "dead")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout == (
        "sink    id      type    case      to  at                    attempts  reason\n"
        "客服群  3f2a9c  notify  C-投诉-1  –   2026-03-02T01:00:00Z  0         频道不存在\n"
        "客服群  77b0d1  notify  C-2       –   2026-03-02T09:00:00Z  0         频道不存在\n"
    )
    again = ask(folder, "retry", "客服群", "3f2a")
    assert again.stdout == "1 dead letter of `客服群` will be tried again\n"
    assert (0, 1, 0, 1, 0, 0) == store.depth("客服群")
    assert "2 dead letters" not in ask(folder, "retry", "客服群", "--all").stdout
    store.disable("客服群", "410 Gone", WallClock().now())
    assert "switched off" in ask(folder, "list").stdout
    assert ask(folder, "enable", "客服群").stderr == "duly: `客服群` is switched on\n"
    assert store.outlets()["客服群"].disabled == ""


@pytest.mark.parametrize(("words", "code", "says"), [
    (["dead", "客服"], 2, "there is no sink `客服`; did you mean `客服群`?"),
    (["retry", "客服群"], 2, "add `--all`"),
    (["retry", "客服群", "--all", "3f2a"], 2, "add `--all`"),
    (["retry", "客服群", "0000"], 2, "`客服群` has no dead letter of the action `0000`; see `duly sinks dead 客服群`"),
    (["check", "nobody"], 2, "there is no sink `nobody`"),
    (["list", "--config", "nowhere.yaml"], 2, "nowhere.yaml"),
])  # fmt: skip
def test_wrong_use_is_told(folder: Path, words: list[str], code: int, says: str) -> None:
    """What cannot be done is told in a sentence, and changes nothing."""
    done = ask(folder, *words)
    assert code == done.returncode
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_sinks_are_checked_without_delivering(tmp_path: Path) -> None:
    """`check` tells of each sink whether it can work; settings that cannot are told with their place."""
    config = tmp_path / "duly.config.yaml"
    config.write_text(CONFIG, "utf-8")
    done = ask(tmp_path, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("客服群: has nothing to check\nlog: ")
    config.write_text(CONFIG.replace("fallback: log", "fallback: 客服群"), "utf-8")
    done = ask(tmp_path, "check")
    assert done.returncode == 1
    assert "fallbacks go round in a circle: `客服群` → `客服群`" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


POLICY = """\
apiVersion: duly/v1
kind: PolicySet
metadata: {name: tiny, version: 1.0.0}
spec:
  timezone: Asia/Shanghai
  languages: [zh, en]
  adoption: {open_cases: keep}
  templates:
    received: {zh: "已收到需求 {case}：{problem}", en: "We have your request {case}: {problem}"}
---
apiVersion: duly/v1
kind: Roster
metadata: {name: tiny}
spec: {people: {lin: {name: 林}}}
---
apiVersion: duly/v1
kind: Reaction
metadata: {name: tiny}
spec:
  reactions:
    - {id: thanks, on: case.opened, do: [{message: received}, {notify: "person:lin", data: {note: "<b>急</b>"}}]}
"""


def serve(folder: Path, events: str, **spec: Any) -> subprocess.CompletedProcess[str]:
    """A service that takes events from standard input, and ends."""
    (folder / "policy").mkdir(exist_ok=True)
    for number, document in enumerate(POLICY.split("---\n")):
        (folder / "policy" / ("duly.yaml", "roster.yaml", "reactions.yaml")[number]).write_text(
            document, "utf-8"
        )
    config = {
        "policy": "./policy", "store": {"url": "sqlite:duly.db"}, "time": "events",
        "sources": {"pipe": {"type": "stdin"}}, **spec,
    }  # fmt: skip
    (folder / "duly.config.yaml").write_text(
        json.dumps({"apiVersion": "duly/v1", "kind": "Config", "spec": config}), "utf-8"
    )
    return subprocess.run(
        [sys.executable, "-m", "duly_cli.main", "run"], cwd=folder, input=events, capture_output=True, text=True,
        check=False, timeout=60, encoding="utf-8",
    )  # fmt: skip


OPENED = (
    '{"id": "e1", "type": "case.opened", "case": "C-1", "customer": "K-7", "at": "2026-03-02T09:00:00+08:00", '
    '"data": {"problem": "打不开"}}\n'
)


def test_a_service_says_things_in_words(tmp_path: Path) -> None:
    """A message is told in the policy's words, a notice in the sink's own, each in the sink's language."""
    (tmp_path / "notify.txt").write_text("看一下 {case}\n\n{note} {action.at}", "utf-8")
    done = serve(tmp_path, OPENED, sinks={
        "中文": {"type": "console", "language": "zh", "only": ["message", "notify"],
               "templates": {"notify": "notify.txt"}},
    })  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [
        [
            "2026-03-02T01:00:00Z",
            "message",
            "→",
            "customer:K-7",
            "关于您的需求",
            "C-1",
            "已收到需求",
            "C-1：打不开",
        ],
        [
            "2026-03-02T01:00:00Z",
            "notify",
            "→",
            "person:lin",
            "看一下",
            "C-1",
            "<b>急</b>",
            "2026-03-02",
            "09:00",
        ],
    ]


def test_a_dry_run_sends_nothing_and_records_everything(tmp_path: Path) -> None:
    """A service with `mode: dry_run` decides as always; what it would have sent is shown by `duly sinks`."""
    sinks = {"out": {"type": "jsonl", "settings": {"path": "out.jsonl"}}}
    done = serve(tmp_path, OPENED, sinks=sinks, mode="dry_run")
    assert done.returncode == 0, done.stderr
    assert "dry_run: records and does not send for out" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()
    [row] = [json.loads(line) for line in ask(tmp_path, "list", "--format", "json").stdout.splitlines()]
    assert row["state"] == "dry_run"
    assert row["delivered"] == 0
    kept = ask(tmp_path, "dead", "--state", "withheld", "--format", "json").stdout.splitlines()
    assert len(kept) == row["withheld"] > 1
    assert {"message", "notify"} <= {json.loads(line)["type"] for line in kept}


@pytest.mark.parametrize(("spec", "says"), [
    ({"sinks": {"a": {"type": "console", "quiet": {"calendar": "office"}}}}, "the policy has no calendar `office`"),
    ({"sinks": {"a": {"type": "console", "templates": {"notify": "no.txt"}}}}, "no.txt: the template cannot be read"),
    ({"sinks": {"a": {"type": "console", "templates": {"notify": "bad.md"}}}}, "does not suit this sink"),
    ({"sinks": {"a": {"type": "nothing"}}}, "nothing"),
    ({"sinks": {"a": {"type": "console", "settings": {"format": "xml"}}}}, "xml"),
    ({"sinks": {"a": {"type": "console", "only": ["notfy"]}}}, "did you mean `notify`?"),
])  # fmt: skip
def test_a_service_refuses_what_cannot_work(tmp_path: Path, spec: dict[str, Any], says: str) -> None:
    """What is wrong with deliveries is told before anything starts, with its place."""
    (tmp_path / "bad.md").write_text("Look at {case}", "utf-8")
    done = serve(tmp_path, "", **spec)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "duly.config.yaml:1:" in done.stderr
    assert "Traceback" not in done.stderr


def test_types_are_named(tmp_path: Path) -> None:
    """`duly sinks list --types` names what a configuration may name, and needs no configuration."""
    assert {"console", "jsonl", "webhook"} <= {
        json.loads(line)["type"]
        for line in ask(tmp_path, "list", "--types", "--format", "json").stdout.splitlines()
    }
