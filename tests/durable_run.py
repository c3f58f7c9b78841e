"""Runs the durable-rules matcher for tests that survive its crash: the name of a run, and JSON in and out."""

from __future__ import annotations

import importlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from duly.conditions.durable import DurableMatcher
from duly.conditions.index import Matcher
from duly.conditions.packing import pack_rules, pack_vocabulary
from duly.conditions.syntax import read
from duly.conditions.values import Intake
from duly.conditions.vocabulary import read_vocabulary


def chapters() -> dict[str, Any]:
    """Each question to a list of the one rule, and to the list of all rules of its vocabulary."""
    sys.path.insert(0, str(Path(__file__).parent / "conformance"))
    source = importlib.import_module("chapters")
    wrong: list[Any] = []
    lists: dict[int, dict[str, Any]] = {}
    questions = source.questions()
    for case, raw, expected in questions:
        facts, _ = source.facts(case.vocabulary, raw)
        lists.setdefault(id(case.vocabulary), {})[case.name] = case.condition
        alone = DurableMatcher(_packed([case.condition]))
        if alone.all(facts) != [0] * expected or alone.first(facts) != expected - 1:
            wrong.append([case.name, case.data["when"], raw, expected])
    for conditions in lists.values():
        packed = _packed([*conditions.values()])
        durable, native = DurableMatcher(packed), Matcher(packed)
        for case, raw, _ in questions:
            if case.name in conditions:
                facts, _ = source.facts(case.vocabulary, raw)
                found = [durable.all(facts), durable.first(facts)]
                if found != [native.all(facts), native.first(facts)]:
                    wrong.append([case.name, "among all", raw, found])
    return {"asked": len(questions), "wrong": wrong}


def problem(asked: dict[str, Any]) -> dict[str, Any]:
    """What holds for the `cases` of a problem with `fields` and `rules`."""
    intake, packed = _read(asked)
    matcher = DurableMatcher(packed)
    facts = [intake(case)[0] for case in asked["cases"]]
    return {"all": [matcher.all(each) for each in facts], "first": [matcher.first(each) for each in facts]}


def threads(asked: dict[str, Any]) -> dict[str, Any]:
    """The same from eight threads that share the matcher, each asking every case ten times."""
    intake, packed = _read(asked)
    matcher = DurableMatcher(packed)
    facts = [intake(case)[0] for case in asked["cases"]]
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [matcher.all(each) for each in facts * 10], range(8)))
    return {"all": found[0][: len(facts)], "differ": sum(each != found[0] for each in found)}


def errors(asked: dict[str, Any]) -> dict[str, Any]:
    """What holds while every third call to durable-rules fails; null for the cases that failed."""
    intake, packed = _read(asked)
    sys.modules["durable_rules_engine"] = _Failing(importlib.import_module("durable_rules_engine"))  # type: ignore[assignment]
    matcher = DurableMatcher(packed)
    found: list[list[int] | None] = []
    for case in asked["cases"]:
        try:
            found.append(matcher.all(intake(case)[0]))
        except RuntimeError:
            found.append(None)
    return {"all": found}


class _Failing:
    """durable-rules, but every third action it is asked for fails when it has been started."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._started = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def start_action_for_state(self, handle: int, state: int) -> Any:
        self._started += 1
        action = self._engine.start_action_for_state(handle, state)
        if self._started % 3 == 0:
            raise RuntimeError("out of order")
        return action


def _read(asked: dict[str, Any]) -> tuple[Intake, Any]:
    vocabulary, faults = read_vocabulary({"fields": asked["fields"]})
    assert faults == []
    conditions = []
    for when in asked["rules"]:
        condition, faults = read(when, vocabulary)
        assert faults == [], faults
        conditions.append(condition)
    return Intake(pack_vocabulary(vocabulary)), _packed(conditions)


def _packed(conditions: list[Any]) -> Any:
    return json.loads(json.dumps(pack_rules(conditions)))


if __name__ == "__main__":
    run = {"chapters": lambda _: chapters(), "problem": problem, "threads": threads, "errors": errors}[
        sys.argv[1]
    ]
    json.dump(run(json.load(sys.stdin)), sys.stdout, default=str)
