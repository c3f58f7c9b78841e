"""Paths: places in a message, such as `detail.id`, `tags[0]`, `$.account["cost center"]`."""

from __future__ import annotations

import re
from typing import Any

from duly.hosts.mapping.message import MISSING, Message

_STEP = re.compile(r"""\.?([^\s.\[\]"']+)|\[(-?[0-9]{1,6})\]|\["([^"]+)"\]""")


class Path:
    """A place in a message. `text` is as it was written, for messages of faults."""

    __slots__ = ("steps", "text", "whole")

    def __init__(self, text: str) -> None:
        """`text` has been checked against the schema's pattern."""
        self.text = text
        self.whole = text.startswith("$")
        self.steps: list[str | int] = []
        for found in _STEP.finditer(text, 1 if self.whole else 0):
            key, index, quoted = found.groups()
            self.steps.append(int(index) if index is not None else key if key is not None else quoted)

    def find(self, message: Message) -> Any:
        """The value there; MISSING where there is none, or `null`."""
        value = message.root if self.whole else message.item
        for step in self.steps:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            elif isinstance(value, list) and -len(value) <= step < len(value):
                value = value[step]
            else:
                value = None
            if value is None:
                return MISSING
        return MISSING if value is None else value
