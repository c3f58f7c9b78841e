"""Widths: how many columns of a terminal a text takes; Chinese characters take two."""

from __future__ import annotations

import unicodedata


def width(text: str) -> int:
    """Columns that `text` takes."""
    return len(text) if text.isascii() else sum(_columns(sign) for sign in text)


def _columns(sign: str) -> int:
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in ("W", "F") else 1


def fitted(text: str, columns: int) -> str:
    """`text`, cut to `columns`."""
    if width(text) <= columns:
        return text
    taken, shown = 0, ""
    for sign in text:
        taken += _columns(sign)
        if taken > columns - 1:
            return shown + "…"
        shown += sign
    return shown


def padded(text: str, columns: int) -> str:
    """`text` with blanks behind it up to `columns`."""
    return text + " " * max(0, columns - width(text))
