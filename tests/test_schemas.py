"""The JSON Schemas: sound, explained key by key, and true to their own examples."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource

from duly import documents, durations, instants
from duly.validation import (
    KINDS,
    NAMES,
    POLICY_KINDS,
    conforms,
    editors,
    reference,
    schemas,
    validate,
    yaml_text,
)
from duly.validation.conformity import ANNOTATIONS, check, expression
from duly_cli.commands.schema import schema

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT / "schemas"
FILES = (*NAMES, schemas.COMMON)
REGISTRY: Registry[Any] = Registry().with_resources(
    [(f"{schemas.BASE}{name}.json", Resource.from_contents(schemas.read(name))) for name in FILES]
)
SUBSCHEMAS = ("then", "else", "if", "not", "items", "propertyNames", "additionalProperties")


def parts(schema: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, with its JSON Pointer."""
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for group in ("properties", "$defs"):
        for key, part in schema.get(group, {}).items():
            yield from parts(part, f"{pointer}/{group}/{key}")
    for group in ("allOf", "anyOf", "oneOf"):
        for number, part in enumerate(schema.get(group, ())):
            yield from parts(part, f"{pointer}/{group}/{number}")
    for key in SUBSCHEMAS:
        yield from parts(schema.get(key), f"{pointer}/{key}")


PARTS = [(name, pointer, part) for name in FILES for pointer, part in parts(schemas.read(name))]


@pytest.mark.parametrize("name", FILES)
def test_every_schema_is_sound(name: str) -> None:
    """Each file is valid JSON Schema 2020-12 and carries its own address."""
    schema = schemas.read(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"{schemas.BASE}{name}.json"


def test_every_file_is_known() -> None:
    """The folder holds the files of the catalogue and no others."""
    assert sorted(path.stem for path in SCHEMAS.glob("*.json")) == sorted(FILES)


def test_kinds_say_their_own_name() -> None:
    """The schema of a kind is the one that demands this `kind`."""
    named = {kind: schemas.read(name)["properties"]["kind"]["const"] for kind, name in KINDS.items()}
    assert named == {kind: kind for kind in KINDS}
    assert list(POLICY_KINDS) == list(KINDS)[: len(POLICY_KINDS)]


def followed(name: str, part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A part, and what its `$ref` leads to."""
    yield part
    while "$ref" in part:
        name, part = schemas.resolve(name, part["$ref"])
        yield part


def test_every_key_is_explained() -> None:
    """Each key that may be written has a description, a sentence, and an example."""
    unexplained = []
    for name, pointer, part in PARTS:
        if re.search(r"/(if|allOf)/", pointer + "/"):
            continue  # These only narrow keys that are explained where they are declared.
        for key, each_key in part.get("properties", {}).items():
            if "x-refuse" in each_key:
                continue
            seen = list(followed(name, each_key))
            described = next((each["description"] for each in seen if "description" in each), "")
            if not described.endswith((".", "?")) or not any(each.get("examples") for each in seen):
                unexplained.append(f"{name}{pointer}: {key}")
    assert unexplained == []


def test_every_example_is_right() -> None:
    """Each example fits the part that it explains, by jsonschema and by the quick check."""
    wrong = []
    for name, pointer, part in PARTS:
        validator = Draft202012Validator({"$ref": f"{schemas.BASE}{name}.json#{pointer}"}, registry=REGISTRY)
        for example in part.get("examples", ()):
            if not validator.is_valid(example) or not check(name, part)(example):
                wrong.append((name, pointer, example))
    assert wrong == []


def test_mappings_are_closed() -> None:
    """A mapping with known keys takes no others, but for rows of tables, conditions and CloudEvents."""
    open_ones = {
        f"{name}{pointer}"
        for name, pointer, part in PARTS
        if "properties" in part
        and not re.search(r"/(if|then|allOf)\b", pointer)
        and part.get("additionalProperties") is not False
        and "$ref" not in part
    }
    assert open_ones == {
        "test/$defs/row", "event/$defs/cloudEvent", "common/$defs/condition", "mapping/$defs/condition",
    }  # fmt: skip


def test_choices_are_of_keys_alone() -> None:
    """`oneOf` and `anyOf` choose between keys and nothing else, so that no fault hides in a heap."""
    heaps = [
        f"{name}{pointer}"
        for name, pointer, part in PARTS
        for group in ("oneOf", "anyOf")
        for branch in part.get(group, ())
        if list(branch) != ["required"] or len(branch["required"]) != 1
    ]
    assert heaps == []


def test_no_keyword_is_foreign_to_the_quick_check() -> None:
    """The quick check knows every keyword that the schemas use."""
    for name, _, part in PARTS:
        check(name, part)
    assert "title" in ANNOTATIONS


def test_forms_have_words() -> None:
    """Each pattern says in words what it wants."""
    mute = [
        f"{name}{pointer}" for name, pointer, part in PARTS if "pattern" in part and "x-expected" not in part
    ]
    assert [each for each in mute if not each.startswith("diagnostics")] == []


def test_references_lead_somewhere() -> None:
    """Each `$ref` leads to a part that is there."""
    for name, _, part in PARTS:
        if "$ref" in part:
            assert isinstance(schemas.resolve(name, part["$ref"])[1], dict)


@pytest.mark.parametrize(
    "text",
    ["90s", "5m", "48h", "1h30m", "2wd", "3d", "2w", "2w3d", "0s", "", "h", "30", "3 d", "1d2h", "-5m", "1.5h",
     "5M", "２h", "1wd2h", "5m\n"],
)  # fmt: skip
def test_durations_are_those_of_the_language(text: str) -> None:
    """The schema's durations are exactly those that the engine reads."""
    try:
        durations.parse(text)
        readable = True
    except ValueError:
        readable = False
    assert check("common", schemas.read("common")["$defs"]["duration"])(text) == readable


@pytest.mark.parametrize("text", ["2026-03-02T09:00:00+08:00", "2026-03-02T09:00Z", "2026-03-02 09:00:00.5Z"])
def test_instants_are_read_by_the_engine(text: str) -> None:
    """What the schema calls an instant, the engine reads."""
    assert check("common", schemas.read("common")["$defs"]["plainInstant"])(text)
    assert isinstance(instants.parse(text), int)


def test_dollar_is_the_very_end() -> None:
    """A pattern does not let a line break through at the end."""
    dollars = [part["pattern"] for _, _, part in PARTS if re.search(r"\[[^\]]*\$", part.get("pattern", ""))]
    assert dollars == []
    assert expression("^a$").search("a\n") is None


def test_schemas_are_small_text() -> None:
    """The files are JSON in UTF-8, with Chinese as it is."""
    text = (SCHEMAS / "service-level.json").read_text(encoding="utf-8")
    assert json.loads(text) == schemas.read("service-level")
    assert "\\u" not in text


def test_unknown_schema_is_a_key_error() -> None:
    """Asking for a schema that is not there names it."""
    with pytest.raises(KeyError, match="nothing"):
        conforms({}, "nothing")


@pytest.mark.parametrize("name", editors.EDITOR_NAMES)
def test_editor_schemas_are_current(name: str) -> None:
    """The draft-07 files are those that `duly schema --draft 7 --all schemas/draft-07` writes."""
    made = editors.editor_schema(name)
    Draft7Validator.check_schema(made)
    assert (SCHEMAS / "draft-07" / f"{name}.json").read_text(encoding="utf-8") == editors.text(made)


def test_editor_schemas_are_whole_in_themselves() -> None:
    """An editor schema refers to its own definitions alone, and to nothing beside other keywords."""
    for name in editors.EDITOR_NAMES:
        text = json.dumps(editors.editor_schema(name))
        assert set(re.findall(r'"\$ref": "(#/definitions/)?', text)) <= {"#/definitions/"}
        assert re.findall(r'"x-[a-z]+"|"\$defs"', text) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/cases/language").glob("*.yaml")), ids=lambda path: path.stem
)
def test_editor_schemas_accept_the_language(path: Path) -> None:
    """What the language reference writes is right in an editor, by the kind's schema and by the one for all."""
    ((document,), _) = documents.load(path.read_text(encoding="utf-8"), path.name)
    data = validate(document)[0].data
    for name in (KINDS[document.kind], editors.POLICY):
        assert list(Draft7Validator(editors.editor_schema(name)).iter_errors(data)) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/cases/validation").glob("*.yaml")), ids=lambda path: path.stem
)
def test_editor_schemas_refuse_what_is_wrong(path: Path) -> None:
    """What validation refuses is wrong in an editor too, but for names given twice."""
    for case in yaml.safe_load(path.read_text(encoding="utf-8")):
        ((document,), _) = documents.load(case["text"], path.name)
        data = validate(document)[0].data
        accepted = Draft7Validator(editors.editor_schema(editors.POLICY)).is_valid(data)
        twice = "an id given twice" in case["case"]
        assert (case["case"], accepted) == (case["case"], twice)


def test_the_language_reference_is_current() -> None:
    """docs/language.md is what `duly schema --format markdown` writes."""
    assert (ROOT / "docs" / "language.md").read_text(encoding="utf-8") == reference.page()


def test_examples_in_the_reference_are_yaml() -> None:
    """Each example of the reference reads back as the value that it shows."""
    for name, _, part in PARTS:
        for example in part.get("examples", ()) if name in (*KINDS.values(), schemas.COMMON) else ():
            for text in (yaml_text.flow(example), yaml_text.block({"a": example})):
                ((document,), faults) = documents.load(
                    text if text.startswith("a:") else f"a: {text}", "a.yaml"
                )
                assert (faults, document.data) == ([], {"a": example})


def ask(*words: str) -> Result:
    """What `duly schema` answers."""
    return CliRunner().invoke(schema, words)


def test_schema_lists_what_there_is() -> None:
    """Without a kind `duly schema` lists the schemas, for people and for machines."""
    rows = json.loads(ask("--format", "json").stdout)
    assert [row["name"] for row in rows] == list(NAMES)
    assert [line.split()[0] for line in ask().stdout.splitlines()] == list(NAMES)


@pytest.mark.parametrize("kind", ["ServiceLevel", "service-level"])
def test_schema_prints_one(kind: str) -> None:
    """With a kind it prints that schema, in the draft asked for."""
    assert json.loads(ask(kind).stdout) == schemas.read("service-level")
    assert json.loads(ask(kind, "--draft", "7").stdout) == editors.editor_schema("service-level")


def test_schema_writes_all(tmp_path: Path) -> None:
    """`--all` writes a folder of schemas that can be used as they are."""
    assert ask("--all", str(tmp_path / "new")).exit_code == 0
    assert sorted(path.stem for path in (tmp_path / "new").iterdir()) == sorted(FILES)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ServiceLeve"], "did you mean `ServiceLevel`?"),
        (["policy"], "add `--draft 7`"),
        (["common", "--draft", "7"], "there is no `common`"),
    ],
)
def test_schema_says_what_is_wrong(words: list[str], told: str) -> None:
    """A schema that is not there is wrong use, with a hint."""
    answer = ask(*words)
    assert (answer.exit_code, told in answer.output) == (2, True)


def test_decisions_are_as_described() -> None:
    """What `duly decide --explain` answers to the cases of the shipped pack fits the schemas, line by line."""
    pack = str(ROOT / "policies" / "standard-service")
    words = ["decide", pack, f"{pack}/cases.jsonl", "--params", f"{pack}/params.example.yaml", "--explain"]
    asked = subprocess.run(
        [sys.executable, "-c", "from duly_cli.main import main; raise SystemExit(main())", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, check=False,
    )  # fmt: skip
    assert (asked.returncode, asked.stderr) == (0, b"")
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert len(answers) >= 10
    assert [answer for answer in answers if not conforms(answer, "decision")] == []
    with open(f"{pack}/cases.jsonl", encoding="utf-8") as lines:
        assert [line for line in lines if not conforms(json.loads(line), "case")] == []
