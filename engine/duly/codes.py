"""Codes: the catalogue of what can be wrong, each with its stable code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A sort of fault: its stable code, its name, what it means, and how it is mended."""

    code: str
    name: str
    meaning: str
    remedy: str


SHAPE = (
    Code("D101", "unknown-key", "A key that means nothing where it stands.",
         "Correct its spelling, or take it away."),
    Code("D102", "missing-key", "A key that must be there is not: a question that the policy leaves unanswered.",
         "Add the key; the help says what it decides."),
    Code("D103", "wrong-type", "A list, a mapping, a text or a number stands where something else is wanted.",
         "Write what is expected; quote a text that looks like a number."),
    Code("D104", "not-one-of", "A word that is not one of those that may stand there.",
         "Choose one of the words named."),
    Code("D105", "bad-form", "A text that has not the form wanted, such as a duration, an instant or a reference.",
         "Write it in the form of the example."),
    Code("D106", "out-of-range", "A number, a text or a list that is too small, too large or empty.",
         "Stay within the limit named."),
    Code("D107", "choose-one", "None, or more than one, of several keys of which exactly one may stand.",
         "Keep one of them."),
    Code("D108", "misplaced-key", "A known key that does not go with the others beside it.",
         "Take it away, or move it to where it belongs."),
    Code("D109", "repeated", "An entry of a list that is there twice, or an `id` given twice.",
         "Keep one of the two, or give one another name."),
    Code("D110", "not-a-document", "A document that is not a mapping with `apiVersion`, `kind`, `metadata`, `spec`.",
         "Start from one of the examples of the language reference."),
    Code("D111", "unknown-kind", "A document without a `kind`, or of a kind that is not known.",
         "Write one of the kinds; tests stand in files named `*.test.yaml`."),
)  # fmt: skip
"""Faults in the shape of a document."""

CATALOGUE = {entry.code: entry for entry in SHAPE}
