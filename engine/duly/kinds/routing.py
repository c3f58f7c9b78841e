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
        "assign": spec.get("assign", {"strategy": "none", "on_no_agent": "keep_queued"}),
    }


def _recipient(sheet: Sheet, rule: dict[str, Any], path: Path) -> dict[str, Any]:
    sheet.reference(rule["to"], (*path, "to"))
    compiled: dict[str, Any] = {"to": rule["to"]}
    if "boost" in rule:
        length = sheet.duration(rule["boost"], (*path, "boost"), days=False)
        compiled["boost_seconds"] = length.amount // SECOND
    for key in ("need", "source", "assign"):
        if key in rule:
            compiled[key] = rule[key]
    return compiled
