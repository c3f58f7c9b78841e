"""Diagnostics: every broken policy of `diagnostics/` gives the report beside it, word for word.

`diagnostics/NAME.yaml` is one broken document; `duly validate` is run on the sound set `diagnostics/base` with
it added, or, where it holds a PolicySet, with it in place of the manifest. `diagnostics/NAME/` is a whole set.
`diagnostics/NAME.txt` is what `duly validate` prints. A first line `# duly validate . OPTIONS` gives options.

To add one: write the broken file, run `REWRITE_GOLDENS=1 pytest tests/test_diagnostics.py`, read the report
aloud (does it say where, what was found, what was expected, what to do, and each fault once?), commit both.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from duly_cli.main import main

HERE = Path(__file__).parent / "diagnostics"
BASE = HERE / "base"
REWRITE = bool(os.environ.get("REWRITE_GOLDENS"))
BROKEN = sorted(
    path for path in HERE.iterdir() if path != BASE and (path.is_dir() or path.suffix in (".yaml", ".yml"))
)
JARGON = re.compile(
    r"\b(oneOf|anyOf|allOf|None|True|False|dict|NoneType|str|int|float|bool|list\[|is not of type|schema|Traceback"
    r"|required property|does not match|regex|KeyError|ValueError)\b"
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holiday facts are kept in a folder of the tests."""
    monkeypatch.setenv("DULY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")


def test_base_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
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
        assert style_faults(each) == []


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
    lines = path.read_bytes().decode("utf-8", "replace").split("\n") if path.exists() else [""]
    line, column = diagnostic["line"], diagnostic["column"]
    return bool(1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1)


def style_faults(diagnostic: dict[str, Any]) -> list[str]:
    """What the house style forbids in a message, its help or its related places."""
    texts = [diagnostic["message"], diagnostic["help"] or "", *(each["message"] for each in diagnostic["related"])]
    found = []
    for text in texts:
        prose = re.sub("`[^`]*`", "``", text)
        found += [f"full stop: {text}" for _ in range(prose.endswith("."))]
        found += [f"capital: {text}" for _ in range(prose[:1].isupper())]
        found += [f"jargon: {text}" for _ in JARGON.findall(prose)]
        found += [f"doubled blank: {text}" for _ in range("  " in prose)]
    return found
