"""The compiler: the documents of a policy set to compiled, plain data with its revision."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from duly import __version__, documents, parameters, validation
from duly.calendars.calendars import digest
from duly.calendars.facts import holiday_facts
from duly.calendars.resolution import Facts
from duly.conditions.packing import pack_vocabulary
from duly.declarations import declared
from duly.diagnostics import Diagnostic, Span, nearest, ordered, render_path
from duly.documents import Document
from duly.kinds import (
    classification,
    duty,
    effects,
    escalation,
    promises,
    reaction,
    roster,
    routing,
    service_level,
    survey,
)  # fmt: skip
from duly.kinds.scope import Scope, Sheet, slug
from duly.manifest import find_manifest, set_facts

FORMAT = 2
MAX_RULES = 10_000
_KIND = re.compile(rb"""^(?:[{ ]*"kind"|kind) *: *["']?([A-Za-z]+)""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a policy set: its name as diagnostics show it, and its content."""

    file: str
    content: bytes

    @property
    def is_test(self) -> bool:
        """Whether the file holds tests of the policy and no policy."""
        return self.file.endswith(".test.yaml")


@dataclass(slots=True)
class Compilation:
    """What compiling gave: the compiled set, unless there are errors, and every diagnostic."""

    compiled: dict[str, Any] | None = None
    places: dict[str, Any] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """How many of the diagnostics are errors."""
        return sum(each.severity == "error" for each in self.diagnostics)


def compile(
    sources: Sequence[Source], given: Mapping[str, Any] | None = None, *, facts: Facts = holiday_facts,
    thorough: bool = False, origins: Mapping[str, str] | None = None,
) -> Compilation:  # fmt: skip
    """Compile a policy set from its files and the values of its parameters.

    All faults of all files are found in one go. `thorough` looks at tests and at what deciding does not
    need, as `duly validate` does; else only the documents that decide are read, as fast as can be.
    `origins` says of each value given where it comes from, such as `--param`.
    """
    result = Compilation()
    read: list[Document] = []
    for source in sorted(sources, key=lambda source: source.file):
        if source.is_test and not thorough:
            continue
        found, faults = documents.load(source.content, source.file)
        result.diagnostics += faults
        if not found and not faults:
            result.diagnostics.append(_empty(source))
        misread = {fault.span for fault in faults}
        for document in found:
            checked, faults = _validated(document, thorough, "test" if source.is_test else None)
            # What YAML itself was told wrong is not told again as a matter of shape.
            result.diagnostics += [fault for fault in faults if fault.span not in misread]
            if not source.is_test and checked is not None:
                read.append(checked)
    result.documents = read
    manifest = find_manifest(read, [source.file for source in sources], result.diagnostics)
    if manifest is not None:
        values = parameters.read(manifest, given or {}, origins)
        _compile(manifest, read, sources, values, facts, result)
    result.diagnostics = ordered(result.diagnostics)
    if result.errors:
        result.compiled = None
    return result


def _empty(source: Source) -> Diagnostic:
    start = Span(source.file, 1, 1, 1, 2)
    return Diagnostic(
        "D219", "no document in this file", start, "warning", help="write one, or take the file away"
    )


def _validated(
    document: Document, thorough: bool, kind: str | None
) -> tuple[Document | None, list[Diagnostic]]:
    """The document with its scalars typed, or None where its shape is wrong, and what is wrong."""
    checked, faults = validation.validate(document, kind=kind, thorough=thorough)
    sound = not any(fault.severity == "error" for fault in faults)
    return (checked if sound else None), faults


def _compile(
    manifest: Document, read: Sequence[Document], sources: Sequence[Source], values: parameters.Parameters,
    facts: Facts, result: Compilation,
) -> None:  # fmt: skip
    resolved = [_substituted(document, values, result) for document in read]
    result.diagnostics += values.diagnostics + values.missing()
    sound = [document for document in resolved if document is not None]
    result.documents = sound
    if manifest.file not in {document.file for document in sound if document.kind == "PolicySet"}:
        return
    manifest = next(document for document in sound if document.kind == "PolicySet")
    unfilled = {one.kind for one, filled in zip(read, resolved, strict=True) if filled is None}
    scope = declared(manifest, sound, _lost(sources, sound, result.diagnostics) | unfilled, facts)
    sheets = {
        kind: sorted(
            (Sheet(document, scope) for document in sound if document.kind == kind),
            key=lambda sheet: sheet.document.name,
        )
        for kind in {document.kind for document in sound}
    }  # fmt: skip
    _named_once(sheets)
    compiled = _set(manifest, scope, sheets, values.values, facts)
    result.diagnostics += scope.diagnostics
    if result.errors == 0:
        compiled["revision"] = _revision(sound, values.values, compiled)
        result.compiled = compiled
        result.places = scope.places


def _lost(
    sources: Sequence[Source], sound: Sequence[Document], faults: Sequence[Diagnostic]
) -> frozenset[str]:
    """The kinds of the documents that could not be read, as far as their texts say; else every kind."""
    faulty = {fault.span.file for fault in faults if fault.severity == "error"}
    unread = {fault.span.file for fault in faults if fault.code.startswith("D0") or fault.code == "D111"}
    lost: set[str] = set()
    for source in sources:
        if source.is_test or source.file not in faulty:
            continue
        written = [kind.decode() for kind in _KIND.findall(source.content)]
        if not written and source.file in unread:
            return frozenset(validation.POLICY_KINDS)
        for document in sound:
            if document.file == source.file and document.kind in written:
                written.remove(document.kind)
        lost.update(filter(None, (nearest(kind, validation.POLICY_KINDS) for kind in written)))
    return frozenset(lost)


def _substituted(document: Document, values: parameters.Parameters, result: Compilation) -> Document | None:
    """The document with its parameters' values in place; None where one has none, or does not fit."""
    after = values.substitute(document)
    uses = {path: name for name, places in values.uses.items() for where, path in places if where is document}
    if not uses:
        return after
    if any(name not in values.values for name in uses.values()):
        return None
    checked, faults = _validated(after, False, None)
    for fault in faults:
        name = next((name for path, name in uses.items() if fault.path.startswith(render_path(path))), "")
        result.diagnostics.append(
            Diagnostic("D222", f"parameter `{name}` does not fit here: {fault.message}", fault.span, path=fault.path,
                       found=fault.found, expected=fault.expected, help=fault.help)
        )  # fmt: skip
    return checked


def _named_once(sheets: Mapping[str, Iterable[Sheet]]) -> None:
    for kind, of_kind in sheets.items():
        for sheet in of_kind:
            sheet.unique(slug(kind), sheet.document.name, ("metadata", "name"))


def _set(
    manifest: Document,
    scope: Scope,
    sheets: Mapping[str, list[Sheet]],
    values: Mapping[str, Any],
    facts: Facts,
) -> dict[str, Any]:
    """The compiled set, but for its revision."""
    surveys, ledger = survey.compile(sheets.get("Survey", []))
    compiled: dict[str, Any] = {
        "format": FORMAT,
        "duly": __version__,
        "set": set_facts(manifest, scope),
        "parameters": dict(sorted(values.items())),
        "vocabulary": pack_vocabulary(scope.vocabulary),
        "calendars": scope.calendars,
        "roster": roster.compile(sheets.get("Roster", [])),
        "tables": classification.compile(sheets.get("Classification", [])),
        "routing": routing.compile(sheets.get("Routing", [])),
        "clocks": service_level.compile(sheets.get("ServiceLevel", [])),
        "ladders": escalation.compile(sheets.get("Escalation", [])),
        "surveys": surveys,
        "ledger": ledger,
        "duties": [],
        "reactions": reaction.compile(sheets.get("Reaction", [])),
        "required": _required(sheets.get("Vocabulary", [])),
    }
    compiled["duties"] = duty.compile(sheets.get("Duty", []))
    effects.mark(compiled, scope.reads)
    own = Sheet(manifest, scope)
    if not any(each.severity == "error" for each in scope.diagnostics) and not scope.lost:
        promises.check(own, sheets)
    rules = sum(1 for place in scope.places.values() if place)
    if rules > MAX_RULES:
        where = manifest.span(("metadata", "name"))
        scope.diagnostics.append(
            Diagnostic(
                "D217", f"{rules:,} entries; a set has at most {MAX_RULES:,}", where, help="split the set"
            )
        )
    return compiled


def _required(sheets: Sequence[Sheet]) -> dict[str, list[str]]:
    """Event type to the payload fields without which such an event is refused."""
    required: dict[str, list[str]] = {}
    for sheet in sheets:
        for event, entry in (sheet.spec.get("events") or {}).items():
            fields = (entry or {}).get("fields") or {}
            names = [name for name, field in fields.items() if (field or {}).get("required")]
            if names:
                required.setdefault(event, []).extend(names)
    return required


def _revision(read: Sequence[Document], values: Mapping[str, Any], compiled: Mapping[str, Any]) -> str:
    """`sha256:…` of what the set means: its documents in no order, its parameters, and calendar facts."""
    meant = {
        "documents": sorted(
            ([document.kind, document.name, document.data] for document in read), key=_canonical
        ),
        "parameters": dict(values),
        "calendars": digest(compiled["calendars"]),
        "format": FORMAT,
    }
    return "sha256:" + hashlib.sha256(_canonical(meant).encode()).hexdigest()


def _canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_number)


def _number(value: Decimal) -> str:
    return f"decimal:{value.normalize()}"
