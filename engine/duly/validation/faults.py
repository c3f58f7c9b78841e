"""Faults: what jsonschema finds in a document, as diagnostics that say what to do."""

from __future__ import annotations

from typing import Any

from duly.diagnostics import Diagnostic, Path, Related, nearest, render_path
from duly.documents import Document
from duly.validation import hints, parts
from duly.validation.errors import errors_of, home
from duly.validation.schemas import read
from duly.validation.yaml_text import flow

_STAND_INS = (["param"], ["each"])
"""What `{param: name}` and `{each: column}`, the mappings that may stand for a scalar, must have."""


def faults(document: Document, name: str) -> list[Diagnostic]:
    """Every fault of a document against the schema called `name`, in no order."""
    return _Report(document, name).diagnostics()


class _Report:
    """The errors of one document, gathered so that one mistake is reported once."""

    def __init__(self, document: Document, name: str) -> None:
        self.document = document
        self.root = (name, read(name))
        self.unknown: dict[Path, set[str]] = {}
        self.found: dict[tuple[Any, ...], Diagnostic] = {}
        self.of_spec = set(self.root[1].get("properties", {}).get("spec", {}).get("properties", ()))

    def diagnostics(self) -> list[Diagnostic]:
        errors = [
            (tuple(error.absolute_path), error) for error in errors_of(self.document.data, self.root[0])
        ]
        stand_ins = {path for path, error in errors if error.schema.get("required") in _STAND_INS}
        for path, error in errors:
            if error.validator == "additionalProperties" and path not in stand_ins:
                self.unknown.setdefault(path, set()).add(error.message)
        clashes = {path for path, error in errors if error.validator == "oneOf" and len(_present(error)) > 1}
        for path, error in errors:
            if path in clashes and _of_one_choice(error):
                continue
            if path in stand_ins:
                self.not_a_scalar(path)
            elif error.validator in _REPORTS:
                _REPORTS[error.validator](self, path, error)
            else:
                self.wrong(path, error)
        return list(self.found.values())

    def add(
        self, code: str, message: str, path: Path, *, key: bool = False, place: Path | None = None,
        help: str | None = None, found: str | None = None, expected: str | None = None,
        related: tuple[Related, ...] = (),
    ) -> None:  # fmt: skip
        """Note a fault, once for each place and code."""
        span = self.document.span(path if place is None else place, key=key)
        diagnostic = Diagnostic(code, message, span, path=render_path(path), found=found, expected=expected,
                                help=help, related=related)  # fmt: skip
        self.found.setdefault((code, path, message if code == "D102" else ""), diagnostic)

    def value(self, path: Path) -> Any:
        data = self.document.data
        for step in path:
            data = data[step]
        return data

    def shown(self, path: Path) -> str:
        """What stands at a path, in words."""
        value = self.value(path)
        if isinstance(value, dict):
            return "a mapping" if value else "an empty mapping"
        if isinstance(value, list):
            return "a list" if value else "an empty list"
        if value is None:
            return "nothing" if not self.document.raw(path) else "`null`"
        if value == "":
            return "an empty text"
        text = self.document.raw(path) or parts.written(value)
        return f"`{_cut(text)}`"

    def wanted(self, path: Path) -> str | None:
        """What the schema wants to see at a path, in words."""
        for part in parts.at(self.root, self.document.data, path):
            if (found := parts.wanted(part)) is not None:
                return found
        return None

    def properties(self, path: Path) -> dict[str, parts.Part]:
        """The keys that the schema knows at a path, each with the part that describes it."""
        known: dict[str, parts.Part] = {}
        for part in parts.at(self.root, self.document.data, path):
            for name, schema in parts.applying(part, self.value(path)):
                for key, each in schema.get("properties", {}).items():
                    if "description" in each or "$ref" in each:
                        known.setdefault(key, (name, each))
        return known

    def misspelt(self, path: Path, keys: list[str]) -> bool:
        """Whether an unknown key at a path was meant to be one of `keys`: then that one is not missing."""
        unknown = self.unknown.get(path, ())
        return any(nearest(each, keys) or hints.meant_key(each, keys) for each in unknown)

    def not_a_scalar(self, path: Path) -> None:
        """A mapping that is no parameter where a scalar is wanted."""
        value, wanted, shown = self.value(path), self.wanted(path) or "a value", self.shown(path)
        help_text = "write one value here; a parameter is written `{param: name}`"
        if isinstance(value, dict) and "param" in value:
            help_text = "a parameter has the one key `param`"
        elif path[-1] == "not":
            help_text = f"to say that a test does not hold write `not: {{{path[-2]}: {{…}}}}`"
        self.add("D103", f"expected {wanted}, found {shown}", path, key=isinstance(path[-1], str),
                 found=shown.strip("`"), expected=wanted, help=help_text)  # fmt: skip

    def wrong(self, path: Path, error: Any) -> None:
        """A value that is not what is wanted: by type, by choice, or by form."""
        if _of_a_key(error):
            self.bad_key(path, error)
            return
        value, schema = error.instance, error.schema
        wanted = parts.wanted((home(schema), schema)) or self.wanted(path) or "something else"
        shown = self.shown(path)
        code, help_text = "D103", None
        if error.validator in ("enum", "const") and isinstance(value, str):
            code, near = "D104", nearest(value, _words(schema))
            help_text = hints.word_hint(value, _words(schema)) or (
                f"did you mean `{near}`?" if near else None
            )
        elif error.validator == "pattern":
            code, help_text = "D105", hints.hint(value, wanted)
        elif error.validator == "type" and schema.get("type") == "string" and isinstance(value, (int, float)):
            help_text = hints.hint(parts.written(value), wanted)
        elif isinstance(value, list) and path[-1] == "has":
            help_text = "ask for several with `has_any` or `has_all`"
        elif error.validator == "type":
            help_text = _other_type(value, schema, shown, wanted)
            if wanted.startswith("an interval") and path[-1] and isinstance(self.value(path[:-1])[0], str):
                return  # The second half of one interval: told at the first.
        elif error.validator == "not":
            code = "D106"
        message = f"expected {wanted}, found {shown}"
        if code == "D104" and "x-expected" not in schema:
            message = f"{shown} is not {wanted}"
        self.add(code, message, path, found=shown.strip("`"), expected=wanted, help=help_text)

    def bad_key(self, path: Path, error: Any) -> None:
        """A key that may not stand in a mapping of names."""
        key = error.instance
        at = (*path, key)
        if error.validator == "enum":
            self.misplaced(path, key, error.validator_value)
            return
        wanted = parts.wanted((home(error.schema), error.schema)) or "a name"
        message = f"expected {wanted}, found the key `{_cut(key)}`"
        self.add("D105", message, at, key=True, found=key, expected=wanted, help=hints.hint(key, wanted))

    def misplaced(self, path: Path, key: str, allowed: list[str]) -> None:
        """A key that its neighbours do not allow; the first of those allowed is what they go with."""
        if key in self.unknown.get(path, ()):
            return
        others = ", ".join(f"`{each}`" for each in allowed[1:])
        help_text = f"beside `{allowed[0]}` may stand {others}" if others else f"`{allowed[0]}` stands alone"
        message = f"`{key}` does not go with `{allowed[0]}`"
        self.add("D108", message, (*path, key), key=True, found=key, help=help_text)

    def unknown_key(self, path: Path, error: Any) -> None:
        key = error.message
        if not path and key in self.of_spec:
            self.add("D101", f"`{key}` stands beside `spec`, not in it", (key,), key=True, found=key,
                     help="write it one level deeper, under `spec:`")  # fmt: skip
            return
        known = set(self.properties(path)) - (set(self.value(path)) - {key})
        noun = error.schema.get("title")
        noun = f" in the {noun}" if noun and path else ""
        self.add("D101", f"unknown key `{_cut(key)}`{noun}", (*path, key), key=True, found=key,
                 expected=parts.choices(sorted(known)) if known else None, help=hints.key_hint(key, known))  # fmt: skip

    def missing_key(self, path: Path, error: Any) -> None:
        key = error.message
        if self.misspelt(path, [key]) or (key == "spec" and self.unknown.get((), set()) & self.of_spec):
            return
        name, schema = self.properties(path).get(key, (self.root[0], {}))
        described, example = _described((name, schema))
        help_text = f"add `{key}: {example}`" if example else f"add `{key}`"
        if described:
            help_text += f"; {described[0].lower()}{described[1:].rstrip('.')}"
        self.add("D102", f"`{key}` is missing", path, key=True, found="nothing", help=help_text,
                 expected=parts.wanted((name, schema)) if schema else None)  # fmt: skip

    def choose(self, path: Path, error: Any) -> None:
        """None or too many of several keys; told at the second one where there are too many."""
        if not isinstance(error.instance, dict):
            return
        options, present = _options(error), _present(error)
        named = ", ".join(f"`{option}`" for option in options)
        if len(present) > 1:
            pair = " and ".join(f"`{key}`" for key in present[:2])
            self.add("D107", f"{pair} cannot stand together", (*path, present[1]), key=True, found=present[1],
                     help="keep one of the two")  # fmt: skip
            return
        if self.misspelt(path, options):
            return
        self.add("D107", f"needs one of {named}", path, key=True, found="none of them", expected=f"one of {named}",
                 help=f"add one of {named}")  # fmt: skip

    def refused(self, path: Path, error: Any) -> None:
        """A key that cannot stand beside the others, for a reason that the schema gives."""
        reason = error.schema.get("x-refuse")
        if reason is None:
            self.wrong(path, error)
        else:
            self.add("D108", reason, path, key=True, found=str(path[-1]), help=f"take `{path[-1]}` away")

    def limit(self, path: Path, error: Any) -> None:
        """A value, a text or a list that is too small or too large."""
        if _of_a_key(error):
            self.bad_key(path, error)
            return
        bound, shown = error.validator_value, self.shown(path)
        if error.validator == "minLength" or (
            bound == 1 and error.validator in ("minItems", "minProperties")
        ):
            listed = error.schema.get("x-expected") or self.wanted(path)
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
        self.add("D106", f"expected {wanted}, found {shown}", path, found=shown.strip("`"), expected=wanted)

    def repeated(self, path: Path, error: Any) -> None:
        seen: list[Any] = []
        for number, item in enumerate(error.instance):
            if item in seen:
                at, first = (*path, number), (*path, seen.index(item))
                self.add("D109", f"{self.shown(at)} is there twice", at, found=self.shown(at).strip("`"),
                         help="take one of the two away",
                         related=(Related("first here", self.document.span(first)),))  # fmt: skip
            seen.append(item)

    def repeated_name(self, path: Path, error: Any) -> None:
        """A name given twice in a list; the error stands at the second entry."""
        key, name = error.validator_value, error.message
        first = next(
            n for n, item in enumerate(error.instance) if isinstance(item, dict) and item.get(key) == name
        )
        related = Related("first here", self.document.span((*path[:-1], first, key)))
        self.add("D109", f"`{key}: {_cut(name)}` is there twice", (*path, key), found=name,
                 help="give one of the two another name", related=(related,))  # fmt: skip


_REPORTS = {
    "additionalProperties": _Report.unknown_key, "required": _Report.missing_key, "oneOf": _Report.choose,
    "anyOf": _Report.choose, "not": _Report.refused, "uniqueItems": _Report.repeated,
    "x-unique": _Report.repeated_name,
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "minItems", "maxItems", "minProperties"),
        _Report.limit,
    ),
}  # fmt: skip


def _of_a_key(error: Any) -> bool:
    """Whether an error speaks of a key of a mapping and not of a value."""
    return "propertyNames" in error.absolute_schema_path


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


def _options(error: Any) -> list[str]:
    """The keys of which one may stand."""
    return [str(branch["required"][0]) for branch in error.validator_value]


def _present(error: Any) -> list[str]:
    """Those of them that do stand, in their order in the document."""
    options = _options(error)
    return [key for key in error.instance if key in options] if isinstance(error.instance, dict) else []


def _of_one_choice(error: Any) -> bool:
    """Whether an error follows from which of several keys stands there, and so means nothing where two do."""
    return _of_a_key(error) or (error.validator == "required" and "properties" not in error.schema)


def _words(schema: dict[str, Any]) -> list[str]:
    return [str(word) for word in schema.get("enum", [schema.get("const")])]


def _described(part: parts.Part) -> tuple[str, str]:
    """What the schema says of a key, and a short example of its value as YAML."""
    description, examples = "", None
    for _, each in parts.applying(part, None):
        description = description or each.get("description", "")
        examples = examples or each.get("examples")
    shortest = min((flow(example) for example in examples or ()), key=len, default="")
    return description, shortest if len(shortest) <= 60 else ""


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"
