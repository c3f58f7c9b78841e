"""The service in one process with its test: time turned by hand, trouble made on purpose."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from serving import PROMPT, configured, outbox, until

from duly import compiler, instants
from duly.acting import ActingSet
from duly.hosts import config, intake
from duly.hosts.contract import Busy, Offer, Unavailable
from duly.hosts.service import Service
from duly.testing import VirtualClock

START = "2026-03-02T09:00:00Z"
Started = Callable[..., Service]


@pytest.fixture(scope="module")
def policy() -> ActingSet:
    """The policy that is prompt."""
    source = compiler.Source("duly.yaml", (PROMPT / "duly.yaml").read_bytes())
    compiled = compiler.compile([source], {}).compiled
    assert compiled is not None
    return ActingSet(compiled)


@pytest.fixture
def started(tmp_path: Path, policy: ActingSet) -> Iterator[Started]:
    """Starts services in a folder, and stops them at the end."""
    with ExitStack() as stack:

        def start(clock: VirtualClock, **spec: Any) -> Service:
            file = configured(tmp_path, PROMPT, **spec)
            service = Service(
                config.read(file.read_bytes(), str(file), {}), policy, clock=clock, environment={}
            )
            stack.callback(service.stop)
            service.start()
            return service

        yield start


def offer(name: str, kind: str = "case.opened", at: str = START, **data: Any) -> Offer:
    """An event of a case."""
    return Offer({"id": f"{kind}/{name}", "type": kind, "case": name, "at": at, "data": data})


def after(minutes: float, start: str = START) -> str:
    """The instant so many minutes later."""
    return instants.render(instants.parse(start) + round(minutes * instants.MINUTE))


def told(folder: Path, *types: str) -> list[tuple[str, str, str | None, float]]:
    """The actions of some types: their case, instant, step and lateness in seconds."""
    return [
        (each["case"], each["at"], each.get("step"), each.get("late_by_seconds", 0))
        for each in outbox(folder)
        if each["type"] in types
    ]


def test_each_step_comes_in_its_time(tmp_path: Path, started: Started) -> None:
    """As the hour goes by, each step of a ladder is taken at its instant, and none says that it is late."""
    clock = VirtualClock(START)
    service = started(clock)
    assert ["accepted"] == [
        each.status for each in service.intake.accept([offer("C-1", urgency="normal")], "test")
    ]

    def reached(count: int) -> bool:
        return len(told(tmp_path, "notify")) == count

    for minutes, count in ((29, 0), (2, 1), (30, 2), (10, 4)):
        clock.advance(minutes * 60)
        until(partial(reached, count))
    assert [
        ("C-1", after(30), "remind", 60), ("C-1", after(60), "lead", 60), ("C-1", after(70), "boss", 60),
    ] == told(tmp_path, "notify")[:3]  # fmt: skip


def test_what_was_missed_is_caught_up_with(tmp_path: Path, started: Started) -> None:
    """What was due while no service ran is done by the next one, and says how late; of a ladder the newest step."""
    clock = VirtualClock(START)
    service = started(clock)
    service.intake.accept([offer("C-1", urgency="normal")], "test")
    service.stop()
    clock.advance(4_000)
    started(clock)
    until(lambda: told(tmp_path, "clock.breached"))
    assert [("C-1", after(60), None, 400)] == told(tmp_path, "clock.breached")
    assert [("C-1", after(60), "lead", 400)] == told(tmp_path, "notify")


def test_the_clock_is_set_forward(tmp_path: Path, started: Started) -> None:
    """An hour forward is an hour that passed without anybody working: what was due is done late, once."""
    clock = VirtualClock(START)
    service = started(clock)
    service.intake.accept([offer("C-1", urgency="normal")], "test")
    until(lambda: told(tmp_path, "clock.started"))
    clock.jump(3_660)
    until(lambda: told(tmp_path, "clock.breached"))
    assert [("C-1", after(60), None, 60)] == told(tmp_path, "clock.breached")
    assert [("C-1", after(60), "lead", 60)] == told(tmp_path, "notify")
    assert b"duly_clock_jumps_total 1.0" in service.metrics.page()
    clock.jump(-3_660)
    service.intake.accept([offer("C-2", at=after(0), urgency="normal")], "test")
    clock.advance(3_600)
    assert [("C-1", after(60), "lead", 60)] == told(tmp_path, "notify")[:1]
    assert b"duly_clock_jumps_total 2.0" in service.metrics.page()


def test_the_clock_is_set_back(tmp_path: Path, started: Started) -> None:
    """An hour back, time stands still until it is caught up with: nothing is done twice, and nothing too early."""
    clock = VirtualClock(START)
    service = started(clock)
    service.intake.accept([offer("C-1", urgency="normal")], "test")
    clock.advance(1_800)
    until(lambda: told(tmp_path, "notify"))
    clock.jump(-3_600)
    # By the machine's clock this is now; by ours it is late, and no less accepted for that.
    receipts = service.intake.accept([offer("C-2", at=after(-30), urgency="normal")], "test")
    assert ["accepted"] == [each.status for each in receipts]
    clock.advance(3_601)
    until(lambda: ("C-2", after(30), None) in [each[:3] for each in told(tmp_path, "clock.breached")])
    assert 1 == len([each for each in told(tmp_path, "notify") if each[0] == "C-1"])
    clock.advance(1_800)
    until(lambda: ("C-1", after(60), None, 1) in told(tmp_path, "clock.breached"))
    assert 2 == len([each for each in told(tmp_path, "notify") if each[0] == "C-1"])


def test_a_sink_that_was_down_gets_everything(tmp_path: Path, started: Started) -> None:
    """A sink that fails for an hour gets all that was given out meanwhile as soon as it works again."""
    clock = VirtualClock(START)
    spool = tmp_path / "spool"
    spool.mkdir()
    service = started(clock, sinks={"out": {"type": "jsonl", "settings": {"path": "spool/actions.jsonl"}}})
    shutil.rmtree(spool)
    service.intake.accept([offer(f"C-{number}", urgency="normal") for number in range(20)], "test")
    until(lambda: service.store.depth("out").retry)
    clock.advance(3_601)
    until(lambda: len(told(tmp_path, "clock.breached")) == 20)
    spool.mkdir()
    clock.advance(3_601)
    wanted = {each["id"] for each in outbox(tmp_path)}

    def got() -> set[str]:
        file = spool / "actions.jsonl"
        return (
            {orjson.loads(line)["id"] for line in file.read_bytes().splitlines()} if file.exists() else set()
        )

    until(lambda: wanted <= got())


def test_what_is_at_rest_is_folded(tmp_path: Path, started: Started) -> None:
    """The history of what ended longer ago than it is to be kept goes; what is open stays."""
    clock = VirtualClock(START)
    service = started(clock, store={"url": "sqlite:duly.db", "retention": "1d"})
    service.intake.accept([offer("C-1", urgency="normal"), offer("C-2", urgency="normal")], "test")
    service.intake.accept([offer("C-1", "agent.replied"), offer("C-1", "case.closed")], "test")
    until(lambda: service.store.counts()["pending"] == 0)
    service.stop()
    clock.advance(2 * 86_400)
    service = started(clock, store={"url": "sqlite:duly.db", "retention": "1d"})
    until(lambda: service.store.entity("case:C-1") is None)
    assert service.store.entity("case:C-2") is not None


def test_receipts_say_what_became_of_each(started: Started) -> None:
    """Accepted, sent again, in conflict with another, refused: each event has its receipt, in order."""
    service = started(VirtualClock(START))
    first, other = offer("C-1", urgency="normal"), offer("C-1", urgency="urgent")
    again = Offer({**first.value, "at": "2026-03-02T17:00:00+08:00"})
    future = offer("C-2", at=after(6))
    wrong = offer("C-3", urgency="soon")
    receipts = service.intake.accept([first, again, other, future, wrong, offer("C-4")], "test")
    assert ["accepted", "duplicate", "conflict", "refused", "refused", "accepted"] == [
        each.status for each in receipts
    ]
    assert ["", "", "E108", "E110", "C202", ""] == [each.code for each in receipts]
    assert {"E108", "E110", "C202"} == {each.code for each in service.store.rejects()}
    page = service.metrics.page().decode()
    for status, count in (("accepted", 2), ("duplicate", 1), ("conflict", 1), ("refused", 2)):
        assert f'duly_events_total{{source="test",status="{status}"}} {count}.0' in page


def test_too_much_is_turned_away(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more comes in than can be taken, whoever comes next is told to come again; nothing piles up."""
    monkeypatch.setattr(intake, "MAX_WAITING", 10)
    service = started(VirtualClock(START))
    blocked = threading.Event()
    ready = threading.Event()

    def hold() -> None:
        with service.store.work(0):
            ready.set()
            blocked.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    ready.wait(30)
    try:
        futures = [service.intake.offer([offer("A-1")], "test")]
        until(lambda: service.intake.size == 0)
        futures.append(service.intake.offer([offer(f"B-{number}") for number in range(10)], "test"))
        with pytest.raises(Busy):
            service.intake.offer([offer("C-1")], "test")
    finally:
        blocked.set()
        holder.join()
    assert {"accepted"} == {each.status for future in futures for each in future.result(30)}


def test_nothing_is_taken_after_the_end(started: Started) -> None:
    """A service that stops takes nothing more, and what it took is done."""
    service = started(VirtualClock(START))
    service.intake.accept([offer("C-1")], "test")
    assert (True, True) == (service.health.ready()[0], service.health.alive()[0])
    service.stop()
    assert not service.health.ready()[0]
    with pytest.raises(Unavailable):
        service.intake.accept([offer("C-2")], "test")
