"""Shapes: the JSON Schemas of what goes over HTTP, those that ship with Duly among them."""

from __future__ import annotations

import json
from typing import Any

from duly.validation.editors import editor_schema

SHIPPED = ("event", "case", "decision", "action")
_FOR_EDITORS = ("errorMessage", "patternErrorMessage", "$schema", "$id", "definitions")
_TEXT, _WHOLE, _INSTANT = {"type": "string"}, {"type": "integer"}, {"type": "string", "format": "date-time"}


def shapes() -> dict[str, Any]:
    """Every schema by its name, each referring to the others as an OpenAPI description does."""
    found: dict[str, Any] = {}
    for name in SHIPPED:
        schema = editor_schema(name)
        for key, part in schema["definitions"].items():
            found.setdefault(key, _plain(part))
        found[name] = _plain(schema)
    # What makes clients of a description knows `anyOf`, and mostly not `if`.
    event = {key: value for key, value in found["event"].items() if key not in ("if", "then", "else")}
    found["event"] = {**event, "anyOf": [reference("event.event"), reference("event.cloudEvent")]}
    return dict(sorted({**found, **_own()}.items()))


def reference(name: str) -> dict[str, str]:
    """The schema of this name, referred to."""
    return {"$ref": f"#/components/schemas/{name}"}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without what only editors read, its references led to the components."""
    text = json.dumps(_without(schema)).replace('"#/definitions/', '"#/components/schemas/')
    found: dict[str, Any] = json.loads(text)
    return found


def _without(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _without(value) for key, value in part.items() if key not in _FOR_EDITORS}
    return [_without(each) for each in part] if isinstance(part, list) else part


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _own() -> dict[str, Any]:
    fault = _object(
        ["code", "message", "line", "path"],
        code={**_TEXT, "description": "A stable code, see the page on diagnostics."},
        message=_TEXT,
        line={"type": ["integer", "null"], "description": "The line of a stream, from 1."},
        path={**_TEXT, "description": "Where in the event, the case or the request."},
    )
    status = {"enum": ["accepted", "duplicate", "conflict", "refused"]}
    counts = _object(
        ["accepted", "duplicate", "conflict", "refused"],
        accepted=_WHOLE, duplicate=_WHOLE, conflict=_WHOLE, refused=_WHOLE,
    )  # fmt: skip
    receipt = _object(
        ["status", "id"],
        status=status,
        id={"type": ["string", "null"]},
        line=_WHOLE,
        error=reference("fault"),
    )
    explained = {"allOf": [reference("decision.decision"), _object(["trace"], trace={"type": "array"})]}
    return {
        "fault": {**fault, "additionalProperties": False},
        "problem": {**_object(["error"], error=reference("fault")), "additionalProperties": False},
        "counts": counts,
        "receipt": receipt,
        "receipts": _object(
            ["receipts", "counts"], receipts={"type": "array", "items": reference("receipt")},
            counts=reference("counts"), unmatched=_WHOLE,
        ),
        "explained": explained,
        "history": _object(
            ["case", "events", "actions"],
            case=_TEXT,
            events={"type": "array", "items": _object(
                ["event", "origin", "received_at", "seq"], event={"type": "object"}, origin=_TEXT,
                received_at=_INSTANT, seq=_WHOLE,
            )},
            actions={"type": "array", "items": {"type": "object"}},
        ),
        "due": _object(
            ["at", "due"], at=_INSTANT,
            due={"type": "array", "items": _object(
                ["at", "in_seconds", "of"], at=_INSTANT, in_seconds={"type": "number"}, of=_TEXT, id=_TEXT,
                clocks={"type": "array", "items": {"type": "object"}},
            )},
        ),
        "queue": _object(
            ["group", "at", "waiting"], group=_TEXT, at=_INSTANT,
            waiting={"type": "array", "items": _object(
                ["position", "case", "to", "since", "waiting_seconds", "counts_from", "rule"], position=_WHOLE,
                case=_TEXT, to=_TEXT, since=_INSTANT, waiting_seconds=_WHOLE, counts_from=_INSTANT,
                rule=_or_null(_TEXT),
            )},
        ),
        "policy": _object(
            ["policy", "adopted", "clocks", "groups"], policy={"type": "object"},
            adopted={"type": "array", "items": _object(
                ["revision", "from"], revision=_TEXT, **{"from": _INSTANT},
            )},
            clocks={"type": "array", "items": _TEXT}, groups={"type": "array", "items": _TEXT},
        ),
        "health": _object([], state=_TEXT),
    }  # fmt: skip
