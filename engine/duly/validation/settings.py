"""Settings: a part of a document whose schema comes from elsewhere, such as the settings of a sink."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from duly.diagnostics import Diagnostic, Path, ordered, render_path
from duly.documents import Document
from duly.validation.schemas import OTHERS


def settings(document: Document, path: Path, name: str, schema: Mapping[str, Any]) -> list[Diagnostic]:
    """What is wrong with the part of a document that stands at `path`, against a schema of that `name`.

    Where there is nothing at the last step of `path`, it counts as an empty mapping. The name tells schemas
    apart; it has a `/` in it. Raises jsonschema's SchemaError for what is no schema.
    """
    from duly.validation.faults import faults

    OTHERS.setdefault(name, dict(schema))
    owner = document.part(path[:-1])
    part = document.part(path) if path[-1] in owner.data else owner.with_data({})
    return ordered(
        replace(fault, path=render_path(path) + ("." + fault.path if fault.path else ""))
        for fault in faults(part, name)
    )
