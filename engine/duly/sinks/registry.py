"""The registry: which types of sinks there are, and how one comes from its settings.

The built-ins are here by name; third parties add theirs as entry points of the group `duly.sinks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from duly import validation
from duly.diagnostics import Diagnostic, did_you_mean, render_path
from duly.diagnostics import Path as Place
from duly.documents import Document
from duly.sinks.base import Escape, Misconfigured, Sink, needs

GROUP = "duly.sinks"
"""The group of entry points by which a package offers sinks."""

_BUILT_IN: dict[str, tuple[str, str | None]] = {
    "apprise": ("Apprise", "apprise"),
    "chat": ("Chat", "service"),
    "console": ("Console", None),
    "jsonl": ("JsonLines", None),
    "nats": ("Nats", "nats"),
    "redis": ("Redis", "redis"),
    "smtp": ("Smtp", None),
    "sql": ("Sql", "postgres"),
    "webhook": ("Webhook", "service"),
}
"""Each type, with the class in the module of its name, and the extra that brings what it needs."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A type of sink that a configuration may name: the package it comes from, and how its class is loaded."""

    name: str
    package: str
    load: Callable[[], type[Any]]


def offered() -> dict[str, Offered]:
    """Every type of sink that can be named, in the order of their names. Loads none of them."""
    found = {name: Offered(name, "duly", _loader(name)) for name in _BUILT_IN}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        package = "" if point.dist is None else point.dist.name
        there = found.get(point.name)
        if there is None:
            found[point.name] = Offered(point.name, package, _entry(point, package))
        elif there.package not in ("duly", package):
            found[point.name] = Offered(point.name, there.package, _refusal(there, package))
    return dict(sorted(found.items()))


def find(name: str) -> type[Sink]:
    """The class of a type of sink. Raises Misconfigured where there is none, or an extra is missing."""
    known = offered()
    if name not in known:
        near = did_you_mean(name, known) or "no package that is installed offers it"
        raise Misconfigured(f"unknown type of sink `{name}`; {near}")
    found: type[Sink] = known[name].load()
    return found


def schema_of(name: str) -> Mapping[str, Any]:
    """The JSON Schema of a type's settings; one that takes anything where it has none. Raises Misconfigured."""
    schema: Mapping[str, Any] = getattr(find(name), "schema", {"type": "object"})
    return schema


def faults(document: Document, place: Place) -> list[Diagnostic]:
    """What is wrong with the sink that a configuration declares at `place`, such as `("spec", "sinks", "chat")`:
    its type, or its settings against that type's schema.
    """
    name = document.part(place).data["type"]
    try:
        schema = schema_of(name)
    except Misconfigured as error:
        where = (*place, "type")
        return [Diagnostic("D504", str(error), document.span(where), path=render_path(where), found=name)]
    return validation.settings(document, (*place, "settings"), f"sinks/{name}", schema)


def build(name: str, settings: Mapping[str, Any], folder: Path | None = None) -> Sink:
    """A sink from its settings, which fit its schema and have their secrets resolved. Raises Misconfigured.

    What the schema calls a file (`x-file`) is looked for from `folder`, by default from the working folder.
    """
    made: Callable[[Mapping[str, Any]], Sink] = find(name)
    properties = schema_of(name).get("properties", {})
    files = {key for key, schema in properties.items() if schema.get("x-file")}
    return made({key: _located(value, folder) if key in files else value for key, value in settings.items()})


def _located(value: Any, folder: Path | None) -> Any:
    if folder is None or not isinstance(value, str):
        return value
    if value.startswith("sqlite:"):
        return f"sqlite:{folder / value.removeprefix('sqlite:')}"
    return value if ":" in value else str(folder / value)


def escape_of(sink: Sink) -> Escape:
    """What a sink wants its texts written in."""
    escape: Escape = getattr(sink, "escape", "plain")
    return escape


def worded(sink: Sink) -> bool:
    """Whether a sink has a use for titles and texts."""
    return bool(getattr(sink, "worded", True))


def check(sink: Sink) -> str:
    """What a sink found when it tried whether it can work. Raises Misconfigured, Unreachable."""
    tried: Callable[[], str] | None = getattr(sink, "check", None)
    return "has nothing to check" if tried is None else tried()


def close(sink: Sink) -> None:
    """Let a sink let go of what it holds."""
    let_go: Callable[[], None] | None = getattr(sink, "close", None)
    if let_go is not None:
        let_go()


def _loader(name: str) -> Callable[[], type[Any]]:
    wanted, extra = _BUILT_IN[name]

    def load() -> type[Any]:
        try:
            found: type[Any] = getattr(import_module(f"duly.sinks.{name}"), wanted)
        except ModuleNotFoundError as error:
            if extra is None or (error.name or "").split(".")[0] == "duly":
                raise
            raise Misconfigured(needs(f"a sink of type `{name}`", error, extra)) from None
        return found

    return load


def _entry(point: EntryPoint, package: str) -> Callable[[], type[Any]]:
    def load() -> type[Any]:
        try:
            found: type[Any] = point.load()
        except Exception as error:
            raise Misconfigured(
                f"the type of sink `{point.name}` of the package `{package}` cannot be loaded: "
                f"{type(error).__name__}: {error}; mend or take away that package"
            ) from error
        if not callable(getattr(found, "deliver", None)):
            raise Misconfigured(
                f"the type of sink `{point.name}` of the package `{package}` has no method `deliver`; "
                f"`{point.value}` must name a class that has one"
            )
        return found

    return load


def _refusal(there: Offered, package: str) -> Callable[[], type[Any]]:
    def load() -> type[Any]:
        raise Misconfigured(
            f"the type of sink `{there.name}` is offered by two packages, `{there.package}` and `{package}`; "
            "take one of them away"
        )

    return load
