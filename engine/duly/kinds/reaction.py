"""Reactions: event, condition, actions; with rounds, counts, gates and approvals."""

from __future__ import annotations

from typing import Any

from duly.diagnostics import Path
from duly.kinds import actions, triggers
from duly.kinds.scope import Sheet, packed_length


def names(sheet: Sheet) -> list[str]:
    """The approvals that a document declares."""
    return [approval["id"] for approval in sheet.spec.get("approvals", ())]


def compile(sheets: list[Sheet]) -> dict[str, list[dict[str, Any]]]:
    """The reactions, gates and approvals of all Reaction documents, in the order of their text."""
    compiled: dict[str, list[dict[str, Any]]] = {"reactions": [], "gates": [], "approvals": []}
    for sheet in sheets:
        for listing, one in (("reactions", _reaction), ("gates", _gate), ("approvals", _approval)):
            for number, entry in enumerate(sheet.spec.get(listing, ())):
                path = ("spec", listing, number)
                sheet.unique(f"entry of {sheet.prefix}", entry["id"], (*path, "id"))
                rule = sheet.rule(entry, path, entry["id"])
                found = {"id": entry["id"], "rule": rule, **one(sheet, entry, path, rule)}
                if "source" in entry:
                    found["source"] = entry["source"]
                compiled[listing].append(found)
    return compiled


def _events(sheet: Sheet, data: Any, path: Path) -> list[str]:
    return triggers.names(triggers.events(sheet, data, path))


def _when(sheet: Sheet, entry: dict[str, Any], path: Path, rule: str, events: list[str]) -> Any:
    sheet.condition(entry.get("when"), (*path, "when"), rule, events=events)
    return sheet.packed(entry.get("when"), (*path, "when"), events=events)


def _reaction(sheet: Sheet, reaction: dict[str, Any], path: Path, rule: str) -> dict[str, Any]:
    on = _events(sheet, reaction["on"], (*path, "on"))
    compiled: dict[str, Any] = {
        "on": on,
        "when": _when(sheet, reaction, path, rule, on),
        "do": actions.check(sheet, reaction["do"], (*path, "do")),
    }
    count = reaction.get("count")
    if count is not None:
        of = _events(sheet, count["of"], (*path, "count", "of"))
        within = sheet.duration(count["within"], (*path, "count", "within"), days=False)
        compiled["count"] = {
            "of": of,
            "where": sheet.packed(count.get("where"), (*path, "count", "where"), events=of),
            "per": count["per"],
            "within": within.amount,
            "at_least": count["at_least"],
        }
    rounds = reaction.get("rounds")
    if rounds is not None:
        compiled["rounds"] = {
            "max": rounds["max"],
            "then": actions.check(sheet, rounds["then"], (*path, "rounds", "then")),
            "reset_on": _events(sheet, rounds.get("reset_on"), (*path, "rounds", "reset_on")),
        }
    return compiled


def _gate(sheet: Sheet, gate: dict[str, Any], path: Path, rule: str) -> dict[str, Any]:
    before = _events(sheet, gate["before"], (*path, "before"))
    require = gate["require"]
    fields = sheet.scope.vocabulary.fields
    at = (*path, "require")
    for number, name in enumerate(require.get("fields", ())):
        sheet.name(name, fields, "field", (*at, "fields", number), "D301")
    for number, approval in enumerate(require.get("approvals", ())):
        sheet.name(approval, sheet.scope.approvals, "approval", (*at, "approvals", number))
    return {
        "before": before,
        "when": _when(sheet, gate, path, rule, before),
        "fields": require.get("fields", []),
        "events": triggers.events(sheet, require.get("events"), (*at, "events")),
        "approvals": require.get("approvals", []),
        "condition": sheet.packed(require.get("condition"), (*at, "condition"), events=before),
        "otherwise": actions.check(sheet, gate["otherwise"], (*path, "otherwise")),
    }


def _approval(sheet: Sheet, approval: dict[str, Any], path: Path, rule: str) -> dict[str, Any]:
    on = _events(sheet, approval["on"], (*path, "on"))
    actions.references(sheet, approval["by"], (*path, "by"))
    calendar = sheet.calendar(approval.get("calendar"), (*path, "calendar"))
    compiled: dict[str, Any] = {
        "on": on,
        "when": _when(sheet, approval, path, rule, on),
        "by": approval["by"],
        "mode": approval.get("mode", "all"),
        "calendar": calendar,
        "on_expiry": actions.check(sheet, approval.get("on_expiry"), (*path, "on_expiry")),
    }
    if "due" in approval:
        compiled["due"] = packed_length(sheet.duration(approval["due"], (*path, "due"), calendar))
    deputy = approval.get("deputy")
    if deputy is not None:
        sheet.reference(deputy["to"], (*path, "deputy", "to"))
        compiled["deputy"] = {"to": deputy["to"]}
        if "after" in deputy:
            length = sheet.duration(deputy["after"], (*path, "deputy", "after"), calendar)
            compiled["deputy"]["after"] = packed_length(length)
    return compiled
