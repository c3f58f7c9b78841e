"""Conditions: what they mean chapter by chapter, and what is said of those that mean nothing."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from duly.conditions.explanation import Verdict, decisive, explain, tried
from duly.conditions.fields import Field, Vocabulary
from duly.conditions.index import Matcher
from duly.conditions.packing import pack_condition, pack_rules, pack_vocabulary
from duly.conditions.predicates import predicate
from duly.conditions.syntax import read, read_value
from duly.conditions.tree import ALWAYS, Condition
from duly.conditions.values import Intake
from duly.conditions.vocabulary import read_vocabulary
from duly.diagnostics import render_path

sys.path.insert(0, str(Path(__file__).parent / "conformance"))
chapters = importlib.import_module("chapters")

Answer = Callable[[Condition, dict[str, Any]], bool]


def _through_json(data: Any) -> Any:
    return json.loads(json.dumps(data))


def _by_predicate(condition: Condition, facts: dict[str, Any]) -> bool:
    return predicate(_through_json(pack_condition(condition)))(facts)


def _by_trial(condition: Condition, facts: dict[str, Any]) -> bool:
    return Matcher(_through_json(pack_rules([condition]))).first(facts) == 0


def _by_tables(condition: Condition, facts: dict[str, Any]) -> bool:
    matcher = Matcher(_through_json(pack_rules([condition, ALWAYS])))
    matcher.build()
    return matcher.all(facts) == [0, 1]


def _by_explanation(condition: Condition, facts: dict[str, Any]) -> bool:
    return explain(condition, facts).holds


INTERPRETERS: dict[str, Answer] = {
    "predicate": _by_predicate,
    "trial": _by_trial,
    "tables": _by_tables,
    "explanation": _by_explanation,
}


@pytest.mark.parametrize("name", INTERPRETERS)
def test_conditions_hold_as_the_chapters_say(name: str) -> None:
    """Every interpreter gives the answers of every chapter."""
    answer = INTERPRETERS[name]
    wrong = []
    for case, raw, expected in chapters.questions():
        facts, faults = chapters.facts(case.vocabulary, raw)
        assert [] == faults + case.faults, case.name
        if answer(case.condition, facts) is not expected:
            wrong.append((case.name, case.data["when"], raw, expected))
    assert wrong == []


@pytest.mark.parametrize(
    "case", [case for case in chapters.chapters() if "error" in case.data], ids=lambda case: case.name
)
def test_faults_are_named(case: Any) -> None:
    """A condition that means nothing is refused with code, place and help."""
    codes = case.data["error"]
    assert sorted(codes if isinstance(codes, list) else [codes]) == sorted(
        fault.code for fault in case.faults
    )
    fault = case.faults[0]
    if "at" in case.data:
        assert case.data["at"] == render_path(fault.path[3:])
    assert case.data.get("help", "") in (fault.help or "")
    assert case.data.get("message", "") in fault.message


@pytest.mark.parametrize(
    "case", [case for case in chapters.chapters() if "refused" in case.data], ids=lambda case: case.name
)
def test_values_that_do_not_suit_are_refused(case: Any) -> None:
    """A known field with a wrong type or an unknown value is a fault of that case, and no fact."""
    for raw in case.data["refused"]:
        facts, faults = chapters.facts(case.vocabulary, raw)
        assert {} == facts
        assert [next(iter(raw)).rpartition(".")[2]] == [fault["path"] for fault in faults]


def test_the_answers_are_many() -> None:
    """The chapters ask a few hundred questions, so that an empty run cannot pass."""
    assert len(chapters.questions()) > 300


VOCABULARY = read_vocabulary(
    {
        "fields": {
            "tier": {"type": "enum", "values": ["standard", "vip"], "default": "standard"},
            "amount": {"type": "number"},
            "subject": {"type": "text", "required": True},
            "tags": {"type": "set", "default": ["new"]},
            "waited": {"type": "duration", "default": "90s"},
        },
        "customer": {"region": {"type": "text"}},
        "events": {"quote.sent": {"fields": {"price": {"type": "number"}}}},
    }
)[0]
PACKED = _through_json(pack_vocabulary(VOCABULARY))


def test_a_whole_case_is_completed() -> None:
    """Defaults are filled in, null is absent, and a required field that is absent is a fault."""
    facts, faults = Intake(PACKED)({"amount": None, "tier": None})
    assert {"tier": "standard", "tags": frozenset({"new"}), "waited": 90_000_000} == facts
    assert [{"code": "C203", "message": "`subject` is required", "path": "subject"}] == faults


def test_a_change_is_not_completed() -> None:
    """In a change null says that the value is gone, and nothing else is filled in."""
    assert ({"amount": None, "tier": "vip"}, []) == Intake(PACKED)(
        {"amount": None, "tier": "vip"}, complete=False
    )


def test_facts_carry_the_name_of_their_subject() -> None:
    """Facts of events and customers are named as conditions name them."""
    assert ({"customer.region": "east"}, []) == Intake(PACKED, "customer")({"region": "east"})
    assert ({"event.price": 5, "event.other": [1]}, []) == Intake(PACKED, "event")({"price": 5, "other": [1]})


def test_derived_fields_are_not_completed() -> None:
    """What a Classification sets has no default here, which would pass for a value that came in."""
    spec = {"fields": {"urgency": {"type": "text", "derived": True, "default": "low", "required": True}}}
    assert ({}, []) == Intake(pack_vocabulary(read_vocabulary(spec)[0]))({})


def test_sensitive_values_are_not_told() -> None:
    """The fault of a sensitive field does not show what was sent."""
    spec = {"fields": {"card": {"type": "number", "sensitive": True}}}
    _, faults = Intake(pack_vocabulary(read_vocabulary(spec)[0]))({"card": "4111 1111"})
    assert ["C201"] == [fault["code"] for fault in faults]
    assert "4111" not in faults[0]["message"]


def test_unknown_fields_pass_untouched() -> None:
    """A field that nobody declared stays as it came."""
    facts, faults = Intake(PACKED)({"subject": "x", "other": {"a": [1, None]}})
    assert ({"a": [1, None]}, []) == (facts["other"], faults)


def test_a_field_cannot_pass_for_another_subject() -> None:
    """A case field called `event.price` is refused: it could forge what the event says."""
    facts, faults = Intake(PACKED)({"subject": "x", "event.price": 1})
    assert ["C205"] == [fault["code"] for fault in faults]
    assert "event.price" not in facts


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "expected a finite number, found `NaN`"),
        (float("inf"), "expected a finite number, found `Infinity`"),
        (True, "expected a number, found `true`"),
        ("12", 'expected a number, found `"12"`; a number takes no quotes'),
        ([1], "expected a number, found a list"),
        ("汉" * 100, 'expected a number, found `"' + "汉" * 56 + "…`"),
    ],
)
def test_bad_numbers_are_explained(value: Any, said: str) -> None:
    """The fault says what was expected and what was found."""
    _, faults = Intake(PACKED)({"subject": "x", "amount": value})
    assert [{"code": "C201", "message": f"`amount`: {said}", "path": "amount"}] == faults


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("x" * 65_536, None),
        ("x" * 65_537, "C204"),
        ("汉" * 21_846, "C204"),
        ("汉" * 21_845, None),
        ("\ud800", "C201"),
    ],
)
def test_texts_have_a_limit(value: str, code: str | None) -> None:
    """A text may have 64 KiB in UTF-8, and must be Unicode."""
    _, faults = Intake(PACKED)({"subject": value})
    assert [code] * (code is not None) == [fault["code"] for fault in faults]


def test_long_decimals_keep_their_digits() -> None:
    """A decimal that no float stands for is kept, one that a float stands for becomes one."""
    intake = Intake(PACKED)
    one, other = (
        intake({"subject": "", "amount": Decimal(text)})[0]["amount"]
        for text in ("0.1", "0.1" + "0" * 20 + "1")
    )
    assert (0.1, float) == (one, type(one))
    assert other > 0.1
    assert other < 0.2
    assert other != 0.1


def test_only_the_payload_of_the_event_may_be_asked() -> None:
    """A field that the event in question does not carry is a fault that names its events."""
    when = {"event.price": 5}
    assert [] == read(when, VOCABULARY, events=["quote.sent", "case.opened"])[1]
    assert [] == read(when, VOCABULARY)[1]
    fault = read(when, VOCABULARY, events=["case.opened"])[1][0]
    assert ("C012", "`event.price` is not carried by `case.opened`", "it is carried by `quote.sent`") == (
        fault.code,
        fault.message,
        fault.help,
    )
    assert ["C012"] == [fault.code for fault in read(when, VOCABULARY, events=[])[1]]


def test_parameters_stand_for_values() -> None:
    """A parameter gives its value wherever a scalar may stand; without a value the test is left out."""
    parameters = {"limit": 5, "tiers": ["vip", "standard"], "later": None, "word": "vpi"}
    when = {"amount": {"over": {"param": "limit"}, "below": {"param": "later"}}, "tier": {"param": "tiers"}}
    condition, faults = read(when, VOCABULARY, parameters=parameters)
    assert [] == faults
    assert [True, False] == [explain(condition, {"amount": n, "tier": "vip"}).holds for n in (6, 5)]
    assert ["C003"] == [
        f.code for f in read({"tier": [{"param": "word"}]}, VOCABULARY, parameters=parameters)[1]
    ]
    fault = read({"amount": {"param": "limti"}}, VOCABULARY, parameters=parameters)[1][0]
    assert ("C013", "did you mean `limit`?") == (fault.code, fault.help)


def test_conditions_nest_at_most_32_deep() -> None:
    """A 33rd level is a fault and not a crash."""
    when: Any = {"amount": 1}
    for _ in range(31):
        when = {"not": when}
    assert [] == read(when, VOCABULARY)[1]
    assert ["C011"] == [fault.code for fault in read({"not": when}, VOCABULARY)[1]]


def test_values_that_rules_set_are_read_as_facts() -> None:
    """What a policy writes as a value is typed like a value that comes in."""
    tags = VOCABULARY.fields["tags"]
    assert (frozenset({"a", "b"}), []) == read_value(["a", "b"], tags)
    assert (90_000_000, []) == read_value("1m30s", VOCABULARY.fields["waited"])
    assert ["C003"] == [fault.code for fault in read_value("vpi", VOCABULARY.fields["tier"])[1]]


def test_a_vocabulary_can_be_extended() -> None:
    """A place may speak of more fields, such as the score of a survey's answer."""
    assert ["C002"] == [fault.code for fault in read({"score": {"below": 3}}, VOCABULARY)[1]]
    more = VOCABULARY.extended([Field("score", "number")])
    assert [] == read({"score": {"below": 3}}, more)[1]


@pytest.mark.parametrize(
    ("spec", "code", "help"),
    [
        ({"fields": {"any": {"type": "text"}}}, "C101", "conditions use that word"),
        ({"fields": {"event.x": {"type": "text"}}}, "C101", "are declared under"),
        ({"fields": {"a": {"type": "txt"}}}, "C102", "did you mean `text`?"),
        ({"fields": {"a": {}}}, "C102", "types: `text`"),
        ({"fields": {"a": {"type": "enum"}}}, "C103", "lowest first"),
        ({"fields": {"a": {"type": "number", "values": [1]}}}, "C103", ""),
        ({"fields": {"a": {"type": "enum", "values": ["x", "x"]}}}, "C010", ""),
        ({"fields": {"a": {"type": "enum", "values": ["x"], "default": "y"}}}, "C003", "known values: `x`"),
        ({"fields": {"a": {"type": "number", "default": "5"}}}, "C006", "take the quotes away"),
        ({"fields": {"assignee": {"type": "number"}}}, "C104", "another name"),
        (
            {
                "events": {
                    "a.done": {"fields": {"x": {"type": "text"}}},
                    "b.done": {"fields": {"x": {"type": "set"}}},
                }
            },
            "C104",
            "another name",
        ),
    ],
)
def test_faults_of_a_vocabulary(spec: Any, code: str, help: str) -> None:
    """A vocabulary that contradicts itself is refused with what to do."""
    _, faults = read_vocabulary(spec)
    assert [code] == [fault.code for fault in faults]
    assert help in (faults[0].help or "")


def test_what_is_always_there() -> None:
    """Without a Vocabulary there are the standard events and the fields that the engine keeps."""
    vocabulary, faults = read_vocabulary(None)
    assert [] == faults
    assert ["acknowledged", "assignee"] == sorted(name for name in vocabulary.fields if "." not in name)
    assert ["agent.replied"] == vocabulary.carriers("event.automated")
    assert type(vocabulary) is Vocabulary


def test_an_explanation_names_the_test_that_failed() -> None:
    """Each test carries what it asked, what it found and where it is written."""
    when = {"tier": "vip", "any": [{"amount": {"over": 10}}, {"tags": {"has": "outage"}}]}
    condition, _ = read(when, VOCABULARY, ("rules", 0, "when"))
    verdict = explain(condition, {"tier": "vip", "amount": 5})
    assert not verdict.holds
    failed = decisive(verdict)
    assert (("rules", 0, "when", "any", 1, "tags", "has"), None) == (failed.at, failed.found)
    assert ["tier", "amount", "tags"] == [each.test.field for each in _tests(verdict) if each.test]


def test_an_explanation_knows_what_stands_under_not() -> None:
    """A test under `not` settles by holding, and says that it was asked not to."""
    for when in ({"tier": {"not": "vip"}}, {"not": {"tier": "vip"}}):
        failed = decisive(explain(read(when, VOCABULARY)[0], {"tier": "vip"}))
        assert (True, True) == (failed.holds, failed.negated)
    twice = decisive(explain(read({"not": {"tier": {"not": "vip"}}}, VOCABULARY)[0], {"tier": "vip"}))
    assert (True, False) == (twice.holds, twice.negated)


def test_rules_are_tried_in_order() -> None:
    """The attempts end with the first rule that matches."""
    conditions = [read(when, VOCABULARY)[0] for when in ({"tier": "vip"}, {"amount": {"over": 1}}, {})]
    attempts = tried(conditions, {"tier": "standard", "amount": 2})
    assert [(0, False), (1, True)] == [(each.rule, each.holds) for each in attempts]


def test_a_matcher_answers_the_same_before_and_after_it_builds() -> None:
    """The tables that come after the first cases change no answer."""
    conditions = [read({"amount": {"over": n}}, VOCABULARY)[0] for n in range(20, 0, -1)]
    matcher = Matcher(pack_rules(conditions))
    answers = [matcher.first({"amount": 10.5}) for _ in range(200)]
    assert [10] * 200 == answers
    assert -1 == matcher.first({})


def test_no_rules_match_nothing() -> None:
    """An empty list has no first match."""
    matcher = Matcher(pack_rules([]))
    assert (-1, []) == (matcher.first({}), matcher.all({}))
    matcher.build()
    assert (-1, []) == (matcher.first({}), matcher.all({}))


def _tests(verdict: Verdict) -> list[Verdict]:
    return [verdict] if verdict.test else [each for part in verdict.parts for each in _tests(part)]
