"""Retention: what has long been at rest is folded by the service itself, and its customer is served as before."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from serving import PROMPT, configured, until

from duly import compiler, instants
from duly.acting import ActingSet
from duly.hosts import config, retention
from duly.hosts.audit import audit
from duly.hosts.contract import Offer, Receipt
from duly.hosts.service import Service
from duly.testing import VirtualClock

START = instants.parse("2026-03-02T09:00:00Z")
DAY = 24 * 3600
Started = Callable[[], Service]


@pytest.fixture(scope="module")
def policy() -> ActingSet:
    """The policy that is prompt."""
    source = compiler.Source("duly.yaml", (PROMPT / "duly.yaml").read_bytes())
    compiled = compiler.compile([source], {}).compiled
    assert compiled is not None
    return ActingSet(compiled)


@pytest.fixture
def clock() -> VirtualClock:
    """Time that is turned by hand."""
    return VirtualClock(instants.render(START))


@pytest.fixture
def started(tmp_path: Path, policy: ActingSet, clock: VirtualClock) -> Iterator[Started]:
    """Starts services that keep histories for 30 days, one group at a time, and stops them at the end."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(retention, "PIECE", 1)
        patch.setattr(retention, "PAUSE", 0.01)

        def start() -> Service:
            file = configured(
                tmp_path, PROMPT, store={"url": "sqlite:duly.db", "retention": "30d"},
                sinks={"out": {"type": "jsonl", "settings": {"path": "actions.jsonl"}}},
            )  # fmt: skip
            service = Service(
                config.read(file.read_bytes(), str(file), {}), policy, clock=clock, environment={}
            )
            stack.callback(service.stop)
            service.start()
            return service

        yield start


def tell(
    service: Service, case: str, *events: tuple[str, float], customer: str | None = "K-1"
) -> list[Receipt]:
    """Let events of a case come in, each so many minutes after the start."""
    offers = [
        Offer({
            "id": f"{case}/{kind}/{minutes}", "type": kind, "case": case, "customer": customer,
            "at": instants.render(START + round(minutes * instants.MINUTE)), "data": {},
        })
        for kind, minutes in events
    ]  # fmt: skip
    return service.intake.accept(offers, "test")


def folded(service: Service) -> int:
    """How many histories the metrics say were folded."""
    found = re.search(rb"^duly_groups_folded_total (\S+)$", service.metrics.page(), re.MULTILINE)
    return 0 if found is None else round(float(found[1]))


def groups(service: Service) -> set[str]:
    """Whose actions are still in the outbox."""
    return {each.group for each in service.store.outbox()}


def worked_off(service: Service) -> bool:
    """Whether everything was taken, done and delivered."""
    return service.store.counts()["pending"] == 0 and service.store.depth("out").new == 0


LIFE = (("case.opened", 0), ("agent.replied", 1), ("case.closed", 2))


@pytest.fixture
def service(started: Started, clock: VirtualClock) -> Service:
    """A service after 31 days, in which a customer's case and one of nobody were closed, and one never was."""
    service = started()
    tell(service, "C-1", *LIFE)
    tell(service, "C-2", *LIFE, customer=None)
    tell(service, "C-3", LIFE[0], LIFE[1], customer="K-3")
    clock.advance(180)
    until(lambda: worked_off(service))
    assert {"customer:K-1", "case:C-2", "customer:K-3"} == groups(service)
    clock.advance(29 * DAY)
    tell(service, "C-4", ("case.opened", 29 * 24 * 60), customer="K-4")
    until(lambda: worked_off(service))
    assert 0 == folded(service)
    clock.advance(2 * DAY)
    until(lambda: folded(service) == 2)
    return service


def test_what_is_at_rest_is_folded(service: Service) -> None:
    """Journal, delivered actions and ended cases go; what is open, or closed more recently, stays."""
    assert {"customer:K-3", "customer:K-4"} == groups(service)
    assert ["C-3", "C-3", "C-4"] == [line.case for line in service.store.export()]
    assert [None, None] == [service.store.entity(f"case:{case}") for case in ("C-1", "C-2")]
    assert service.store.entity("case:C-3") is not None


def test_the_customer_goes_on(service: Service, clock: VirtualClock) -> None:
    """A new case of his, replies that come late and all, is what its journal says, from the base on."""
    now = 31 * 24 * 60 + 3
    tell(service, "C-9", ("case.opened", now))
    clock.advance(3_700)
    until(lambda: "clock.breached" in given(service, "C-9"))
    tell(service, "C-9", ("agent.replied", now + 10))
    until(lambda: "clock.met" in given(service, "C-9"))
    assert "action.cancelled" in given(service, "C-9")
    found = audit(service.store, "C-9", service.acting)
    assert found is not None
    assert (True, 2) == (found.same, found.events)
    assert instants.render(START + 2 * instants.MINUTE) == found.begins


def test_what_comes_from_before_is_refused(service: Service) -> None:
    """An event from before the base cannot be worked out any more: it is kept with its reason."""
    assert ["accepted"] == [each.status for each in tell(service, "C-1", ("agent.replied", 1.5))]
    until(service.store.rejects)
    assert ["E112"] == [each.code for each in service.store.rejects()]
    assert 0 == service.store.counts()["pending"]


@pytest.mark.parametrize("customer", ["K-1", None])
def test_a_case_that_was_forgotten_is_opened_again(
    service: Service, clock: VirtualClock, customer: str | None
) -> None:
    """To the service it is a new case, with a promise of its own, and audited as such."""
    case = "C-1" if customer else "C-2"
    now = 31 * 24 * 60 + 3
    tell(service, case, ("case.reopened", now), ("case.opened", now + 1), customer=customer)
    clock.advance(3_700)
    until(lambda: "clock.breached" in given(service, case))
    found = audit(service.store, case, service.acting)
    assert found is not None
    assert (True, 2) == (found.same, found.events)
    assert not service.store.rejects()


def test_it_is_folded_again(service: Service, clock: VirtualClock) -> None:
    """What lived on after it was folded comes to rest again, and its base moves with it."""
    now = 31 * 24 * 60 + 3
    tell(service, "C-9", ("case.opened", now), ("agent.replied", now + 1), ("case.closed", now + 2))
    clock.advance(180)
    until(lambda: worked_off(service))
    clock.advance(32 * DAY)
    until(lambda: folded(service) == 3)
    assert "customer:K-1" not in groups(service)


def test_nothing_is_folded_without_a_retention(
    tmp_path: Path, policy: ActingSet, clock: VirtualClock
) -> None:
    """Without it histories are kept for ever."""
    file = configured(tmp_path, PROMPT)
    service = Service(config.read(file.read_bytes(), str(file), {}), policy, clock=clock, environment={})
    service.start()
    try:
        tell(service, "C-1", *LIFE)
        clock.advance(1000 * DAY)
        tell(service, "C-9", ("case.opened", 1000 * 24 * 60))
        until(lambda: service.store.counts()["pending"] == 0)
        assert 4 == len(list(service.store.export()))
    finally:
        service.stop()


def given(service: Service, case: str) -> list[Any]:
    """The types of the actions that stand in the outbox for a case."""
    bodies = [json.loads(each.body) for each in service.store.outbox()]
    return [each["type"] for each in bodies if each.get("case") == case]
