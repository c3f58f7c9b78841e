"""Service levels: clocks, what starts and stops them, and what they promise."""

from __future__ import annotations

from typing import Any

from duly import durations
from duly.conditions.packing import pack_rules
from duly.conditions.tree import ALWAYS, Condition
from duly.diagnostics import Path
from duly.kinds import actions, triggers
from duly.kinds.scope import Sheet, fields_of

_DEEDS = ("cancel", "stop", "reset", "pause", "resume", "start")


def names(sheet: Sheet) -> list[str]:
    """The clocks that a document declares."""
    return [clock["id"] for clock in sheet.spec["clocks"]]


def compile(sheets: list[Sheet]) -> list[dict[str, Any]]:
    """The clocks of all ServiceLevel documents, in the order of the documents' names and of their text."""
    clocks = []
    for sheet in sheets:
        for number, clock in enumerate(sheet.spec["clocks"]):
            path = ("spec", "clocks", number)
            sheet.unique("clock", clock["id"], (*path, "id"))
            clocks.append(_clock(sheet, clock, path))
    return clocks


def _clock(sheet: Sheet, clock: dict[str, Any], path: Path) -> dict[str, Any]:
    name = clock["id"]
    calendar = _calendar(sheet, clock, path)
    compiled: dict[str, Any] = {
        "id": name,
        "rule": sheet.rule(clock, path, name),
        "calendar": calendar,
        "warn": [_percent(warning) for warning in clock.get("warn", ())],
    }
    if "owner" in clock:
        sheet.reference(clock["owner"], (*path, "owner"))
    for key in ("owner", "source", "reopen", "objective"):
        if key in clock:
            compiled[key] = clock[key]
    compiled.update(clock.get("on_change", {}))
    watches = _triggers(sheet, clock, path, compiled)
    trees = _targets(sheet, clock, path, calendar, compiled)
    compiled["reads"] = sorted({field for tree in trees for field in fields_of(tree)})
    promised = {target["field"] for target in compiled["targets"] if "field" in target}
    compiled["watches"] = sorted(watches | set(compiled["reads"]) | promised)
    if "ladder" in clock and sheet.name(clock["ladder"], sheet.scope.ladders, "ladder", (*path, "ladder")):
        compiled["ladder"] = clock["ladder"]
    if "on_expiry" in clock:
        compiled["on_expiry"] = actions.check(sheet, clock["on_expiry"], (*path, "on_expiry"))
    _reopening(sheet, clock, path, compiled)
    return compiled


def _calendar(sheet: Sheet, entry: dict[str, Any], path: Path) -> str:
    if "calendar" in entry:
        return sheet.calendar(entry["calendar"], (*path, "calendar"))
    return sheet.calendar(sheet.spec.get("calendar"), ("spec", "calendar"))


def _triggers(sheet: Sheet, clock: dict[str, Any], path: Path, compiled: dict[str, Any]) -> set[str]:
    """The events and states that move the clock; returns the fields that its states read."""
    on: dict[str, Any] = {}
    watches: set[str] = set()
    for deed in _DEEDS:
        condition, reads = triggers.state(sheet, clock.get(deed), (*path, deed))
        if condition is not None:
            compiled[f"{deed}_while"] = condition
            watches |= reads
        elif deed in clock:
            on[deed] = triggers.events(sheet, clock[deed], (*path, deed))
    compiled["on"] = on
    if "while" in clock:
        compiled["while"] = sheet.packed(clock["while"], (*path, "while"))
        watches |= fields_of(sheet.condition(clock["while"], (*path, "while")))
    if "pause" in on and "resume" not in on and "resume_while" not in compiled:
        sheet.fault("D208", f"clock `{clock['id']}` is paused by an event and never resumed", (*path, "pause"),
                    key=True, help="add `resume:` with the event that lets it run again")  # fmt: skip
    return watches


def _targets(
    sheet: Sheet, clock: dict[str, Any], path: Path, calendar: str, compiled: dict[str, Any]
) -> list[Condition]:
    trees: list[Condition] = []
    compiled["targets"] = []
    if "before" in clock:
        compiled["before"] = _before(sheet, clock, path, calendar)
    elif "every" in clock:
        compiled["every"] = True
        compiled["anchor"] = clock.get("anchor", "target")
        at = (*path, "every")
        length = sheet.duration(clock["every"], at, None if _plain(clock["every"]) else calendar)
        compiled["targets"].append(
            {"id": "every", "rule": compiled["rule"], "calendar": "always" if _plain(clock["every"]) else calendar,
             "within": length.text, "unit": length.unit, "amount": length.amount}
        )  # fmt: skip
        trees.append(ALWAYS)
    starts = [name for name, _ in compiled["on"].get("start", ())]
    seen: set[str] = set()
    for number, target in enumerate(clock.get("targets", ())):
        at = (*path, "targets", number)
        if target["id"] in seen:
            sheet.fault(
                "D203", f"target `{target['id']}` is there twice", (*at, "id"), help="give one another name"
            )
        seen.add(target["id"])
        rule = sheet.rule(target, at, clock["id"], target["id"])
        trees.append(sheet.condition(target.get("when"), (*at, "when"), rule, events=starts))
        compiled["targets"].append(_target(sheet, target, at, rule, calendar, starts))
    compiled["match"] = pack_rules(trees)
    return trees


def _target(
    sheet: Sheet, target: dict[str, Any], path: Path, rule: str, calendar: str, starts: list[str]
) -> dict[str, Any]:
    if "calendar" in target:
        calendar = sheet.calendar(target["calendar"], (*path, "calendar"))
    compiled: dict[str, Any] = {"id": target["id"], "rule": rule, "calendar": calendar}
    if "source" in target:
        compiled["source"] = target["source"]
    if target.get("none"):
        compiled["none"] = True
    elif "due" in target:
        compiled["field"] = _promised(sheet, target["due"]["field"], (*path, "due", "field"), starts)
    else:
        length = sheet.duration(target["within"], (*path, "within"), calendar)
        compiled.update(within=length.text, unit=length.unit, amount=length.amount)
    return compiled


def _promised(sheet: Sheet, name: str, path: Path, starts: list[str]) -> str:
    """A field that holds an instant promised case by case."""
    fields = sheet.scope.vocabulary.fields
    if not sheet.name(name, fields, "field", path, "D301"):
        return name
    if fields[name].type != "instant":
        sheet.fault("D209", f"`{name}` is of type {fields[name].type}; a due is an instant", path,
                    help="name a field of type instant")  # fmt: skip
        return name
    carried = {field for event in starts for field in sheet.scope.vocabulary.events.get(event, ())}
    if name.startswith("event.") and name not in carried and "Vocabulary" not in sheet.scope.lost:
        events = " or ".join(f"`{event}`" for event in starts) or "nothing"
        sheet.fault("D209", f"`{name}` is not carried by what starts the clock: {events}", path,
                    help="declare it among the fields of that event")  # fmt: skip
    return name


def _before(sheet: Sheet, clock: dict[str, Any], path: Path, calendar: str) -> dict[str, Any]:
    """The lead time of a clock that is due before another one."""
    before = clock["before"]
    other = before["clock"]
    if sheet.name(other, sheet.scope.clocks, "clock", (*path, "before", "clock")) and other == clock["id"]:
        sheet.fault("D210", f"clock `{other}` cannot be due before itself", (*path, "before", "clock"),
                    help="name the clock whose due time counts")  # fmt: skip
    length = sheet.duration(before["by"], (*path, "before", "by"), calendar)
    return {"clock": other, "by": length.text, "unit": length.unit, "amount": length.amount}


def _reopening(sheet: Sheet, clock: dict[str, Any], path: Path, compiled: dict[str, Any]) -> None:
    """What a reopened case does must be said for every clock that can have stopped by then."""
    if "reopen" in clock or "every" in clock or "stop" not in compiled["on"]:
        return
    if not any(name == "case.opened" for name, _ in compiled["on"].get("start", ())):
        return
    sheet.fault("D214", f"clock `{clock['id']}` does not say what a reopened case does to it", (*path, "id"),
                help="add `reopen: resume`, `reopen: new_cycle` or `reopen: keep_stopped`")  # fmt: skip


def _percent(text: str) -> float:
    return float(text.rstrip("%"))


def _plain(text: str) -> bool:
    try:
        return durations.parse(text).unit == durations.PLAIN
    except ValueError:
        return False
