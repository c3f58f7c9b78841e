"""Faults: what jsonschema finds in a document, as diagnostics that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from duly.diagnostics import Diagnostic, Path
from duly.documents import Document
from duly.validation import keys, values
from duly.validation.errors import errors_of
from duly.validation.report import Report

_STAND_INS = (["param"], ["each"])
"""What `{param: name}` and `{each: column}`, the mappings that may stand for a scalar, must have."""

_Teller: TypeAlias = Callable[[Report, Path, Any], None]
_TELLERS: dict[str, _Teller] = {
    "additionalProperties": keys.unknown, "required": keys.missing, "oneOf": keys.choose, "anyOf": keys.choose,
    "uniqueItems": values.repeated, "x-unique": values.repeated_name,
}  # fmt: skip
_LIMITS = frozenset((
    "minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
))  # fmt: skip


def faults(document: Document, name: str) -> list[Diagnostic]:
    """Every fault of a document against the schema called `name`, in no order."""
    report = Report(document, name)
    errors = [(tuple(error.absolute_path), error) for error in errors_of(document.data, name)]
    stand_ins = {path for path, error in errors if error.schema.get("required") in _STAND_INS}
    for path, error in errors:
        if error.validator == "additionalProperties" and path not in stand_ins:
            report.unknown.setdefault(path, set()).add(error.message)
    clashes = {path for path, error in errors if error.validator == "oneOf" and len(keys.present(error)) > 1}
    for path, error in errors:
        if path in clashes and _of_one_choice(error):
            continue
        if path in stand_ins:
            values.not_a_scalar(report, path)
        else:
            _teller(error)(report, path, error)
    return report.diagnostics()


def _teller(error: Any) -> _Teller:
    """What tells of an error of jsonschema."""
    if error.validator in _TELLERS:
        return _TELLERS[error.validator]
    if error.validator == "not" and "x-refuse" in error.schema:
        return keys.refused
    if _of_a_key(error):
        return keys.bad
    return values.limit if error.validator in _LIMITS else values.wrong


def _of_a_key(error: Any) -> bool:
    """Whether an error speaks of a key of a mapping and not of a value."""
    return "propertyNames" in error.absolute_schema_path


def _of_one_choice(error: Any) -> bool:
    """Whether an error follows from which of several keys stands there, and so means nothing where two do."""
    return _of_a_key(error) or (error.validator == "required" and "properties" not in error.schema)
