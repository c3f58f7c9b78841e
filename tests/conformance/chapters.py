"""The chapters of condition cases: YAML files beside this one, read with the engine's own reader.

A chapter has a vocabulary and cases. A case is a `when` with facts for which it `holds`, `fails`, or whose
values are `refused`; or with the `error` codes that reading it gives (and `at`, and a part of `message` or
`help`). A case whose facts are asked about can be run by any matcher.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duly.conditions.faults import Fault
from duly.conditions.fields import Vocabulary
from duly.conditions.packing import pack_vocabulary
from duly.conditions.syntax import read
from duly.conditions.tree import Condition
from duly.conditions.values import Intake
from duly.conditions.vocabulary import read_vocabulary
from duly.documents import load


@dataclass(frozen=True)
class Case:
    """One `when` of a chapter, read; `data` is the case as it is written."""

    name: str
    data: dict[str, Any]
    vocabulary: Vocabulary
    condition: Condition
    faults: list[Fault]


def chapters() -> list[Case]:
    """All cases of all chapters."""
    return [case for file in sorted(Path(__file__).parent.glob("*.yaml")) for case in _chapter(file)]


def questions() -> list[tuple[Case, dict[str, Any], bool]]:
    """Every condition with the facts it is asked about and the answer: what each matcher must give."""
    return [
        (case, raw, answer)
        for case in chapters()
        for key, answer in (("holds", True), ("fails", False))
        for raw in case.data.get(key, ())
    ]


def facts(vocabulary: Vocabulary, raw: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The typed facts of raw values by full name, and their faults."""
    packed = pack_vocabulary(vocabulary)
    found: dict[str, Any] = {}
    faults: list[dict[str, str]] = []
    for subject, prefix in (("case", ""), ("event", "event."), ("customer", "customer.")):
        own = {
            name[len(prefix) :]: value
            for name, value in raw.items()
            if (name.startswith(prefix) if prefix else "." not in name)
        }
        some, more = Intake(packed, subject)(own)
        found.update(some)
        faults += more
    return found, faults


def _chapter(file: Path) -> list[Case]:
    documents, diagnostics = load(file.read_bytes(), file.name)
    assert not diagnostics, diagnostics
    document = documents[0]
    vocabulary, faults = read_vocabulary(document.data["vocabulary"], ("vocabulary",), document.raw)
    assert not faults, faults
    cases = []
    for number, data in enumerate(document.data["cases"]):
        condition, found = read(data["when"], vocabulary, ("cases", number, "when"), raw=document.raw)
        cases.append(Case(f"{file.stem}-{number}", data, vocabulary, condition, found))
    return cases
