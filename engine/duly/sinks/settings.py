"""Settings: the parts that schemas of sinks are put together from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

SECRET: Schema = {
    "title": "secret",
    "description": "A secret, by the environment variable or the file that holds it.",
    "type": "object",
    "x-expected": "`{env: NAME}` or `{file: PATH}`",
    "additionalProperties": False,
    "oneOf": [{"required": ["env"]}, {"required": ["file"]}],
    "properties": {
        "env": {
            "description": "The name of the environment variable that holds it.",
            "type": "string",
            "minLength": 1,
            "examples": ["HOOK_SECRET"],
        },
        "file": {
            "description": "The file that holds it; a line break at its end does not count.",
            "type": "string",
            "minLength": 1,
            "examples": ["/run/secrets/hook"],
        },
    },
    "examples": [{"env": "HOOK_SECRET"}, {"file": "/run/secrets/hook"}],
}
"""`{env: NAME}` or `{file: PATH}`."""

TEXT_OR_SECRET: Schema = {
    "description": "A text, or where it is secret the environment variable or the file that holds it.",
    "examples": ["https://example.com", {"env": "HOOK_URL"}],
    "if": {"type": "object"},
    "then": SECRET,
    "else": {"type": "string", "minLength": 1, "x-expected": "a text, or `{env: NAME}` or `{file: PATH}`"},
}
"""A text that may be secret."""

TIMEOUT: Schema = {
    "description": "After how many seconds a delivery counts as failed; 15 where nothing is said.",
    "type": "number",
    "exclusiveMinimum": 0,
    "maximum": 600,
    "examples": [15],
}


def mapping(
    properties: Mapping[str, Schema], *, required: Sequence[str] = (), examples: Sequence[Schema] = ()
) -> Schema:
    """The schema of settings with these keys."""
    return {
        "title": "settings of the sink",
        "description": "The settings of the sink.",
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": dict(properties),
        "examples": list(examples),
    }
