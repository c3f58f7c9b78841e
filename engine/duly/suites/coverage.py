"""Coverage: what of a policy its tests use, by entry, by test of a condition, and at the edge of each target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from duly.conditions.explanation import Verdict, explain
from duly.conditions.packing import unpack_tree
from duly.conditions.tree import Condition
from duly.diagnostics import render_path
from duly.suites.suite import Test

AT_DUE, AFTER_DUE = "at", "after"


@dataclass(slots=True)
class Leaf:
    """One test of a condition: which field it asks for, where it stands, and how it was seen to come out."""

    rule: str
    path: str
    asks: str
    file: str
    line: int
    seen: set[bool] = field(default_factory=set)

    @property
    def covered(self) -> int:
        """How many of its two outcomes were seen."""
        return len(self.seen)


@dataclass(slots=True)
class Entry:
    """One entry of the policy: where it stands, how many tests use it, and which; of a target with a promise
    also whether an event came at the very due (`at`) and whether it was overdue (`after`)."""

    rule: str
    file: str
    line: int
    source: tuple[str, ...]
    promises: bool
    tests: list[str] = field(default_factory=list)
    edges: set[str] = field(default_factory=set)


class Chart:
    """What there is to cover in one compiled set: its entries, their conditions, and who hears which event."""

    def __init__(self, compiled: Mapping[str, Any], places: Mapping[str, Any]) -> None:
        self.places = places
        self.trees: dict[str, Condition] = {
            rule: unpack_tree(place["when"])
            for rule, place in places.items()
            if place.get("when") is not None
        }
        self.promises = frozenset(
            target["rule"]
            for clock in compiled["clocks"]
            for target in clock["targets"]
            if not target.get("none")
        ) | {clock["rule"] for clock in compiled["clocks"] if "before" in clock}
        self.duties: dict[str, str] = {duty["id"]: duty["rule"] for duty in compiled.get("duties", ())}
        self.heard: dict[str, list[str]] = {}
        listed = {rule for table in compiled["tables"] for rule in table["rules"]}
        listed |= {target["rule"] for clock in compiled["clocks"] for target in clock["targets"]}
        routing = compiled.get("routing")
        if routing is not None:
            listed |= {rule["rule"] for rule in routing["rules"]}
        for entry in _entries(compiled):
            rule = entry["rule"]
            if rule in self.trees and rule not in listed:
                for event in _names(entry.get("on", entry.get("before"))):
                    self.heard.setdefault(event, []).append(rule)

    def leaves(self, rule: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
        """Each test of a rule's condition, by its path, and whether it holds."""
        tree = self.trees.get(rule)
        if tree is not None:
            for verdict in _leaves(explain(tree, facts)):
                yield render_path(verdict.at), verdict.holds

    def holds(self, rule: str, facts: Mapping[str, Any]) -> bool:
        """Whether a rule's condition holds; one without a condition always does."""
        tree = self.trees.get(rule)
        return tree is None or explain(tree, facts).holds


class Watch:
    """What one test was seen to use: entries, outcomes of tests of conditions, and edges of targets."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.used: set[str] = set()
        self.seen: set[tuple[str, str, bool]] = set()
        self.edges: set[tuple[str, str]] = set()

    def use(self, rule: str | None) -> None:
        """Note that an entry was used, and with it the one that it is part of."""
        while rule is not None and rule not in self.used:
            if rule in self.chart.places:
                self.used.add(rule)
            head, slash, _ = rule.rpartition("/")
            rule = head if slash and "#" in head else None

    def ask(self, rule: str, facts: Mapping[str, Any]) -> bool:
        """Note how the tests of a rule's condition come out for these facts; whether it holds as a whole."""
        self.seen.update((rule, path, holds) for path, holds in self.chart.leaves(rule, facts))
        return self.chart.holds(rule, facts)


class Coverage:
    """What the tests of a suite have used so far, of all the forms that parameters give its set."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.leaves: dict[tuple[str, str], Leaf] = {}

    def add(self, chart: Chart) -> None:
        """Take in what there is to cover."""
        for rule, place in chart.places.items():
            if "file" not in place:
                continue
            source = tuple(str(clause) for clause in place.get("source", ()))
            entry = Entry(rule, place["file"], place["line"], source, rule in chart.promises)
            self.entries.setdefault(rule, entry)
            lines = place.get("lines", {})
            for verdict in _leaves(explain(chart.trees[rule], {})) if rule in chart.trees else ():
                path = render_path(verdict.at)
                asked = "" if verdict.test is None else verdict.test.field
                leaf = Leaf(rule, path, asked, place["file"], lines.get(path, place["line"]))
                self.leaves.setdefault((rule, path), leaf)

    def take(self, test: Test, watch: Watch) -> None:
        """Take in what a test was seen to use."""
        for rule in sorted(watch.used):
            if rule in self.entries:
                self.entries[rule].tests.append(test.name)
        for rule, path, holds in watch.seen:
            if (rule, path) in self.leaves:
                self.leaves[rule, path].seen.add(holds)
        for rule, edge in watch.edges:
            if rule in self.entries:
                self.entries[rule].edges.add(edge)

    @property
    def unused(self) -> list[Entry]:
        """Entries that no test uses, in the files with the least coverage first."""
        share = {
            file: sum(bool(entry.tests) for entry in own) / len(own)
            for file, own in _by_file(self.entries.values()).items()
        }
        unused = [entry for entry in self.entries.values() if not entry.tests]
        return sorted(unused, key=lambda entry: (share[entry.file], entry.file, entry.line, entry.rule))

    @property
    def one_sided(self) -> list[Leaf]:
        """Tests of conditions that were not seen both true and false, those never seen first."""
        found = [leaf for leaf in self.leaves.values() if leaf.covered < 2]
        return sorted(found, key=lambda leaf: (leaf.covered, leaf.file, leaf.line, leaf.path))

    @property
    def unproved(self) -> list[Entry]:
        """Targets without an event at the very due, or without a case that is overdue."""
        found = [entry for entry in self.entries.values() if entry.promises and len(entry.edges) < 2]
        return sorted(found, key=lambda entry: (len(entry.edges), entry.file, entry.line, entry.rule))

    def counts(self) -> dict[str, tuple[int, int]]:
        """How much is covered of how much: `entries`, `conditions` (each test counts twice), `boundaries`."""
        promising = [entry for entry in self.entries.values() if entry.promises]
        return {
            "entries": (sum(bool(entry.tests) for entry in self.entries.values()), len(self.entries)),
            "conditions": (sum(leaf.covered for leaf in self.leaves.values()), 2 * len(self.leaves)),
            "boundaries": (sum(len(entry.edges) for entry in promising), 2 * len(promising)),
        }

    def files(self) -> dict[str, tuple[list[Entry], list[Leaf]]]:
        """Entries and tests of conditions by the file in which they stand."""
        leaves = _by_file(self.leaves.values())
        return {
            file: (own, leaves.get(file, [])) for file, own in sorted(_by_file(self.entries.values()).items())
        }


def percent(part: int, whole: int) -> float:
    """A share in percent; of nothing, all is covered."""
    return 100 * part / whole if whole else 100.0


def _by_file(found: Any) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for each in found:
        grouped.setdefault(each.file, []).append(each)
    return grouped


def _entries(data: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping in the compiled set that is an entry of the policy."""
    if isinstance(data, Mapping):
        if isinstance(data.get("rule"), str):
            yield data
        for value in data.values():
            yield from _entries(value)
    elif isinstance(data, list):
        for value in data:
            yield from _entries(value)


def _names(on: Any) -> list[str]:
    """The event types of an `on`, whether they stand alone or with a condition."""
    if isinstance(on, str):
        return [on]
    if isinstance(on, Mapping):
        return [str(name) for name in on]
    return [each if isinstance(each, str) else str(each[0]) for each in on or ()]


def _leaves(verdict: Verdict) -> Iterator[Verdict]:
    if verdict.node == "test":
        yield verdict
    for part in verdict.parts:
        yield from _leaves(part)
