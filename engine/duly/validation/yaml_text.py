"""YAML text: plain data as people write it in policies."""

from __future__ import annotations

import re
from typing import Any

from duly.validation.parts import written

_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`0-9.+~][^:#,\[\]{}\n]*\Z")
_SAFE = re.compile(
    r"[0-9]{1,9}(\.[0-9]+)*(s|m|h|wd|d|w|%)(\d+[smhdw])*\Z|\d{4}-\d\d-\d\d|\d+-\d+\Z|\d+\.\d+\.\d+\Z"
)
_WIDTH = 100


def flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _text(value) if isinstance(value, str) else written(value)


def block(value: Any, indent: int = 0) -> str:
    """A mapping or list over lines, small ones within it in one line each."""
    pad = " " * indent
    lines = []
    if isinstance(value, list):
        for item in value:
            line = flow(item)
            if isinstance(item, (dict, list)) and item and len(line) + indent > _WIDTH - 2:
                line = block(item, indent + 2)[indent + 2 : -1]
            lines.append(f"{pad}- {line}\n")
        return "".join(lines)
    for key, item in value.items():
        line = flow(item)
        wide = len(line) + indent + len(key) > _WIDTH - 2
        deep = isinstance(item, (dict, list)) and item and (wide or (indent == 0 and key == "spec"))
        lines.append(
            f"{pad}{_text(key)}:\n{block(item, indent + 2)}" if deep else f"{pad}{_text(key)}: {line}\n"
        )
    return "".join(lines)


def _text(text: str) -> str:
    if (_PLAIN.match(text) and text not in ("true", "false", "null") and text == text.strip()) or _SAFE.match(
        text
    ):
        return text
    colon = re.match(r"(role|group|person|queue):[\w-]+\Z|[\w/#-]+\Z", text)
    return (
        text
        if colon and not text[0].isdigit()
        else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
