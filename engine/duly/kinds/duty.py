"""Duties: what comes round, or follows an event, and must be done and proved."""

from __future__ import annotations

from typing import Any

from duly.diagnostics import Path
from duly.kinds import actions, triggers
from duly.kinds.scope import Sheet


def check(sheets: list[Sheet]) -> None:
    """Check every name, condition and length of all Duty documents."""
    for sheet in sheets:
        for number, duty in enumerate(sheet.spec["duties"]):
            path = ("spec", "duties", number)
            sheet.unique("duty", duty["id"], (*path, "id"))
            _duty(sheet, duty, path)


def _duty(sheet: Sheet, duty: dict[str, Any], path: Path) -> None:
    rule = sheet.rule(duty, path, duty["id"])
    on = triggers.names(triggers.events(sheet, duty.get("on"), (*path, "on")))
    triggers.events(sheet, duty.get("evidence"), (*path, "evidence"))
    sheet.condition(duty.get("when"), (*path, "when"), rule, events=on)
    sheet.schedule(duty.get("every"), (*path, "every"))
    if "owner" in duty:
        sheet.reference(duty["owner"], (*path, "owner"))
    if "due" in duty:
        sheet.duration(duty["due"], (*path, "due"))
    if "calendar" in duty:
        sheet.calendar(duty["calendar"], (*path, "calendar"))
    if "ladder" in duty:
        sheet.name(duty["ladder"], sheet.scope.ladders, "ladder", (*path, "ladder"))
    actions.check(sheet, duty.get("do"), (*path, "do"))
