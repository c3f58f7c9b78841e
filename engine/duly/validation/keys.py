"""Faults of keys: unknown, missing, misplaced, misnamed, or too many of several."""

from __future__ import annotations

from typing import Any

from duly.diagnostics import Path
from duly.validation import hints, parts
from duly.validation.errors import home
from duly.validation.report import Report, cut
from duly.validation.yaml_text import flow


def misplaced(report: Report, path: Path, key: str, allowed: list[str]) -> None:
    """A key that its neighbours do not allow; the first of those allowed is what they go with."""
    if key in report.unknown.get(path, ()):
        return
    others = ", ".join(f"`{each}`" for each in allowed[1:])
    help_text = f"beside `{allowed[0]}` may stand {others}" if others else f"`{allowed[0]}` stands alone"
    message = f"`{key}` does not go with `{allowed[0]}`"
    report.add("D108", message, (*path, key), key=True, found=key, help=help_text)


def unknown(report: Report, path: Path, error: Any) -> None:
    """A key that means nothing where it stands."""
    key = error.message
    if not path and key in report.of_spec:
        report.add("D101", f"`{key}` stands beside `spec`, not in it", (key,), key=True, found=key,
                   help="write it one level deeper, under `spec:`")  # fmt: skip
        return
    known = set(report.properties(path)) - (set(report.value(path)) - {key})
    noun = error.schema.get("title")
    noun = f" in the {noun}" if noun and path else ""
    report.add("D101", f"unknown key `{cut(key)}`{noun}", (*path, key), key=True, found=key,
               expected=parts.choices(sorted(known)) if known else None, help=hints.key_hint(key, known))  # fmt: skip


def missing(report: Report, path: Path, error: Any) -> None:
    """A key that must be there and is not."""
    key = error.message
    if report.misspelt(path, [key]) or (key == "spec" and report.unknown.get((), set()) & report.of_spec):
        return
    name, schema = report.properties(path).get(key, (report.root[0], {}))
    described, example = _described((name, schema))
    help_text = f"add `{key}: {example}`" if example else f"add `{key}`"
    if described:
        help_text += f"; {described[0].lower()}{described[1:].rstrip('.')}"
    report.add("D102", f"`{key}` is missing", path, key=True, found="nothing", help=help_text,
               expected=parts.wanted((name, schema)) if schema else None)  # fmt: skip


def choose(report: Report, path: Path, error: Any) -> None:
    """None or too many of several keys; told at the second one where there are too many."""
    if not isinstance(error.instance, dict):
        return
    options, standing = _options(error), present(error)
    named = ", ".join(f"`{option}`" for option in options)
    if len(standing) > 1:
        pair = " and ".join(f"`{key}`" for key in standing[:2])
        report.add("D107", f"{pair} cannot stand together", (*path, standing[1]), key=True, found=standing[1],
                   help="keep one of the two")  # fmt: skip
        return
    if report.misspelt(path, options):
        return
    report.add("D107", f"needs one of {named}", path, key=True, found="none of them", expected=f"one of {named}",
               help=f"add one of {named}")  # fmt: skip


def refused(report: Report, path: Path, error: Any) -> None:
    """A key that cannot stand beside the others, for a reason that the schema gives."""
    report.add(
        "D108", error.schema["x-refuse"], path, key=True, found=str(path[-1]), help=f"take `{path[-1]}` away"
    )


def bad(report: Report, path: Path, error: Any) -> None:
    """A key that may not stand in a mapping of names."""
    key = error.instance
    at = (*path, key)
    if error.validator == "enum":
        misplaced(report, path, key, error.validator_value)
        return
    wanted = parts.wanted((home(error.schema), error.schema)) or "a name"
    message = f"expected {wanted}, found the key `{cut(key)}`"
    report.add("D105", message, at, key=True, found=key, expected=wanted, help=hints.hint(key, wanted))


def _options(error: Any) -> list[str]:
    """The keys of which one may stand."""
    return [str(branch["required"][0]) for branch in error.validator_value]


def present(error: Any) -> list[str]:
    """Of the keys of which one may stand those that do, in their order in the document."""
    options = _options(error)
    return [key for key in error.instance if key in options] if isinstance(error.instance, dict) else []


def _described(part: parts.Part) -> tuple[str, str]:
    """What the schema says of a key, and a short example of its value as YAML."""
    description, examples = "", None
    for _, each in parts.applying(part, None):
        description = description or each.get("description", "")
        examples = examples or each.get("examples")
    shortest = min((flow(example) for example in examples or ()), key=len, default="")
    return description, shortest if len(shortest) <= 60 else ""
