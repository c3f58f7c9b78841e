"""Duties: what comes round, or follows an event, and must be done and proved."""

from __future__ import annotations

from typing import Any

from duly.diagnostics import Path
from duly.kinds import actions, triggers
from duly.kinds.scope import Sheet, compiled_schedule, packed_length


def compile(sheets: list[Sheet]) -> list[dict[str, Any]]:
    """The duties of all Duty documents, in the order of their text."""
    compiled = []
    for sheet in sheets:
        for number, duty in enumerate(sheet.spec["duties"]):
            path = ("spec", "duties", number)
            sheet.unique("duty", duty["id"], (*path, "id"))
            compiled.append(_duty(sheet, duty, path))
    return compiled


def _duty(sheet: Sheet, duty: dict[str, Any], path: Path) -> dict[str, Any]:
    rule = sheet.rule(duty, path, duty["id"])
    on = triggers.names(triggers.events(sheet, duty.get("on"), (*path, "on")))
    sheet.condition(duty.get("when"), (*path, "when"), rule, events=on)
    calendar = _calendar(sheet, duty, path)
    every = duty.get("every")
    sheet.schedule(every, (*path, "every"))
    compiled: dict[str, Any] = {
        "id": duty["id"],
        "rule": rule,
        "on": on,
        "every": None if every is None else compiled_schedule(every),
        "for_each": duty.get("for_each", "set"),
        "when": sheet.packed(duty.get("when"), (*path, "when"), events=on),
        "calendar": calendar,
        "evidence": triggers.events(sheet, duty.get("evidence"), (*path, "evidence")),
        "sample": float(str(duty.get("sample", "100%")).rstrip("%")) / 100,
        "do": actions.check(sheet, duty.get("do"), (*path, "do"), calendar),
        "source": duty.get("source", []),
    }
    if "owner" in duty:
        sheet.reference(duty["owner"], (*path, "owner"))
        compiled["owner"] = duty["owner"]
    if "due" in duty:
        length = sheet.duration(duty["due"], (*path, "due"))
        if length.unit == "working_days":
            sheet.duration(duty["due"], (*path, "due"), calendar)
        compiled["due"] = packed_length(length)
    if "ladder" in duty and sheet.name(duty["ladder"], sheet.scope.ladders, "ladder", (*path, "ladder")):
        compiled["ladder"] = duty["ladder"]
    return compiled


def _calendar(sheet: Sheet, duty: dict[str, Any], path: Path) -> str:
    """What lengths count in: the duty's calendar, that of its schedule, or that of the document."""
    if "calendar" in duty:
        return sheet.calendar(duty["calendar"], (*path, "calendar"))
    every = duty.get("every")
    if isinstance(every, dict) and "calendar" in every:
        return sheet.calendar(every["calendar"], (*path, "every", "calendar"))
    return sheet.calendar(sheet.spec.get("calendar"), ("spec", "calendar"))
