"""Faults found in the text of a condition or a vocabulary, before they have a place in a file."""

from __future__ import annotations

from dataclasses import dataclass

from duly.diagnostics import Path, Severity


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at a path of the document; with `key`, the fault is the key there and not its value."""

    code: str
    message: str
    path: Path
    help: str | None = None
    found: str | None = None
    expected: str | None = None
    key: bool = False
    severity: Severity = "error"
