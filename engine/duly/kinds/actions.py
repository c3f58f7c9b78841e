"""Actions: what policies do, checked against what the set declares."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from duly.diagnostics import Path
from duly.kinds.scope import Scope, Sheet, packed_length

Check: TypeAlias = Callable[[Sheet, Any, Path], None]


def check(sheet: Sheet, actions: Any, path: Path, calendar: str | None = None) -> list[dict[str, Any]]:
    """The actions of a `do:` as written, every name in them checked and every `due` made a length; `fields` are those
    that the text of the action speaks of, with their types.

    `calendar` is what a `due` counts in where the action names none.
    """
    compiled = []
    for number, action in enumerate(actions or ()):
        at = (*path, number)
        compiled.append(
            _with_fields(sheet, _with_length(sheet, action, at, calendar) if "due" in action else action)
        )
        for verb, value in action.items():
            if verb in _CHECKS:
                _CHECKS[verb](sheet, value, (*at, verb))
    return compiled


def _with_fields(sheet: Sheet, action: dict[str, Any]) -> dict[str, Any]:
    name = action.get("template", action.get("message"))
    named = (sheet.scope.templates or {}).get(name) if isinstance(name, str) else None
    return {**action, "fields": named} if named else action


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


def _fields(sheet: Sheet, value: Any, path: Path) -> None:
    if not isinstance(value, dict):
        return
    known = {name: field for name, field in sheet.scope.vocabulary.fields.items() if "." not in name}
    for name, content in value.items():
        if sheet.name(name, known, "field", (*path, name), "D301", key=True) and content is not None:
            sheet.value(content, known[name], (*path, name))


def _one_of(what: str, known: Callable[[Scope], Collection[str] | None]) -> Check:
    """A check that a name is among those that the set declares, where it declares such names at all."""

    def asked(sheet: Sheet, value: Any, path: Path) -> None:
        names = known(sheet.scope)
        if isinstance(value, str) and names is not None:
            sheet.name(value, names, what, path)

    return asked


_template = _one_of("template", lambda scope: scope.templates)


def _calendar(sheet: Sheet, value: Any, path: Path) -> None:
    if isinstance(value, str):
        sheet.calendar(value, path)


_CHECKS: dict[str, Check] = {
    "notify": references,
    "assign": references,
    "to": references,
    "message": _template,
    "template": _template,
    "set": _fields,
    "open_case": _fields,
    "emit": _one_of("event", lambda scope: scope.events),
    "escalate": _one_of("ladder", lambda scope: scope.ladders),
    "survey": _one_of("survey", lambda scope: scope.surveys),
    "approve": _one_of("approval", lambda scope: scope.approvals),
    "calendar": _calendar,
}
