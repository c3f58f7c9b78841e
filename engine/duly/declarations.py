"""Declarations: what the documents of a set declare by name, for their references to be resolved."""

from __future__ import annotations

from collections.abc import Sequence

from duly.calendars import zones
from duly.calendars.resolution import Facts
from duly.conditions.faults import Fault
from duly.conditions.fields import Vocabulary
from duly.conditions.vocabulary import merged, place, read_vocabulary
from duly.documents import Document
from duly.kinds import calendar, escalation, reaction, roster, service_level, survey
from duly.kinds.scope import Scope, Sheet
from duly.kinds.wording import spoken_of


def declared(manifest: Document, read: Sequence[Document], lost: frozenset[str], facts: Facts) -> Scope:
    """Everything that the documents declare by name.

    `lost` are the kinds of which documents could not be read: a name that one of them might declare is not
    called unknown.
    """
    vocabulary, faults = _vocabulary(read)
    scope = Scope(vocabulary, lost)
    for document, fault in faults:
        Sheet(document, scope).faults([fault])
    of = {
        kind: [Sheet(document, scope) for document in read if document.kind == kind]
        for kind in ("Roster", "Escalation", "ServiceLevel", "Survey", "Reaction", "Calendar")
    }
    rosters = of["Roster"]
    scope.people, scope.roles, scope.groups = (
        frozenset(name for sheet in rosters for name in roster.names(sheet, part))
        for part in ("people", "roles", "groups")
    )
    scope.ladders = frozenset(name for sheet in of["Escalation"] for name in escalation.names(sheet))
    scope.clocks = frozenset(name for sheet in of["ServiceLevel"] for name in service_level.names(sheet))
    scope.surveys = frozenset(name for sheet in of["Survey"] for name in survey.names(sheet))
    scope.approvals = frozenset(name for sheet in of["Reaction"] for name in reaction.names(sheet))
    templates = manifest.data["spec"].get("templates")
    if templates is not None:
        scope.templates = {name: spoken_of(text, scope.vocabulary) for name, text in templates.items()}
    timezone = manifest.data["spec"].get("timezone")
    if timezone is not None and timezone not in zones.names():
        timezone = "UTC"  # Reported at the manifest, and not again for each calendar.
    scope.calendar_names = frozenset(name for sheet in of["Calendar"] for name in calendar.names(sheet))
    scope.calendars = calendar.compile(of["Calendar"], timezone, facts) if of["Calendar"] else {}
    return scope


def _vocabulary(read: Sequence[Document]) -> tuple[Vocabulary, list[tuple[Document, Fault]]]:
    """One vocabulary from all Vocabulary documents, with the faults of each."""
    faults: list[tuple[Document, Fault]] = []
    vocabulary, _ = read_vocabulary({})
    for document in read:
        if document.kind == "Vocabulary":
            spec = document.data["spec"]
            own, found = read_vocabulary(spec, raw=document.raw)
            vocabulary, twice = merged(vocabulary, own)
            found += [
                Fault("C104", f"`{name}` is declared with another type in another document",
                      ("spec", *place(name, spec)), "give one of them another name", key=True)
                for name in twice
            ]  # fmt: skip
            faults += [(document, fault) for fault in found]
    return vocabulary, faults
