"""Laws of conditions: all interpreters agree with each other and with the oracle."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from duly.conditions import tables
from duly.conditions.explanation import decisive, explain, tried
from duly.conditions.index import Matcher
from duly.conditions.normal import normal
from duly.conditions.packing import pack_condition, pack_rules, pack_tree, unpack_tree
from duly.conditions.predicates import predicate
from duly.conditions.tree import ALWAYS, NEVER, All, Condition, Not, Some
from duly.conditions.tree import Test as Leaf

sys.path.insert(0, str(Path(__file__).parent))
cases = importlib.import_module("condition_cases")


@settings(max_examples=2_500, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_all_interpreters_agree(seed: int) -> None:
    """Matcher (by trial and by table), predicates, explanation and oracle give one answer."""
    problem = cases.problem(Random(seed), rules=5, cases=4)
    native = cases.native(problem)
    packed = json.loads(json.dumps(pack_rules(native.conditions)))
    trying, built = Matcher(packed), Matcher(packed)
    built.build()
    predicates = [predicate(json.loads(json.dumps(pack_condition(each)))) for each in native.conditions]
    for case, facts, refused in zip(problem.cases, native.facts, native.faults, strict=True):
        raw = cases.raw_facts(problem, case)
        assert cases.refused(problem.types, raw) == refused
        raw = {name: value for name, value in raw.items() if name not in refused}
        expected = [n for n, when in enumerate(problem.whens) if cases.oracle(when, problem.types, raw)]
        first = expected[0] if expected else -1
        assert expected == [n for n, each in enumerate(native.conditions) if explain(each, facts).holds]
        assert expected == [n for n, holds in enumerate(predicates) if holds(facts)]
        assert expected == trying.all(facts)
        assert expected == built.all(facts)
        assert first == trying.first(facts)
        assert first == built.first(facts)
        attempts = tried(native.conditions, facts)
        assert first == (attempts[-1].rule if attempts[-1].holds else -1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_large_lists_agree(seed: int) -> None:
    """The sparse tables of long rule lists answer as trying each rule does."""
    random = Random(seed)
    problem = cases.problem(random, rules=80, cases=30, dirt=0.0)
    native = cases.native(problem)
    packed = pack_rules(native.conditions)
    trying, built = Matcher(packed), Matcher(packed)
    budget = tables.BUDGET
    try:
        tables.BUDGET = 0
        built.build()
    finally:
        tables.BUDGET = budget
    for facts in native.facts:
        trying._left = 1 << 40
        assert trying.all(facts) == built.all(facts)


@settings(max_examples=500, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_the_normal_form_is_normal(seed: int) -> None:
    """Negation stands at the leaves, and no group holds a constant, its own kind, or fewer than two parts."""
    native = cases.native(cases.problem(Random(seed)))
    for condition in native.conditions:
        form = normal(condition)
        assert form in (ALWAYS, NEVER) or _is_normal(form)
        assert normal(form) == form


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_trees_survive_packing(seed: int) -> None:
    """A tree packed as JSON and unpacked is the same tree, places and all."""
    native = cases.native(cases.problem(Random(seed)))
    for condition in native.conditions:
        assert unpack_tree(json.loads(json.dumps(pack_tree(condition)))) == condition


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_the_decisive_test_is_one(seed: int) -> None:
    """What settles a verdict is a single test, with the place where it is written."""
    problem = cases.problem(Random(seed))
    native = cases.native(problem)
    for condition in native.conditions:
        for facts in native.facts:
            found = decisive(explain(condition, facts))
            assert found.test is not None
            assert found.at == found.test.at != ()


def _is_normal(condition: Condition) -> bool:
    match condition:
        case Leaf(operator=operator, value=value):
            return operator not in ("has_all", "has_none") and (operator != "in" or len(value) > 1)  # type: ignore[arg-type]
        case Not(part):
            return isinstance(part, Leaf) and part.operator != "exists" and _is_normal(part)
        case All(parts) | Some(parts):
            return len(parts) > 1 and all(
                _is_normal(part) and not isinstance(part, type(condition)) for part in parts
            )
