"""Events are refused before any case sees them where no case could take them, and in the same words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from duly.acting import ActingSet
from duly.cases import Refused, read_event
from duly.compiler import Source, compile
from duly.timeline import Timeline

BASE = (Path(__file__).parent / "cases" / "decisions" / "base.yaml").read_text(encoding="utf-8")
AT = "2026-03-02T09:00:00Z"
REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("case.opened", {"tier": "gold"}, "data.tier"),
    ("case.opened", {"amount": 1}, "data.category"),
    ("case.updated", {"category": "outage", "amount": "many"}, "data.amount"),
    ("agent.replied", {"automated": "perhaps"}, "data.automated"),
    ("agent.replied", {"case": {"tier": "gold"}}, "data.case.tier"),
    ("customer.updated", {"region": "north"}, "data.region"),
    ("task.assigned", {}, "data.due_at"),
)
TAKEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("case.opened", {"category": "outage"}),
    ("case.updated", {"tier": "vip", "colour": "red"}),
    ("customer.updated", {"region": "west"}),
    ("task.assigned", {"due_at": AT}),
    ("no.such.event", {"automated": True}),
)


def policy() -> ActingSet:
    """The base policy, which asks for a category."""
    text = BASE.replace(
        "values: [question, outage, complaint]}", "values: [question, outage], required: true}"
    )
    compilation = compile([Source("base.yaml", text.encode())])
    assert compilation.compiled is not None, compilation.diagnostics
    return ActingSet(json.loads(json.dumps(compilation.compiled)))


def event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """An event as it comes in."""
    return {"id": "e", "type": kind, "at": AT, "case": "C", "customer": "K", "data": data}


@pytest.mark.parametrize(("kind", "data", "path"), REFUSED)
def test_what_no_case_could_take_is_refused(kind: str, data: dict[str, Any], path: str) -> None:
    """An event is refused at once as the case that it is for would refuse it later."""
    rules, told = policy(), read_event(event(kind, data))
    with pytest.raises(Refused) as refused:
        rules.check(told)
    timeline = Timeline(rules)
    opening = {**event("case.opened", {"category": "question"}), "id": "d", "at": "2026-03-01T09:00:00Z"}
    first = read_event(opening)
    if kind not in ("case.opened", "customer.updated"):
        timeline.take(first.at, [first])
    timeline.take(told.at, [told])
    (_, reason), *_ = timeline.refused or [(told, refused.value)]
    assert (refused.value.code, refused.value.message, refused.value.path) == (
        reason.code, reason.message, path,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "data"), TAKEN)
def test_what_a_case_may_take_is_not_refused(kind: str, data: dict[str, Any]) -> None:
    """An event that some case could take passes."""
    policy().check(read_event(event(kind, data)))
