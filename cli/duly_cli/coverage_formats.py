"""Coverage and results of tests, for a person and in the forms that CI systems read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

import duly
from duly.diagnostics import Diagnostic
from duly.suites.coverage import AFTER_DUE, AT_DUE, Entry, Leaf, percent
from duly_cli import verdicts
from duly_cli.trying import Suite, Trial

_FEW = 10
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EDGES = {AT_DUE: "at the very due", AFTER_DUE: "after the due"}


def entry_share(suite: Suite) -> float:
    """The share of entries that some test uses, in percent."""
    return percent(*suite.coverage.counts()["entries"])


def text(suite: Suite, verbose: bool) -> str:
    """The coverage of one set: three counts, then what is missing, the worst first."""
    coverage = suite.coverage
    notes = {
        "entries": "used by a test",
        "conditions": "tests of conditions seen true, and seen false",
        "boundaries": "targets with an event at the very due, and overdue",
    }
    lines = [f"coverage of {suite.argument}"]
    for name, (part, whole) in coverage.counts().items():
        lines.append(f"  {name:<11}{part:>5} of {whole:<5}{percent(part, whole):6.1f}%  {notes[name]}")
    missing = [f"    {entry.file}:{entry.line}  {entry.rule}" for entry in coverage.unused]
    lines += _section("entries that no test uses", missing, None)
    one_sided = [
        f"    {leaf.file}:{leaf.line}  {leaf.rule}  `{leaf.asks}` "
        + ("never looked at" if not leaf.seen else f"never {'false' if True in leaf.seen else 'true'}")
        for leaf in coverage.one_sided
    ]
    few = None if verbose else _FEW
    lines += _section("tests of conditions that came out one way, or were never looked at", one_sided, few)
    unproved = [
        f"    {entry.file}:{entry.line}  {entry.rule}  no event "
        + " and none ".join(words for edge, words in _EDGES.items() if edge not in entry.edges)
        for entry in coverage.unproved
    ]
    lines += _section("targets whose edge is not tried", unproved, few)
    return "\n".join(lines) + "\n"


def _section(title: str, rows: Sequence[str], few: int | None) -> list[str]:
    if not rows:
        return []
    shown = rows if few is None else rows[:few]
    more = (
        [f"    … and {len(rows) - len(shown)} more; --verbose lists them"] if len(shown) < len(rows) else []
    )
    return [f"  {title}:", *shown, *more]


def lcov(suites: Sequence[Suite]) -> str:
    """LCOV: a line for each entry, two branches for each test of a condition."""
    rows: list[str] = []
    for suite in suites:
        for file, (entries, leaves) in suite.coverage.files().items():
            hits, branches = _lines(entries, leaves)
            rows += ["TN:", f"SF:{file.replace(os.sep, '/')}"]
            for line, block, branch, taken in branches:
                rows.append(f"BRDA:{line},{block},{branch},{taken}")
            rows += [f"BRF:{len(branches)}", f"BRH:{sum(taken for *_, taken in branches)}"]
            rows += [f"DA:{line},{count}" for line, count in sorted(hits.items())]
            rows += [f"LF:{len(hits)}", f"LH:{sum(count > 0 for count in hits.values())}", "end_of_record"]
    return "".join(row + "\n" for row in rows)


def _lines(
    entries: Iterable[Entry], leaves: Iterable[Leaf]
) -> tuple[dict[int, int], list[tuple[int, int, int, int]]]:
    """How often each line was used, and the branches as (line, block, branch, taken)."""
    hits: dict[int, int] = {}
    for entry in entries:
        hits[entry.line] = max(hits.get(entry.line, 0), len(entry.tests))
    branches: list[tuple[int, int, int, int]] = []
    for block, leaf in enumerate(sorted(leaves, key=lambda leaf: (leaf.line, leaf.rule, leaf.path))):
        hits.setdefault(leaf.line, leaf.covered)
        branches += [
            (leaf.line, block, 0, int(True in leaf.seen)),
            (leaf.line, block, 1, int(False in leaf.seen)),
        ]
    return hits, branches


def cobertura(suites: Sequence[Suite]) -> str:
    """Cobertura XML: a package for each set, a class for each file."""
    packages: list[str] = []
    lines_all = lines_hit = branches_all = branches_hit = 0
    for suite in suites:
        classes: list[str] = []
        own = [0, 0, 0, 0]
        for file, (entries, leaves) in suite.coverage.files().items():
            hits, branches = _lines(entries, leaves)
            counts = [
                len(hits),
                sum(count > 0 for count in hits.values()),
                len(branches),
                sum(b[3] for b in branches),
            ]
            own = [one + two for one, two in zip(own, counts, strict=True)]
            classes.append(_class(file, hits, branches, counts))
        name = quoteattr(suite.argument)
        packages.append(
            f'    <package name={name} {_rates(own)} complexity="0">\n      <classes>\n'
            + "".join(classes) + "      </classes>\n    </package>\n"
        )  # fmt: skip
        lines_all, lines_hit = lines_all + own[0], lines_hit + own[1]
        branches_all, branches_hit = branches_all + own[2], branches_hit + own[3]
    rates = _rates([lines_all, lines_hit, branches_all, branches_hit])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<coverage {rates} lines-valid="{lines_all}" lines-covered="{lines_hit}" branches-valid="{branches_all}" '
        f'branches-covered="{branches_hit}" complexity="0" version="duly {duly.__version__}" timestamp="0">\n'
        "  <sources><source>.</source></sources>\n  <packages>\n"
        + "".join(packages)
        + "  </packages>\n</coverage>\n"
    )


def _rates(counts: Sequence[int]) -> str:
    lines, hit, branches, taken = counts
    return f'line-rate="{percent(hit, lines) / 100:.4f}" branch-rate="{percent(taken, branches) / 100:.4f}"'


def _class(
    file: str, hits: dict[int, int], branches: Sequence[tuple[int, int, int, int]], counts: Sequence[int]
) -> str:
    path = file.replace(os.sep, "/")
    rows = []
    for line, count in sorted(hits.items()):
        own = [taken for at, _, _, taken in branches if at == line]
        if own:
            share = f"{percent(sum(own), len(own)):.0f}% ({sum(own)}/{len(own)})"
            how = f'branch="true" condition-coverage="{share}"'
        else:
            how = 'branch="false"'
        rows.append(f'            <line number="{line}" hits="{count}" {how}/>\n')
    named = f"name={quoteattr(os.path.basename(path))} filename={quoteattr(path)}"
    return (
        f'        <class {named} {_rates(counts)} complexity="0">\n          <methods/>\n          <lines>\n'
        + "".join(rows)
        + "          </lines>\n        </class>\n"
    )


def junit(trials: Sequence[Trial], faults: Sequence[Diagnostic] = ()) -> str:
    """JUnit XML: a suite for each file of tests; what is wrong with files and policies as errors of one more."""
    by_file: dict[str, list[Trial]] = {}
    for trial in trials:
        by_file.setdefault(trial.outcome.test.file, []).append(trial)
    failures = sum(not trial.outcome.passed for trial in trials)
    total = f'tests="{len(trials) + len(faults)}" failures="{failures}" errors="{len(faults)}"'
    rows = ['<?xml version="1.0" encoding="UTF-8"?>\n', f'<testsuites name="duly test" {total}>\n']
    for file, own in by_file.items():
        failed = sum(not trial.outcome.passed for trial in own)
        seconds = sum(trial.seconds for trial in own)
        rows.append(
            f'  <testsuite name={quoteattr(_legal(file))} tests="{len(own)}" failures="{failed}" errors="0" '
            f'skipped="0" time="{seconds:.3f}">\n'
        )
        rows += [_case(trial) for trial in own]
        rows.append("  </testsuite>\n")
    if faults:
        count = len(faults)
        rows.append(
            f'  <testsuite name="policy" tests="{count}" failures="0" errors="{count}" skipped="0" time="0">\n'
        )
        rows += [_fault(fault) for fault in faults]
        rows.append("  </testsuite>\n")
    return "".join([*rows, "</testsuites>\n"])


def _fault(fault: Diagnostic) -> str:
    file = quoteattr(_legal(fault.span.file.replace(os.sep, "/")))
    head = f'    <testcase name={quoteattr(fault.code)} classname={file} file={file} line="{fault.span.line}" time="0">'
    return f"{head}\n      <error message={quoteattr(_legal(fault.message))}/>\n    </testcase>\n"


def _case(trial: Trial) -> str:
    test = trial.outcome.test
    name, file = quoteattr(_legal(test.name)), quoteattr(_legal(test.file.replace(os.sep, "/")))
    classname = quoteattr(_legal(test.document.name or test.file))
    head = f'    <testcase name={name} classname={classname} file={file} line="{test.line}" time="{trial.seconds:.3f}"'
    if trial.outcome.passed:
        return head + "/>\n"
    story = _legal(_COLOUR.sub("", verdicts.told(trial)))
    first = trial.outcome.fault or "; ".join(each.what for each in trial.outcome.differences[:3])
    return f"{head}>\n      <failure message={quoteattr(_legal(first))}>{escape(story)}</failure>\n    </testcase>\n"


def _legal(text: str) -> str:
    """The text without signs that XML has no place for."""
    return _ILLEGAL.sub("\ufffd", text)
