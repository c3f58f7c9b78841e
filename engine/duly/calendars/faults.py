"""Faults: what is wrong with a calendar as it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from duly.diagnostics import Path, Severity, did_you_mean


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a stable code, a message, the place within `spec.calendars`, and what to do."""

    code: str
    message: str
    path: Path
    help: str | None = None
    severity: Severity = "error"


def unknown(what: str, word: object, words: Iterable[str], path: Path) -> Fault:
    """The fault for a name that is none of `words`; `what` says of which kind, such as `time zone`."""
    code = "unknown-" + what.replace(" ", "-")
    return Fault(code, f"unknown {what} `{word}`", path, did_you_mean(str(word), words))


def expected(what: str, found: object, path: Path) -> Fault:
    """The fault for a value of the wrong shape."""
    return Fault("calendar-shape", f"expected {what}, found {shown(found)}", path)


def shown(value: object) -> str:
    """A value as a message quotes it, without the names of Python types."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{str(value)[:60]}`"
