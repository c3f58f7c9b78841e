"""The sink `console`: a line for each message on standard output, or on standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import orjson

from duly.sinks.base import DELIVERED, Escape, Message, Receipt, said
from duly.sinks.settings import mapping


class Console:
    """Prints messages for a person, or actions as JSON Lines for the next command of a pipe."""

    schema = mapping(
        {
            "stream": {
                "description": "Where to print; standard output where nothing is said.",
                "enum": ["stdout", "stderr"],
                "examples": ["stderr"],
            },
            "format": {
                "description": "`text`, a line for a person, which is the default, or `json`, the action itself.",
                "enum": ["text", "json"],
                "examples": ["json"],
            },
        },
        examples=[{"format": "json"}],
    )
    escape: Escape = "plain"

    def __init__(self, settings: Mapping[str, Any], stream: TextIO | None = None) -> None:
        named = sys.stderr if settings.get("stream") == "stderr" else sys.stdout
        self._stream = named if stream is None else stream
        self.worded = settings.get("format") != "json"
        self._line = _text if self.worded else _json

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink."""
        self._stream.write("".join(map(self._line, messages)))
        self._stream.flush()
        return [DELIVERED] * len(messages)


def _json(message: Message) -> str:
    return "".join(orjson.dumps(action, default=str).decode() + "\n" for action in message.actions)


def _text(message: Message) -> str:
    """One line whatever the message says, so that no case can pretend to be another line."""
    action = message.actions[-1]
    to = ", ".join(who for who, _ in message.recipients)
    told = f"{action['at']}  {action['type']}" + (f"  → {to}" if to else "")
    # The text says the title again where it is the default one.
    text = message.text.removeprefix(message.title)
    return said(f"{told}  {message.title}  {' · '.join(text.splitlines()).strip(' ·')}", 2000).rstrip() + "\n"
