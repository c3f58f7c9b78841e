"""Decoding: the bytes of a file to text, or the fault that stands against it."""

from __future__ import annotations

import re

from duly.diagnostics import Diagnostic, Span

MAX_BYTES = 4 * 1024 * 1024
_OTHER_BREAKS = "\u0085\u2028\u2029"
"""Signs that YAML takes for line breaks and no editor does: lines would be counted in two ways."""


def decoded(content: str | bytes, file: str) -> str | Diagnostic:
    """The text of a file without its byte order mark, or why there is none."""
    size = len(content) if isinstance(content, bytes) else len(content.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        message = f"file of {size:,} bytes; at most {MAX_BYTES:,} are read"
        return Diagnostic("D001", message, Span(file, 1, 1, 1, 1), help="split it into several documents")
    if isinstance(content, bytes):
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            return _not_utf8(content, error.start, file)
    else:
        text = content
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            return foreign(text, error.start, file)
    text = text.removeprefix("\ufeff")
    found = () if text.isascii() else [text.index(sign) for sign in _OTHER_BREAKS if sign in text]
    return foreign(text, min(found), file) if found else text


def foreign(text: str, position: int, file: str) -> Diagnostic:
    """The fault of a character that may not stand in a policy."""
    sign = text[position : position + 1] or "\0"
    message = f"character U+{ord(sign):04X} may not stand in a policy"
    return Diagnostic("D002", message, _behind(text[:position], file), help="take it away")


def _not_utf8(content: bytes, position: int, file: str) -> Diagnostic:
    place = _behind(content[:position].decode("utf-8-sig"), file)
    message = f"byte 0x{content[position]:02x} is not UTF-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "a file in UTF-16, not in UTF-8"
    return Diagnostic("D002", message, place, help="save the file as UTF-8")


def _behind(text: str, file: str) -> Span:
    """The place of the character that follows `text`, from the start of the file."""
    rows = re.split("\r\n|\r|\n", text)
    line, column = len(rows), len(rows[-1]) + 1
    return Span(file, line, column, line, column + 1)
