"""`duly test`: the tests beside a policy, in virtual time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import click

from duly.diagnostics import Diagnostic
from duly.suites.suite import Test
from duly_cli import coverage_formats, options, recording, rendering, trying, verdicts, watching
from duly_cli.files import complain, write
from duly_cli.sources import Choice
from duly_cli.trying import Suite, Trial


@click.command()
@click.argument("policy", default=".")
@options.policy
@click.option("-k", "word", metavar="WORD", help="Only tests with WORD in their name or file.")
@click.option("--verbose", "-v", is_flag=True, help="List every test, and everything that is not covered.")
@click.option("--coverage", is_flag=True, help="Say what of the policy the tests use.")
@click.option(
    "--coverage-threshold", "threshold", metavar="PERCENT", help="Fail below this share of entries."
)
@click.option("--lcov", metavar="FILE", help="Write the coverage to FILE, as LCOV.")
@click.option("--cobertura", metavar="FILE", help="Write the coverage to FILE, as Cobertura XML.")
@click.option("--junit", metavar="FILE", help="Write the results to FILE, as JUnit XML.")
@click.option("--watch", is_flag=True, help="Run again whenever a file changes, until Ctrl-C.")
@click.option("--record", is_flag=True, help="Write what happened into the expectations that failed.")
def test(
    policy: str, parameters: tuple[str, ...], parameters_file: str | None, word: str | None, verbose: bool,
    coverage: bool, threshold: str | None, lcov: str | None, cobertura: str | None, junit: str | None,
    watch: bool, record: bool,
) -> int:  # fmt: skip
    """Run the tests of a policy set, or of every set below a folder: `*.test.yaml` beside the policies.

    POLICY may also be one such file.

    A failing test says where its expectation stands, what was found instead, and which rules were tried.
    """
    choice = Choice(parameters, parameters_file)
    least = None if threshold is None else _percentage(threshold)
    covering = coverage or least is not None or lcov is not None or cobertura is not None

    def once() -> int:
        suites = trying.suites(policy, choice)
        if record and recording.recorded(_tried(suites, word)):
            suites = trying.suites(policy, choice)
        trials, faulty = _run(suites, word, verbose, covering)
        code = _conclude(suites, trials, faulty, word)
        if covering:
            code = max(code, _cover(suites, coverage, verbose, least))
            _write(lcov, lambda: coverage_formats.lcov(suites))
            _write(cobertura, lambda: coverage_formats.cobertura(suites))
        _write(junit, lambda: coverage_formats.junit(trials, _errors(suites, word)))
        return code

    return watching.again(policy, once) if watch else once()


def _percentage(text: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d+)?%?", text) or float(text.rstrip("%")) > 100:
        raise click.UsageError(f"`--coverage-threshold {text}`: expected a percentage such as `95%`")
    return float(text.rstrip("%"))


def _asked(suite: Suite, word: str | None) -> list[Test]:
    """The tests of a suite that are asked for."""
    return [
        each
        for each in suite.tests
        if word is None or word.casefold() in f"{each.file} {each.name}".casefold()
    ]


def _tried(suites: Sequence[Suite], word: str | None) -> list[Trial]:
    return [trying.tried(suite, each) for suite in suites for each in _asked(suite, word)]


def _errors(suites: Sequence[Suite], word: str | None) -> list[Diagnostic]:
    """What kept tests from being run."""
    found = [
        fault for suite in suites for fault in (*suite.faults, *trying.faults(suite, _asked(suite, word)))
    ]
    return [fault for fault in found if fault.severity == "error"]


def _run(suites: Sequence[Suite], word: str | None, verbose: bool, covering: bool) -> tuple[list[Trial], int]:
    """Run every test that is asked for, telling of each file; the trials, and the files that cannot be read."""
    trials: list[Trial] = []
    faulty = 0
    for suite in suites:
        if suite.faults:
            rendering.show(suite.faults, suite.texts, "text")
            faulty += len({fault.span.file for fault in suite.faults if fault.severity == "error"})
        asked = _asked(suite, word)
        faults = trying.faults(suite, asked)
        if faults:
            rendering.show(faults, suite.texts, "text")
            faulty += len(asked)
            continue
        by_file: dict[str, list[Trial]] = {}
        for each in asked:
            by_file.setdefault(each.file, []).append(trying.tried(suite, each, covering=covering))
        for file, own in by_file.items():
            _tell(file, own, verbose)
            trials += own
    return trials, faulty


def _tell(file: str, trials: Sequence[Trial], verbose: bool) -> None:
    failed = [trial for trial in trials if not trial.outcome.passed]
    passed = len(trials) - len(failed)
    counts = f"{passed} passed" + (f", {len(failed)} failed" if failed else "")
    click.echo(f"{'✗' if failed else '✓'} {file}  {counts}")
    if verbose:
        for trial in trials:
            click.echo(f"    {'✓' if trial.outcome.passed else '✗'} {trial.outcome.test.name}")
    for trial in failed:
        click.echo(verdicts.told(trial), nl=False)


def _conclude(suites: Sequence[Suite], trials: Sequence[Trial], faulty: int, word: str | None) -> int:
    untested = [suite.argument for suite in suites if not suite.tests and not suite.faults]
    for place in untested:
        complain(f"no tests in `{place}`; they are looked for in `*.test.yaml` beside the policies")
    if not trials and not faulty and not untested:
        complain(f"no test has `{word}` in its name; `duly test --verbose` lists them")
    click.echo(verdicts.summary(trials, faulty))
    fine = bool(trials) and not faulty and all(trial.outcome.passed for trial in trials)
    return 0 if fine and not untested else 1


def _cover(suites: Sequence[Suite], shown: bool, verbose: bool, least: float | None) -> int:
    code = 0
    for suite in suites:
        trying.uncovered(suite)
        if shown:
            click.echo(coverage_formats.text(suite, verbose), nl=False)
        share = coverage_formats.entry_share(suite)
        if least is not None and share < least:
            complain(f"{suite.argument}: {share:.1f}% of the entries are covered; asked for {least:g}%")
            code = 1
    return code


def _write(file: str | None, content: Callable[[], str]) -> None:
    if file is not None:
        write(file, content())
