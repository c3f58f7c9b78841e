"""Scalars: plain scalars where the schema wants a text, taken as they were written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from duly.diagnostics import Path
from duly.validation.parts import Part, applying, children

Raw = Callable[[Path], str | None]
_ABSENT = (None, "", "~")


def as_written(part: Part, data: Any, raw: Raw, path: Path = ()) -> Any:
    """`data` with each number, boolean or null at a place for a text as its text in the document, so that a
    title `2026` or a value `1.10` stands as it is written. The same object where nothing changes."""
    parts = list(applying(part, data))
    if isinstance(data, dict):
        return _mapping(parts, data, raw, path)
    if isinstance(data, list):
        items = [_child(parts, number, item, raw, path) for number, item in enumerate(data)]
        return items if any(new is not old for new, old in zip(items, data, strict=True)) else data
    if not isinstance(data, str) and any(_wants_text(schema) for _, schema in parts):
        text = raw(path)
        return data if text in _ABSENT else text
    return data


def _mapping(parts: list[Part], data: dict[str, Any], raw: Raw, path: Path) -> dict[str, Any]:
    changed = data
    for key, value in data.items():
        new = _child(parts, key, value, raw, path)
        if new is not value:
            changed = {**changed, key: new}
    return changed


def _child(parts: list[Part], step: str | int, value: Any, raw: Raw, path: Path) -> Any:
    for part in children(parts, step):
        new = as_written(part, value, raw, (*path, step))
        if new is not value:
            return new
    return value


def _wants_text(schema: dict[str, Any]) -> bool:
    if "enum" in schema:
        return all(isinstance(value, str) for value in schema["enum"])
    return schema.get("type") == "string" or isinstance(schema.get("const"), str)
