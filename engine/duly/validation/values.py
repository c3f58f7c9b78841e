"""Faults of values: of another type, form, size or choice than is wanted, or there twice in a list."""

from __future__ import annotations

from typing import Any

from duly.diagnostics import Path, Related, nearest
from duly.validation import hints, parts
from duly.validation.errors import home
from duly.validation.report import Report, cut


def not_a_scalar(report: Report, path: Path) -> None:
    """A mapping that is no parameter where a scalar is wanted."""
    value, wanted, shown = report.value(path), report.wanted(path) or "a value", report.shown(path)
    help_text = "write one value here; a parameter is written `{param: name}`"
    if isinstance(value, dict) and "param" in value:
        help_text = "a parameter has the one key `param`"
    elif path[-1] == "not":
        help_text = f"to say that a test does not hold write `not: {{{path[-2]}: {{…}}}}`"
    report.add("D103", f"expected {wanted}, found {shown}", path, key=isinstance(path[-1], str),
               found=shown.strip("`"), expected=wanted, help=help_text)  # fmt: skip


def wrong(report: Report, path: Path, error: Any) -> None:
    """A value that is not what is wanted: by type, by choice, or by form."""
    value, schema = error.instance, error.schema
    wanted = parts.wanted((home(schema), schema)) or report.wanted(path) or "something else"
    shown = report.shown(path)
    code, help_text = "D103", None
    if error.validator in ("enum", "const") and isinstance(value, str):
        code, near = "D104", nearest(value, _words(schema))
        help_text = hints.word_hint(value, _words(schema)) or (f"did you mean `{near}`?" if near else None)
    elif error.validator == "pattern":
        code, help_text = "D105", hints.hint(value, wanted)
    elif error.validator == "type" and schema.get("type") == "string" and isinstance(value, (int, float)):
        help_text = hints.hint(parts.written(value), wanted)
    elif isinstance(value, list) and path[-1] == "has":
        help_text = "ask for several with `has_any` or `has_all`"
    elif error.validator == "type":
        help_text = _other_type(value, schema, shown, wanted)
        if wanted.startswith("an interval") and path[-1] and isinstance(report.value(path[:-1])[0], str):
            return  # The second half of one interval: told at the first.
    elif error.validator == "not":
        code = "D106"
    message = f"expected {wanted}, found {shown}"
    if code == "D104" and "x-expected" not in schema:
        message = f"{shown} is not {wanted}"
    report.add(code, message, path, found=shown.strip("`"), expected=wanted, help=help_text)


def limit(report: Report, path: Path, error: Any) -> None:
    """A value, a text or a list that is too small or too large."""
    bound, shown = error.validator_value, report.shown(path)
    if error.validator == "minLength" or (bound == 1 and error.validator in ("minItems", "minProperties")):
        listed = error.schema.get("x-expected") or report.wanted(path)
        wanted = listed if listed and error.validator != "minProperties" else "at least one entry"
        wanted = "a text of at least one letter" if wanted == "a text" else wanted
    elif error.validator in ("minItems", "maxItems"):
        bounds = f"{'at least' if error.validator == 'minItems' else 'at most'} {bound:,} entries"
        wanted, shown = error.schema.get("x-expected") or bounds, f"a list of {len(error.instance):,}"
    elif error.validator == "maxLength":
        wanted, shown = f"at most {bound:,} characters", f"{len(error.instance):,}"
    else:
        limits = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}
        wanted = error.schema.get("x-expected") or f"{limits[error.validator]} {bound:,}"
    report.add("D106", f"expected {wanted}, found {shown}", path, found=shown.strip("`"), expected=wanted)


def repeated(report: Report, path: Path, error: Any) -> None:
    """A value that a list has twice."""
    seen: list[Any] = []
    for number, item in enumerate(error.instance):
        if item in seen:
            at, first = (*path, number), (*path, seen.index(item))
            report.add("D109", f"{report.shown(at)} is there twice", at, found=report.shown(at).strip("`"),
                       help="take one of the two away",
                       related=(Related("first here", report.document.span(first)),))  # fmt: skip
        seen.append(item)


def repeated_name(report: Report, path: Path, error: Any) -> None:
    """A name given twice in a list; the error stands at the second entry."""
    key, name = error.validator_value, error.message
    first = next(
        n for n, item in enumerate(error.instance) if isinstance(item, dict) and item.get(key) == name
    )
    related = Related("first here", report.document.span((*path[:-1], first, key)))
    report.add("D109", f"`{key}: {cut(name)}` is there twice", (*path, key), found=name,
               help="give one of the two another name", related=(related,))  # fmt: skip


def _other_type(value: Any, schema: dict[str, Any], shown: str, wanted: str) -> str | None:
    """The help for a value that stands where one of another type is wanted."""
    required = schema.get("required", ())
    bare = shown.strip("`")
    if wanted == "a condition":
        several = (
            "; all of them hold, or one of those in a list under `any:`" if isinstance(value, list) else ""
        )
        return "write fields and their tests, such as `{tier: vip, amount: {over: 1000}}`" + several
    if wanted.startswith("a list of intervals") and isinstance(value, str):
        return 'write `[["09:00", "18:00"]]`, each interval in brackets of its own'
    if schema["type"] == "object":
        return f"write `{{{required[0]}: {bare}}}`" if isinstance(value, str) and len(required) == 1 else None
    if schema["type"] == "array":
        if isinstance(value, dict):
            return "start each entry with `- `"
        return "write a list of intervals, each in brackets of its own" if wanted.startswith("an interval") else (
            f"write a list: `[{bare}]`" if value is not None else None)  # fmt: skip
    if value is None and wanted.startswith("a value"):
        return "ask for a missing value with `{exists: false}`"
    return hints.hint(value, wanted) if isinstance(value, str) else None


def _words(schema: dict[str, Any]) -> list[str]:
    return [str(word) for word in schema.get("enum", [schema.get("const")])]
