"""Trying: the tests of policy sets found, their sets compiled for the parameters that they give, and run."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from duly import compiler
from duly.conditions.vocabulary import read_vocabulary
from duly.diagnostics import Diagnostic, ordered
from duly.suites.coverage import Chart, Coverage
from duly.suites.observation import ObservedSet, exercised
from duly.suites.suite import Test, read
from duly.suites.trial import Outcome, run
from duly_cli import cache
from duly_cli.files import MANIFEST, Files, Unreadable, complain, find, sets_within
from duly_cli.sources import Choice
from duly_cli.values import configuration, given_values, holiday_facts

EXAMPLE = "params.example.yaml"
TESTS = ".test.yaml"


@dataclass(slots=True)
class Trial:
    """One test that was run: its set, what came of it, where the set's rules stand, how long it took, and
    where coverage was asked for the entries that it used, by rule."""

    suite: Suite
    outcome: Outcome
    places: Mapping[str, Any]
    seconds: float
    used: frozenset[str] = frozenset()


@dataclass(slots=True)
class Suite:
    """The tests of one policy set, and the set itself for each of the parameters' values that they give."""

    argument: str
    files: Files
    tests: list[Test] = field(default_factory=list)
    faults: list[Diagnostic] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    matcher: str = "native"
    coverage: Coverage = field(default_factory=Coverage)
    _made: dict[str, _Made] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, bytes]:
        """The files' contents by name, for messages that show them."""
        return dict(self.files.sources)

    def made(self, parameters: Mapping[str, Any]) -> _Made:
        """The set with the parameters of a test, compiled once for the same values."""
        key = json.dumps(parameters, sort_keys=True, ensure_ascii=False, default=str)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = _make(self, parameters)
        return found


@dataclass(slots=True)
class _Made:
    """A compiled set ready to run, or the faults for which there is none."""

    policy: ObservedSet | None
    places: Mapping[str, Any]
    events: Sequence[str] = ()
    faults: Sequence[Diagnostic] = ()
    chart: Chart | None = None


def suites(policy: str, choice: Choice) -> list[Suite]:
    """The suites of the sets that POLICY names: a set, every set below a folder, or the one that a file of
    tests belongs to, with its tests alone. Raises Unreadable."""
    if policy.endswith(TESTS) and os.path.isfile(policy):
        suite = _suite(_home(policy), choice)
        suite.tests = [test for test in suite.tests if os.path.samefile(test.file, policy)]
        suite.faults = [fault for fault in suite.faults if os.path.samefile(fault.span.file, policy)]
        return [suite]
    if os.path.isdir(policy):
        places = sets_within(policy) or [policy]
    elif policy.startswith("git:") or os.path.exists(policy):
        places = [policy]
    else:
        raise Unreadable(f"no policy at `{policy}`: there is no such file or folder")
    return [_suite(place, choice) for place in places]


def _home(file: str) -> str:
    """The folder of the set that a file of tests stands in: the nearest above it with a manifest."""
    folder = os.path.dirname(file) or "."
    while not os.path.isfile(os.path.join(folder, MANIFEST)):
        above = os.path.normpath(os.path.join(folder, os.pardir))
        if os.path.abspath(above) == os.path.abspath(folder):
            raise Unreadable(f"`{file}` belongs to no policy set: no folder above it has a {MANIFEST}")
        folder = above
    return folder


def uncovered(suite: Suite) -> None:
    """Let the coverage of a suite know of the whole set, though no test may have run on it."""
    made = suite.made({})
    if made.policy is not None and made.chart is None:
        made.chart = Chart(made.policy.compiled, made.places)
        suite.coverage.add(made.chart)


def _suite(argument: str, choice: Choice) -> Suite:
    files = find(argument)
    if files.bundle is not None:
        raise Unreadable(
            f"`{argument}` is a bundle, which holds no tests; test the folder that it was built from"
        )
    suite = Suite(argument, files)
    config = configuration(files.config)
    suite.values = dict(config.get("parameters", {}))
    suite.origins = dict.fromkeys(suite.values, files.config[0] if files.config else "")
    suite.matcher = config.get("matcher", "native")
    example = os.path.normpath(os.path.join(argument, EXAMPLE))
    chosen = choice.parameters_file
    if not suite.values and not choice.parameters and chosen is None and os.path.isfile(example):
        chosen = example
        complain(f"parameters from {example}")
    for name, (value, origin) in given_values(choice.parameters, chosen).items():
        suite.values[name], suite.origins[name] = value, origin
    for name, content in files.sources:
        if compiler.Source(name, content).is_test:
            tests, faults = read(content, name)
            suite.tests += tests
            suite.faults += faults
    suite.faults = ordered(suite.faults)
    return suite


def _make(suite: Suite, parameters: Mapping[str, Any]) -> _Made:
    given = {**suite.values, **parameters}
    origins = {**suite.origins, **dict.fromkeys(parameters, "given.parameters")}
    stored = json.dumps([given, origins], sort_keys=True, ensure_ascii=False, default=str).encode()
    parts = [cache.fingerprint(), b"test", stored]
    for name, content in suite.files.sources:
        if not compiler.Source(name, content).is_test:
            parts += (name.encode("utf-8", "surrogateescape"), content)
    key = cache.digest(*parts)
    lines = cache.load(key)
    if lines is not None and len(lines) == 3:
        compiled, places, events = map(json.loads, lines)
    else:
        sources = [compiler.Source(name, content) for name, content in suite.files.sources]
        compilation = compiler.compile(sources, given, facts=holiday_facts, origins=origins)
        if compilation.compiled is None:
            return _Made(None, {}, faults=compilation.diagnostics)
        events = _events(compilation)
        cache.store(key, compilation.compiled, compilation.places, events)
        # What a test runs on is what a host would have read back.
        compiled, places = json.loads(json.dumps(compilation.compiled)), compilation.places
    policy = ObservedSet(compiled, suite.matcher)
    return _Made(policy, places, events)


def _events(compilation: compiler.Compilation) -> list[str]:
    """The event types that the set knows: the standard ones and those of its vocabularies."""
    standard, _ = read_vocabulary({})
    declared = [
        name
        for document in compilation.documents if document.kind == "Vocabulary"
        for name in document.data["spec"].get("events", {})
    ]  # fmt: skip
    return sorted({*standard.events, *declared})


def faults(suite: Suite, tests: Sequence[Test]) -> Sequence[Diagnostic]:
    """What is wrong with the set itself, where one of the tests takes it as it is."""
    return () if all(test.parameters for test in tests) else suite.made({}).faults


def tried(suite: Suite, test: Test, *, covering: bool = False) -> Trial:
    """Run one test."""
    start = time.perf_counter()
    made = suite.made(test.parameters)
    used: frozenset[str] = frozenset()
    if made.policy is None:
        outcome = Outcome(test)
        outcome.fault = _why(made.faults, test)
    elif covering:
        if made.chart is None:
            made.chart = Chart(made.policy.compiled, made.places)
            suite.coverage.add(made.chart)
        outcome, watch = exercised(test, made.policy, made.chart, made.events)
        suite.coverage.take(test, watch)
        used = frozenset(watch.used)
    else:
        outcome = run(test, made.policy, made.events)
    return Trial(suite, outcome, made.places, time.perf_counter() - start, used)


def _why(faults: Sequence[Diagnostic], test: Test) -> str:
    errors = [fault for fault in faults if fault.severity == "error"]
    first = errors[0]
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    where = " with the parameters that the test gives" if test.parameters else ""
    return f"the policy has errors{where}: {first.span.file}:{first.span.line}: {first.message} ({first.code}){more}"


__all__ = ["Suite", "Trial", "suites", "tried"]
