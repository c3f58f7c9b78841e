"""Faults found in the text of a condition or a vocabulary, before they have a place in a file."""

from __future__ import annotations

from dataclasses import dataclass

from duly.codes import Code
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


CODES = (
    Code("C001", "not-a-condition", "Something else stands where a condition is wanted.",
         "Write a mapping of fields to tests; under `any` and `all`, a list of them."),
    Code("C002", "unknown-field", "A condition asks for a field that nobody declared.",
         "Correct its spelling, or declare it in the Vocabulary."),
    Code("C003", "unknown-value", "A value that is not among the declared values of the field.",
         "Write one of the values, or add it to the Vocabulary."),
    Code("C004", "unsuited-test", "A test that does not suit the type of the field.",
         "Use one of the tests named."),
    Code("C005", "unknown-test", "A word under a field that is no test.", "Use one of the tests named."),
    Code("C006", "unsuited-value", "A value of another type than the field, or than the test takes.",
         "Write a value of the type named."),
    Code("C007", "bad-pattern", "A pattern that is not RE2 syntax, or too large to run on every case.",
         "Write it without what RE2 lacks: backreferences and looking around."),
    Code("C008", "no-order", "A comparison of an enum whose values have no order.",
         "Declare the enum with `ordered: true`, or list the values."),
    Code("C009", "empty", "An empty list, condition or text, which would hold always or never.",
         "Take it away, or write what must hold."),
    Code("C010", "value-twice", "A value that is in a list twice.", "Keep one of the two."),
    Code("C011", "too-deep", "Conditions nested more than 32 deep.", "Write them flatter."),
    Code("C012", "not-carried", "A payload field that the event in question does not carry.",
         "Ask for a field that it carries, or of the case."),
    Code("C013", "unknown-parameter", "A parameter that the manifest does not declare.",
         "Correct its spelling, or declare it."),
    Code("C101", "bad-field-name", "A field with a name that conditions could not say.",
         "Give it another name."),
    Code("C102", "unknown-type", "A field of a type that there is not.", "Write one of the types named."),
    Code("C103", "bad-values", "An enum without values, or values on a field that is no enum or set.",
         "List the values of enums and sets, and of nothing else."),
    Code("C104", "two-types", "A field that is declared with two types.", "Give one of them another name."),
    Code("C201", "wrong-type", "A value of a case that has not the type of its field.",
         "Send a value of the declared type."),
    Code("C202", "unknown-enum-value", "A value of a case that its enum does not know.",
         "Send a declared value, or declare it in the Vocabulary."),
    Code("C203", "required-field", "A case without a field that is required.", "Send the field."),
    Code("C204", "too-large", "A text over 64 KiB, or a set over 10,000 members.", "Send less."),
    Code("C205", "reserved-name", "A field of a case that is called like one of another subject.",
         "Send fields of events and customers where they belong."),
)  # fmt: skip
"""The faults of conditions (C0), vocabularies (C1) and the values of cases (C2)."""
