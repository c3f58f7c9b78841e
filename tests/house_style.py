"""House style: what the messages of diagnostics may not say."""

from __future__ import annotations

import re
from collections.abc import Iterable

_JARGON = re.compile(
    r"\b(oneOf|anyOf|allOf|None|True|False|dict|NoneType|str|int|float|bool|list\[|is not of type|schema|Traceback"
    r"|required property|does not match|regex|KeyError|ValueError|additionalProperties|Decimal)\b"
)


def faults(texts: Iterable[str]) -> list[str]:
    """What the house style forbids in the texts of a diagnostic; what users wrote stands in backticks."""
    found = []
    for text in texts:
        prose = re.sub("`[^`]*`", "``", text)
        found += [f"full stop: {text}"] * prose.endswith(".")
        found += [f"capital: {text}"] * prose[:1].isupper()
        found += [f"doubled blank: {text}"] * ("  " in prose)
        found += [f"jargon: {text}" for _ in _JARGON.findall(prose)]
    return found
