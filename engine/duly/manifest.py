"""The manifest: the one PolicySet document of a set, found among the others, and what it says of the set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from duly.calendars import zones
from duly.diagnostics import Diagnostic, Span
from duly.documents import Document
from duly.kinds.scope import Scope, Sheet

FILE = "duly.yaml"


def find_manifest(
    read: Sequence[Document], files: Sequence[str], diagnostics: list[Diagnostic]
) -> Document | None:
    """The manifest among the documents that could be read, else None; what is wrong is added to `diagnostics`.

    `files` are all files of the set: where the manifest's own could not be read, that has been said already.
    """
    found = [document for document in read if document.kind == "PolicySet"]
    found.sort(key=lambda document: not _is_its_own(document.file))
    for document in found[1:]:
        diagnostics.append(
            Diagnostic("D216", "a second PolicySet; a set has one manifest", document.span(("kind",)), path="kind",
                       help=f"keep the one in `{found[0].file}`")
        )  # fmt: skip
    if found:
        return found[0]
    own = next((file for file in files if _is_its_own(file)), None)
    if own is None or not any(each.severity == "error" for each in diagnostics):
        diagnostics.append(
            Diagnostic("D215", "no manifest: no document of kind `PolicySet`", Span(own or FILE, 1, 1, 1, 2),
                       help=f"write one in `{FILE}`; `duly init` shows how")
        )  # fmt: skip
    return None


def _is_its_own(file: str) -> bool:
    """Whether a file is the one that a manifest stands in."""
    return file.rsplit("/", 1)[-1] == FILE


def set_facts(manifest: Document, scope: Scope) -> dict[str, Any]:
    """What the manifest says of the set as a whole, as compiled data."""
    spec = manifest.data["spec"]
    metadata = manifest.data["metadata"]
    return {
        "name": manifest.name,
        "version": metadata.get("version", "0.0.0"),
        "title": metadata.get("title"),
        "timezone": spec.get("timezone", "UTC"),
        "zone": _zone(manifest, scope),
        "languages": spec.get("languages", []),
        "adoption": _adoption(manifest, scope),
        **({"templates": spec["templates"]} if spec.get("templates") else {}),
    }


def _adoption(manifest: Document, scope: Scope) -> dict[str, Any]:
    """What the set does to open cases, and which new ones it is for where it is on trial."""
    adoption = manifest.data["spec"].get("adoption") or {}
    found: dict[str, Any] = {"open_cases": adoption.get("open_cases", "keep")}
    pilot = adoption.get("pilot")
    if pilot is not None:
        found["pilot"] = {
            "when": Sheet(manifest, scope).packed(pilot.get("when"), ("spec", "adoption", "pilot", "when")),
            "share": float(str(pilot.get("share", "100%")).rstrip("%")) / 100,
        }
    return found


def _zone(manifest: Document, scope: Scope) -> dict[str, Any]:
    """The facts of the set's own time zone, in which people are shown instants."""
    name = manifest.data["spec"].get("timezone", "UTC")
    if name not in zones.names():
        Sheet(manifest, scope).fault("D404", f"unknown time zone `{name}`", ("spec", "timezone"), found=name,
                                     help=zones.suggestion(name))  # fmt: skip
        name = "UTC"
    return zones.frozen(name)
