"""Values: what command line, parameter files and configuration give to a policy set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from duly import documents, validation
from duly.calendars import facts
from duly_cli import cache
from duly_cli.files import Unreadable, read


def given_values(parameters: Sequence[str], file: str | None) -> dict[str, tuple[Any, str]]:
    """`--params FILE` and then each `--param name=value`, with where it comes from. Raises Unreadable for what
    is neither."""
    given = {name: (value, file) for name, value in _parameter_file(file).items()} if file else {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Unreadable(f"`--param {text}`: expected `name=value`")
        given[name.strip()] = value, "--param"
    return given


def _parameter_file(file: str) -> dict[str, Any]:
    """A file of values: a YAML or JSON mapping of names to values, or one under `parameters`."""
    found, faults = documents.load(read(file), file)
    if faults:
        first = faults[0]
        raise Unreadable(f"{first.span.file}:{first.span.line}:{first.span.column}: {first.message}")
    data = found[0].data if found else {}
    if isinstance(data, dict) and isinstance(data.get("parameters"), dict):
        data = data["parameters"]
    if not isinstance(data, dict):
        raise Unreadable(f"`{file}`: expected names and values, such as `consultation_response: 10m`")
    return data


def configuration(config: tuple[str, bytes] | None) -> dict[str, Any]:
    """The `spec` of a set's configuration file. Raises Unreadable where it is wrong."""
    if config is None:
        return {}
    found, faults = documents.load(config[1], config[0])
    for document in found[:1]:
        checked, more = validation.validate(document, kind="config")
        faults += more
        spec = checked.data.get("spec") if isinstance(checked.data, dict) else None
        if not faults and isinstance(spec, dict):
            return spec
    for first in faults:
        raise Unreadable(f"{first.span.file}:{first.span.line}:{first.span.column}: {first.message}")
    return {}


def holiday_facts(country: str, subdivision: str | None = None) -> dict[str, Any]:
    """`facts.holiday_facts`, kept in the cache under the installed package's own digest."""
    package = find_spec("holidays")
    place = package.submodule_search_locations if package else None
    version = read(f"{next(iter(place))}/version.py") if place else b""
    stamp = cache.digest_of(version)[:16]
    key = cache.digest(b"holidays", stamp.encode(), country.encode(), (subdivision or "").encode())
    lines = cache.load(key)
    if lines is not None:
        known: dict[str, Any] = json.loads(lines[0])
        return known
    found = facts.holiday_facts(country, subdivision)
    cache.store(key, found)
    return found
