"""A sink of one's own: each action is a file in a folder, called by its id."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from duly.sinks.base import DELIVERED, Message, Misconfigured, Receipt


class Folder:
    """Writes each action to `ID.json`; a repeat writes the same file again."""

    schema: Mapping[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": {
                "description": "The folder to write to; it must be there.",
                "type": "string",
                "x-file": True,
                "examples": ["actions"],
            },
            "indent": {"$ref": "#/$defs/indent"},
        },
        "$defs": {
            "indent": {
                "description": "By how much to indent.",
                "type": "integer",
                "minimum": 0,
                "examples": [2],
            }
        },
    }
    atomic = True

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._folder = Path(settings["path"])
        self._indent = settings.get("indent")
        if not self._folder.is_dir():
            raise Misconfigured(f"`path`: the folder `{self._folder}` is not there; make it")

    def deliver(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Write each action; what cannot be written has failed, and comes again."""
        for message in messages:
            for action in message.actions:
                text = json.dumps(action, ensure_ascii=False, indent=self._indent)
                (self._folder / f"{action['id']}.json").write_text(text, encoding="utf-8")
        return [DELIVERED] * len(messages)
