"""Escalation: ladders, who is told when a clock runs late."""

from __future__ import annotations

import re
from typing import Any

from duly import durations
from duly.diagnostics import Path
from duly.kinds import actions
from duly.kinds.scope import Sheet, packed_length

_STEP_AT = re.compile(r"(?:([0-9.]+)%|(due|start)(?:\s*([+-])\s*(\S+))?)\Z")


def names(sheet: Sheet) -> list[str]:
    """The ladders that a document declares."""
    return [ladder["id"] for ladder in sheet.spec["ladders"]]


def compile(sheets: list[Sheet]) -> list[dict[str, Any]]:
    """The ladders of all Escalation documents."""
    ladders = []
    for sheet in sheets:
        for number, ladder in enumerate(sheet.spec["ladders"]):
            path = ("spec", "ladders", number)
            sheet.unique("ladder", ladder["id"], (*path, "id"))
            ladders.append(_ladder(sheet, ladder, path))
    return ladders


def _ladder(sheet: Sheet, ladder: dict[str, Any], path: Path) -> dict[str, Any]:
    name = ladder["id"]
    calendar = ladder.get("calendar")
    compiled: dict[str, Any] = {
        "id": name,
        "rule": sheet.rule(ladder, path, name),
        "calendar": None if calendar is None else sheet.calendar(calendar, (*path, "calendar")),
        "steps": [],
        "on_empty": ladder["on_empty"],
        "on_exhausted": actions.check(sheet, ladder["on_exhausted"], (*path, "on_exhausted")),
        "catch_up": ladder["catch_up"],
        "source": ladder.get("source", []),
    }
    seen: dict[str, int] = {}
    for number, step in enumerate(ladder["steps"]):
        at = (*path, "steps", number)
        if seen.setdefault(step["id"], number) != number:
            sheet.fault(
                "D203", f"step `{step['id']}` is there twice", (*at, "id"), help="give one another name"
            )
        compiled["steps"].append(_step(sheet, name, step, at))
    if "repeat" in ladder:
        every = sheet.duration(ladder["repeat"]["every"], (*path, "repeat", "every"), days=False)
        compiled["loops"] = ladder["repeat"]["times"] + 1
        compiled["every"] = every.amount
    if "acknowledge" in ladder:
        lease = sheet.duration(ladder["acknowledge"]["lease"], (*path, "acknowledge", "lease"))
        compiled["acknowledge"] = {
            "lease": packed_length(lease),
            "on_expiry": ladder["acknowledge"]["on_expiry"],
        }
    if "quiet" in ladder:
        quiet = sheet.calendar(ladder["quiet"]["calendar"], (*path, "quiet", "calendar"))
        compiled["quiet"] = {"calendar": quiet, "mode": ladder["quiet"]["mode"]}
    if isinstance(ladder["on_empty"], dict):
        sheet.reference(ladder["on_empty"]["fallback"], (*path, "on_empty", "fallback"))
    return compiled


def _step(sheet: Sheet, ladder: str, step: dict[str, Any], path: Path) -> dict[str, Any]:
    compiled: dict[str, Any] = {
        "id": step["id"],
        "rule": sheet.rule(step, path, ladder, step["id"]),
        "do": actions.check(sheet, step["do"], (*path, "do")),
        **_moment(sheet, step["at"], (*path, "at")),
    }
    unless = step.get("unless")
    if unless is not None:
        condition = {unless: True} if isinstance(unless, str) else unless
        compiled["unless"] = sheet.packed(condition, (*path, "unless"))
    for key in ("kind", "source"):
        if key in step:
            compiled[key] = step[key]
    return compiled


def _moment(sheet: Sheet, text: str, path: Path) -> dict[str, Any]:
    """`80%`, `due`, `due - 30m`, `start + 10m` as a base and an offset."""
    found = _STEP_AT.match(text)
    if found is None:
        sheet.fault(
            "D105", f"expected a step's instant such as `80%`, `due` or `due + 2h`, found `{text}`", path
        )
        return {"base": "due"}
    percent, base, sign, length = found.groups()
    if percent is not None:
        return {"base": "share", "percent": float(percent)}
    if length is None:
        return {"base": base, "offset": 0}
    offset = sheet.duration(length, path, days=False)
    if offset.unit == durations.WORKING_DAYS:
        return {"base": base, "offset": 0}
    if base == "start" and sign == "-":
        sheet.fault("D105", f"`{text}` lies before the start of the clock", path, help="write `start + …`")
    return {"base": base, "offset": offset.amount if sign == "+" else -offset.amount}
