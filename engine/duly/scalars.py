"""Scalars: what a plain scalar of YAML says under the core schema of YAML 1.2, and nothing more."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_EXACT_DIGITS = 15
_MAX_DIGITS = 400


def typed(text: str) -> Any:
    """The null, boolean or number that a plain scalar says; the very same object where it is a text.

    A number that a float cannot hold exactly is a Decimal.
    """
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in "+-.0123456789" or len(text) > _MAX_DIGITS:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _OTHER_BASE.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        number = Decimal(text)
        exact = len(number.as_tuple().digits) <= _EXACT_DIGITS and abs(number.adjusted()) < 300
        return float(number) if exact else number
    return text


def is_not_finite(text: str) -> bool:
    """Whether a plain scalar says infinity, or no number at all, which no policy can use."""
    return _NOT_FINITE.match(text) is not None
