"""Promises: what a manifest `requires` of its own policy, proved or refuted by a counter-example."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from duly.conditions.explanation import explain
from duly.conditions.fields import Field
from duly.conditions.tree import All, Condition, Not, Some, Test
from duly.diagnostics import Path
from duly.kinds.scope import Sheet, fields_of

MOST_CASES = 20_000
_LISTS = {
    "clock": ("ServiceLevel", "clocks"), "ladder": ("Escalation", "ladders"), "survey": ("Survey", "surveys"),
    "duty": ("Duty", "duties"), "reaction": ("Reaction", "reactions"), "gate": ("Reaction", "gates"),
    "approval": ("Reaction", "approvals"), "route": ("Routing", "rules"),
}  # fmt: skip
Entry = tuple[Sheet, dict[str, Any], Path]


def check(manifest: Sheet, sheets: Mapping[str, Sequence[Sheet]]) -> None:
    """Report every entry of `requires` that the policy does not keep, at the entry or the clock at fault."""
    for number, promise in enumerate(manifest.spec.get("requires", ())):
        path = ("spec", "requires", number)
        if "not_longer_with" in promise:
            _never_longer(manifest, promise, path, sheets)
        elif isinstance(promise.get("has"), dict):
            _always_target(manifest, promise, path, sheets)
        else:
            _key(manifest, promise, path, sheets)


def entries(sheets: Mapping[str, Sequence[Sheet]], kind: str) -> Iterator[Entry]:
    """Every entry of a sort: `clock`, `target`, `route`, …; `entry` is all of them."""
    if kind == "entry":
        for each in [*_LISTS, "target"]:
            yield from entries(sheets, each)
        return
    owner, listing = _LISTS["clock" if kind == "target" else kind]
    for sheet in sheets.get(owner, ()):
        for number, entry in enumerate(sheet.spec.get(listing, ())):
            path: Path = ("spec", listing, number)
            if kind != "target":
                yield sheet, entry, path
                continue
            for inner, target in enumerate(entry.get("targets", ())):
                yield sheet, target, (*path, "targets", inner)


def _key(manifest: Sheet, promise: dict[str, Any], path: Path, sheets: Mapping[str, Sequence[Sheet]]) -> None:
    kind, key = promise["every"], promise["has"]
    if kind == "case":
        manifest.fault("D231", f"`every: case` is asked for a target, not for `{key}`", (*path, "has"),
                       help="write `has: {target: CLOCK}`")  # fmt: skip
        return
    for sheet, entry, at in entries(sheets, kind):
        if key not in entry:
            sheet.fault("D230", f"{kind} `{entry.get('id', '')}` has no `{key}`, which `{promise['id']}` requires",
                        (*at, "id"), help=f"add `{key}:`, or take the requirement out of the manifest")  # fmt: skip


def _clock(manifest: Sheet, name: str, path: Path, sheets: Mapping[str, Sequence[Sheet]]) -> Entry | None:
    for found in entries(sheets, "clock"):
        if found[1]["id"] == name:
            return found
    manifest.name(name, manifest.scope.clocks, "clock", path)
    return None


def _always_target(
    manifest: Sheet, promise: dict[str, Any], path: Path, sheets: Mapping[str, Sequence[Sheet]]
) -> None:
    name = promise["has"].get("target", "")
    found = _clock(manifest, name, (*path, "has", "target"), sheets)
    if found is None:
        return
    sheet, clock, at = found
    only = manifest.condition(promise.get("when"), (*path, "when"))
    starts = clock.get("start")
    if "case.opened" not in (starts if isinstance(starts, list) else [starts]):
        sheet.fault("D232", f"clock `{name}` does not start with every case, which `{promise['id']}` requires",
                    (*at, "id"), help="add `case.opened` to its `start`")  # fmt: skip
        return
    targets = _trees(sheet, clock, at)
    cases = _cases(sheet, [only, *(tree for tree, _ in targets)])
    if cases is None:
        _unproved(manifest, promise, path)
        return
    for case in cases:
        target = _first(targets, case)
        if explain(only, case).holds and (target is None or target.get("none")):
            message = f"a case with {_told(case)} gets no target of clock `{name}`, which `{promise['id']}` requires"
            sheet.fault("D232", message, (*at, "id"), help="add a last target without `when`")
            return


def _never_longer(
    manifest: Sheet, promise: dict[str, Any], path: Path, sheets: Mapping[str, Sequence[Sheet]]
) -> None:
    name, field_name = promise["clock"], promise["not_longer_with"]
    found = _clock(manifest, name, (*path, "clock"), sheets)
    field = manifest.scope.vocabulary.fields.get(field_name)
    if found is None or not manifest.name(field_name, manifest.scope.vocabulary.fields, "field",
                                          (*path, "not_longer_with"), "D301"):  # fmt: skip
        return
    if field is None or not field.values:
        manifest.fault("D231", f"`{field_name}` has no values in order", (*path, "not_longer_with"),
                       help="name an enum; its values count from low to high")  # fmt: skip
        return
    sheet, clock, at = found
    targets = _trees(sheet, clock, at)
    cases = _cases(sheet, [tree for tree, _ in targets], leave=field_name)
    if cases is None:
        _unproved(manifest, promise, path)
        return
    default = str(clock.get("calendar", sheet.spec.get("calendar", "always")))
    for case in cases:
        for low, high in itertools.pairwise(field.values):
            low_target, high_target = (_first(targets, {**case, field_name: value}) for value in (low, high))
            if _longer(sheet, high_target, low_target, default):
                also = f" and {_told(case)}" if case else ""
                sheet.fault("D233", f"clock `{name}`: with `{field_name}` = `{high}`{also} the target "
                            f"{_called(high_target)} may be longer than {_called(low_target)} with `{low}`, "
                            f"which `{promise['id']}` rules out", (*at, "id"),
                            help="mend the targets or their order, or the requirement")  # fmt: skip
                return


def _unproved(manifest: Sheet, promise: dict[str, Any], path: Path) -> None:
    manifest.fault("D234", f"`{promise['id']}` cannot be proved: the conditions tell more than {MOST_CASES:,} sorts "
                   "of case apart, or look into texts", (*path, "id"), severity="warning",
                   help="ask for fewer fields in the targets of that clock")  # fmt: skip


def _trees(sheet: Sheet, clock: Mapping[str, Any], path: Path) -> list[tuple[Condition, dict[str, Any]]]:
    return [
        (sheet.condition(target.get("when"), (*path, "targets", number, "when"), events=None), target)
        for number, target in enumerate(clock.get("targets", ()))
    ]


def _first(
    targets: Sequence[tuple[Condition, dict[str, Any]]], case: Mapping[str, Any]
) -> dict[str, Any] | None:
    return next((target for tree, target in targets if explain(tree, case).holds), None)


def _longer(sheet: Sheet, one: dict[str, Any] | None, other: dict[str, Any] | None, default: str) -> bool:
    """Whether the first target may be longer; a target of none is longer than any other."""
    promised = [target is not None and not target.get("none") for target in (one, other)]
    if one is None or other is None or one is other or not all(promised):
        return promised[1] and not promised[0]
    if "within" not in one or "within" not in other:
        return True
    calendars = [str(target.get("calendar", default)) for target in (one, other)]
    lengths = [sheet.duration(target["within"], ("spec",)) for target in (one, other)]
    if lengths[0].unit == lengths[1].unit and (calendars[0] == calendars[1] or calendars[0] == "always"):
        # Round the clock never takes longer than the same length of any calendar's open time.
        return lengths[0].amount > lengths[1].amount
    return True


def _cases(sheet: Sheet, trees: Sequence[Condition], leave: str = "") -> list[dict[str, Any]] | None:
    """One case of every sort that the conditions can tell apart; None where that cannot be listed."""
    names = sorted({name for tree in trees for name in fields_of(tree)} - {leave})
    domains, count = [], 1
    for name in names:
        domain = _domain(
            sheet.scope.vocabulary.fields[name], [test for tree in trees for test in _tests(tree, name)]
        )
        if domain is None or (count := count * len(domain)) > MOST_CASES:
            return None
        domains.append(domain)
    return [
        {name: value for name, value in zip(names, values, strict=True) if value is not None}
        for values in itertools.product(*domains)
    ]


def _domain(field: Field, tests: Sequence[Test]) -> list[Any] | None:
    """A value for each answer that the tests can give, None for a missing one; None where it cannot be said."""
    missing = [] if field.required or field.default is not None else [None]
    if field.type == "enum":
        return [*field.values, *missing]
    if field.type == "boolean":
        return [True, False, *missing]
    if any(test.operator in ("contains", "starts_with", "ends_with", "matches") for test in tests):
        return None
    said = [value for test in tests if test.operator != "exists"
            for value in (test.value if isinstance(test.value, tuple) else (test.value,))]  # fmt: skip
    if field.type == "text":
        return [*dict.fromkeys(said), "\0", *missing]
    members = sorted({str(value) for value in said})
    if field.type == "set":
        if len(members) > 8:
            return None
        sizes = range(len(members) + 1)
        return [frozenset(some) for size in sizes for some in itertools.combinations(members, size)] + missing
    edges: list[Any] = sorted({value for value in said if not isinstance(value, (str, bool))})
    between = [Decimal(str(low)) / 2 + Decimal(str(high)) / 2 for low, high in itertools.pairwise(edges)]
    outer = [edges[0] - 1, edges[-1] + 1] if edges else [0]
    return [*edges, *between, *outer, *missing]


def _tests(tree: Condition, name: str) -> list[Test]:
    match tree:
        case Test(field=field):
            return [tree] if field == name else []
        case Not(part=part):
            return _tests(part, name)
        case All(parts=parts) | Some(parts=parts):
            return [test for part in parts for test in _tests(part, name)]


def _told(case: Mapping[str, Any]) -> str:
    told = [f"`{name}` = `{value if value != chr(0) else 'something else'}`" for name, value in case.items()]
    return ", ".join(told) or "no fields"


def _called(target: Mapping[str, Any] | None) -> str:
    return "(none)" if target is None else f"`{target['id']}`"
