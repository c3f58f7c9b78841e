"""The work on a shard: what is late says so, what comes from the future waits, what is refused is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from duly.acting import ActingSet
from duly.compiler import Source, compile
from duly.hosts.folding import fold
from duly.hosts.shard import Shard, Step
from duly.hosts.sharing import wants_one_shard
from duly.hosts.store import open_store
from duly.hosts.store.contract import Store
from duly.hosts.store.records import HUB, Kept, Line, Out
from duly.instants import DAY, HOUR, MINUTE, parse, render

DESK = (Path(__file__).parent / "cases" / "suites" / "desk" / "duly.yaml").read_bytes()
OPENED = parse("2026-03-02T02:00:00Z")  # a Monday, 10:00 in Shanghai


def acting(source: bytes = DESK) -> ActingSet:
    """A policy ready to act."""
    compilation = compile([Source("duly.yaml", source)])
    assert compilation.compiled is not None, compilation.diagnostics
    return ActingSet(json.loads(json.dumps(compilation.compiled)))


class Service:
    """A store with a shard that works on it."""

    def __init__(self, store: Store, policy: ActingSet) -> None:
        self.store, self._shard = store, Shard(lambda _: policy)
        store.adopt(policy.identity["revision"], OPENED, b"{}")
        self._number = 0

    def tell(
        self, kind: str, at: int, case: str | None = "C-1", customer: str | None = None, **data: Any
    ) -> None:
        """Let an event come in."""
        self._number += 1
        told = {
            "id": f"e-{self._number}",
            "type": kind,
            "at": render(at),
            "case": case,
            "customer": customer,
            "data": data,
        }
        group = f"customer:{customer}" if customer else f"case:{case}"
        self.store.append(
            [Line(f"e-{self._number}", at, group, json.dumps(told).encode(), case, customer, "test")]
        )

    def work(self, now: int, *, wall: bool = False) -> list[Step]:
        """Work until there is nothing more to do by now."""
        steps: list[Step] = []
        while not steps or steps[-1].more:
            with self.store.work(0) as work:
                assert work is not None
                steps.append(self._shard.step(work, now, wall=wall))
        return steps

    def given(self, *types: str) -> list[dict[str, Any]]:
        """The actions given out of some types, as they are sent."""
        outs: list[Out] = self.store.outbox()
        return [json.loads(out.body) for out in outs if out.type in types]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service of a small desk."""
    store = open_store(f"sqlite:{tmp_path}/duly.db")
    yield Service(store, acting())
    store.close()


def test_late_actions_say_so(service: Service) -> None:
    """By the wall clock, what is given a second or more after its instant says how late it is; else it does not."""
    service.tell("case.opened", OPENED, category="outage")
    service.work(OPENED + 1, wall=True)
    service.work(OPENED + 6 * MINUTE, wall=True)
    late = {
        each["type"]: each.get("late_by_seconds") for each in service.given("clock.started", "clock.breached")
    }
    assert late == {"clock.started": None, "clock.breached": 60}


def test_lateness_of_alarms(service: Service) -> None:
    """A step tells of each alarm how late it rang."""
    service.tell("case.opened", OPENED, category="outage")
    service.work(OPENED)
    steps = service.work(OPENED + 6 * MINUTE, wall=True)
    assert [late for step in steps for late in step.lateness][-1] == MINUTE - 1


def test_events_of_the_future_wait(service: Service) -> None:
    """An event from before its time is taken when that has come, and what is due before it comes first."""
    service.tell("case.opened", OPENED, category="outage")
    service.tell("agent.replied", OPENED + 3 * MINUTE)
    service.work(OPENED)
    assert service.given("clock.met") == []
    assert service.store.next_due() == OPENED + 3 * MINUTE
    service.work(OPENED + 10 * MINUTE)
    assert [each["at"] for each in service.given("clock.met", "clock.breached")] == [
        render(OPENED + 3 * MINUTE)
    ]


def test_refused_events_are_kept(service: Service) -> None:
    """What a case cannot take is kept with its reason, and is pending no more."""
    service.tell("case.opened", OPENED, category="earthquake")
    (step,) = service.work(OPENED)
    assert (step.refused, service.store.counts()["pending"]) == (1, 0)
    (reject,) = service.store.rejects()
    assert (reject.code, reject.origin, json.loads(reject.body)["id"]) == ("C202", "test", "e-1")


def test_late_event_takes_back_and_makes_up(service: Service) -> None:
    """An answer that is told of late cancels the breach that was given out, and the clock is met after all."""
    service.tell("case.opened", OPENED, category="outage")
    service.work(OPENED + HOUR)
    (breach,) = service.given("clock.breached")
    service.tell("agent.replied", OPENED + MINUTE)
    (step,) = service.work(OPENED + HOUR)
    assert step.reconciled == 1
    assert breach["id"] in [each["data"]["cancels"] for each in service.given("action.cancelled")]
    (met,) = service.given("clock.met")
    assert (met["at"], met["late_by_seconds"]) == (render(OPENED + MINUTE), 59 * 60)


def test_desk_hears_late_news(service: Service) -> None:
    """A case that is told of late waits at the desk from now on: who had others given to him keeps them."""
    service.tell("case.opened", OPENED + HOUR, case="C-2")
    service.work(OPENED + 2 * HOUR)
    service.tell("case.opened", OPENED + HOUR, case="C-1", customer="K-1")
    service.work(OPENED + 2 * HOUR)
    service.tell("customer.replied", OPENED + 90 * MINUTE, case="C-1")
    service.work(OPENED + 3 * HOUR)
    assert [(each["case"], each["at"]) for each in service.given("assign")] == [
        ("C-2", render(OPENED + HOUR)), ("C-1", render(OPENED + HOUR)),
    ]  # fmt: skip
    assert [line.id for line in service.store.history("C-1") if line.origin != HUB] == ["e-2", "e-3"]


def test_fold_forgets_cases_that_ended(service: Service) -> None:
    """Of a group at rest the customer goes on, and what is known of him but for the cases that have ended."""
    service.tell("case.opened", OPENED, customer="K-1")
    service.tell("case.closed", OPENED + HOUR)
    service.work(OPENED + DAY)
    with service.store.work(0) as work:
        assert work is not None
        rows: list[Kept] = list(work.load(work.keys("customer:K-1")).values())
    assert sorted(row.key for row in rows) == ["case:C-1", "customer:K-1", "known:K-1"]
    _, known = sorted(fold(rows), key=lambda row: row.key)
    assert (known.key, json.loads(known.body)[-1]) == ("known:K-1", [])


ALONE = """
apiVersion: duly/v1
kind: PolicySet
metadata: {name: alone, version: 1.0.0}
spec: {timezone: UTC, adoption: {open_cases: keep}}
---
apiVersion: duly/v1
kind: Vocabulary
metadata: {name: words}
spec: {fields: {kind: {type: text}}, events: {report.sent: {}}}
---
apiVersion: duly/v1
kind: Roster
metadata: {name: people}
spec:
  people: {lin: {name: Lin}}
  roles: {lead: {members: [person:lin], shift: always}}
  groups: {tech: {members: [person:lin], shift: always}}
"""
_DUTY = """
---
apiVersion: duly/v1
kind: Duty
metadata: {name: rounds}
spec:
  duties:
    - {id: daily, every: {cron: "0 9 * * *", calendar: always, roll: none}, owner: "role:lead", due: 2h, %s}
"""
_REACTION = """
---
apiVersion: duly/v1
kind: Reaction
metadata: {name: loops}
spec: {reactions: [{id: one, on: case.resolved, do: [%s]}]}
"""
_OPEN, _TELL = "{open_case: {kind: other}}", "{notify: 'role:lead'}"


@pytest.mark.parametrize(
    ("more", "one"),
    [
        ("", False),
        (_REACTION % _TELL, False),
        (_REACTION % _OPEN, True),
        (_DUTY % "evidence: report.sent", True),
        (_DUTY % f"do: [{_TELL}]", False),
        (_DUTY % f"do: [{_OPEN}]", True),
        (_DUTY % "for_each: case, evidence: report.sent", False),
        (_DUTY % f"for_each: case, do: [{_OPEN}]", False),
    ],
)
def test_policies_whose_cases_meet(more: str, one: bool) -> None:
    """What the desk or the set hears, and cases that the set opens, want one shard; a roster alone does not."""
    assert wants_one_shard(acting((ALONE + more).encode())) is one
    assert wants_one_shard(acting())
