"""Reactions: event, condition, actions; with rounds, counts, gates and approvals."""

from __future__ import annotations

from typing import Any

from duly.diagnostics import Path
from duly.kinds import actions, triggers
from duly.kinds.scope import Sheet


def names(sheet: Sheet) -> list[str]:
    """The approvals that a document declares."""
    return [approval["id"] for approval in sheet.spec.get("approvals", ())]


def check(sheets: list[Sheet]) -> None:
    """Check every name, condition and length of all Reaction documents."""
    for sheet in sheets:
        for listing, one in (("reactions", _reaction), ("gates", _gate), ("approvals", _approval)):
            for number, entry in enumerate(sheet.spec.get(listing, ())):
                path = ("spec", listing, number)
                sheet.unique(f"entry of {sheet.prefix}", entry["id"], (*path, "id"))
                one(sheet, entry, path, sheet.rule(entry, path, entry["id"]))


def _events(sheet: Sheet, data: Any, path: Path) -> list[str]:
    return triggers.names(triggers.events(sheet, data, path))


def _reaction(sheet: Sheet, reaction: dict[str, Any], path: Path, rule: str) -> None:
    on = _events(sheet, reaction["on"], (*path, "on"))
    sheet.condition(reaction.get("when"), (*path, "when"), rule, events=on)
    count = reaction.get("count")
    if count is not None:
        of = _events(sheet, count.get("of"), (*path, "count", "of"))
        sheet.condition(count.get("where"), (*path, "count", "where"), events=of or on)
        if "within" in count:
            sheet.duration(count["within"], (*path, "count", "within"), days=False)
    rounds = reaction.get("rounds")
    if rounds is not None:
        actions.check(sheet, rounds.get("then"), (*path, "rounds", "then"))
        _events(sheet, rounds.get("reset_on"), (*path, "rounds", "reset_on"))
    actions.check(sheet, reaction["do"], (*path, "do"))


def _gate(sheet: Sheet, gate: dict[str, Any], path: Path, rule: str) -> None:
    before = _events(sheet, gate["before"], (*path, "before"))
    sheet.condition(gate.get("when"), (*path, "when"), rule, events=before)
    require = gate["require"]
    fields = sheet.scope.vocabulary.fields
    for number, name in enumerate(require.get("fields", ())):
        sheet.name(name, fields, "field", (*path, "require", "fields", number), "D301")
    for number, event in enumerate(require.get("events", ())):
        sheet.event(event, (*path, "require", "events", number))
    for number, approval in enumerate(require.get("approvals", ())):
        sheet.name(approval, sheet.scope.approvals, "approval", (*path, "require", "approvals", number))
    actions.check(sheet, gate["otherwise"], (*path, "otherwise"))


def _approval(sheet: Sheet, approval: dict[str, Any], path: Path, rule: str) -> None:
    on = _events(sheet, approval["on"], (*path, "on"))
    sheet.condition(approval.get("when"), (*path, "when"), rule, events=on)
    actions.references(sheet, approval["by"], (*path, "by"))
    calendar = None
    if "calendar" in approval:
        calendar = sheet.calendar(approval["calendar"], (*path, "calendar"))
    if "due" in approval:
        sheet.duration(approval["due"], (*path, "due"), calendar)
    deputy = approval.get("deputy")
    if deputy is not None:
        sheet.reference(deputy["to"], (*path, "deputy", "to"))
        if "after" in deputy:
            sheet.duration(deputy["after"], (*path, "deputy", "after"), calendar)
    actions.check(sheet, approval.get("on_expiry"), (*path, "on_expiry"))
