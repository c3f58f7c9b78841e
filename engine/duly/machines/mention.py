"""Mention: the values of fields that the text of an action speaks of, as they go along with it."""

from __future__ import annotations

from duly import durations, instants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def mentioned(fields: Mapping[str, str] | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What goes with an action whose text names `fields` (name to type, "" for one that is not declared): under
    `fields` those of them that are known, as plain data; nothing where none is.
    """
    if not fields:
        return {}
    known = {name: _plain(facts[name], kind) for name, kind in fields.items() if facts.get(name) is not None}
    return {"fields": known} if known else {}


def _plain(value: Any, kind: str) -> Any:
    if kind == "instant":
        return instants.render(value)
    if kind == "duration":
        return durations.render(value)
    return sorted(value) if kind == "set" else value
