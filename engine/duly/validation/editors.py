"""Editors: the schemas as editors read them, in JSON Schema draft-07, each whole in itself."""

from __future__ import annotations

import json
from typing import Any

from duly.validation.schemas import BASE, KINDS, NAMES, Schema, read, resolve

POLICY = "policy"
"""The name of the schema for documents of every kind, which an editor can use for all of them."""
EDITOR_NAMES = (POLICY, *NAMES)
DRAFT_07 = "http://json-schema.org/draft-07/schema#"

_LEFT_OUT = frozenset(("$schema", "$id", "$defs", "x-expected", "x-refuse", "x-unique"))
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf")
_SCHEMA_VALUES = ("if", "then", "else", "not", "items", "propertyNames", "additionalProperties")


def editor_schema(name: str) -> Schema:
    """The draft-07 schema called `name`: one of EDITOR_NAMES, `policy` for documents of every kind.

    It refers to nothing outside itself, and says what it wants in the words that editors show. KeyError for
    another name.
    """
    rendering = _Rendering()
    root = _policy(rendering) if name == POLICY else rendering.part(name, read(name))
    head = {"$schema": DRAFT_07, "$id": f"{BASE}draft-07/{name}.json"}
    return {**head, **root, "definitions": dict(sorted(rendering.definitions.items()))}


def text(schema: Schema) -> str:
    """An editor schema as JSON, each definition on a line of its own."""
    lines = [f" {json.dumps(key)}: {_line(value)}" for key, value in schema.items() if key != "definitions"]
    definitions = [f"  {json.dumps(key)}: {_line(value)}" for key, value in schema["definitions"].items()]
    lines.append(' "definitions": {\n' + ",\n".join(definitions) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _policy(rendering: _Rendering) -> Schema:
    """A schema that looks at `kind` and then asks for what that kind demands."""
    choices = [
        {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": {"$ref": rendering.reference(name, f"{name}.json")},
        }
        for kind, name in KINDS.items()
    ]
    properties = read("service-level")["properties"]
    envelope = {key: rendering.part("service-level", properties[key]) for key in ("apiVersion", "metadata")}
    return {
        "title": "Duly document",
        "description": "A document of a Duly policy set, of any kind.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {
            "apiVersion": envelope["apiVersion"],
            "kind": {"description": "The kind of document.", "enum": list(KINDS), "examples": list(KINDS)},
            "metadata": envelope["metadata"],
            "spec": {
                "description": "What the document says; its keys are those of its kind.",
                "examples": [{}],
            },
        },
        "allOf": choices,
    }


class _Rendering:
    """A schema on its way to draft-07, with the definitions that it has needed so far."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def reference(self, name: str, reference: str) -> str:
        """The local reference for one that may lead into another file."""
        home, part = resolve(name, reference)
        pointer = reference.partition("#")[2]
        key = f"{home}.{pointer.rsplit('/', 1)[-1]}" if pointer else home
        if key not in self.definitions:
            self.definitions[key] = {}  # Held free: a condition holds conditions.
            self.definitions[key] = self.part(home, part)
        return f"#/definitions/{key}"

    def part(self, name: str, schema: Any) -> Any:
        """A part of the schema called `name` in draft-07."""
        if not isinstance(schema, dict):
            return schema
        rendered: Schema = {
            key: self.keyword(name, key, value)
            for key, value in schema.items()
            if key not in _LEFT_OUT and key != "$ref"
        }
        if "$ref" in schema:
            # Draft-07 ignores whatever stands beside `$ref`.
            target = {"$ref": self.reference(name, schema["$ref"])}
            if not rendered:
                return target
            rendered["allOf"] = [target, *rendered.get("allOf", ())]
        return {**rendered, **_words(schema)}

    def keyword(self, name: str, key: str, value: Any) -> Any:
        """The value of one keyword, the schemas in it rendered."""
        if key == "properties":
            return {each: self.part(name, part) for each, part in value.items()}
        if key in _SCHEMA_LISTS:
            return [self.part(name, part) for part in value]
        return self.part(name, value) if key in _SCHEMA_VALUES else value


def _words(schema: Schema) -> dict[str, str]:
    """What editors say where a value is wrong (a key of the YAML and JSON language servers)."""
    if "x-refuse" in schema:
        return {"errorMessage": schema["x-refuse"]}
    if "x-expected" in schema:
        key = "patternErrorMessage" if "pattern" in schema else "errorMessage"
        return {key: f"expected {schema['x-expected']}"}
    return {}
