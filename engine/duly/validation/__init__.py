"""Validation: a document against the JSON Schema of its kind."""

from __future__ import annotations

from duly.diagnostics import Diagnostic, did_you_mean, ordered
from duly.documents import Document
from duly.validation.conformity import conforms
from duly.validation.scalars import as_written
from duly.validation.schemas import KINDS, NAMES, POLICY_KINDS, read
from duly.validation.settings import settings

__all__ = ["KINDS", "NAMES", "POLICY_KINDS", "conforms", "read", "settings", "validate"]


def validate(
    document: Document, kind: str | None = None, *, thorough: bool = False
) -> tuple[Document, list[Diagnostic]]:
    """The document with its scalars typed by where they stand, and everything that is wrong in its shape.

    `kind` names the schema, such as `test`; without it the document's own `kind` does. Parameters
    (`{param: name}`) may stand in it, or their values in their place. jsonschema is asked only where the
    quick check refuses; with `thorough` always.
    """
    if not isinstance(document.data, dict):
        return document, [_not_a_document(document)]
    name = kind or KINDS.get(document.kind)
    if name is None:
        return document, [_unknown_kind(document)]
    fits = conforms(document.data, name)
    if not fits:
        document = document.with_data(as_written((name, read(name)), document.data, document.raw))
        fits = conforms(document.data, name)
    if fits and not thorough:
        return document, []
    from duly.validation.faults import faults

    return document, ordered(faults(document, name))


def _not_a_document(document: Document) -> Diagnostic:
    found = "a list" if isinstance(document.data, list) else f"`{str(document.data)[:80]}`"
    return Diagnostic(
        "D110",
        f"expected a document, a mapping with `apiVersion`, `kind`, `metadata`, `spec`, found {found}",
        document.span(()),
        found=found.strip("`"),
        expected="a mapping",
        help="begin each document with these keys, parted by a line `---`, or move the file out of the folder",
    )


def _unknown_kind(document: Document) -> Diagnostic:
    kind = document.data.get("kind")
    if "kind" not in document.data:
        message, help_text = "`kind` is missing", f"add `kind: {_likely(document)}`; {_kinds()}"
    elif not isinstance(kind, str):
        found = "a list" if isinstance(kind, list) else "a mapping" if isinstance(kind, dict) else "no text"
        message, help_text = f"expected a kind such as `Routing`, found {found}", "write one kind a document"
    else:
        message = f"unknown kind `{kind[:80]}`"
        version = document.data.get("apiVersion")
        help_text = did_you_mean(kind, (*POLICY_KINDS, "Test")) or _kinds()
        if isinstance(version, str) and not version.startswith("duly/"):
            help_text = "this is a document of another system; move it out of the folder"
    return Diagnostic(
        "D111", message, document.span(("kind",)), path="kind" if "kind" in document.data else "",
        found=kind if isinstance(kind, str) else None, expected="one of " + ", ".join(f"`{each}`" for each in KINDS),
        help=help_text,
    )  # fmt: skip


def _kinds() -> str:
    return "the kinds are " + ", ".join(f"`{each}`" for each in POLICY_KINDS)


def _likely(document: Document) -> str:
    """The kind whose keys the document's `spec` has, else an ellipsis."""
    spec = document.data.get("spec")
    keys = set(spec) if isinstance(spec, dict) else set()
    shared = {
        kind: len(keys & set(read(name)["properties"]["spec"]["properties"]))
        for kind, name in POLICY_KINDS.items()
    }
    best = max(shared, key=lambda kind: shared[kind])
    return best if shared[best] else "…"
