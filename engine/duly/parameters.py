"""Parameters: the values that a policy leaves to those who use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from duly import durations, instants
from duly.diagnostics import Diagnostic, Path, Related, did_you_mean, render_path
from duly.documents import Document
from duly.validation.hints import hint

_NUMBERS = (int, float, Decimal)
_NUMERAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)\Z", re.ASCII)
_EXACT_DIGITS = 15
_PERCENTAGE = re.compile(r"\d{1,3}(\.\d{1,6})?%\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(/\d{4}-\d\d-\d\d)?\Z", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z|24:00\Z", re.ASCII)


@dataclass(slots=True)
class Parameters:
    """What the manifest declares, the values given, and where each is used."""

    manifest: Document
    declared: Mapping[str, dict[str, Any]]
    values: dict[str, Any]
    faulty: set[str] = field(default_factory=set)
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
            if name in self.values or name in self.faulty:
                continue
            clauses = [str(clause) for clause in declaration.get("source") or ()]
            span = self.manifest.span(("spec", "parameters", name), key=True)
            used = tuple(
                Related("used here", document.span(path)) for document, path in self.uses.get(name, ())[:5]
            )
            diagnostics.append(
                Diagnostic("D220", f"parameter `{name}` has no value" + _left_open(clauses), span, related=used,
                           path=f"spec.parameters.{name}", expected=str(declaration.get("type", "")),
                           help=f"give it with `--param {name}=…`, `--params FILE`, or a `default`")
            )  # fmt: skip
        return diagnostics


def _left_open(clauses: list[str]) -> str:
    """`; S2-16 and S2-17 leave it open`."""
    if not clauses:
        return ""
    named = ", ".join(clauses[:-1]) + (" and " if clauses[:-1] else "") + clauses[-1]
    return f"; {named} {'leave' if clauses[:-1] else 'leaves'} it open"


def read(
    manifest: Document, given: Mapping[str, Any], origins: Mapping[str, str] | None = None
) -> Parameters:
    """The parameters of a set: its declarations, and their values from `given` or their defaults.

    `given` holds texts, as a command line gives them, or values of a parameter file; `origins` says of each
    where it comes from, such as `--param` or a file's name.
    """
    spec = manifest.data.get("spec") if isinstance(manifest.data, dict) else None
    declared = spec.get("parameters") if isinstance(spec, dict) else None
    declared = (
        {k: v for k, v in declared.items() if isinstance(v, dict)} if isinstance(declared, dict) else {}
    )
    parameters = Parameters(manifest, declared, {})
    for name, declaration in declared.items():
        path: Path = ("spec", "parameters", name)
        if name in given:
            value, where = given[name], f", given by {_origin(name, origins)}"
        elif declaration.get("default") is not None:
            value, where, path = declaration["default"], "", (*path, "default")
        else:
            continue
        try:
            parameters.values[name] = _typed(value, declaration)
        except _Unsuited as error:
            parameters.faulty.add(name)
            span = manifest.span(path, key=path[-1] != "default")
            parameters.diagnostics.append(
                Diagnostic("D222", f"parameter `{name}`{where}: {error.message}", span, path=render_path(path),
                           found=_shown(value).strip("`"), help=error.help)
            )  # fmt: skip
    place: Path = ("spec", "parameters") if declared else ("spec",)
    for name in sorted(set(given) - set(declared)):
        message = f"{_origin(name, origins)} gives a value for parameter `{name}`, which is not declared"
        remedy = did_you_mean(name, declared) or "declare it under `spec.parameters`, or take the value away"
        span = manifest.span(place, key=True)
        parameters.diagnostics.append(
            Diagnostic("D221", message, span, path=render_path(place), found=name, help=remedy)
        )
    return parameters


def _origin(name: str, origins: Mapping[str, str] | None) -> str:
    return f"`{(origins or {}).get(name, '--param')}`"


def _replace(
    data: Any, path: Path, skip: Path, values: Mapping[str, Any], found: list[tuple[Path, str]]
) -> Any:
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


class _Unsuited(Exception):
    """A value that does not suit its parameter: the message, and what to do."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def _typed(value: Any, declaration: Mapping[str, Any]) -> Any:
    """The value in the type that the declaration names. Raises _Unsuited."""
    kind = str(declaration.get("type", "text"))
    reader = _READERS.get(kind)
    typed = _text(value) if reader is None else reader(value)
    allowed = declaration.get("values")
    if isinstance(allowed, list) and kind in ("enum", "set"):
        for each in typed if isinstance(typed, list) else [typed]:
            if each not in allowed:
                raise _Unsuited(
                    f"{_shown(each)} is not one of its values", did_you_mean(str(each), map(str, allowed))
                )
    for key, word in (("minimum", "at least"), ("maximum", "at most")):
        limit = declaration.get(key)
        if not isinstance(limit, _NUMBERS) or not isinstance(typed, _NUMBERS):
            continue
        if (typed < limit) if key == "minimum" else (typed > limit):
            raise _Unsuited(f"expected {word} `{limit}`, found `{typed}`")
    return typed


def _number(value: Any) -> Any:
    if isinstance(value, str):
        try:
            number = Decimal(value) if _NUMERAL.match(value) else None
        except ArithmeticError:
            number = None
        if number is None or len(value) > 40:
            raise _Unsuited(f"expected a number, found {_shown(value)}")
        if number == int(number):
            return int(number)
        return float(number) if len(number.as_tuple().digits) <= _EXACT_DIGITS else number
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise _Unsuited(f"expected a number, found {_shown(value)}")
    return value


def _integer(value: Any) -> Any:
    number = _number(value)
    if number != int(number):
        raise _Unsuited(f"expected a whole number, found {_shown(value)}")
    return int(number)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise _Unsuited(f"expected `true` or `false`, found {_shown(value)}")


def _set(value: Any) -> list[Any]:
    members = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if isinstance(members, list) and members and all(_is_word(each) for each in members):
        return [str(each) for each in members]
    raise _Unsuited(f"expected a list of texts such as `a,b`, found {_shown(value)}")


def _is_word(value: Any) -> bool:
    return value != "" and isinstance(value, (str, *_NUMBERS)) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if _is_word(value):
        return str(value)
    raise _Unsuited(f"expected a text, found {_shown(value)}")


def _duration(value: Any) -> str:
    text = value if isinstance(value, str) else _bare(value)
    try:
        return durations.parse(text).text
    except ValueError as error:
        raise _Unsuited(str(error), hint(text, "a duration")) from None


def _instant(value: Any) -> Any:
    try:
        instants.parse(value)
    except ValueError as error:
        raise _Unsuited(str(error)) from None
    return value


def _like(pattern: re.Pattern[str], example: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if isinstance(value, str) and pattern.match(value):
            return value
        raise _Unsuited(f"expected {example}, found {_shown(value)}", hint(_bare(value), example))

    return check


def _bare(value: Any) -> str:
    return _shown(value).strip("`")


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        kind = "mapping" if isinstance(value, dict) else "list"
        return f"a {kind}" if value else f"an empty {kind}"
    if value == "":
        return "an empty text"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text if len(text) <= 80 else text[:77] + '…'}`"


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
