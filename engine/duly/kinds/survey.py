"""Surveys: when a customer is asked how it went."""

from __future__ import annotations

from typing import Any

from duly.conditions.fields import Field
from duly.diagnostics import Path
from duly.kinds import actions, triggers
from duly.kinds.scope import Sheet, compiled_schedule, packed_length

_ANSWER = (Field("score", "number"), Field("survey", "text"))


def names(sheet: Sheet) -> list[str]:
    """The surveys that a document declares."""
    return [survey["id"] for survey in sheet.spec["surveys"]]


def compile(sheets: list[Sheet]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The surveys of all Survey documents, and the one ledger of the set."""
    surveys, ledger = [], []
    for sheet in sheets:
        for number, limit in enumerate(sheet.spec.get("ledger", ())):
            ledger.append(_limit(sheet, limit, ("spec", "ledger", number)))
        for number, survey in enumerate(sheet.spec["surveys"]):
            path = ("spec", "surveys", number)
            sheet.unique("survey", survey["id"], (*path, "id"))
            surveys.append(_survey(sheet, survey, path))
    return surveys, ledger


def _limit(sheet: Sheet, limit: dict[str, Any], path: Path) -> dict[str, Any]:
    compiled = {key: value for key, value in limit.items() if key in ("scope", "max", "from")}
    for key in ("gap", "per"):
        if key in limit:
            compiled[key] = sheet.duration(limit[key], (*path, key), days=False).amount
    return compiled


def _survey(sheet: Sheet, survey: dict[str, Any], path: Path) -> dict[str, Any]:
    rule = sheet.rule(survey, path, survey["id"])
    send = survey.get("send", {})
    calendar = sheet.calendar(send.get("calendar"), (*path, "send", "calendar"))
    on = triggers.names(triggers.events(sheet, survey.get("on"), (*path, "on")))
    when = survey.get("when")
    compiled: dict[str, Any] = {
        "id": survey["id"],
        "rule": rule,
        "class": survey["class"],
        "on": on,
        "scheduled": "schedule" in survey,
        "calendar": calendar,
        "cancel_on": triggers.names(
            triggers.events(sheet, send.get("cancel_on"), (*path, "send", "cancel_on"))
        ),
        "sample": float(str(survey.get("sample", "100%")).rstrip("%")) / 100,
    }
    if when is not None:
        sheet.condition(when, (*path, "when"), rule, events=on)
        compiled["when"] = sheet.packed(when, (*path, "when"), events=on)
    if "audience" in survey:
        compiled["audience"] = sheet.packed(survey["audience"], (*path, "audience"))
    sheet.schedule(survey.get("schedule"), (*path, "schedule"))
    for key, data, at in (
        ("after", send, (*path, "send")), ("by", send, (*path, "send")), ("expires", survey, path),
    ):  # fmt: skip
        if key in data:
            # Plain days may stand beside a calendar here: only open time and working days count in it.
            length = sheet.duration(data[key], (*at, key))
            if length.unit == "working_days":
                sheet.duration(data[key], (*at, key), calendar)
            compiled[key] = packed_length(length)
    blocked = survey.get("when_blocked")
    if isinstance(blocked, dict):
        length = sheet.duration(blocked["defer"], (*path, "when_blocked", "defer"), days=False)
        compiled["when_blocked"] = packed_length(length)
    if "schedule" in survey:
        compiled["schedule"] = compiled_schedule(survey["schedule"])
    for key in ("priority", "channels", "source"):
        if key in survey:
            compiled[key] = survey[key]
    compiled["sheet"] = {
        key: survey[key] for key in ("scale", "dimensions", "questions", "template", "owner") if key in survey
    }
    fields = (sheet.scope.templates or {}).get(survey.get("template", ""))
    if fields:
        compiled["fields"] = fields
    reminder = survey.get("reminder")
    if reminder is not None:
        length = sheet.duration(reminder["after"], (*path, "reminder", "after"))
        compiled["reminder"] = {**reminder, "after": packed_length(length)}
    compiled["responses"] = _responses(sheet, survey, path)
    return compiled


def _responses(sheet: Sheet, survey: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """The rules over the answers; `score` and the survey's dimensions are fields there."""
    dimensions = survey.get("dimensions", {})
    names = dimensions if isinstance(dimensions, (dict, list)) else {}
    answer = [*_ANSWER, *(Field(str(name), "number") for name in names)]
    vocabulary = sheet.scope.vocabulary.extended(answer)
    compiled = []
    for number, response in enumerate(survey.get("responses", ())):
        at = (*path, "responses", number)
        rule = sheet.rule(response, at, survey["id"], response["id"])
        when = (response.get("when"), (*at, "when"))
        compiled.append({
            "id": response["id"],
            "rule": rule,
            "when": sheet.packed(*when, events=("survey.answered",), vocabulary=vocabulary),
            "do": actions.check(sheet, response["do"], (*at, "do")),
            "source": response.get("source", []),
        })  # fmt: skip
    return compiled
