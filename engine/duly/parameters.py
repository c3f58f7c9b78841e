"""Parameters: the values that a policy leaves to those who use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from duly import durations, instants
from duly.diagnostics import Diagnostic, Path, Related, did_you_mean, render_path
from duly.documents import Document

_PERCENTAGE = re.compile(r"\d{1,3}(\.\d{1,6})?%\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(/\d{4}-\d\d-\d\d)?\Z", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z|24:00\Z", re.ASCII)


@dataclass(slots=True)
class Parameters:
    """What the manifest declares, the values given, and where each is used."""

    manifest: Document
    declared: Mapping[str, dict[str, Any]]
    values: dict[str, Any]
    given: frozenset[str]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    uses: dict[str, list[tuple[Document, Path]]] = field(default_factory=dict)

    def substitute(self, document: Document) -> Document:
        """The document with every `{param: name}` replaced by its value; one without a value stays."""
        found: list[tuple[Path, str]] = []
        start: Path = ("spec", "parameters") if document is self.manifest else ()
        data = _replace(document.data, (), start, self.values, found)
        for path, name in found:
            self.uses.setdefault(name, []).append((document, path))
            if name not in self.declared:
                self.diagnostics.append(
                    Diagnostic("D221", f"parameter `{name}` is not declared", document.span((*path, "param")),
                               path=render_path(path), found=name, help=did_you_mean(name, self.declared)
                               or "declare it under `spec.parameters` of the manifest")
                )  # fmt: skip
        return document if not found else document.with_data(data)

    def missing(self) -> list[Diagnostic]:
        """A diagnostic for each declared parameter without a value, with its clauses and its uses."""
        diagnostics = []
        for name, declaration in self.declared.items():
            if name in self.values or any(name in d.message for d in self.diagnostics if d.code == "D222"):
                continue
            clauses = ", ".join(str(clause) for clause in declaration.get("source") or ())
            written = f" that {clauses} leaves open" if clauses else ""
            span = self.manifest.span(("spec", "parameters", name), key=True)
            used = tuple(Related("used here", document.span(path)) for document, path in self.uses.get(name, ())[:5])
            diagnostics.append(
                Diagnostic("D220", f"parameter `{name}`{written} has no value", span, related=used,
                           path=f"spec.parameters.{name}", expected=str(declaration.get("type", "")),
                           help=f"give it with `--param {name}=…`, `--params FILE`, or a `default`")
            )  # fmt: skip
        return diagnostics


def read(manifest: Document, given: Mapping[str, Any]) -> Parameters:
    """The parameters of a set: its declarations, and their values from `given` or their defaults.

    `given` holds texts, as a command line gives them, or values of a parameter file.
    """
    spec = manifest.data.get("spec") if isinstance(manifest.data, dict) else None
    declared = spec.get("parameters") if isinstance(spec, dict) else None
    declared = {k: v for k, v in declared.items() if isinstance(v, dict)} if isinstance(declared, dict) else {}
    parameters = Parameters(manifest, declared, {}, frozenset(given))
    for name, declaration in declared.items():
        if name in given:
            value, path = given[name], ("spec", "parameters", name)
        elif declaration.get("default") is not None:
            value, path = declaration["default"], ("spec", "parameters", name, "default")
        else:
            continue
        try:
            parameters.values[name] = _typed(value, declaration)
        except ValueError as error:
            span = manifest.span(path)
            parameters.diagnostics.append(
                Diagnostic("D222", f"parameter `{name}`: {error}", span, path=render_path(path), found=str(value))
            )
    for name in sorted(set(given) - set(declared)):
        span = manifest.span(("spec", "parameters"), key=True)
        parameters.diagnostics.append(
            Diagnostic("D221", f"a value is given for parameter `{name}`, which is not declared", span,
                       path="spec.parameters", found=name, help=did_you_mean(name, declared))
        )  # fmt: skip
    return parameters


def _replace(data: Any, path: Path, skip: Path, values: Mapping[str, Any], found: list[tuple[Path, str]]) -> Any:
    if isinstance(data, dict):
        if skip and path == skip:
            return data
        if len(data) == 1 and isinstance(data.get("param"), str):
            name = data["param"]
            found.append((path, name))
            return values.get(name, data)
        return {key: _replace(value, (*path, key), skip, values, found) for key, value in data.items()}
    if isinstance(data, list):
        return [_replace(value, (*path, number), skip, values, found) for number, value in enumerate(data)]
    return data


def _typed(value: Any, declaration: Mapping[str, Any]) -> Any:
    """The value in the type that the declaration names. Raises ValueError with a sentence."""
    kind = str(declaration.get("type", "text"))
    read_as = _READERS.get(kind, _text)
    typed = read_as(value)
    allowed = declaration.get("values")
    if isinstance(allowed, list) and kind in ("enum", "set"):
        for each in typed if isinstance(typed, list) else [typed]:
            if each not in allowed:
                hint = did_you_mean(str(each), map(str, allowed))
                raise ValueError(f"`{each}` is not one of its values" + (f"; {hint}" if hint else ""))
    for key, word in (("minimum", "at least"), ("maximum", "at most")):
        limit = declaration.get(key)
        if limit is not None and isinstance(typed, (int, float)):
            if (typed < limit) if key == "minimum" else (typed > limit):
                raise ValueError(f"expected {word} `{limit}`, found `{typed}`")
    return typed


def _number(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            try:
                number = float(value)
            except ValueError:
                raise ValueError(f"expected a number, found `{value}`") from None
            if number - number != 0:
                raise ValueError(f"expected a finite number, found `{value}`") from None
            return number
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"expected a number, found {_shown(value)}")
    return value


def _integer(value: Any) -> Any:
    number = _number(value)
    if number != int(number):
        raise ValueError(f"expected a whole number, found `{value}`")
    return int(number)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError(f"expected `true` or `false`, found {_shown(value)}")


def _set(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and value:
        return value
    raise ValueError(f"expected a list such as `a,b`, found {_shown(value)}")


def _text(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"expected a text, found {_shown(value)}")


def _duration(value: Any) -> str:
    return durations.parse(value if isinstance(value, str) else _shown(value)).text


def _instant(value: Any) -> Any:
    instants.parse(value)
    return value


def _like(pattern: re.Pattern[str], example: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if isinstance(value, str) and pattern.match(value):
            return value
        raise ValueError(f"expected {example}, found {_shown(value)}")

    return check


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


_READERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "set": _set,
    "duration": _duration,
    "instant": _instant,
    "percentage": _like(_PERCENTAGE, "a percentage such as `80%`"),
    "date": _like(_DATE, "a date such as `2026-12-31`"),
    "time": _like(_TIME, "a time of day such as `09:00`"),
}
