"""Reference: the language as a page in Markdown, key by key, out of the schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from duly.validation.parts import written
from duly.validation.schemas import COMMON, POLICY_KINDS, Schema, read, resolve
from duly.validation.yaml_text import block, flow

INTRODUCTION = """\
# The policy language

This page is made from the schemas that `duly validate` uses (`duly schema --format markdown`), and so it lists
every key there is. In an editor with a YAML language server the same words appear as you type: let it use
`policy.json` from `duly schema --draft 7 --all DIR`.

A **policy set** is a folder with a manifest `duly.yaml` (kind `PolicySet`) and any number of `*.yaml` documents,
also in sub-folders; `*.test.yaml` are its tests. Each document has the same envelope: `apiVersion`, `kind`,
`metadata` and `spec`. YAML is read strictly as YAML 1.2: `no`, `on` and `18:00` are texts. Names are made of letters
of any script, digits, `-` and `_`.

Wherever a scalar stands, a parameter may stand instead: `{param: name}`. The manifest declares it, and whoever runs
the policy gives its value. `id`, `title`, `note` and `source` are the policy's own and take none.

A Mapping is no part of a set: it stands beside it, in a file `*.mapping.yaml`, and takes no parameters. See
[mapping](mapping.md).
"""

_VALUES = (
    "duration", "instant", "time", "date", "dates", "percentage", "share", "reference", "event", "eventsOrState",
    "cron", "parameter", "localized", "source", "id",
)  # fmt: skip
_CONDITIONS = """\
A condition is a mapping; all of its entries must hold. On the left stands a field: of the case bare (`tier`), of the
event that is looked at `event.automated`, of the customer `customer.region`. On the right stands a value (equals), a
list (any of), or tests. `any`, `all` and `not` join conditions. A field without a value satisfies no test but
`exists: false`.
"""
_ACTIONS = """\
A list of actions stands under `do`, `otherwise`, `on_expiry` and the like. Each has one verb, and what goes with it:
"""
_SAID_ONCE = frozenset(("title", "note", "source"))


def page() -> str:
    """The whole reference."""
    common = read(COMMON)["$defs"]
    kinds = ", ".join(f"[{kind}](#{kind.lower()})" for kind in (*POLICY_KINDS, "Test", "Config", "Mapping"))
    parts = [
        INTRODUCTION,
        f"Kinds: {kinds}.\n",
        "## Values\n\n" + _values(common),
        "## Conditions\n\n" + _CONDITIONS + "\n" + _rows((COMMON, common["tests"])),
        "## Actions\n\n" + _ACTIONS + "\n" + _verbs(common["action"]) + "\n" + _rows((COMMON, common["action"])),
        "## Metadata and schedules\n\n" + _section(COMMON, "metadata", common["metadata"])
        + "\n" + _section(COMMON, "schedule", common["schedule"]),
    ]  # fmt: skip
    parts += [
        _kind(kind, name)
        for kind, name in (
            *POLICY_KINDS.items(),
            ("Test", "test"),
            ("Config", "config"),
            ("Mapping", "mapping"),
        )
    ]
    return "\n".join(parts)


def _values(common: dict[str, Schema]) -> str:
    rows = ["| value | meaning | examples |", "|---|---|---|"]
    for key in _VALUES:
        schema = common[key]
        rows.append(f"| {_noun(key)} | {_cell(schema['description'])} | {_examples(schema)} |")
    return "\n".join(rows) + "\n"


def _verbs(action: Schema) -> str:
    rows = ["| verb | may have beside it |", "|---|---|"]
    for choice in action["allOf"]:
        verb, *others = choice["then"]["propertyNames"]["enum"]
        rows.append(f"| `{verb}` | {', '.join(f'`{other}`' for other in others) or '–'} |")
    return "\n".join(rows) + "\n"


def _kind(kind: str, name: str) -> str:
    schema = read(name)
    example = block(schema["examples"][0])
    sections = [f"## {kind}\n\n{schema['description']}\n\n```yaml\n{example}```\n"]
    mappings = _mappings(name, "spec", schema["properties"]["spec"], set())
    sections += [_section(name, title, part) for title, part in mappings]
    return "\n".join(sections)


def _mappings(name: str, title: str, schema: Schema, seen: set[int]) -> list[tuple[str, Schema]]:
    """A mapping and those within it that stand in the same file, each once, in order of appearance."""
    if id(schema) in seen:
        return []
    seen.add(id(schema))
    found = [(title, schema)]
    for key, part in schema.get("properties", {}).items():
        for noun, inner in _within(name, key, part):
            found += _mappings(name, noun, inner, seen)
    return found


def _within(
    name: str, key: str, schema: Schema, through: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Schema]]:
    """The mappings that a value of `key` holds, and what each is called; `through` are the parts that led there."""
    if "$ref" in schema:
        home, part = resolve(name, schema["$ref"])
        if home == name and schema["$ref"] not in through:
            own = schema["$ref"].rsplit("/", 1)[-1]
            yield from _within(name, own, part, through | {schema["$ref"]})
        return
    if "properties" in schema:
        yield str(schema.get("title", key)), schema
    for each in ("items", "additionalProperties", "then", "else"):
        inner = schema.get(each)
        if isinstance(inner, dict):
            yield from _within(name, key, inner, through)


def _section(name: str, title: str, schema: Schema) -> str:
    head = f"### {title}\n\n{schema['description']}\n" if "description" in schema else f"### {title}\n"
    return f"{head}\n{_rows((name, schema))}"


def _rows(part: tuple[str, Schema]) -> str:
    name, schema = part
    required = set(schema.get("required", ()))
    rows = ["| key | value | meaning | example |", "|---|---|---|---|"]
    for key, each in schema["properties"].items():
        if key in _SAID_ONCE and part[1] is not read(COMMON)["$defs"]["metadata"]:
            continue
        chain = list(_followed(name, each))
        description = next((link["description"] for _, link in chain if "description" in link), "")
        example = next((_examples(link) for _, link in chain if link.get("examples")), "")
        mark = " **required**" if key in required else ""
        rows.append(f"| `{key}`{mark} | {_value(name, each)} | {_cell(description)} | {example} |")
    chosen = [branch["required"][0] for branch in schema.get("oneOf", ())]
    note = f"\nOne of {', '.join(f'`{key}`' for key in chosen)}, and only one.\n" if chosen else ""
    return "\n".join(rows) + "\n" + note


def _followed(name: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield name, schema
    while "$ref" in schema:
        name, schema = resolve(name, schema["$ref"])
        yield name, schema


def _value(name: str, schema: Schema) -> str:
    """What may stand there, in a few words."""
    if "enum" in schema:
        return " · ".join(f"`{written(each)}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{written(schema['const'])}`"
    if "$ref" in schema:
        home, part = resolve(name, schema["$ref"])
        key = schema["$ref"].rsplit("/", 1)[-1]
        if home == COMMON:
            return _noun(key)
        return (
            str(part.get("title", key))
            if "title" in part or part.get("type") == "object"
            else _value(home, part)
        )
    if "if" in schema:
        other = [_value(name, schema[each]) for each in ("else", "then") if each in schema]
        if schema["if"] == {"type": "array"} and "then" in schema:
            other = [_value(name, schema["else"]), f"list of {_value(name, schema['then'].get('items', {}))}"]
        return " or ".join(dict.fromkeys(each for each in other if each not in ("parameter", "")))
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_value(name, schema['additionalProperties'])}"
    if "properties" in schema:
        return str(schema.get("title", "mapping"))
    if "items" in schema:
        return f"list of {_value(name, schema['items'])}"
    types = schema.get("type", "any value")
    return " or ".join(_TYPES.get(each, each) for each in ([types] if isinstance(types, str) else types))


_TYPES = {"string": "text", "number": "number", "integer": "whole number", "boolean": "`true` · `false`",
          "object": "mapping", "array": "list", "null": "`null`", "any value": "any value"}  # fmt: skip
_NOUNS = {
    "eventsOrState": "events, or a state", "events": "event, or a list of them", "eventTypes": "event type, or a list",
    "eventTypeOrParameter": "event type", "eventType": "event type", "eventWhen": "event", "plainName": "name",
    "parameterName": "name", "fieldName": "field", "localized": "text, or one a language", "title": "text",
    "note": "text", "references": "reference, or a list of them", "member": "`person:…`", "values": "list of values",
    "count": "whole number from 1", "limit": "number, or a value that has an order", "plainInstant": "instant",
    "boolean": "`true` · `false`", "dates": "date, or a range", "share": "percentage up to 100%",
    "content": "map of fields to values", "apiVersion": "`duly/v1`", "source": "list of clauses",
    "tests": "tests", "actions": "list of actions", "intervals": "list of intervals", "workingDays": "working-day rule",
    "hours": "map of weekdays to intervals", "amount": "number or percentage",
}  # fmt: skip


def _noun(key: str) -> str:
    return _NOUNS.get(key, key)


def _examples(schema: Schema) -> str:
    texts = sorted((flow(each) for each in schema.get("examples", ())), key=len)
    return ", ".join(f"`{_cell(text)}`" for text in texts[:3] if len(text) <= 90) or "–"


def _cell(text: Any) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
