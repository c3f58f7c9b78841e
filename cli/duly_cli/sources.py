"""Sources: from the POLICY argument to a compiled set, through the cache."""

from __future__ import annotations

import json

from duly_cli import cache
from duly_cli.files import Files, Unreadable, find, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.compiler import Compilation


class Invalid(Exception):
    """The policy, or `what` else was read, has errors; `diagnostics` says which."""

    def __init__(self, diagnostics: Sequence[Any], texts: Mapping[str, bytes], what: str = "policy") -> None:
        super().__init__(f"the {what} has errors")
        self.what = what
        self.diagnostics = diagnostics
        self.texts = texts


class Loaded:
    """A compiled set and what belongs to it: the matcher its configuration names, where its rules stand."""

    __slots__ = ("_places", "compiled", "matcher")

    def __init__(self, compiled: dict[str, Any], places: Any, matcher: str) -> None:
        self.compiled = compiled
        self._places = places
        self.matcher = matcher

    @property
    def places(self) -> dict[str, Any]:
        """Rule to its file, line, title, clauses and condition; read only where something is explained."""
        if isinstance(self._places, bytes):
            self._places = json.loads(self._places)
        places: dict[str, Any] = self._places
        return places


class Choice:
    """How a policy is to be read: values of parameters from the command line and from a file."""

    __slots__ = ("parameters", "parameters_file")

    def __init__(self, parameters: Sequence[str] = (), parameters_file: str | None = None) -> None:
        self.parameters = tuple(parameters)
        self.parameters_file = parameters_file


def load(argument: str, choice: Choice, config: tuple[str, bytes] | None = None) -> Loaded:
    """The compiled set that POLICY names. Raises Unreadable, or Invalid with every diagnostic.

    `config`, the name and content of a configuration file, takes the place of the one in the folder.
    """
    files = find(argument)
    if config is not None:
        files.config = config
    if files.bundle is not None:
        from duly_cli.bundles import unpack

        return unpack(files.bundle, argument, choice)
    content = read(choice.parameters_file) if choice.parameters_file else b""
    key = _key(files, choice, content)
    lines = cache.load(key)
    if lines is not None and len(lines) == 3:
        head = json.loads(lines[0])
        return Loaded(json.loads(lines[1]), lines[2], head["matcher"])
    compilation, matcher = compile_files(files, choice)
    if compilation.compiled is None:
        raise Invalid(compilation.diagnostics, dict(files.sources))
    cache.store(key, {"matcher": matcher}, compilation.compiled, compilation.places)
    return Loaded(compilation.compiled, compilation.places, matcher)


def _key(files: Files, choice: Choice, parameters_file: bytes) -> str:
    parts = [cache.fingerprint(), *(text.encode() for text in choice.parameters), parameters_file, b""]
    for name, content in files.sources:
        parts += (name.encode("utf-8", "surrogateescape"), content)
    if files.config is not None:
        parts += (b"config", files.config[1])
    return cache.digest(*parts)


def compile_files(files: Files, choice: Choice, *, thorough: bool = False) -> tuple[Compilation, str]:
    """Compile the files of a set with the values that configuration, file and command line give."""
    from duly import compiler
    from duly_cli.values import configuration, given_values, holiday_facts

    config = configuration(files.config)
    given = dict(config.get("parameters", {}))
    origins = dict.fromkeys(given, files.config[0] if files.config else "")
    for name, (value, origin) in given_values(choice.parameters, choice.parameters_file).items():
        given[name], origins[name] = value, origin
    sources = [compiler.Source(name, content) for name, content in files.sources]
    compilation = compiler.compile(sources, given, facts=holiday_facts, thorough=thorough, origins=origins)
    return compilation, config.get("matcher", "native")


__all__ = [
    "Choice",
    "Invalid",
    "Loaded",
    "Unreadable",
    "compile_files",
    "load",
]
