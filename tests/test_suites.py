"""Tests of policies: how they are read, run, compared and counted; the cases stand in cases/suites."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import duly
import duly_cli
from duly_cli.main import main

HERE = Path(__file__).parent / "cases" / "suites"
FAILING = sorted(HERE.glob("failing/*.test.yaml"))
RECORDED = sorted(HERE.glob("recording/*.test.yaml"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the desk's policy and no tests, to work in."""
    monkeypatch.setenv("DULY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "desk"
    folder.mkdir()
    shutil.copy(HERE / "desk" / "duly.yaml", folder)
    monkeypatch.chdir(folder)
    return folder


def test_what_holds(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tests whose expectations all come true pass, one line a file, and the count comes last."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    assert main(["test"]) == 0
    assert capsys.readouterr().out == "✓ first.test.yaml  9 passed\n9 passed, 0 failed\n"


@pytest.mark.parametrize("file", FAILING, ids=[path.name.split(".")[0] for path in FAILING])
def test_what_fails(file: Path, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A failing test says where, what was expected, what came, and which rules were tried."""
    shutil.copy(file, desk)
    assert main(["test"]) == 1
    expected = file.with_name(file.name.replace(".test.yaml", ".txt"))
    assert capsys.readouterr().out == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", RECORDED, ids=[path.name.split(".")[0] for path in RECORDED])
def test_recording(file: Path, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What happened is written in place of what was expected, and nothing else of the file changes."""
    shutil.copy(file, desk)
    main(["test", "--record"])
    written = (desk / file.name).read_text(encoding="utf-8")
    assert written == file.with_name(file.name.replace(".test.yaml", ".yaml")).read_text(encoding="utf-8")
    assert main(["test"]) == (1 if "never" in written else 0)


def test_nothing_to_run(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A set without tests fails, and it is said where tests are looked for."""
    assert main(["test"]) == 1
    said = capsys.readouterr()
    assert said.err == "duly: no tests in `.`; they are looked for in `*.test.yaml` beside the policies\n"
    assert said.out == "0 passed, 0 failed\n"


def test_choosing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`-k` runs the tests that have a word in their name; a word that none has is a failure."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    assert main(["test", "-k", "own-param", "--verbose"]) == 0
    shown = capsys.readouterr().out
    assert re.findall("✓ (own.*)", shown) == ["own-parameter[short]", "own-parameter[long]"]
    assert main(["test", "-k", "nonsense"]) == 1


def test_a_file_that_cannot_be_read(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of tests in a wrong shape fails with its faults; the others are run."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    (desk / "second.test.yaml").write_text("kind: Test\nspec: {tests: []}\n", encoding="utf-8")
    assert main(["test", "--junit", "out.xml"]) == 1
    report = ElementTree.parse(desk / "out.xml").getroot()
    assert "`apiVersion` is missing" in [error.get("message") for error in report.iter("error")]
    shown = capsys.readouterr().out
    assert "second.test.yaml:1:1: error D102: `apiVersion` is missing" in shown
    assert shown.endswith("9 passed, 1 failed\n")


def test_example_parameters(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without other values those of params.example.yaml hold, which is said; a test's own go before them."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    (desk / "params.example.yaml").write_text("question_response: 1h\n", encoding="utf-8")
    assert main(["test", "-k", "question-climbs"]) == 1
    said = capsys.readouterr()
    assert said.err == "duly: parameters from params.example.yaml\n"
    assert "found    2026-03-02T02:00:00Z" not in said.out
    assert main(["test", "-k", "own-parameter"]) == 0
    assert main(["test", "-k", "question-climbs", "--param", "question_response=30m"]) == 0


def test_coverage(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Coverage counts entries, tests of conditions both ways, and targets at and after their due."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    assert main(["test", "--coverage"]) == 0
    assert capsys.readouterr().out == (HERE / "coverage.txt").read_text(encoding="utf-8")
    assert main(["test", "--coverage-threshold", "95%"]) == 1
    assert main(["test", "--coverage-threshold", "93"]) == 0


def test_coverage_files(desk: Path) -> None:
    """LCOV and Cobertura name each line of an entry, with how often it was used, and each way of a condition."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    main(["test", "--lcov", "out.info", "--cobertura", "out.xml"])
    lines = (desk / "out.info").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["TN:", "SF:duly.yaml"]
    assert lines[-1] == "end_of_record"
    line = (desk / "duly.yaml").read_text(encoding="utf-8").splitlines().index("    - id: thank") + 1
    assert f"DA:{line},0" in lines
    report = ElementTree.parse(desk / "out.xml").getroot()
    hits = {row.get("number"): row.get("hits") for row in report.iter("line")}
    assert hits[str(line)] == "0"
    assert report.get("lines-covered") == str(sum(count != "0" for count in hits.values()))
    assert {row.split(":")[1].split(",")[0] for row in lines if row.startswith("DA:")} == hits.keys()


def test_junit(desk: Path) -> None:
    """JUnit XML holds a case for each test, and for each that failed what is said of it."""
    shutil.copy(HERE / "failing" / "clocks.test.yaml", desk)
    main(["test", "--junit", "out.xml"])
    report = ElementTree.parse(desk / "out.xml").getroot()
    assert [case.get("name") for case in report.iter("testcase")] == ["other-target", "不认识的时钟"]
    assert [failure.get("message") for failure in report.iter("failure")][1] == (
        "the policy has no clock `first-response`; did you mean `first_response`?; "
        "the policy has no survey `followup`; did you mean `follow-up`?"
    )


def test_compiled_once(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs over one cache give the same results: what was compiled is read back."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    assert [main(["test"]), main(["test"])] == [0, 0]
    assert len(list((desk.parent / "cache").glob("*.json"))) >= 3


def test_watching(desk: Path) -> None:
    """`--watch` runs again after a change, and Ctrl-C ends it without a word."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    command = [sys.executable, "-m", "duly_cli.main", "test", "--watch"]
    roots = [
        str(Path(package.__file__).resolve().parents[1]) for package in (duly, duly_cli) if package.__file__
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(3)]
        (desk / "first.test.yaml").write_text("kind: Test\n", encoding="utf-8")
        again = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert first[1:] == ["9 passed, 0 failed\n", "duly: watching `.`; Ctrl-C ends it\n"]
    assert "first.test.yaml:1:1: error D102" in again[0]
    assert "Traceback" not in rest
    assert process.returncode == 130


def test_one_file(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of tests runs alone, over the set of the nearest folder above it."""
    (desk / "tests").mkdir()
    shutil.copy(HERE / "desk" / "first.test.yaml", desk / "tests")
    shutil.copy(HERE / "failing" / "clocks.test.yaml", desk)
    assert main(["test", "tests/first.test.yaml"]) == 0
    shutil.copy(HERE / "desk" / "first.test.yaml", desk.parent)
    capsys.readouterr()
    assert main(["test", "../first.test.yaml"]) == 2
    assert capsys.readouterr().err == (
        "duly: `../first.test.yaml` belongs to no policy set: no folder above it has a duly.yaml\n"
    )


def test_a_policy_with_errors(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with the policy itself is told once, and all its tests fail."""
    shutil.copy(HERE / "desk" / "first.test.yaml", desk)
    manifest = desk / "duly.yaml"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace("group:vip-desk", "group:vips"), encoding="utf-8"
    )
    assert main(["test"]) == 1
    shown = capsys.readouterr().out
    assert shown.count("error D201") == 1
    assert shown.endswith("0 passed, 9 failed\n")
