"""Versions: what a new revision of a policy does to the cases that are open when it comes."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from duly.acting import ActingSet
from duly.actions import Action
from duly.cases import Event, read_event
from duly.compiler import Source, compile
from duly.instants import DAY, HOUR, MINUTE, parse, render
from duly.preservation import preserved, revived
from duly.reconciliation import CANCELLED, Reconciled
from duly.replaying import replayed
from duly.timeline import Timeline

CASES = Path(__file__).parent / "cases"
OPENED = "2026-03-02T02:00:00Z"  # a Monday, 10:00 in Shanghai
CHANGE = parse("2026-03-02T02:20:00Z")


@cache
def first() -> ActingSet:
    """The policy with something of everything."""
    return _compiled("timelines/everything.yaml", "{open_cases: keep}")


@cache
def second(adoption: str) -> ActingSet:
    """The revision that follows."""
    return _compiled("versions/second.yaml", adoption)


def _compiled(name: str, adoption: str) -> ActingSet:
    base = (CASES / "decisions" / "base.yaml").read_text(encoding="utf-8")
    base = base.replace("adoption: {open_cases: keep}", f"adoption: {adoption}")
    found = compile([Source("duly.yaml", base.encode()), Source("all.yaml", (CASES / name).read_bytes())])
    assert [each.message for each in found.diagnostics] == []
    return ActingSet(json.loads(json.dumps(found.compiled)))


def event(number: int, kind: str, at: str, case: str = "C-1", **data: Any) -> Event:
    """An event of a case."""
    return read_event({"id": f"e-{number}", "type": kind, "case": case, "at": at, "data": data})


def told(actions: list[Action]) -> list[tuple[str, str, str | None, str | None]]:
    """What matters of the actions here."""
    return [(action.type, render(action.at)[11:16], action.clock, action.step) for action in actions]


def vip(*more: Event) -> list[Event]:
    """A VIP's case, opened at 02:00."""
    return [event(0, "case.opened", OPENED, tier="vip"), *more]


def test_keep() -> None:
    """An open case finishes on the revision under which it was opened; a new one takes the new one."""
    events = vip(event(1, "case.opened", "2026-03-02T02:30:00Z", case="C-2", tier="vip"))
    timeline, actions = replayed(first(), events, CHANGE + DAY, [(CHANGE, second("{open_cases: keep}"))])
    assert [timeline.cases[name].revision for name in ("C-1", "C-2")] == [
        policy.identity["revision"] for policy in (first(), second("{open_cases: keep}"))
    ]
    breaches = [(action.case, render(action.at)) for action in actions
                if action.type == "clock.breached" and action.clock == "response"]  # fmt: skip
    assert breaches == [("C-1", "2026-03-02T03:00:00Z"), ("C-2", "2026-03-02T03:00:00Z")]


def test_now() -> None:
    """At once: targets are matched again, the ladder that had begun finishes, and the adoption is on record."""
    later = second("{open_cases: now}")
    _, actions = replayed(first(), vip(), CHANGE + 3 * HOUR, [(CHANGE, later)])
    adopted = [action for action in actions if action.type == "policy.adopted" and action.case == "C-1"]
    assert [(each.data["from"], each.data["to"]) for each in adopted] == [(first().identity, later.identity)]
    found = told(actions)
    assert ("clock.retargeted", "02:20", "response", None) in found
    assert ("clock.breached", "02:30", "response", None) in found
    steps = [action.ladder for action in actions if action.step is not None]
    assert set(steps) == {"late"}


def test_unchanged_target_is_not_told() -> None:
    """A target that promises the same in both revisions goes on without a word."""
    _, actions = replayed(first(), vip(), CHANGE + MINUTE, [(CHANGE, second("{open_cases: now}"))])
    changed = [action.clock for action in actions if action.type == "clock.retargeted"]
    assert changed == ["response"]


def test_new_clock_waits_for_an_event() -> None:
    """A clock that only the new revision has is started by a later event, not by the adoption."""
    later = second("{open_cases: now}")
    timeline, _ = replayed(first(), vip(), CHANGE + MINUTE, [(CHANGE, later)])
    assert timeline.cases["C-1"].runs["closing"].phase == "not_started"
    resolved = event(1, "case.resolved", "2026-03-02T02:25:00Z")
    timeline, _ = replayed(first(), vip(resolved), CHANGE + HOUR, [(CHANGE, later)])
    assert timeline.cases["C-1"].runs["closing"].phase == "open"


def test_lost_clock_is_cancelled() -> None:
    """A clock that the new revision no longer has is cancelled, and says why."""
    accepted = event(1, "delivery.accepted", "2026-03-02T02:10:00Z")
    _, actions = replayed(first(), vip(accepted), CHANGE, [(CHANGE, second("{open_cases: now}"))])
    cancelled = [(action.clock, action.reason) for action in actions if action.type == "clock.cancelled"]
    assert cancelled == [("confirm", "policy.adopted")]


def test_next_event() -> None:
    """The case goes on as before until something happens to it."""
    later = second("{open_cases: next_event}")
    calm, _ = replayed(first(), vip(), CHANGE + DAY, [(CHANGE, later)])
    assert calm.cases["C-1"].revision == first().identity["revision"]
    reply = event(1, "customer.replied", "2026-03-02T02:40:00Z")
    timeline, actions = replayed(first(), vip(reply), CHANGE + DAY, [(CHANGE, later)])
    adopted = [render(action.at) for action in actions if action.type == "policy.adopted" and action.case]
    assert adopted == ["2026-03-02T02:40:00Z"]
    assert timeline.cases["C-1"].revision == later.identity["revision"]
    breach = next(
        action for action in actions if action.type == "clock.breached" and action.clock == "response"
    )
    assert (breach.reason, breach.at) == ("breached_by_change", parse("2026-03-02T02:30:00Z"))


def test_closed_case_stays() -> None:
    """A closed case is left alone, even where open ones change at once."""
    closed = event(1, "case.cancelled", "2026-03-02T02:10:00Z")
    timeline, _ = replayed(first(), vip(closed), CHANGE + DAY, [(CHANGE, second("{open_cases: now}"))])
    assert timeline.cases["C-1"].revision == first().identity["revision"]


def test_pilot() -> None:
    """A pilot is for the new cases that it asks for, in the share that it asks for; the same ones every time."""
    trial = second("{open_cases: now, pilot: {when: {tier: vip}, share: 20%}}")
    events = [event(number, "case.opened", "2026-03-02T03:00:00Z", case=f"C-{number}",
                    tier="vip" if number % 2 else "normal") for number in range(1000)]  # fmt: skip
    timeline, actions = replayed(first(), events, CHANGE + DAY, [(CHANGE, trial)])
    chosen = [name for name, state in timeline.cases.items() if state.revision == trial.identity["revision"]]
    assert {int(name[2:]) % 2 for name in chosen} == {1}
    assert 60 <= len(chosen) <= 140
    again, _ = replayed(first(), reversed(events), CHANGE + DAY, [(CHANGE, trial)])
    assert sorted(chosen) == sorted(
        name for name, state in again.cases.items() if state.revision == trial.identity["revision"]
    )
    by_revision = {action.case: action.policy for action in actions if action.type == "clock.started"}
    assert by_revision[chosen[0]] == trial.identity


def test_late_event_meets_the_revision_of_its_time() -> None:
    """An event that arrives late is taken by the revision in force at its instant; the adoption stands."""
    later = second("{open_cases: now}")
    reply = event(1, "agent.replied", "2026-03-02T02:25:00Z", automated=False)
    late = Reconciled(first())
    late.arrive(vip())
    late.adopt(later, CHANGE)
    late.until(CHANGE + HOUR)
    given = late.arrive([reply], CHANGE + HOUR)
    assert {action.data["type"] for action in given if action.type == CANCELLED} >= {
        "clock.breached",
        "notify",
    }
    timeline, actions = replayed(first(), vip(reply), CHANGE + HOUR, [(CHANGE, later)])
    assert sorted(late.standing) == sorted(action.id("base") for action in actions)
    assert preserved(late.timeline) == preserved(timeline)


_TYPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("customer.replied", {}), ("agent.replied", {"automated": False}), ("case.acknowledged", {}),
    ("case.updated", {"status": "waiting"}), ("case.updated", {"status": "working"}), ("case.closed", {}),
    ("case.updated", {"priority": "high"}), ("case.resolved", {}), ("case.reopened", {}), ("delivery.accepted", {}),
)  # fmt: skip


@pytest.mark.parametrize("adoption", ["keep", "next_event", "now"])
@pytest.mark.parametrize("chunk", range(4))
def test_laws_hold_over_versions(adoption: str, chunk: int) -> None:
    """Deciding in one go, or stepwise with the timeline kept and restored, comes to the same, bytes and all."""
    later, back = second(f"{{open_cases: {adoption}}}"), _third(adoption)
    for seed in range(chunk, 60, 4):
        draw = random.Random(seed)
        start = parse(OPENED)
        events = [event(case, "case.opened", OPENED, case=f"C-{case}", tier=draw.choice(["vip", "normal"]))
                  for case in range(2)]  # fmt: skip
        for number in range(2, 12):
            kind, data = draw.choice(_TYPES)
            at = render(start + draw.randint(0, 60) * HOUR)
            events.append(event(number, kind, at, case=f"C-{draw.randint(0, 1)}", **data))
        adoptions = [(start + draw.randint(0, 20) * HOUR, later), (start + draw.randint(21, 50) * HOUR, back)]
        end = start + 5 * DAY
        whole, actions = replayed(first(), events, end, adoptions)
        pieces, stepwise = _stepwise(events, adoptions, end)
        assert _shown(stepwise) == _shown(actions), seed
        assert json.dumps(preserved(pieces), sort_keys=True) == json.dumps(
            preserved(whole), sort_keys=True
        ), seed
        ids = [action.id("base") for action in actions]
        assert len(ids) == len(set(ids)), seed


@cache
def _third(adoption: str) -> ActingSet:
    """The first revision again, but for what it does to open cases: so it is one more revision."""
    return _compiled("timelines/everything.yaml", f"{{open_cases: {adoption}, pilot: {{share: 50%}}}}")


def _stepwise(
    events: list[Event], adoptions: list[tuple[int, ActingSet]], end: int
) -> tuple[Timeline, list[Action]]:
    timeline, actions = Timeline(first()), []
    for at in sorted({*(each.at for each in events), *(moment for moment, _ in adoptions)}):
        for moment, policy in adoptions:
            if moment == at:
                actions += timeline.adopt(policy, at)
        batch = [each for each in events if each.at == at]
        if batch:
            actions += timeline.take(at, batch)
        known = [policy for _, policy in adoptions]
        timeline = revived(first(), json.loads(json.dumps(preserved(timeline))), known)
    return timeline, actions + timeline.until(end)


def _shown(actions: list[Action]) -> list[str]:
    return sorted(
        json.dumps(action.shown(first().identity), sort_keys=True, default=str) for action in actions
    )
