"""The architecture, as far as the import contracts in pyproject.toml do not check it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import quantiles

import pytest

ROOT = Path(__file__).parent.parent
PACK = ROOT / "policies" / "standard-service"
CASE = PACK / "cases" / "02-consultation-at-lunch.json"
DECIDE = [
    "decide",
    str(PACK),
    str(CASE),
    "--params",
    str(PACK / "params.example.yaml"),
    "--at",
    "2026-03-11T12:15:00+08:00",
]
MODULES = sorted(path for root in ("engine", "cli") for path in (ROOT / root).rglob("*.py"))

# A process that finds every package, but starts without what an editable install or a coverage run load
# at the start of every process.
BARE = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
import duly_cli.main
code = duly_cli.main.main(json.loads(sys.argv[2]))
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
print(json.dumps(files), file=sys.stderr)
sys.exit(code)
"""
SLOW = {
    "argparse", "dataclasses", "decimal", "hashlib", "importlib.metadata", "importlib.resources", "inspect", "pathlib",
    "subprocess", "tempfile", "traceback", "typing", "zoneinfo",
}  # fmt: skip
LANGUAGE = {
    "duly.compiler",
    "duly.diagnostics",
    "duly.documents",
    "duly.kinds",
    "duly.parameters",
    "duly.validation",
}


def bare(cache: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    """A bare process that runs `duly` with these arguments."""
    paths = json.dumps([str(ROOT / "engine"), str(ROOT / "cli"), *sys.path])
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", BARE, paths, json.dumps(words)],
        capture_output=True, encoding="utf-8", check=False, env={**os.environ, "DULY_CACHE": str(cache)},
    )  # fmt: skip


def modules(cache: Path, words: list[str]) -> tuple[str, set[str]]:
    """What a bare process prints for these arguments, and what it has loaded by then that is slow or foreign."""
    done = bare(cache, words)
    assert 0 == done.returncode, done.stderr
    files = json.loads(done.stderr)
    foreign = {
        name for name, file in files.items() if "site-packages" in file and not name.startswith("duly")
    }
    return done.stdout, foreign | (set(files) & (SLOW | LANGUAGE))


def duly(cache: Path, words: list[str]) -> str:
    """What the command prints as installed."""
    return subprocess.run(
        [sys.executable, "-m", "duly_cli.main", *words],
        capture_output=True, encoding="utf-8", check=True, env={**os.environ, "DULY_CACHE": str(cache)},
    ).stdout  # fmt: skip


def test_deciding_again_needs_no_package(tmp_path: Path) -> None:
    """Once a policy is compiled, deciding loads nothing but Duly's runtime and the quick part of Python."""
    first, _ = modules(tmp_path, DECIDE)
    second, loaded = modules(tmp_path, DECIDE)
    assert first == second
    assert set() == loaded


def test_deciding_from_a_bundle_needs_no_package(tmp_path: Path) -> None:
    """A bundle is decided from without compiler, YAML, schemas, holidays or time-zone package."""
    bundle = str(tmp_path / "service.duly")
    duly(tmp_path, ["build", str(PACK), "--params", DECIDE[4], "-o", bundle])
    words = ["decide", bundle, str(CASE), "--at", DECIDE[-1]]
    printed, loaded = modules(tmp_path, words)
    assert duly(tmp_path, words) == printed
    assert set() == loaded


def test_a_source_tree_has_no_packs(tmp_path: Path) -> None:
    """Where Duly runs from its source without being installed, `init` says what to do about it."""
    done = bare(tmp_path, ["init", str(tmp_path / "new")])
    assert 2 == done.returncode
    assert done.stderr.startswith("duly: the packs come with an installed Duly")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are(module: Path) -> None:
    """Every module begins with a sentence that says what it is."""
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


def test_modules_stay_short() -> None:
    """Modules stay short enough to read: nineteen in twenty have at most 300 lines."""
    lengths = [len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES]
    assert quantiles(lengths, n=20)[-1] <= 300
