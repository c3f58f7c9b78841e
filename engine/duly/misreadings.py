"""Misreadings: what YAML's complaints most likely mean, and keys that YAML reads otherwise than their author."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FULL_WIDTH = {
    "：": "`: `", "，": "`, `", "“": '`"`', "”": '`"`', "‘": "`'`", "’": "`'`", "｛": "`{`", "｝": "`}`",
    "［": "`[`", "］": "`]`", "【": "`[`", "】": "`]`", "＂": '`"`', "＇": "`'`", "＃": "`#`", "　": "a plain space",
}  # fmt: skip
"""Signs of a Chinese keyboard that look like YAML's, and what to write in their place."""

_PROBLEMS = (
    ("mapping values are not allowed", "a second `: ` on the line, or a line indented too deep",
     "quote a text that has `: ` in it, and line keys up under each other"),
    ("sequence entries are not allowed", "a list that begins on the line of its key",
     "begin it on the next line, or write `[a, b]`"),
    ("could not find expected ':'", "a line without `: `", "write `key: value`"),
    ("did not find expected key", "a line that does not line up with the keys above it",
     "line keys up under each other, and quote texts that start with a quote, `[`, `{`, `*`, `&` or `!`"),
    ("did not find expected '-' indicator", "a line that does not line up with the list above it",
     "start each entry of the list with `- ` in the same column"),
    ("did not find expected ',' or ']'", "a list `[` that is not closed, or a `,` that is missing",
     "close it with `]`, entries parted by `, `"),
    ("did not find expected ',' or '}'", "a mapping `{` that is not closed, or a `,` that is missing",
     "close it with `}`, entries parted by `, `"),
    ("unexpected end of stream", "a quote that is not closed", "close the quote"),
    ("found unexpected document indicator", "a quote that is not closed before `---`", "close the quote"),
    ("unknown escape character", "an unknown escape in a double-quoted text",
     "use single quotes, or write the backslash twice"),
    ("hexdecimal number", "an unknown escape in a double-quoted text",
     "use single quotes, or write the backslash twice"),
    ("Unicode character escape", "an escape that is no character", "write the character itself"),
    ("expected <document start>", "something behind the end of the document",
     "begin another document with `---`, or take the rest away"),
    ("expected node content", "a `,` or a bracket where a value is expected", "write the value, or take the `,` away"),
    ("expected comment or line break", "something behind the `|` or `>` that begins a long text",
     "begin the text on the next line, or quote it"),
    ("indentation indicator", "a `0` behind the `|` or `>` that begins a long text", "take the digit away"),
    (" directive", "a line that starts with `%`", "quote the text"),
    (" tag", "a tag", "quote a text that starts with `!`"),
)  # fmt: skip
"""A part of the parser's own words, what it is, and what to do."""

_BEGINNINGS = {
    "while parsing a block mapping": "the mapping begins here",
    "while parsing a block collection": "the list begins here",
    "while parsing a flow mapping": "the `{` is here",
    "while parsing a flow sequence": "the `[` is here",
    "while scanning a simple key": "the line begins here",
}


_COMMENT = re.compile(r"\S.*[ \t]#")


@dataclass(frozen=True, slots=True)
class Misreading:
    """What is wrong at a place, lines and columns from 0, and what to do; `beginning` is where it began."""

    message: str
    help: str | None
    line: int
    column: int
    beginning: tuple[str, int, int] | None = None


def misreading(
    problem: str, place: tuple[int, int], context: str | None, start: tuple[int, int] | None, text: str
) -> Misreading:
    """What the parser's complaint `problem` at a place means, with the `context` that it began to read at `start`."""
    line, column = place
    rows = re.split("\r\n|\r|\n", text)
    last = max((number for number, row in enumerate(rows) if row.strip()), default=0)
    if line > last:
        line, column = last, len(rows[last].rstrip())
    row = rows[line]
    if "alphabetic or numeric" in problem and column and row[column - 1] in "&*":
        column -= 1
    elif " directive" in problem:
        column = 0
    message, help_text = _explained(problem, row, column)
    if message == "a quote that is not closed" and start is not None:
        (line, column), start = start, None
    if _COMMENT.search(row):
        help_text = (
            f"{help_text}; " if help_text else ""
        ) + "what stands behind a blank and `#` is a comment"
    if signs := _wide_signs("".join(rows[max(0, line - 1) : line + 1])):
        help_text = f"{help_text}; " if help_text else ""
        help_text += f"to YAML the full-width {_named(signs[0])} is a letter like any other: write "
        help_text += _FULL_WIDTH[signs[0]]
    beginning = None
    if start is not None and start[0] != line and context in _BEGINNINGS:
        beginning = (_BEGINNINGS[context], *start)
    return Misreading(message, help_text, line, column, beginning)


def _explained(problem: str, row: str, column: int) -> tuple[str, str | None]:
    sign = row[column : column + 1]
    if "\t" in row[: len(row) - len(row.lstrip())] or sign == "\t" or " tab" in problem:
        return "a tab", "indent with spaces, not with tabs"
    if "cannot start any token" in problem or "alphabetic or numeric" in problem:
        shown = "a backtick" if sign == "`" else f"`{sign}`"
        return f"a text that starts with {shown}", "quote the text"
    if sign == ":" and "expected ',' or '}'" in problem and ": " in row[:column]:
        return "a second `: ` in one entry", "part entries by `, `, and quote a text that has `: ` in it"
    for words, message, help_text in _PROBLEMS:
        if words in problem:
            return message, help_text
    return problem[:1].lower() + problem[1:], None


def _named(sign: str) -> str:
    return "space" if sign == "　" else f"`{sign}`"


def _wide_signs(text: str) -> list[str]:
    return [sign for sign in text if sign in _FULL_WIDTH]


def odd_key(key: str, valued: bool) -> tuple[str, str] | None:
    """What is odd about an unquoted key, and what to do; None for a key that means what it says.

    `valued`: whether a `:` stands behind the key, which YAML does not insist on within braces.
    """
    shown = f"`{key if len(key) <= 60 else key[:57] + '…'}`"
    if signs := _wide_signs(key):
        return (
            f"the full-width {_named(signs[0])} is part of the key {shown}",
            f"write {_FULL_WIDTH[signs[0]]}, or quote the key where the sign belongs to it",
        )
    for sign in "{[\"'":
        word, found, rest = key.partition(":" + sign)
        if found:
            return f"no blank behind the `:` in {shown}", f"write `{word}: {sign}{rest[:40]}`"
        word, found, rest = key.partition(" " + sign)
        if found and sign in "{[":
            return f"no `:` behind the key in {shown}", f"write `{word}: {sign}{rest[:40]}`"
    if not valued:
        word, found, rest = key.partition(":")
        if found and rest:
            return f"no blank behind the `:` in {shown}", f"write `{word}: {rest[:40]}`"
        return f"{shown} is no `key: value`", "within braces, quote a text that has a comma in it"
    return None
