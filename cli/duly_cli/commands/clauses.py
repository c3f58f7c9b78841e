"""`duly clauses`: written rule → entry → test, and what is not covered."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from duly.reports.clauses import Cited, Clause, Proof, register, trace
from duly_cli import concordance, options, trying
from duly_cli.files import Unreadable, complain, read, write
from duly_cli.sources import Choice, Invalid
from duly_cli.trying import Suite

REGISTER = "clauses.jsonl"


@click.command()
@click.argument("policy", default=".")
@options.policy
@click.option(
    "--register",
    "given",
    metavar="FILE",
    help="The clauses, as JSON Lines; by default clauses.jsonl of a set.",
)
@click.option(
    "--format", "form", type=click.Choice(list(concordance.FORMATS)), default="text", help="For whom."
)
@click.option("--output", "-o", metavar="FILE", help="Write the report to FILE.")
@click.option("--strict", is_flag=True, help="Exit with 1 where there is a hole.")
def clauses(
    policy: str, parameters: tuple[str, ...], parameters_file: str | None, given: str | None, form: str,
    output: str | None, strict: bool,
) -> int:  # fmt: skip
    """Show which entries carry out each clause of a written rule, and which tests exercise them; holes first.

    A register lists the clauses, a JSON object a line: {"id": "S1-06", "kind": "sla-target"}. The kinds
    not-executable and threshold-rule are not asked for. Below a folder, every set is traced.
    """
    suites = trying.suites(policy, Choice(parameters, parameters_file))
    entries = [_entries(suite) for suite in suites]
    if given is not None:
        traces = [trace(given, _register(given), [entry for own in entries for entry in own])]
    else:
        traces = [
            trace(os.path.basename(os.path.abspath(suite.argument)), _own_register(suite), own)
            for suite, own in zip(suites, entries, strict=True)
        ]
    _show(concordance.FORMATS[form](traces), output)
    return 1 if strict and any(each.holes or each.untested for each in traces) else 0


def _show(report: str, output: str | None) -> None:
    if output is None:
        click.echo(report, nl=False)
    else:
        write(output, report)


def _own_register(suite: Suite) -> list[Clause] | None:
    """The register beside a set; None where there is none, and then the clauses are those that it names."""
    path = os.path.join(suite.argument, REGISTER)
    return _register(path) if os.path.isfile(path) else None


def _register(path: str) -> list[Clause]:
    try:
        return register(read(path).decode("utf-8-sig"))
    except ValueError as error:
        raise Unreadable(f"`{path}`: {error}") from None


def _entries(suite: Suite) -> list[Cited]:
    """The entries of a set, each with the tests that hold and exercise it. Raises Invalid."""
    made = suite.made({})
    if made.policy is None:
        raise Invalid(made.faults, suite.texts)
    if any(fault.severity == "error" for fault in suite.faults):
        raise Invalid(suite.faults, suite.texts)
    trying.uncovered(suite)
    trials = [trying.tried(suite, test, covering=True) for test in suite.tests]
    proofs = _proofs(trials)
    return [
        Cited(
            rule,
            entry.file,
            entry.line,
            entry.source,
            made.places.get(rule, {}).get("title"),
            proofs.get(rule, []),
        )
        for rule, entry in suite.coverage.entries.items()
    ]


def _proofs(trials: Sequence[trying.Trial]) -> dict[str, list[Proof]]:
    """The tests by the entries that they exercise; a test that fails proves nothing, and is complained of."""
    found: dict[str, list[Proof]] = {}
    for trial in trials:
        test = trial.outcome.test
        if not trial.outcome.passed:
            complain(
                f"{test.file}:{test.line}: test `{test.name}` fails, so it is left out; `duly test` says why"
            )
            continue
        for rule in trial.used:
            found.setdefault(rule, []).append(Proof(test.name, test.file, test.line))
    return found
