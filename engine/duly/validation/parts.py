"""Parts: which parts of a schema apply to a value of a document, and what each wants to see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from duly.diagnostics import Path
from duly.validation.conformity import check
from duly.validation.schemas import Schema, resolve

Part = tuple[str, Schema]
"""A part of a schema, with the name of the schema file that it stands in."""

_TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a mapping",
    "null": "`null`",
}

_WITHOUT_ARTICLE = frozenset(("metadata", "holidays", "quiet hours", "rounds", "given", "data"))


def applying(part: Part, value: Any) -> Iterator[Part]:
    """The part itself, and every part that it brings to bear on `value` through `$ref`, `allOf` and `if`."""
    name, schema = part
    yield part
    if "$ref" in schema:
        yield from applying(resolve(name, schema["$ref"]), value)
    for each in schema.get("allOf", ()):
        yield from applying((name, each), value)
    if "if" in schema:
        branch = schema.get("then" if check(name, schema["if"])(value) else "else")
        if branch is not None:
            yield from applying((name, branch), value)


def children(parts: list[Part], step: str | int) -> list[Part]:
    """The parts that a mapping's or list's parts give to what stands at `step` in it."""
    found: list[Part] = []
    for name, schema in parts:
        if isinstance(step, int):
            if "items" in schema:
                found.append((name, schema["items"]))
        elif step in schema.get("properties", {}):
            found.append((name, schema["properties"][step]))
        elif isinstance(schema.get("additionalProperties"), dict):
            found.append((name, schema["additionalProperties"]))
    return found


def at(part: Part, data: Any, path: Path) -> list[Part]:
    """The parts that speak of the value at `path`, before those are looked into; the root's are `[part]`."""
    parts = [part]
    for step in path:
        within = [each for every in parts for each in applying(every, data)]
        parts = children(within, step)
        data = data[step] if _has(data, step) else None
    return parts


def wanted(part: Part) -> str | None:
    """What a part wants to see, in words: `a duration such as …`, `one of …`, `a list`."""
    name, schema = part
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return choices(schema["enum"])
    if "const" in schema:
        return f"`{written(schema['const'])}`"
    if "$ref" in schema:
        found = wanted(resolve(name, schema["$ref"]))
        if found is not None:
            return found
    if schema.get("type") == "object":
        return mapping(part)
    if "else" in schema and schema.get("if") in ({"type": "object"}, {"type": "array"}, {"type": "null"}):
        return wanted((name, schema["else"]))
    if "type" in schema:
        types = schema["type"]
        return _TYPES[types] if isinstance(types, str) else " or ".join(_TYPES[each] for each in types)
    return None


def mapping(part: Part) -> str:
    """A mapping in words, with the keys that it must have."""
    _, schema = part
    noun = str(schema.get("title", "mapping"))
    keys = schema.get("required") or [each["required"][0] for each in schema.get("oneOf", ())][:1]
    named = ", ".join(f"`{key}: …`" for key in keys[:3])
    article = "" if noun in _WITHOUT_ARTICLE else "an " if noun[0] in "aeiou" else "a "
    return f"{article}{noun}" + (f", a mapping with {named}" if named else "")


def choices(values: list[Any]) -> str:
    """`one of `a`, `b``, or the only one."""
    names = [f"`{written(value)}`" for value in values]
    return names[0] if len(names) == 1 else "one of " + ", ".join(names)


def written(value: Any) -> str:
    """A scalar as a policy writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _has(data: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(data, list) and 0 <= step < len(data)
    return isinstance(data, dict) and step in data
