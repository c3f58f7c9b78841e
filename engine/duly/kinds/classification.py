"""Classification: tables that set one field from others."""

from __future__ import annotations

from typing import Any

from duly.conditions.fields import Field
from duly.conditions.packing import pack_rules
from duly.diagnostics import Path
from duly.kinds.scope import Sheet, fields_of


def compile(sheets: list[Sheet]) -> list[dict[str, Any]]:
    """The tables of all Classification documents, in the order in which they need each other."""
    tables: list[tuple[Sheet, Path, dict[str, Any]]] = []
    for sheet in sheets:
        for number, table in enumerate(sheet.spec["tables"]):
            path = ("spec", "tables", number)
            sheet.unique("table for", table["sets"], (*path, "sets"))
            compiled = _table(sheet, table, path)
            if compiled is not None:
                tables.append((sheet, path, compiled))
    return _ordered(tables)


def _table(sheet: Sheet, table: dict[str, Any], path: Path) -> dict[str, Any] | None:
    name = table["sets"]
    fields = {each: field for each, field in sheet.scope.vocabulary.fields.items() if "." not in each}
    if not sheet.name(name, fields, "field", (*path, "sets"), "D301"):
        return None
    field = fields[name]
    hit = table.get("hit", "first")
    if hit == "max" and not (field.type == "enum" and field.ordered):
        sheet.fault("D204", f"`hit: max` needs an ordered enum, and `{name}` is {_kind(field)}", (*path, "hit"),
                    help="declare the field with `type: enum` and `ordered: true`, or use `hit: first`")  # fmt: skip
    trees, values, rules = [], [], []
    reads: set[str] = set()
    for number, rule in enumerate(table["rules"]):
        at = (*path, "rules", number)
        sheet.unique(f"rule of {sheet.prefix}", rule["id"], (*at, "id"))
        rules.append(sheet.rule(rule, at, rule["id"]))
        tree = sheet.condition(rule.get("when"), (*at, "when"), rules[-1])
        trees.append(tree)
        reads |= fields_of(tree)
        values.append(sheet.value(rule["value"], field, (*at, "value")))
    if name in reads:
        sheet.fault("D205", f"the table that sets `{name}` asks for `{name}` itself", (*path, "sets"),
                    help="ask for the fields that it follows from")  # fmt: skip
        reads.discard(name)
    otherwise = table["otherwise"]
    return {
        "sets": name,
        "hit": hit,
        "input": table["input"],
        "match": pack_rules(trees),
        "values": [_plain(value) for value in values],
        "rules": rules,
        "otherwise": None
        if otherwise is None
        else _plain(sheet.value(otherwise, field, (*path, "otherwise"))),
        "otherwise_rule": sheet.rule({}, (*path, "otherwise"), "otherwise"),
        "order": list(field.values) if field.ordered else [],
        "reads": sorted(reads),
    }


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _kind(field: Field) -> str:
    return "an enum without order" if field.type == "enum" else f"of type {field.type}"


def _ordered(tables: list[tuple[Sheet, Path, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Tables after those whose fields they read; a cycle is reported at its first table."""
    waiting = sorted(tables, key=lambda table: str(table[2]["sets"]))
    done: list[dict[str, Any]] = []
    while waiting:
        missing = {table["sets"] for _, _, table in waiting}
        ready = [each for each in waiting if not missing & set(each[2]["reads"])]
        if not ready:
            sheet, path, table = waiting[0]
            ring = " → ".join(f"`{name}`" for name in _ring(table["sets"], waiting))
            sheet.fault("D206", f"tables that need each other: {ring}", (*path, "sets"),
                        help="let one of them use only fields that come with the case")  # fmt: skip
            return done
        done.extend(table for _, _, table in ready)
        waiting = [each for each in waiting if each not in ready]
    return done


def _ring(start: str, tables: list[tuple[Sheet, Path, dict[str, Any]]]) -> list[str]:
    needs = {table["sets"]: list(table["reads"]) for _, _, table in tables}
    ring, here = [start], start
    while True:
        here = next(name for name in needs[here] if name in needs)
        if here in ring:
            return [*ring[ring.index(here) :], here]
        ring.append(here)
