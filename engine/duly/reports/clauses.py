"""Clauses: from a written rule to the entries that carry it out and the tests that exercise them, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from duly.diagnostics import did_you_mean

NOT_ASKED = frozenset({"not-executable", "threshold-rule"})
"""Kinds of clauses that no entry has to carry out: what nobody can check, and what scorecards will."""
COVERED, UNTESTED, MISSING, UNKNOWN, UNASKED = "covered", "untested", "missing", "unknown", "not asked"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a written rule as its register lists it."""

    id: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that holds, and where it stands."""

    name: str
    file: str
    line: int


@dataclass(slots=True)
class Cited:
    """An entry of a policy with the clauses that it names, and the tests that exercise it."""

    rule: str
    file: str
    line: int
    source: tuple[str, ...]
    title: Any = None
    proofs: list[Proof] = field(default_factory=list)


@dataclass(slots=True)
class Traced:
    """A clause and what of the policy carries it out.

    `status` is `covered`, `untested` (no test exercises any of its entries), `missing` (no entry names it),
    `unknown` (an entry names it, the register does not have it) or `not asked` (its kind needs no entry).
    """

    clause: Clause
    status: str
    entries: list[Cited] = field(default_factory=list)
    hint: str | None = None

    @property
    def proofs(self) -> list[Proof]:
        """The tests of all its entries, each once."""
        return list(dict.fromkeys(proof for entry in self.entries for proof in entry.proofs))


@dataclass(slots=True)
class Trace:
    """The clauses of one written rule, in the order of its register, and the entries no test exercises."""

    name: str
    clauses: list[Traced]
    untested: list[Cited]
    registered: bool

    @property
    def asked(self) -> list[Traced]:
        """The clauses that entries have to carry out."""
        return [each for each in self.clauses if each.status not in (UNASKED, UNKNOWN)]

    @property
    def implemented(self) -> list[Traced]:
        """Those of them that some entry names."""
        return [each for each in self.asked if each.entries]

    @property
    def covered(self) -> list[Traced]:
        """Those of them that a test exercises."""
        return [each for each in self.asked if each.status == COVERED]

    @property
    def holes(self) -> list[Traced]:
        """Clauses without an entry, then those without a test, then those that the register does not have."""
        return [
            each for status in (MISSING, UNTESTED, UNKNOWN) for each in self.clauses if each.status == status
        ]

    def kinds(self) -> dict[str, tuple[int, int, int]]:
        """For each kind that is asked for: how many clauses there are, are implemented, are covered."""
        counts: dict[str, tuple[int, int, int]] = {}
        for each in self.asked:
            whole, made, tested = counts.get(each.clause.kind, (0, 0, 0))
            covered = each.status == COVERED
            counts[each.clause.kind] = whole + 1, made + bool(each.entries), tested + covered
        return counts


def register(text: str) -> list[Clause]:
    """A register: JSON Lines of `{"id", "kind"}`; other keys are left alone, blank lines too.

    Raises ValueError, which says the line, where one is not such an object or an id is there twice.
    """
    found: dict[str, Clause] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"line {number} is not JSON: {error}") from None
        name = row.get("id") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name or not isinstance(row.get("kind", ""), str):
            raise ValueError(
                f'line {number}: expected a clause such as {{"id": "S1-06", "kind": "sla-target"}}'
            )
        if name in found:
            raise ValueError(f"line {number}: clause `{name}` is there twice")
        found[name] = Clause(name, row.get("kind", ""))
    return list(found.values())


def trace(name: str, clauses: Sequence[Clause] | None, entries: Iterable[Cited]) -> Trace:
    """What carries out each clause of a register; without one, of every clause that an entry names."""
    own = list(entries)
    by_clause: dict[str, list[Cited]] = {}
    for entry in own:
        for clause in dict.fromkeys(entry.source):
            by_clause.setdefault(clause, []).append(entry)
    known = [Clause(each) for each in sorted(by_clause)] if clauses is None else clauses
    listed = {each.id for each in known}
    traced = [
        Traced(each, _status(each, by_clause.get(each.id, [])), by_clause.get(each.id, [])) for each in known
    ]
    for each in sorted(by_clause.keys() - listed):
        traced.append(Traced(Clause(each), UNKNOWN, by_clause[each], did_you_mean(each, listed)))
    return Trace(name, traced, [entry for entry in own if not entry.proofs], clauses is not None)


def _status(clause: Clause, entries: Sequence[Cited]) -> str:
    if clause.kind in NOT_ASKED:
        return UNASKED
    if not entries:
        return MISSING
    return COVERED if any(entry.proofs for entry in entries) else UNTESTED
