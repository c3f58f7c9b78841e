"""Roster: people, roles and groups, and who is on duty."""

from __future__ import annotations

from typing import Any

from duly.kinds.scope import Sheet


def names(sheet: Sheet, part: str) -> list[str]:
    """The names of the document's `people`, `roles` or `groups`."""
    return list(sheet.spec.get(part) or {})


def compile(sheets: list[Sheet]) -> dict[str, Any]:
    """People, roles and groups of all Roster documents, every member and shift checked."""
    roster: dict[str, Any] = {"people": {}, "roles": {}, "groups": {}}
    for sheet in sheets:
        for part, entries in roster.items():
            for name, entry in (sheet.spec.get(part) or {}).items():
                path = ("spec", part, name)
                sheet.unique({"people": "person"}.get(part, part[:-1]), name, path, key=True)
                entries[name] = dict(entry or {})
                if part != "people":
                    _members(sheet, entry, path)
    return roster


def _members(sheet: Sheet, entry: dict[str, Any], path: tuple[str | int, ...]) -> None:
    members = entry.get("members", [])
    for number, member in enumerate(members):
        sheet.reference(member, (*path, "members", number))
    if "shift" in entry:
        sheet.calendar(entry["shift"], (*path, "shift"))
    if "lead" in entry:
        sheet.reference(entry["lead"], (*path, "lead"))
    bare = {str(member).removeprefix("person:") for member in members}
    for person in entry.get("skills", {}):
        sheet.name(person, bare, "member of the group", (*path, "skills", person), key=True)
