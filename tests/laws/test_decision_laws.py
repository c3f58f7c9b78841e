"""Laws of decisions: what may not matter does not, and what is explained is what was decided."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from duly import documents, instants
from duly.cases import Refused, read_case, read_event
from duly.compiler import Compilation, Source, compile
from duly.decision import PolicySet, decide
from duly.machines.run import Run
from duly.reports.account import account
from duly.reports.trace import trace
from duly.validation.conformity import conforms

if TYPE_CHECKING:
    import clock_oracle as oracle
    import decision_cases as cases
    import test_clock_laws as clock_laws
else:
    sys.path.insert(0, str(Path(__file__).parent))
    cases = import_module("decision_cases")
    oracle = import_module("clock_oracle")
    clock_laws = import_module("test_clock_laws")

STORIES = 400


@cache
def policy() -> PolicySet:
    """The shipped pack."""
    return PolicySet(cases.compiled())


def stories(name: str) -> Iterator[tuple[Random, dict[str, Any], int]]:
    """Random cases of the pack, and an instant at which to look at each."""
    for number in range(STORIES):
        random = Random(f"{name} {number}")
        yield random, cases.case(random), cases.look(random)


def told(case: dict[str, Any], at: int, by: PolicySet | None = None) -> str:
    """The bytes of a decision."""
    return json.dumps(decide(by or policy(), read_case(case), at), ensure_ascii=False, default=str)


def test_order_of_arrival() -> None:
    """In whatever order the events of a case come, and however often, the decision is the same."""
    for random, case, at in stories("arrival"):
        events = [*case["events"], *random.choices(case["events"], k=3)]
        random.shuffle(events)
        assert told({**case, "events": events}, at) == told(case, at)


def test_the_future_does_not_matter() -> None:
    """A decision at an instant is the same without the events after it."""
    for _, case, at in stories("future"):
        past = [event for event in case["events"] if instants.parse(event["at"]) <= at]
        assert told({**case, "events": past}, at) == told(case, at)


def test_deciding_is_deterministic() -> None:
    """The same case, instant and policy give the same bytes, also after other cases and from another copy."""
    again = PolicySet(cases.compiled())
    for _, case, at in stories("again"):
        assert told(copy.deepcopy(case), at, again) == told(case, at)
    for _, case, at in stories("again"):
        assert told(case, at, again) == told(case, at)


def test_states_are_not_shared() -> None:
    """Looking at a case twice, or at two cases by turns, changes nothing in either."""
    states = [(policy().replay(read_case(case), at), at) for _, case, at in stories("turns")]
    first = [json.dumps(policy().view(state, at), default=str) for state, at in states]
    assert [json.dumps(policy().view(state, at), default=str) for state, at in states] == first
    assert [told(case, at) for _, case, at in stories("turns")] == [
        json.dumps(json.loads(each), ensure_ascii=False) for each in first
    ]


# -- compiling


def compiled(sources: list[Source]) -> Compilation:
    found = compile(sources, cases.parameters())
    assert [each.message for each in found.diagnostics if each.severity == "error"] == []
    return found


def separate() -> list[tuple[str, Any]]:
    """Every document of the pack with the file that it stands in."""
    return [
        (each.file, document.data)
        for each in cases.sources()
        for document in documents.load(each.content, each.file)[0]
    ]


def styled(data: Any, style: int) -> str:
    """A document as one of four hands would write it."""
    if style % 2:
        return json.dumps(data, ensure_ascii=style % 4 == 1)
    return f"# a remark\n{yaml.safe_dump(data, allow_unicode=True, sort_keys=style % 4 == 0)}\n\n# another"


def test_files_do_not_matter() -> None:
    """Documents in other files, another order and another style are the same policy and decide the same."""
    first = compiled(cases.sources())
    assert first.compiled is not None
    for number in range(6):
        random = Random(number)
        found = separate()
        random.shuffle(found)
        sources: dict[str, list[str]] = {}
        for place, (_, data) in enumerate(found):
            file = (
                "duly.yaml"
                if data["kind"] == "PolicySet"
                else f"{random.choice('abcxyz')}/{random.randrange(4)}.yaml"
            )
            sources.setdefault(file, []).append(styled(data, place + number))
        listed = [Source(file, "\n---\n".join(texts).encode()) for file, texts in sources.items()]
        random.shuffle(listed)
        again = compiled(listed)
        assert again.compiled is not None
        assert again.compiled["revision"] == first.compiled["revision"]
        moved = PolicySet(json.loads(json.dumps(again.compiled)))
        for _, case, at in [*stories("files")][:25]:
            assert told(case, at, moved) == told(case, at)


def test_remarks_do_not_matter() -> None:
    """Comments, blank lines and trailing blanks leave the revision as it is."""
    remarked = []
    for source in cases.sources():
        lines = [
            f"{line}  " if not line.rstrip().endswith(("|", ">")) else line
            for line in source.content.decode().splitlines()
        ]
        remarked.append(Source(source.file, ("# 备注\n\n" + "\n".join(lines) + "\n# end\n").encode()))
    first, again = compiled(cases.sources()), compiled(remarked)
    assert first.compiled is not None
    assert again.compiled is not None
    assert again.compiled["revision"] == first.compiled["revision"]


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every scalar with its path."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, (*path, index))
    else:
        yield path, data


def test_every_value_matters() -> None:
    """A changed value anywhere, a parameter's too, is another revision, or no valid policy any more."""
    whole = separate()
    places = [(number, path, value) for number, (_, data) in enumerate(whole) for path, value in leaves(data)]
    first = compiled(cases.sources()).compiled
    assert first is not None
    revisions = [first["revision"]]
    for number, path, value in Random("values").sample(places, 60):
        changed = copy.deepcopy(whole)
        inside = changed[number][1]
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = (
            not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else other(value)
        )
        sources = [Source(f"{place}.yaml" if data["kind"] != "PolicySet" else "duly.yaml", json.dumps(data).encode())
                   for place, (_, data) in enumerate(changed)]  # fmt: skip
        found = compile(sources, cases.parameters()).compiled
        if found is not None:
            revisions.append(found["revision"])
    for name, value in cases.parameters().items():
        found = compile(cases.sources(), {**cases.parameters(), name: other(value)}).compiled
        if found is not None:
            revisions.append(found["revision"])
    assert len(revisions) == len(set(revisions))
    assert len(revisions) > 30


def other(value: Any) -> Any:
    """Another value of the same form, as far as that can be told."""
    if not isinstance(value, str):
        return value[1:] if isinstance(value, list) else value + 1
    digits = [place for place, sign in enumerate(value) if sign in "12345678"]
    if digits:
        place = digits[-1]
        return value[:place] + str(int(value[place]) + 1) + value[place + 1 :]
    return value + "x"


# -- explaining


def agreeing(by: PolicySet, places: dict[str, Any], case: dict[str, Any], at: int) -> None:
    """The entries that a trace calls matched are those that the decision names."""
    state = by.replay(read_case(case), at)
    decision = by.view(state, at)
    listings = trace(by, state, places)
    clocks = {clock["clock"]: clock for clock in decision["clocks"]}
    passing = {rule["rule"] for rule in by.routing.rules if rule.get("also")} if by.routing else set()
    for listing in listings:
        matched = [entry["rule"] for entry in listing["entries"] if entry["matched"]]
        if "sets" in listing:
            origin = decision["fields"][listing["sets"]]["from"]
            assert origin == listing["from"]
            assert (origin in matched) is (origin not in ("input", "agent"))
            first = next(table for table in by.tables if table.field == listing["sets"]).hit == "first"
            assert not first or matched in ([origin], [])
        elif "clock" in listing:
            target = clocks[listing["clock"]]["target"]
            assert listing["from"] == target
            assert matched == ([] if target is None else [target])
        else:
            assert listing["from"] == decision["route"]["rule"]
            assert [rule for rule in matched if rule not in passing] == [decision["route"]["rule"]]
    started = {
        clock.id for clock in by.clocks if state.runs[clock.id].cycle and clock.targets and not clock.every
    }
    assert {listing["clock"] for listing in listings if "clock" in listing} == started


def test_the_trace_agrees_with_the_decision() -> None:
    """For every table, the route and every target the matched entry is the one that the decision names."""
    for _, case, at in stories("trace"):
        agreeing(policy(), cases.pack().places, case, at)


@pytest.mark.parametrize("number", range(4))
def test_the_trace_agrees_whatever_changes(number: int) -> None:
    """The same where targets are kept, taken and dropped again as fields change."""
    rules, by = clock_laws.compiled(number)
    texts = "\n---\n".join(json.dumps(each) for each in clock_laws.documents(rules))
    places = compile([Source("duly.yaml", texts.encode())]).places
    for story in range(60):
        opened, fields, events, looks = clock_laws.lively(Random(f"trace {number} {story}"))
        for now in looks:
            at = instants.parse(oracle.instant(now))
            agreeing(by, places, clock_laws.case(opened, fields, events), at)


def accounted(run: Run, now: int) -> None:
    """The rows of an account tile the run's life, and what counts in them is what has run."""
    rows = account(run, now)
    until = now if run.ended_at is None else run.ended_at
    end = until if run.ended_at is not None else max(run.due or run.started_at, now)
    edges = [run.started_at, *(row.end for row in rows)]
    assert edges[-1] == max(end, run.started_at)
    assert [row.start for row in rows] == edges[:-1]
    assert all(row.start < row.end for row in rows)
    target = run.target
    counts = target is not None and target.amount and not target.counts_days
    if run.due is not None and target is not None and counts and run.due <= end:
        whole = sum(
            min(row.end, run.due) - row.start for row in rows if row.kind == "open" and row.start < run.due
        )
        assert whole == target.amount


@pytest.mark.parametrize("number", range(6))
def test_every_second_is_accounted_for(number: int) -> None:
    """Rows follow each other without gaps from the start, and the time that counts until the due is the target."""
    rules, by = clock_laws.compiled(number)
    for story in range(80):
        opened, fields, events, looks = clock_laws.lively(Random(f"account {number} {story}"))
        for now in looks:
            at = instants.parse(oracle.instant(now))
            state = by.replay(read_case(clock_laws.case(opened, fields, events)), at)
            shown = {clock["clock"]: clock for clock in by.view(state, at)["clocks"]}
            for each in rules:
                run = state.runs[each.id]
                if run.cycle:
                    accounted(run, at)
                    until = at if run.ended_at is None else run.ended_at
                    counted = sum(min(row.end, until) - row.start for row in account(run, at)
                                  if row.kind == "open" and row.start < until)  # fmt: skip
                    assert instants.seconds(counted) == shown[each.id]["elapsed_seconds"]


# -- shapes


def test_decisions_fit_their_schema() -> None:
    """Every decision with its trace is as its schema says; a clock that has not started shows little."""
    for _, case, at in [*stories("schema")][:150]:
        state = policy().replay(read_case(case), at)
        decision = policy().view(state, at)
        decision["trace"] = trace(policy(), state, cases.pack().places)
        plain = json.loads(json.dumps(decision, default=str))
        assert conforms(plain, "decision"), plain
        for clock in plain["clocks"]:
            little = {"clock", "cycle", "target", "owner", "state"}
            assert (set(clock) == little) is (clock["state"] in ("not_started", "unknown"))


def test_cloud_events_are_the_same_events() -> None:
    """An event in the envelope of CloudEvents 1.0 decides as the same in Duly's own."""
    for random, case, at in [*stories("cloud")][:100]:
        events = [
            {
                "specversion": "1.0", "id": event["id"], "type": event["type"], "time": event["at"],
                "source": "/desk", "subject": random.choice([case["id"], f"case:{case['id']}"]), "data": event["data"],
            }
            for event in case["events"]
        ]  # fmt: skip
        assert told({**case, "events": events}, at) == told(case, at)


def test_a_refused_event_is_never_half_applied() -> None:
    """An event with a wrong value leaves the state of the case as it was."""
    bad: list[dict[str, Any]] = [
        {"type": "case.updated", "data": {"tier": "vip", "stage": "no such stage"}},
        {"type": "agent.replied", "data": {"automated": "perhaps", "case": {"tier": "vip"}}},
        {"type": "agent.replied", "data": {"automated": False, "case": {"tier": "vip", "channel": "pigeon"}}},
        {"type": "task.assigned", "data": {"case": {"tier": "vip"}}},
        {"type": "customer.updated", "data": {"name": "林", "contact": 7}},
    ]
    for random, case, at in [*stories("refused")][:100]:
        state = policy().replay(read_case(case), at)
        before = json.dumps(policy().view(state, at), default=str), dict(state.facts), dict(state.inputs)
        event = read_event({"id": "bad", "at": instants.render(at), **random.choice(bad)}, case=case["id"])
        with pytest.raises(Refused):
            policy().apply(state, at, [event])
        after = json.dumps(policy().view(state, at), default=str), dict(state.facts), dict(state.inputs)
        assert after == before


def test_one_id_cannot_mean_two_events() -> None:
    """Two different events of one id are refused, in whatever order they come; which of them counts is not guessed."""
    at = "2026-03-02T09:00:00Z"
    twice: list[dict[str, Any]] = [
        {"id": "e", "at": at, "type": "agent.replied", "data": {"automated": each}} for each in (True, False)
    ]
    for events in (twice, twice[::-1]):
        with pytest.raises(Refused) as refused:
            told({"id": "C", "opened_at": at, "events": events}, instants.parse(at))
        assert (refused.value.code, refused.value.path) == ("E108", "events[1].id")
