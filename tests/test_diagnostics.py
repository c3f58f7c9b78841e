"""Diagnostics: every broken policy of `diagnostics/` gives the report beside it, word for word.

`diagnostics/NAME.yaml` is one broken document; `duly validate` is run on the sound set `diagnostics/base` with
it added, or, where it holds a PolicySet, with it in place of the manifest. `diagnostics/NAME/` is a whole set.
`diagnostics/NAME.txt` is what `duly validate` prints. A first line `# duly validate . OPTIONS` gives options.

To add one: write the broken file, run `REWRITE_GOLDENS=1 pytest tests/test_diagnostics.py`, read the report
aloud (does it say where, what was found, what was expected, what to do, and each fault once?), commit both.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import duly
from duly import codes
from duly_cli.main import main

HERE = Path(__file__).parent / "diagnostics"
BASE = HERE / "base"
REWRITE = bool(os.environ.get("REWRITE_GOLDENS"))
BROKEN = sorted(
    path for path in HERE.iterdir() if path != BASE and (path.is_dir() or path.suffix in (".yaml", ".yml"))
)
sys.path.insert(0, str(Path(__file__).parent))
house_style = importlib.import_module("house_style")


PAGE = HERE.parent.parent / "docs" / "diagnostics.md"
MARK = "<!-- examples -->\n"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holiday facts are kept in a folder of the tests."""
    monkeypatch.setenv("DULY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")


def test_base_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The set that broken documents are added to has no faults of its own."""
    code, report = validated(BASE, tmp_path, monkeypatch, capsys)
    assert (code, report) == (0, "duly: 6 files checked: no faults\n")


@pytest.mark.parametrize("broken", BROKEN, ids=lambda path: path.stem)
def test_report(
    broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`duly validate` prints the golden report."""
    code, report = validated(broken, tmp_path, monkeypatch, capsys)
    golden = broken.with_suffix(".txt")
    if REWRITE:
        golden.write_text(report, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == report
    assert code == (1 if " error " in report else 0)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda path: path.stem)
def test_places(
    broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each fault has a stable code and stands inside its file; its message keeps to the house style."""
    _, report = validated(broken, tmp_path, monkeypatch, capsys, "--format", "json")
    diagnostics = json.loads(report)["diagnostics"]
    assert diagnostics
    for each in diagnostics:
        assert re.fullmatch("[CD][0-9]{3}", each["code"])
        assert is_inside(each, Path.cwd()), each
        assert (
            house_style.faults(
                [each["message"], each["help"] or "", *(one["message"] for one in each["related"])]
            )
            == []
        )


def test_page_shows_each_code() -> None:
    """The page on diagnostics ends with a report of each code, taken from the golden ones."""
    page = PAGE.read_text(encoding="utf-8")
    head, mark, shown = page.partition(MARK)
    if REWRITE:
        PAGE.write_text(head + mark + examples(), encoding="utf-8")
        shown = examples()
    assert shown == examples()
    known = set(codes.CATALOGUE)
    assert set(re.findall(r"^### ([CD][0-9]{3})", shown, re.MULTILINE)) <= known


def examples() -> str:
    """For each code the shortest golden report that begins with it."""
    found: dict[str, str] = {}
    for golden in sorted(HERE.glob("*.txt")):
        report = golden.read_text(encoding="utf-8").split("\n\n", 1)[0]
        code = re.match(r"\S+ (?:error|warning) ([CD][0-9]{3}):", report)
        if code and len(report) < len(found.get(code[1], "x" * 2_000)):
            found[code[1]] = report
    names = {entry.code: entry.name for entry in codes.CATALOGUE.values()}
    return "".join(
        f"\n### {code} {names[code]}\n\n```text\n{found[code]}\n```\n" for code in sorted(found, key=order)
    )


def order(code: str) -> tuple[bool, str]:
    """Codes of documents before those of conditions, as the page has them."""
    return code.startswith("C"), code


def validated(
    broken: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *options: str,
) -> tuple[int, str]:
    """The exit code of `duly validate .` and what it prints, with the broken document in its place."""
    monkeypatch.chdir(folder)
    words: list[str] = []
    if broken.is_dir():
        shutil.copytree(broken, folder, dirs_exist_ok=True)
    else:
        shutil.copytree(BASE, folder, dirs_exist_ok=True)
        content = broken.read_bytes()
        manifest = re.search(rb"^kind: *PolicySet", content, re.MULTILINE)
        (folder / ("duly.yaml" if manifest else broken.name)).write_bytes(content)
        first = content.split(b"\n", 1)[0].decode("utf-8", "replace")
        if first.startswith("# duly validate . "):
            words = shlex.split(first.removeprefix("# duly validate . "))
    code = main(["validate", ".", *words, *options])
    out, err = capsys.readouterr()
    return code, out + err


def is_inside(diagnostic: dict[str, Any], folder: Path) -> bool:
    """Whether the place of a diagnostic lies inside the file that it names."""
    path = folder / diagnostic["file"]
    content = path.read_bytes().decode("utf-8-sig", "replace") if path.exists() else ""
    lines = re.split("\r\n|\r|\n", content)
    line, column = diagnostic["line"], diagnostic["column"]
    return bool(1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1)


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
@pytest.mark.parametrize("name", ["several-files", "enum-value-in-chinese", "closed-for-good", "unknown-key"])
def test_formats(
    name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reports for programs, for code scanning and for pull requests say the same in their own forms."""
    broken = next(path for path in BROKEN if path.stem == name)
    _, report = validated(broken, tmp_path, monkeypatch, capsys, "--format", form)
    report = report.replace(f'"version": "{duly.__version__}"', '"version": "VERSION"')
    golden = HERE / f"{name}.{form}"
    if REWRITE:
        golden.write_text(report, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == report


@pytest.mark.parametrize("broken", BROKEN, ids=lambda path: path.stem)
def test_sarif_is_what_code_scanning_takes(
    broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every key that code scanning asks for is there: rules, levels, messages, files, regions from 1."""
    _, report = validated(broken, tmp_path, monkeypatch, capsys, "--format", "sarif")
    sarif = json.loads(report)
    assert sarif["version"] == "2.1.0"
    assert sarif["$schema"].endswith("sarif-2.1.0.json")
    (run,) = sarif["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "duly"
    for rule in driver["rules"]:
        assert rule["name"]
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
    assert {result["ruleId"] for result in run["results"]} == {rule["id"] for rule in driver["rules"]}
    for result in run["results"]:
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        assert len(result["locations"]) == 1
        for each in (*result["locations"], *result["relatedLocations"]):
            place = each["physicalLocation"]
            assert re.fullmatch(r"[\w./%-]+", place["artifactLocation"]["uri"], re.ASCII)
            region = place["region"]
            assert min(region.values()) >= 1
            assert (region["endLine"], region["endColumn"]) > (region["startLine"], region["startColumn"])


def test_annotations_of_a_kind_are_at_most_ten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pull request shows ten annotations of a kind; the tenth says how many more there are."""
    people = "".join(f"    p{number}: {{nmae: 林}}\n" for number in range(30))
    broken = tmp_path / "many-faults.yaml"
    broken.write_text(
        f"apiVersion: duly/v1\nkind: Roster\nmetadata: {{name: many}}\nspec:\n  people:\n{people}"
    )
    folder = tmp_path / "set"
    folder.mkdir()
    _, report = validated(broken, folder, monkeypatch, capsys, "--format", "github")
    lines = report.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 10
    assert "::21 more like these" in lines[-1]


def test_file_over_four_mebibytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is too large is refused before it is read as YAML."""
    broken = tmp_path / "too-large.yaml"
    broken.write_text("# " + "x" * 4 * 1024 * 1024 + "\n", encoding="utf-8")
    folder = tmp_path / "set"
    folder.mkdir()
    code, report = validated(broken, folder, monkeypatch, capsys)
    assert code == 1
    assert report.startswith(
        "too-large.yaml:1:1: error D001: file of 4,194,307 bytes; at most 4,194,304 are read\n"
    )
    assert report.endswith("  help: split it into several documents\n\nduly: 7 files checked: 1 error\n")
