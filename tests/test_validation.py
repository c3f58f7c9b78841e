"""Validation: documents of the language pass, wrong ones are told where and how to mend."""

from __future__ import annotations

import copy
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from duly import codes, documents, validation
from duly.validation.errors import errors_of

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
LANGUAGE = sorted((CASES / "language").glob("*.yaml"))
WRONG = [
    pytest.param(case, id=f"{path.stem}: {case['case']}")
    for path in sorted((CASES / "validation").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def only(text: str) -> documents.Document:
    """The one document of a text."""
    found, faults = documents.load(text, "policy.yaml")
    assert faults == []
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("path", LANGUAGE, ids=lambda path: path.stem)
def test_the_language_reference_is_valid(path: Path) -> None:
    """Every form of the language reference is accepted, by jsonschema too."""
    _, found = validation.validate(only(path.read_text(encoding="utf-8")), thorough=True)
    assert found == []


def test_every_kind_has_an_example() -> None:
    """No kind of document goes without an example."""
    kinds = {only(path.read_text(encoding="utf-8")).kind for path in LANGUAGE}
    assert kinds == set(validation.KINDS)


@pytest.mark.parametrize("case", WRONG)
def test_wrong_documents_are_told_how_to_mend(case: dict[str, Any]) -> None:
    """Each fault has its code, its place, its sentence and its help, and there is no other."""
    _, found = validation.validate(only(case["text"]))
    told = [
        {"at": f"{each.span.line}:{each.span.column}", "code": each.code, "message": each.message}
        | ({"help": each.help} if each.help else {})
        for each in found
    ]
    assert case["expected"] == told
    assert {each.code for each in found} <= set(codes.CATALOGUE)


def test_texts_are_taken_as_written() -> None:
    """A text field takes `1.10`, `0777`, `true` and dates as they stand."""
    document = only(
        "apiVersion: duly/v1\nkind: Roster\nmetadata: {name: a, title: 2026, source: 1.10}\n"
        "spec: {people: {lin: {name: null, contact: {phone: 0777, fax: true}, away: [2026-02-14]}}}\n"
    )
    typed, found = validation.validate(document)
    assert found == []
    assert typed.data["metadata"] == {"name": "a", "title": "2026", "source": "1.10"}
    assert typed.data["spec"]["people"]["lin"] == {
        "name": "null", "contact": {"phone": "0777", "fax": "true"}, "away": ["2026-02-14"],
    }  # fmt: skip


def test_scalars_of_other_types_stay() -> None:
    """What is no text keeps its type, and a document without such texts is not copied."""
    path = CASES / "language" / "scorecard.yaml"
    document = only(path.read_text(encoding="utf-8"))
    assert validation.validate(document)[0] is document


def test_a_fault_is_reported_with_the_first_place() -> None:
    """A repeated id points to where it was first."""
    text = (
        "apiVersion: duly/v1\nkind: Classification\nmetadata: {name: a}\nspec:\n  tables:\n"
        "    - sets: urgency\n      input: wins\n      otherwise: normal\n      rules:\n"
        "        - {id: x, when: {a: b}, value: urgent}\n        - {id: x, when: {a: c}, value: urgent}\n"
    )
    _, found = validation.validate(only(text))
    assert [(each.path, [place.span.line for place in each.related]) for each in found] == [
        ("spec.tables[0].rules[1].id", [10])
    ]


def test_reports_are_for_machines_too() -> None:
    """A fault carries its path, what was found and what was expected."""
    text = (
        "apiVersion: duly/v1\nkind: Duty\nmetadata: {name: a}\nspec: {duties: [{id: a, on: b.c, due: 3 days, "
        "do: [{task: x}]}]}\n"
    )
    _, (fault,) = validation.validate(only(text))
    assert (fault.path, fault.found) == ("spec.duties[0].due", "3 days")
    assert fault.expected == "a duration such as `30m`, `1h30m`, `2wd` or `3d`"


def test_the_kind_can_be_given() -> None:
    """A document can be looked at as another kind than it says."""
    document = only("apiVersion: duly/v1\nkind: Roster\nmetadata: {name: a}\nspec: {people: {}}\n")
    _, found = validation.validate(document, kind="test")
    assert {each.path for each in found} == {"kind", "spec", "spec.people"}


WORDS = ["", "x", "case.opened", "30m", "80%", "due + 2h", "role:x", "customer", True, False, None, 0, 1, -1, 2.0, 0.5,
         [], {}, [1], ["a", "a"], [1, True, 1.0], {"param": "p"}, {"param": 3}, {"on": "a.b"}, {"a": "b"},
         [{"id": "x"}, {"id": "x"}], {"each": "c"}, "a b", "09:00", "2026-12-31", "5m\n"]  # fmt: skip
KEYS = [
    "id",
    "when",
    "within",
    "none",
    "due",
    "param",
    "on",
    "to",
    "do",
    "kind",
    "spec",
    "unknown",
    "every",
    "notify",
]


def containers(data: Any) -> list[Any]:
    """Every mapping and list within data."""
    if not isinstance(data, (dict, list)):
        return []
    inner = data.values() if isinstance(data, dict) else data
    return [data, *(each for item in inner for each in containers(item))]


def mutate(data: Any, dice: random.Random) -> None:
    """Change something somewhere: a value, a key, the length of a list."""
    place = dice.choice(containers(data))
    steps = list(place) if isinstance(place, dict) else list(range(len(place)))
    kind = dice.randrange(5)
    if kind == 0 and steps:
        place.pop(dice.choice(steps))
    elif kind == 1 and isinstance(place, dict):
        place[dice.choice(KEYS)] = copy.deepcopy(dice.choice(WORDS))
    elif kind == 2 and isinstance(place, list):
        place.append(copy.deepcopy(dice.choice([*WORDS, *place])))
    elif kind == 3 and isinstance(place, dict) and steps:
        place[dice.choice(KEYS)] = place.pop(dice.choice(steps))
    elif steps:
        place[dice.choice(steps)] = copy.deepcopy(dice.choice(WORDS))


def seeds() -> list[tuple[str, Any]]:
    """Small right documents of every schema: the examples that the schemas give."""
    return [
        (name, example)
        for name in validation.NAMES
        for part in (validation.read(name), *validation.read(name).get("$defs", {}).values())
        for example in part.get("examples", ())
        if validation.conforms(example, name)
    ]


def test_the_quick_check_agrees_with_jsonschema() -> None:
    """On thousands of mutated documents of every kind both say the same."""
    dice = random.Random(20260302)
    differing = []
    verdicts = {True: 0, False: 0}
    for _ in range(250):
        for name, example in seeds():
            data = copy.deepcopy(example)
            for _ in range(dice.randrange(1, 4)):
                mutate(data, dice)
            quick = validation.conforms(data, name)
            verdicts[quick] += 1
            if quick != (next(iter(errors_of(data, name)), None) is None):
                differing.append((name, data))
    assert differing == []
    assert min(verdicts.values()) > 500


def test_mutated_documents_always_have_a_place() -> None:
    """A broken document of the language is refused with a message and a place in the file, never by accident."""
    dice = random.Random(7)
    texts = [path.read_text(encoding="utf-8") for path in LANGUAGE]
    for text in texts:
        for _ in range(6):
            data = copy.deepcopy(only(text).data)
            mutate(data, dice)
            document = only(yaml.safe_dump(data, allow_unicode=True, default_flow_style=False))
            _, found = validation.validate(document, thorough=True)
            typed, again = validation.validate(document)
            assert [each.code for each in found] == [each.code for each in again]
            assert typed.kind not in validation.KINDS or validation.conforms(typed.data, typed.kind) == (
                not found
            )
            for each in found:
                assert each.message and each.span.line >= 1 and each.span.file == "policy.yaml"
                assert each.message[0].islower() or each.message[0] == "`"
                assert not each.message.endswith(".")


def test_every_code_is_in_the_catalogue() -> None:
    """Each code that the engine or the command line reports is explained, in the catalogue and on its page."""
    known = set(codes.CATALOGUE)
    page = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    used = {
        code
        for room in ("engine", "cli")
        for path in (ROOT / room).rglob("*.py")
        for code in re.findall(r'"([CDE][0-9]{3})"', path.read_text(encoding="utf-8"))
    }
    assert sorted(used - known) == []
    assert sorted(known - set(re.findall(r"^\| \*\*([CDE][0-9]{3})\*\* \|", page, re.MULTILINE))) == []
