"""Diagnostics: how the engine speaks of faults in text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
Path = tuple[str | int, ...]
"""Where in a document: the keys and list positions from its root."""

_RANK = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file: lines and columns from 1, columns in characters, the end exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that a diagnostic speaks of, such as the first of two duplicate ids."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault: a stable code, a lower-case message without full stop, the place, and what to do.

    `path` is the place in the document, such as `spec.clocks[0].targets[1].within`. `found` and `expected`
    are texts for machines that read reports; the message already says both.
    """

    code: str
    message: str
    span: Span
    severity: Severity = "error"
    path: str = ""
    found: str | None = None
    expected: str | None = None
    help: str | None = None
    related: tuple[Related, ...] = ()


def ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Without repeats, sorted by file and place; at one place errors come first."""
    return sorted(
        dict.fromkeys(diagnostics),
        key=lambda d: (d.span.file, d.span.line, d.span.column, _RANK[d.severity], d.code, d.message),
    )


def render_path(path: Path) -> str:
    """`("spec", "clocks", 0, "id")` as `spec.clocks[0].id`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` was most likely meant to be, or None."""
    candidates = sorted(words)
    folded = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """The help line for an unknown word: the nearest known one, or all of them where they are few."""
    known = sorted(words)
    near = nearest(word, known)
    if near is not None:
        return f"did you mean `{near}`?"
    if known and len(known) <= 16:
        return "known here: " + ", ".join(f"`{name}`" for name in known)
    return None
