"""The concordance of a written rule and a policy: as text, Markdown, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from duly.reports.clauses import MISSING, UNASKED, UNKNOWN, UNTESTED, Cited, Proof, Trace, Traced
from duly_cli.widths import padded, width

_FEW = 2
_SAID = {
    MISSING: "no entry names it",
    UNTESTED: "no test exercises its entries",
    UNKNOWN: "is named, but the register does not have it",
}


def text(traces: Sequence[Trace]) -> str:
    """For a person: what is missing, how much there is of each kind, then clause by clause."""
    lines = _holes(traces)
    for made in traces:
        lines += [_headline(made), *_table(made), ""]
    for made in traces:
        lines += [f"clauses of {made.name}", *(line for each in made.clauses for line in _clause(each)), ""]
    return "\n".join([*lines, total(traces)]) + "\n"


def total(traces: Sequence[Trace]) -> str:
    """`146 of 146 clauses implemented, 146 covered by a test`."""
    asked, made, covered = (
        sum(len(part(each)) for each in traces) for part in (_asked, _implemented, _covered)
    )
    return f"{made} of {asked} clauses implemented, {covered} covered by a test"


def _asked(made: Trace) -> list[Traced]:
    return made.asked


def _implemented(made: Trace) -> list[Traced]:
    return made.implemented


def _covered(made: Trace) -> list[Traced]:
    return made.covered


def _headline(made: Trace) -> str:
    unasked = sum(each.status == UNASKED for each in made.clauses)
    more = f"; {unasked} not asked for" if unasked else ""
    return f"{made.name}: {total([made])}{more}" + (
        "" if made.registered else " (no register: those it names)"
    )


def _holes(traces: Sequence[Trace]) -> list[str]:
    rows = [
        (each.clause.id, each.clause.kind, made.name, _SAID[each.status] + _about(each))
        for made in traces for each in made.holes
    ]  # fmt: skip
    lines = ["holes:"] if rows or any(made.untested for made in traces) else ["no holes"]
    lines += [f"  {line}" for line in _columns(rows)]
    for made in traces:
        lines += [
            f"  {entry.file}:{entry.line}  {entry.rule}  no test exercises it" for entry in made.untested
        ]
    return [*lines, ""]


def _about(each: Traced) -> str:
    where = "" if not each.entries else f" ({each.entries[0].file}:{each.entries[0].line})"
    return where + (f"; {each.hint}" if each.hint else "")


def _table(made: Trace) -> list[str]:
    rows: list[tuple[str, ...]] = [("kind", "clauses", "implemented", "covered")]
    rows += [(kind or "–", *map(str, counts)) for kind, counts in made.kinds().items()]
    return [f"  {line}" for line in _columns(rows)] if len(rows) > 1 else []


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(padded, row, widths)).rstrip() for row in rows]


def _clause(each: Traced) -> list[str]:
    head = f"  {each.clause.id}  {each.clause.kind}".rstrip() + f"  {each.status}"
    lines = [head]
    for entry in each.entries:
        lines.append(f"      {entry.rule}  {entry.file}:{entry.line}  {_tests(entry.proofs)}")
    return lines


def _tests(proofs: Sequence[Proof]) -> str:
    if not proofs:
        return "no test"
    names = ", ".join(proof.name for proof in proofs[:_FEW])
    more = f" and {len(proofs) - _FEW} more" if len(proofs) > _FEW else ""
    return f"{len(proofs)} test{'s' if len(proofs) > 1 else ''}: {names}{more}"


def markdown(traces: Sequence[Trace]) -> str:
    """For a page: a table of holes, where there are any, and a table for each written rule."""
    lines = [f"# {total(traces)}", ""]
    holes = [(made, each) for made in traces for each in made.holes]
    untested = [entry for made in traces for entry in made.untested]
    if holes or untested:
        lines += ["## Holes", ""]
        lines += [
            f"- {each.clause.id} of {made.name}: {_SAID[each.status]}{_about(each)}" for made, each in holes
        ]
        lines += [
            f"- `{entry.rule}` ({entry.file}:{entry.line}): no test exercises it" for entry in untested
        ] + [""]
    for made in traces:
        lines += [
            f"## {made.name}",
            "",
            "| clause | kind | status | entries | tests |",
            "|---|---|---|---|---|",
        ]
        for each in made.clauses:
            entries = "<br>".join(f"`{entry.rule}` {entry.file}:{entry.line}" for entry in each.entries)
            tests = "<br>".join(proof.name for proof in each.proofs)
            row = (each.clause.id, each.clause.kind, each.status, entries, tests)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def as_json(traces: Sequence[Trace]) -> str:
    """For a program: one object, with everything."""
    page = {
        "asked": sum(len(made.asked) for made in traces),
        "implemented": sum(len(made.implemented) for made in traces),
        "covered": sum(len(made.covered) for made in traces),
        "holes": [{"document": made.name, **_plain_clause(each)} for made in traces for each in made.holes],
        "untested_entries": [_plain_entry(entry) for made in traces for entry in made.untested],
        "documents": [_plain(made) for made in traces],
    }
    return json.dumps(page, ensure_ascii=False, indent=2) + "\n"


def _plain(made: Trace) -> dict[str, Any]:
    kinds = {
        kind: {"clauses": whole, "implemented": done, "covered": covered}
        for kind, (whole, done, covered) in made.kinds().items()
    }
    clauses = [_plain_clause(each) for each in made.clauses]
    return {"document": made.name, "register": made.registered, "kinds": kinds, "clauses": clauses}


def _plain_clause(each: Traced) -> dict[str, Any]:
    return {
        "id": each.clause.id, "kind": each.clause.kind or None, "status": each.status,
        "entries": [_plain_entry(entry) for entry in each.entries],
    }  # fmt: skip


def _plain_entry(entry: Cited) -> dict[str, Any]:
    return {
        "rule": entry.rule, "title": entry.title, "file": entry.file, "line": entry.line,
        "tests": [{"name": each.name, "file": each.file, "line": each.line} for each in entry.proofs],
    }  # fmt: skip


def as_csv(traces: Sequence[Trace]) -> str:
    """For a spreadsheet: a row for each clause and entry."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(("document", "clause", "kind", "status", "rule", "file", "line", "tests"))
    for made in traces:
        for each in made.clauses:
            for where in _where(each):
                writer.writerow((made.name, each.clause.id, each.clause.kind, each.status, *where))
    return page.getvalue()


def _where(each: Traced) -> Iterator[tuple[str, str, str, str]]:
    for entry in each.entries:
        yield entry.rule, entry.file, str(entry.line), " ".join(proof.name for proof in entry.proofs)
    if not each.entries:
        yield "", "", "", ""


FORMATS: dict[str, Callable[[Sequence[Trace]], str]] = {
    "text": text, "json": as_json, "markdown": markdown, "csv": as_csv,
}  # fmt: skip
