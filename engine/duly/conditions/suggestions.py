"""Suggestions: what an unknown word in a condition was meant to be, and which tests suit a field."""

from __future__ import annotations

from duly.conditions.fields import NOUNS, Field, Vocabulary
from duly.diagnostics import nearest

GROUPS = ("any", "all", "not")
TESTS = (
    "not", "at_least", "over", "at_most", "below", "has", "has_any", "has_all", "has_none",
    "contains", "starts_with", "ends_with", "matches", "exists",
)  # fmt: skip
_PLAIN = ("is", "in", "equals", "eq", "any_of", "one_of", "=", "==")
_ELSEWHERE = {
    ">=": "at_least", "gte": "at_least", "min": "at_least", ">": "over", "gt": "over", "<=": "at_most",
    "lte": "at_most", "max": "at_most", "<": "below", "lt": "below", "!=": "not", "ne": "not",
    "regex": "matches", "pattern": "matches", "includes": "has",
}  # fmt: skip
"""What other languages call our tests."""


def meant_field(name: str, vocabulary: Vocabulary) -> str:
    """The help line for an unknown field."""
    prefix, _, bare = name.partition(".")
    if prefix in ("case", "fields") and bare in vocabulary.fields:
        return f"did you mean `{bare}`? fields of the case are written bare"
    for prefix in ("event.", "customer."):
        if prefix + name in vocabulary.fields:
            return f"did you mean `{prefix}{name}`?"
    if name in TESTS:
        return f"`{name}` is a test; write it under a field: `field: {{{name}: …}}`"
    whole = {field.rpartition(".")[2]: field for field in sorted(vocabulary.fields, reverse=True)}
    if name.isidentifier() and (near := nearest(name, whole)) is not None:
        return f"did you mean `{whole[near]}`?"
    near = nearest(name, [*vocabulary.fields, *GROUPS])
    return f"did you mean `{near}`?" if near else "declare it in the Vocabulary"


def meant_test(key: str, field: Field) -> str:
    """The help line for an unknown test."""
    if key in _PLAIN:
        return f"write the value or the list itself: `{field.name}: …`"
    near = _ELSEWHERE.get(key) or nearest(key, field.suited) or nearest(key, TESTS)
    return f"did you mean `{near}`?" if near else f"tests that suit `{field.name}`: {tests_of(field)}"


def tests_of(field: Field) -> str:
    """The tests that suit a field, as a list for messages."""
    named = ", ".join(f"`{test}`" for test in field.suited if test not in ("is", "in"))
    return named if field.type == "set" else f"a value, a list of values, {named}"


def noun(field: Field) -> str:
    """What a field is: a text, a number, a boolean."""
    return {"boolean": "a boolean", "enum": "an enum", "set": "a set"}.get(field.type) or NOUNS[field.type]
