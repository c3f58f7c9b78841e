"""`duly clauses`: from a written rule to entries and tests; the set is the desk of cases/suites."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from duly.reports.clauses import Cited, Proof, register, trace
from duly_cli.main import main

ROOT = Path(__file__).parent.parent
DESK = Path(__file__).parent / "cases" / "suites" / "desk"
KINDS = {"R-1": "routing", "R-2": "routing", "R-3": "sla-target", "R-4": "sla-target", "R-5": "escalation"}
ASKED = {"approval", "escalation", "routing", "schedule", "sla-target", "survey", "workflow"}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the desk's policy and its tests, to work in."""
    monkeypatch.setenv("DULY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "desk"
    shutil.copytree(DESK, folder)
    monkeypatch.chdir(folder)
    return folder


def write(desk: Path, **changed: str | None) -> None:
    """Write a register of the desk's clauses, some of another kind, or left out."""
    kinds = {**KINDS, **{name.replace("_", "-"): kind for name, kind in changed.items()}}
    lines = [json.dumps({"id": name, "kind": kind}) for name, kind in kinds.items() if kind is not None]
    (desk / "clauses.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def report(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    """The report as data."""
    assert main(["clauses", *words, "--format", "json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_packs_are_traced(capsys: pytest.CaptureFixture[str]) -> None:
    """The packs cite every clause that is asked for, no other, and their tests exercise each."""
    found = report(capsys, str(ROOT / "policies"))
    assert (146, 146, 146) == (found["asked"], found["implemented"], found["covered"])
    assert [] == found["holes"]
    assert ASKED == {kind for document in found["documents"] for kind in document["kinds"]}
    assert 235 == sum(len(document["clauses"]) for document in found["documents"])


def test_nothing_missing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where each clause has an entry and a test, it is said; each entry has its line and its tests."""
    write(desk)
    found = report(capsys)
    assert (5, 5, 5) == (found["asked"], found["implemented"], found["covered"])
    (document,) = found["documents"]
    vip = next(clause for clause in document["clauses"] if clause["id"] == "R-2")
    (entry,) = vip["entries"]
    line = (desk / "duly.yaml").read_text(encoding="utf-8").splitlines()[entry["line"] - 1]
    assert ("covered", "routing/desk#vip", "duly.yaml") == (vip["status"], entry["rule"], entry["file"])
    assert "source: [R-2]" in line
    assert entry["tests"]


def test_holes(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clause that no entry names, one without a test and one that the register does not have are holes."""
    write(desk, R_9="survey", R_5=None, R_2="threshold-rule", R_8="not-executable")
    (desk / "first.test.yaml").unlink()
    found = report(capsys)
    assert [
        ("R-9", "missing"),
        ("R-1", "untested"),
        ("R-3", "untested"),
        ("R-4", "untested"),
        ("R-5", "unknown"),
    ] == [(hole["id"], hole["status"]) for hole in found["holes"]]
    assert {"R-2": "not asked", "R-8": "not asked"} == {
        clause["id"]: clause["status"]
        for clause in found["documents"][0]["clauses"]
        if clause["status"] == "not asked"
    }
    assert (4, 3, 0) == (found["asked"], found["implemented"], found["covered"])
    assert found["untested_entries"]


def test_strict(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Holes are findings only where `--strict` asks for it."""
    write(desk, R_9="survey")
    assert 1 == len(report(capsys)["holes"])
    assert 1 == len(report(capsys, "--strict", code=1)["holes"])
    write(desk)
    assert report(capsys, "--strict", code=1)["untested_entries"]
    assert main(["clauses", str(ROOT / "policies" / "ecommerce-service"), "--strict"]) == 0


def test_a_failing_test_proves_nothing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What only a failing test exercises is a hole, and the test is complained of."""
    write(desk)
    tests = desk / "first.test.yaml"
    text = tests.read_text(encoding="utf-8")
    tests.write_text(text.replace("rule: routing/desk#vip", "rule: routing/desk#other"), encoding="utf-8")
    assert main(["clauses", "--format", "json"]) == 0
    said = capsys.readouterr()
    assert "fails, so it is left out; `duly test` says why" in said.err


def test_without_a_register(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a register the clauses are those that entries name."""
    found = report(capsys)
    assert [*KINDS] == [clause["id"] for clause in found["documents"][0]["clauses"]]
    assert [] == found["holes"]
    assert not found["documents"][0]["register"]


def test_another_register(desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--register` names the clauses of all the sets below a folder at once."""
    other = tmp_path / "rule.jsonl"
    other.write_text(
        '{"id": "R-1"}\n\n{"id": "R-77", "kind": "survey", "text": "每月回访"}\n', encoding="utf-8"
    )
    found = report(capsys, str(desk.parent), "--register", str(other))
    assert [("R-77", "missing"), *((name, "unknown") for name in ("R-2", "R-3", "R-4", "R-5"))] == [
        (hole["id"], hole["status"]) for hole in found["holes"]
    ]


def test_text_begins_with_holes(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a person holes come first, and how much there is comes last."""
    write(desk, R_9="survey", R_5=None)
    assert main(["clauses"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "holes:\n  R-9  survey  desk  no entry names it\n  R-5          desk  is named, but "
    )
    assert said.endswith("4 of 5 clauses implemented, 4 covered by a test\n")
    assert "  R-2  routing  covered\n      routing/desk#vip  duly.yaml:63  " in said


def test_tables(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV has a row for each clause and entry; Markdown a row for each clause, in a file where asked."""
    write(desk, R_9="survey")
    assert main(["clauses", "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [*KINDS, "R-9"] == [row["clause"] for row in rows]
    assert ("missing", "") == (rows[-1]["status"], rows[-1]["rule"])
    assert main(["clauses", "--format", "markdown", "-o", "page.md"]) == 0
    page = (desk / "page.md").read_text(encoding="utf-8")
    assert page.startswith(
        "# 5 of 6 clauses implemented, 5 covered by a test\n\n## Holes\n\n- R-9 of desk: no entry"
    )
    assert 6 == sum(line.startswith("| R-") for line in page.splitlines())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "line 1 is not JSON"),
        ('{"id": "R-1"}\n[]', "line 2: expected a clause such as"),
        ('{"id": 7}', "line 1: expected a clause such as"),
        ('{"id": "R-1", "kind": 3}', "line 1: expected a clause such as"),
        ('{"id": "R-1"}\n{"id": "R-1"}', "line 2: clause `R-1` is there twice"),
    ],
)
def test_wrong_registers(text: str, told: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A register that is none is told with its line."""
    (desk / "clauses.jsonl").write_text(text, encoding="utf-8")
    assert main(["clauses"]) == 2
    assert told in capsys.readouterr().err


def test_an_invalid_policy(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy with faults is told of them."""
    place = desk / "duly.yaml"
    place.write_text(
        place.read_text(encoding="utf-8").replace("within: 5m", "within: 5min"), encoding="utf-8"
    )
    assert main(["clauses"]) == 1
    assert "did you mean `5m`?" in capsys.readouterr().err


def test_hints() -> None:
    """A clause that is nearly one of the register is asked after; proofs of several entries count once."""
    proof = Proof("one", "a.test.yaml", 3)
    entries = [Cited(name, "a.yaml", 1, source, proofs=[proof]) for name, source in
               (("x", ("S1-06",)), ("y", ("S1-06", "S1-60")))]  # fmt: skip
    made = trace("rule", register('{"id": "S1-06", "kind": "sla-target"}'), entries)
    assert [[proof], [proof]] == [each.proofs for each in made.clauses]
    assert ["did you mean `S1-06`?"] == [each.hint for each in made.holes]
