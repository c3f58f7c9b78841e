"""Routing: who takes a case."""

from __future__ import annotations

from typing import Any

from duly.conditions.packing import pack_rules
from duly.diagnostics import Path
from duly.instants import SECOND
from duly.kinds import triggers
from duly.kinds.scope import Sheet


def compile(sheets: list[Sheet]) -> dict[str, Any] | None:
    """The routing of the set; one document says it all, since the first match wins in file order."""
    for sheet in sheets[1:]:
        sheet.fault("D207", "a second Routing document; the order of rules must be written in one place",
                    ("metadata", "name"), help=f"move its rules into `{sheets[0].prefix}`")  # fmt: skip
    if not sheets:
        return None
    sheet, spec = sheets[0], sheets[0].spec
    evaluate_on = triggers.names(triggers.events(sheet, spec["evaluate_on"], ("spec", "evaluate_on")))
    trees, rules = [], []
    for number, rule in enumerate(spec["rules"]):
        path: Path = ("spec", "rules", number)
        sheet.unique(f"rule of {sheet.prefix}", rule["id"], (*path, "id"))
        name = sheet.rule(rule, path, rule["id"])
        trees.append(sheet.condition(rule.get("when"), (*path, "when"), name, events=evaluate_on))
        rules.append({"rule": name, **_recipient(sheet, rule, path)})
        if rule.get("also"):
            rules[-1]["also"] = True
    otherwise = spec["otherwise"]
    path = ("spec", "otherwise")
    return {
        "evaluate_on": evaluate_on,
        "match": pack_rules(trees),
        "rules": rules,
        "otherwise": {"rule": sheet.rule(otherwise, path, "otherwise"), **_recipient(sheet, otherwise, path)},
        "assign": _assign(sheet, spec.get("assign"), ("spec", "assign")),
    }


def _recipient(sheet: Sheet, rule: dict[str, Any], path: Path) -> dict[str, Any]:
    sheet.reference(rule["to"], (*path, "to"))
    compiled: dict[str, Any] = {"to": rule["to"]}
    if "boost" in rule:
        length = sheet.duration(rule["boost"], (*path, "boost"), days=False)
        compiled["boost_seconds"] = length.amount // SECOND
    if "need" in rule:
        compiled["need"] = rule["need"]
        compiled["needs"] = [
            _need(sheet, each, (*path, "need", number)) for number, each in enumerate(rule["need"])
        ]
    if "assign" in rule:
        compiled["assign"] = _assign(sheet, rule["assign"], (*path, "assign"))
    if "source" in rule:
        compiled["source"] = rule["source"]
    return compiled


def _need(sheet: Sheet, need: Any, path: Path) -> Any:
    """A need with its time in µs beside the text."""
    if not isinstance(need, dict) or "for" not in need:
        return need
    return {**need, "for_us": sheet.duration(need["for"], (*path, "for"), days=False).amount}


def _assign(sheet: Sheet, assign: dict[str, Any] | None, path: Path) -> dict[str, Any]:
    """How people get cases; nothing said: they take them themselves."""
    if assign is None:
        return {"strategy": "none", "on_no_agent": "keep_queued"}
    overflow = assign.get("on_no_agent")
    if not isinstance(overflow, dict):
        return assign
    sheet.reference(overflow["overflow"], (*path, "on_no_agent", "overflow"))
    compiled = dict(overflow)
    if "after" in overflow:
        compiled["after_us"] = sheet.duration(
            overflow["after"], (*path, "on_no_agent", "after"), days=False
        ).amount
    return {**assign, "on_no_agent": compiled}
