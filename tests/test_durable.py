"""The durable-rules matcher: it answers as the native matcher does, or says why it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from duly.conditions.durable import DurableMatcher, Unavailable, Unsupported
from duly.conditions.index import Matcher
from duly.conditions.matchers import matcher
from duly.conditions.packing import pack_rules
from duly.conditions.rulesets import unsupported
from duly.conditions.syntax import read
from duly.conditions.vocabulary import read_vocabulary

PERTURBED = {"MALLOC_PERTURB_": "165"}
"""Makes glibc fill memory with rubbish, so that durable-rules cannot be right by luck where it reads too early."""
SECONDS = 60
installed = pytest.mark.skipif(
    find_spec("durable_rules_engine") is None, reason="the extra `durable-rules` is not installed"
)


def run(name: str, asked: Any = None) -> Any:
    """What a run of `durable_run.py` prints; a crash or a hang of durable-rules fails the test, not pytest."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(Path(__file__).parent / "durable_run.py"), name],
        input=json.dumps(asked), capture_output=True, text=True, timeout=SECONDS, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **PERTURBED},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def packed(fields: dict[str, Any], rules: list[Any]) -> dict[str, Any]:
    vocabulary, faults = read_vocabulary({"fields": fields})
    assert faults == []
    return pack_rules([read(when, vocabulary)[0] for when in rules])


@installed
def test_conditions_hold_as_the_chapters_say() -> None:
    """Every question of the conformance chapters gets its answer."""
    assert run("chapters")["wrong"] == []


@installed
@pytest.mark.parametrize("count", [1, 29, 30, 31, 61, 300])
def test_all_rules_of_a_long_list_can_hold(count: int) -> None:
    """No number of rules that hold together loses one of them."""
    rules = [{"tier": "vip"}, {"tier": {"not": "basic"}}, {"count": {"over": 1}}] * count
    asked = {
        "fields": {"tier": {"type": "text"}, "count": {"type": "integer"}},
        "rules": rules,
        "cases": [{"tier": "vip", "count": 2}, {"tier": "basic", "count": 1}, {"count": 2}],
    }
    every = [*range(3 * count)]
    expected = [every, [], [rule for rule in every if rule % 3]]
    assert run("problem", asked) == {"all": expected, "first": [0, -1, 1]}


@installed
def test_texts_of_any_length_are_told_apart() -> None:
    """A long text equals itself alone, whatever it begins with."""
    lengths = [1, 199, 200, 201, 255, 256, 65_535, 65_536]
    texts = ["x" * length for length in lengths]
    asked = {
        "fields": {"text": {"type": "text"}},
        "rules": [*({"text": text} for text in texts), {"text": {"not": texts[2]}}, {"text": texts}],
        "cases": [{"text": text} for text in [*texts, "y" * 65_536, "y"]],
    }
    others = len(texts)
    own = [[rule, others, others + 1] if rule != 2 else [2, others + 1] for rule in range(len(texts))]
    assert run("problem", asked)["all"] == [*own, [others], [others]]


@installed
def test_many_values_fit_into_one_test() -> None:
    """A list may have 480 values, beside others of that size, and each of them counts."""
    values = [f"p{number}" for number in range(480)]
    asked = {
        "fields": {"product": {"type": "text"}, "tier": {"type": "text"}},
        "rules": [{"product": values}, {"tier": "vip", "product": values}, {"not": {"product": values}}],
        "cases": [*({"product": value, "tier": "vip"} for value in values), {"product": "p480"}],
    }
    assert run("problem", asked)["all"] == [*[[0, 1]] * 480, [2]]


@installed
def test_a_rule_may_have_many_lists_and_negations() -> None:
    """A rule of forty tests, each a list or not a list, holds only where all of them do."""
    fields = {f"f{number}": {"type": "text"} for number in range(40)}
    tests = {name: ["a", "b"] if place % 2 else {"not": ["a", "b"]} for place, name in enumerate(fields)}
    right = {name: "a" if place % 2 else "c" for place, name in enumerate(fields)}
    wrong = [{**right, name: "c" if right[name] == "a" else "a"} for name in fields]
    missing = {name: value for name, value in right.items() if value == "a"}
    asked = {"fields": fields, "rules": [tests], "cases": [right, missing, {}, *wrong]}
    assert run("problem", asked)["first"] == [0, 0, -1, *[-1] * 40]


@installed
def test_threads_share_a_matcher() -> None:
    """Eight threads get the answers that one gets."""
    asked = {
        "fields": {"count": {"type": "integer"}},
        "rules": [{"count": {"at_least": number}} for number in range(70)],
        "cases": [{"count": number} for number in range(20)],
    }
    expected = {"all": [[*range(number + 1)] for number in range(20)], "differ": 0}
    assert run("threads", asked) == expected


@installed
def test_an_error_leaves_nothing_behind() -> None:
    """After an error in durable-rules the next case is answered by a fresh ruleset."""
    asked = {
        "fields": {"tier": {"type": "text"}},
        "rules": [{"tier": "vip"}, {"tier": "basic"}],
        "cases": [{"tier": "vip"}, {"tier": "basic"}] * 6,
    }
    answers = run("errors", asked)["all"]
    kept = [(case, answer) for case, answer in enumerate(answers) if answer is not None]
    assert 0 < len(kept) < len(answers)
    assert [answer for _, answer in kept] == [[case % 2] for case, _ in kept]


REFUSED: dict[str, tuple[dict[str, Any], list[Any], str]] = {
    "values": (
        {"product": {"type": "text"}},
        [{"product": "a"}, {"product": [f"p{number}" for number in range(600)]}],
        "`large`: `product` has 600 values in one test; durable-rules takes 480",
    ),
    "fields": (
        {f"f{number}": {"type": "boolean"} for number in range(201)},
        [{"f0": True}, {f"f{number}": True for number in range(201)}],
        "`large`: 201 different tests in one rule; durable-rules takes 200",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_room_is_refused_by_name(name: str) -> None:
    """A rule that durable-rules would hang on or forget is named, with what is too much of it."""
    fields, rules, expected = REFUSED[name]
    with pytest.raises(Unsupported) as refused:
        DurableMatcher(packed(fields, rules), "routing", ["small", "large"])
    assert str(refused.value) == (
        f"durable-rules has no room for rules in `routing`: {expected}; use the native matcher"
    )
    assert [1] == [each.rule for each in refused.value.refusals]
    assert [1] == [each.rule for each in unsupported(packed(fields, rules))]


def test_a_list_that_is_too_long_is_refused() -> None:
    """More than 10,000 rules are refused as a list."""
    rules = packed({"tier": {"type": "text"}}, [{"tier": "vip"}] * 10_001)
    with pytest.raises(Unsupported, match="the list: 10,001 rules, each alternative counted"):
        matcher(rules, "durable-rules")


def test_a_missing_extra_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without durable-rules the message says what to install, and how on Python 3.13."""
    monkeypatch.setitem(sys.modules, "durable_rules_engine", None)
    with pytest.raises(Unavailable) as missing:
        matcher(packed({"tier": {"type": "text"}}, [{"tier": "vip"}]), "durable-rules")
    for part in ("`duly[durable-rules]`", "C compiler", "CPPFLAGS='-DPyEval_CallObject=PyObject_CallObject'"):
        assert part in str(missing.value)


def test_the_native_matcher_is_the_default() -> None:
    """Who asks for no kind of matcher gets the native one, and an unknown kind is refused."""
    rules = packed({"tier": {"type": "text"}}, [{"tier": "vip"}])
    assert type(matcher(rules)) is type(matcher(rules, "native")) is Matcher
    with pytest.raises(
        ValueError, match="no matcher is called `rete`; there are `native` and `durable-rules`"
    ):
        matcher(rules, "rete")
