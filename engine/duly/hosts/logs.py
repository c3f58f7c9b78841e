"""Logs: what happened, a line each, as JSON or for people; without secrets, and without other people's lines."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from duly.hosts.secrets import Secret, masked

MAX_TEXT = 2_000
"""Characters of one value in a log; the rest is cut off."""
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_FACTS = "duly_facts"


class Log:
    """A logger that takes facts by name: `log.info("sink is back", sink="chat")`."""

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, **facts: Any) -> None:
        """What only somebody who looks for a fault wants to know."""
        self._log(logging.DEBUG, message, facts)

    def info(self, message: str, **facts: Any) -> None:
        """What an operator may want to know."""
        self._log(logging.INFO, message, facts)

    def warning(self, message: str, **facts: Any) -> None:
        """What should not be, and was coped with."""
        self._log(logging.WARNING, message, facts)

    def error(self, message: str, **facts: Any) -> None:
        """What somebody has to see to."""
        self._log(logging.ERROR, message, facts)

    def fault(self, message: str, error: BaseException, **facts: Any) -> None:
        """A fault in Duly itself, or in a part that others made: with the place where it happened."""
        self._log(logging.ERROR, message, facts, error)

    def _log(
        self, level: int, message: str, facts: Mapping[str, Any], fault: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", message, extra={_FACTS: facts}, exc_info=fault)


class Lines(logging.Formatter):
    """One line a record, as JSON or as text; whatever is in it, it stays one line."""

    def __init__(self, form: str, secrets: Iterable[str], sensitive: Iterable[str]) -> None:
        super().__init__()
        self._json = form == "json"
        # The longest first: one secret may be part of another.
        self._secrets = {each: None for each in sorted(secrets, key=len, reverse=True) if len(each) >= 4}
        self._sensitive = frozenset(sensitive)

    def format(self, record: logging.LogRecord) -> str:
        """The record on one line."""
        at = self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z"
        facts: dict[str, Any] = {
            key: self._shown(key, value) for key, value in getattr(record, _FACTS, {}).items()
        }
        if record.exc_info and record.exc_info[1] is not None:
            facts["fault"] = self._text(logging.Formatter().formatException(record.exc_info), 20 * MAX_TEXT)
        message = self._text(record.getMessage())
        if self._json:
            found = {"at": at, "level": record.levelname.lower(), "from": record.name, "message": message}
            text = json.dumps({**found, **facts}, ensure_ascii=False, default=str)
            return text if text.isprintable() else "".join(map(_visible, text))
        told = "".join(f" {key}={_quoted(value)}" for key, value in facts.items())
        return f"{at} {record.levelname.lower():7} {escaped(message)}{told}"

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """The time of the record in UTC."""
        import time

        return time.strftime(datefmt or "", time.gmtime(record.created))

    def _shown(self, key: str, value: Any) -> Any:
        if key in self._sensitive or isinstance(value, Secret):
            return "***"
        if isinstance(value, Mapping):
            return {str(name): self._shown(str(name), each) for name, each in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._shown("", each) for each in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self._text(str(value))

    def _text(self, text: str, most: int = MAX_TEXT) -> str:
        text = masked(text, self._secrets)
        return text if len(text) <= most else text[:most] + "…"


def escaped(text: str) -> str:
    """The text on one line: what would begin another, or talk to a terminal, is written out."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text
    )


def _visible(sign: str) -> str:
    """A sign of a JSON text, escaped where it is a control or parts lines."""
    return sign if sign.isprintable() else json.dumps(sign)[1:-1]


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) and (not text or " " in text or "=" in text or '"' in text or "\\" in text):
        text = json.dumps(text, ensure_ascii=False)
    return escaped(text)


def configure(
    settings: Mapping[str, Any], secrets: Iterable[str] = (), stream: TextIO | None = None
) -> logging.Handler:
    """Let everything that is logged in this process be written as the configuration says, to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(settings.get("format", "text"), secrets, settings.get("mask", ())))
    root = logging.getLogger()
    for each in list(root.handlers):
        root.removeHandler(each)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("duly").setLevel(LEVELS[settings.get("level", "info")])
    return handler
