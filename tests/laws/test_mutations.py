"""Mutations of sound policies: whatever is broken, the engine answers, in time, with a place for each fault.

Each case breaks one file of a set at random (the number of the case is the seed) and compiles the set as
`duly validate` does. Where nothing is found to be wrong, the compiled set must load and decide.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from duly import compiler, documents
from duly.calendars.facts import holiday_facts
from duly.cases import Refused, read_case
from duly.compiler import Compilation, Source
from duly.decision import PolicySet
from duly.diagnostics import Diagnostic
from duly.instants import parse

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "laws")]
mutator = importlib.import_module("mutator")
house_style = importlib.import_module("house_style")

BASE = {path.name: path.read_bytes() for path in sorted((ROOT / "diagnostics" / "base").glob("*.yaml"))}
LANGUAGE = {path.name: path.read_bytes() for path in sorted((ROOT / "cases" / "language").glob("*.yaml"))}
PACK = {
    path.name: path.read_bytes()
    for path in sorted((ROOT.parent / "policies" / "standard-service").glob("*.yaml"))
}
LONGEST = 2.0
"""Seconds of CPU that one compilation may take; more counts as a hang."""
AT = parse("2026-03-02T09:00:00+08:00")


@pytest.mark.parametrize("chunk", range(8))
def test_base(chunk: int) -> None:
    """400 mutations of each eighth of the small sound set."""
    names = sorted(BASE)
    for seed in range(chunk * 400, chunk * 400 + 400):
        dice = Random(f"base {seed}")
        name = dice.choice(names)
        broken = mutator.mutated(BASE[name].decode(), dice)
        check({**BASE, name: broken}, {}, seed)


@pytest.mark.parametrize("chunk", range(4))
def test_language(chunk: int) -> None:
    """400 mutations of each quarter of the documents that use everything the language has."""
    names = sorted(name for name in LANGUAGE if name != "config.yaml")
    for seed in range(chunk * 400, chunk * 400 + 400):
        dice = Random(f"language {seed}")
        name = dice.choice(names)
        broken = mutator.mutated(LANGUAGE[name].decode(), dice)
        place = (
            "some.test.yaml"
            if name == "test.yaml"
            else "duly.yaml"
            if name == "policy-set.yaml"
            else "some.yaml"
        )
        check({**BASE, place: broken}, {"consultation_response": "10m", "award": 1}, seed)


@pytest.mark.parametrize("chunk", range(4))
def test_pack(chunk: int) -> None:
    """60 mutations of each quarter of the shipped policy, its parameter values among them."""
    given = documents.load(PACK["params.example.yaml"], "params.example.yaml")[0][0].data
    sources = {name: content for name, content in PACK.items() if not name.startswith("params.")}
    for seed in range(chunk * 60, chunk * 60 + 60):
        dice = Random(f"pack {seed}")
        if dice.random() < 0.1:
            values = {**given, dice.choice(sorted(given)): dice.choice(mutator.VALUES)}
            check(sources, values, seed)
        else:
            name = dice.choice(sorted(sources))
            check({**sources, name: mutator.mutated(sources[name].decode(), dice)}, given, seed)


def check(files: dict[str, bytes], given: dict[str, Any], seed: int) -> None:
    """Compile a set, look at each diagnostic, and decide with it where it is sound.

    Sound documents are not shown to jsonschema again; that it agrees with the quick check is a test of its own.
    """
    sources = [Source(name, content) for name, content in files.items()]
    with in_time(seed):
        found = compiler.compile(sources, given, facts=facts, thorough=any(each.is_test for each in sources))
    for each in found.diagnostics:
        assert is_inside(each, files), (seed, each)
        assert (
            house_style.faults([each.message, each.help or "", *(one.message for one in each.related)]) == []
        ), seed
    assert (found.compiled is None) == bool(found.errors), seed
    if found.compiled is not None:
        with in_time(seed):
            decide(found)


def decide(found: Compilation) -> None:
    """A case with a few of its fields goes through the set; only a refusal is an answer besides a decision."""
    compiled = json.loads(json.dumps(found.compiled, allow_nan=False))
    json.dumps(found.places)
    policy = PolicySet(compiled)
    fields = {
        "channel": "phone",
        "tier": "vip",
        "type": "complaint",
        "category": "system_failure",
        "amount": 5,
    }
    case = {"id": "C-1", "customer": "K-1", "opened_at": "2026-03-02T08:00:00+08:00", "fields": fields}
    with suppress(Refused):
        json.dumps(policy.view(policy.replay(read_case(case), AT), AT), default=float)


@cache
def facts(country: str, subdivision: str | None = None) -> dict[str, Any]:
    """The holidays of a country, read once."""
    return holiday_facts(country, subdivision)


def is_inside(diagnostic: Diagnostic, files: dict[str, bytes]) -> bool:
    """Whether a diagnostic names a file, and a line and column in it."""
    span = diagnostic.span
    lines = re.split("\r\n|\r|\n", files.get(span.file, b"").decode("utf-8-sig", "replace"))
    inside = 1 <= span.line <= len(lines) and 1 <= span.column <= len(lines[span.line - 1]) + 1
    return (
        span.file in (*files, "duly.yaml")
        and inside
        and (span.end_line, span.end_column) > (span.line, span.column)
    )


@contextmanager
def in_time(seed: int) -> Iterator[None]:
    """Fails what computes for longer than it may; what cannot be interrupted ends the run after a minute."""

    def stop(number: int, frame: Any) -> None:
        raise AssertionError(f"seed {seed}: over {LONGEST} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    faulthandler.dump_traceback_later(60, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
