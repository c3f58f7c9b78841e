"""The trace of a decision: for each list of rules, the entries tried in order and the test that settled each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from duly import durations, instants
from duly.conditions.explanation import decisive, explain
from duly.conditions.packing import unpack_tree
from duly.conditions.tree import ALWAYS
from duly.diagnostics import render_path
from duly.machines.run import FAILED

if TYPE_CHECKING:
    from duly.conditions.explanation import Verdict
    from duly.decision import PolicySet
    from duly.machines.state import State

Places = Mapping[str, dict[str, Any]]


def trace(policy: PolicySet, state: State, places: Places) -> list[dict[str, Any]]:
    """Every list of rules that the decision went through, in the order in which they are asked.

    `places` says where each rule stands and what its condition is. The entries of a list come in file order
    up to the one that decided; each has `matched`, and the `test` that settled it with the value found.
    """
    found: list[dict[str, Any]] = []
    fields = policy.compiled["vocabulary"]["fields"]
    book = Book(places, {name: field["type"] for name, field in fields.items()})
    for table in policy.tables:
        if table.field not in state.derived:
            continue  # The case has not been opened yet.
        _, origin = state.derived[table.field]
        listing = {"list": f"classification of `{table.field}`", "sets": table.field, "from": origin}
        if origin in ("input", "agent"):
            found.append({**listing, "entries": [], "note": f"the value came with the case ({origin})"})
        elif origin not in table.rules and origin != table.otherwise_rule:
            found.append({**listing, "entries": [], "note": f"the value was set by {origin}"})
        else:
            rules = _tried(table.rules, state.facts, book, every=table.hit != "first")
            found.append({**listing, "entries": _closed(rules, table.otherwise_rule, book, origin)})
    if policy.routing is not None and state.route is not None:
        names = [rule["rule"] for rule in policy.routing.rules]
        passing = frozenset(rule["rule"] for rule in policy.routing.rules if rule.get("also"))
        tried = _tried(names, state.routed, book, passing=passing)
        chosen = state.route["rule"]
        found.append({"list": "routing", "from": chosen,
                      "entries": _closed(tried, policy.routing.otherwise["rule"], book, chosen)})  # fmt: skip
    for clock in policy.clocks:
        run = state.runs[clock.id]
        if run.cycle and run.phase is not FAILED and clock.targets and not clock.every:
            names = [target.rule for target in clock.targets]
            chosen = None if run.target is None else run.target.rule
            found.append({"list": f"targets of `{clock.id}`", "clock": clock.id, "from": chosen,
                          "entries": _tried(names, run.facts, book)})  # fmt: skip
    return found


class Book(NamedTuple):
    """What a trace looks up: where each rule stands and what it asks, and the type of each field."""

    places: Places
    types: Mapping[str, str]


def _tried(
    rules: Sequence[str], facts: Mapping[str, Any], book: Book, *, every: bool = False,
    passing: frozenset[str] = frozenset(),
) -> list[dict[str, Any]]:  # fmt: skip
    """The entries in order, up to the first that holds; `every`: all; those in `passing` do not end it."""
    entries: list[dict[str, Any]] = []
    for rule in rules:
        place = book.places.get(rule, {})
        packed = place.get("when")
        verdict = explain(ALWAYS if packed is None else unpack_tree(packed), facts)
        entry = _entry(rule, verdict.holds, place)
        entry["test"] = test(decisive(verdict), place, book.types)
        if "title" in place:
            entry["title"] = place["title"]
        entries.append(entry)
        if verdict.holds and not every and rule not in passing:
            break
    return entries


def _closed(entries: list[dict[str, Any]], otherwise: str, book: Book, chosen: str) -> list[dict[str, Any]]:
    """The entries, and `otherwise` behind them where that decided: none held, or those that did disagreed."""
    if chosen != otherwise:
        return entries
    return [*entries, {**_entry(otherwise, True, book.places.get(otherwise, {})), "test": None}]


def _entry(rule: str, matched: bool, place: Mapping[str, Any]) -> dict[str, Any]:
    return {"rule": rule, "matched": matched, "file": place.get("file"), "line": place.get("line")}


def test(verdict: Verdict, place: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any] | None:
    """The test that settled an entry: its field, what it asks, what was found, and its line."""
    if verdict.test is None:
        return None
    path = render_path(verdict.at)
    kind = types.get(verdict.test.field, "")
    return {
        "field": verdict.test.field,
        "operator": verdict.test.operator,
        "expected": shown(verdict.test.value, kind),
        "found": shown(verdict.found, kind),
        "held": verdict.holds,
        "negated": verdict.negated,
        "path": path,
        "line": place.get("lines", {}).get(path, place.get("line")),
    }


def shown(value: Any, kind: str = "") -> Any:
    """A fact of a field of type `kind` as JSON shows it: instants and durations as people write them."""
    if isinstance(value, (frozenset, set, tuple)):
        members = [shown(each, kind) for each in value]
        return members if isinstance(value, tuple) else sorted(members)
    if value.__class__ is int and kind in ("instant", "duration"):
        return instants.render(value) if kind == "instant" else durations.render(value)
    return str(value) if isinstance(value, Decimal) else value


def phrase(test: Mapping[str, Any]) -> str:
    """A test as a sentence for a person: "`tier` is `normal`, asked for `vip`"."""
    expected, found = _words(test["expected"]), _words(test["found"])
    asked = {
        "is": f"{expected}", "in": f"one of {expected}", "at_least": f"at least {expected}",
        "over": f"over {expected}", "at_most": f"at most {expected}", "below": f"below {expected}",
        "has": f"{expected} in it", "has_any": f"any of {expected} in it", "has_all": f"all of {expected} in it",
        "has_none": f"none of {expected} in it", "contains": f"{expected} in it",
        "starts_with": f"{expected} at its start", "ends_with": f"{expected} at its end",
        "matches": f"a match of {expected}", "exists": "a value" if test["expected"] else "no value",
    }[test["operator"]]  # fmt: skip
    denial = "anything but " if test["negated"] else ""
    return f"`{test['field']}` is {'missing' if test['found'] is None else found}, asked for {denial}{asked}"


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = "".join(sign if sign.isprintable() else " " for sign in text[:61])
    return f"`{text}`" if len(text) <= 60 else f"`{text[:59]}…`"
