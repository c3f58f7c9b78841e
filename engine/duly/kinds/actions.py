"""Actions: what policies do, checked against what the set declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from duly.diagnostics import Path
from duly.kinds.scope import Sheet, packed_length


def check(sheet: Sheet, actions: Any, path: Path, calendar: str | None = None) -> list[dict[str, Any]]:
    """The actions of a `do:` as written, every name in them checked and every `due` made a length.

    `calendar` is what a `due` counts in where the action names none.
    """
    compiled = []
    for number, action in enumerate(actions or ()):
        at = (*path, number)
        compiled.append(_with_length(sheet, action, at, calendar) if "due" in action else action)
        for verb, value in action.items():
            if verb in _CHECKS:
                _CHECKS[verb](sheet, value, (*at, verb))
        if "template" in action:
            _template(sheet, action["template"], (*at, "template"))
    return compiled


def _with_length(sheet: Sheet, action: dict[str, Any], path: Path, calendar: str | None) -> dict[str, Any]:
    name = sheet.calendar(action["calendar"], (*path, "calendar")) if "calendar" in action else calendar
    length = sheet.duration(action["due"], (*path, "due"))
    if length.unit == "working_days":
        sheet.duration(action["due"], (*path, "due"), name or "always")
    return {**action, "due": {**packed_length(length), "calendar": name or "always"}}


def references(sheet: Sheet, value: Any, path: Path) -> None:
    """Check one reference, or a list of them."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            sheet.reference(each, (*path, number))
    elif isinstance(value, str):
        sheet.reference(value, path)


def _event(sheet: Sheet, value: Any, path: Path) -> None:
    if isinstance(value, str):
        sheet.event(value, path)


def _fields(sheet: Sheet, value: Any, path: Path) -> None:
    if not isinstance(value, dict):
        return
    known = {name: field for name, field in sheet.scope.vocabulary.fields.items() if "." not in name}
    for name, content in value.items():
        if sheet.name(name, known, "field", (*path, name), "D301", key=True) and content is not None:
            sheet.value(content, known[name], (*path, name))


def _ladder(sheet: Sheet, value: Any, path: Path) -> None:
    if isinstance(value, str):
        sheet.name(value, sheet.scope.ladders, "ladder", path)


def _survey(sheet: Sheet, value: Any, path: Path) -> None:
    if isinstance(value, str):
        sheet.name(value, sheet.scope.surveys, "survey", path)


def _approval(sheet: Sheet, value: Any, path: Path) -> None:
    if isinstance(value, str):
        sheet.name(value, sheet.scope.approvals, "approval", path)


def _template(sheet: Sheet, value: Any, path: Path) -> None:
    if isinstance(value, str) and sheet.scope.templates is not None:
        sheet.name(value, sheet.scope.templates, "template", path)


def _calendar(sheet: Sheet, value: Any, path: Path) -> None:
    if isinstance(value, str):
        sheet.calendar(value, path)


_CHECKS: dict[str, Callable[[Sheet, Any, Path], None]] = {
    "notify": references,
    "assign": references,
    "to": references,
    "message": _template,
    "set": _fields,
    "open_case": _fields,
    "emit": _event,
    "escalate": _ladder,
    "survey": _survey,
    "approve": _approval,
    "calendar": _calendar,
}
