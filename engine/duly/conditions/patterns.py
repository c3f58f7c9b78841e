"""Patterns: the regular expressions of `matches`, in RE2 syntax, which runs in linear time."""

from __future__ import annotations

import re

from duly.conditions.operands import Unsuited

LONGEST_PATTERN = 1_000
LARGEST_PROGRAM = 5_000

_FOREIGN = (
    (re.compile(r"\(\?P=|\\[1-9]"), "a backreference"),
    (re.compile(r"\(\?<[=!]"), "a lookbehind"),
    (re.compile(r"\(\?[=!]"), "a lookahead"),
    (re.compile(r"\(\?>"), "an atomic group"),
    (re.compile(r"\(\?\("), "a conditional group"),
    (re.compile(r"\(\?#"), "a comment group"),
    (re.compile(r"[*+?}]\+"), "a possessive quantifier"),
    (re.compile(r"\\Z"), "`\\Z`"),
)
"""What other dialects have and RE2 has not, by the name that people know it by."""


def check_pattern(pattern: str, field: str) -> None:
    """Raises Unsuited where `pattern` is no RE2 pattern, or one too large to run on every case."""
    if len(pattern) > LONGEST_PATTERN:
        raise Unsuited(
            "C007",
            f"pattern of {len(pattern):,} characters for `{field}`; at most {LONGEST_PATTERN:,}",
            "use `any:` with several patterns",
        )
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    try:
        program = re2.compile(pattern.encode("utf-8"), options)
    except re2.error as error:
        raise _refused(pattern, field, error) from None
    except UnicodeEncodeError:
        raise Unsuited("C007", f"the pattern for `{field}` is not valid Unicode") from None
    if program.programsize > LARGEST_PROGRAM:
        raise Unsuited(
            "C007",
            f"the pattern for `{field}` is too large to run on every case",
            "make its repetitions such as `{1,500}` smaller",
        )


def _refused(pattern: str, field: str, error: Exception) -> Unsuited:
    for foreign, name in _FOREIGN:
        if foreign.search(pattern):
            message = f"the pattern for `{field}` uses {name}, which RE2 syntax does not have"
            help = (
                "the end of the text is `\\z`"
                if name == "`\\Z`"
                else "say it without, or with a second condition"
            )
            return Unsuited("C007", message, help)
    said = error.args[0] if error.args else ""
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    said = said.replace("`", "").removesuffix(f": {pattern}").replace("missing )", "a `(` that is not closed")
    return Unsuited(
        "C007", f"bad pattern for `{field}`: {said}", "a sign that stands for itself takes a `\\` before it"
    )
