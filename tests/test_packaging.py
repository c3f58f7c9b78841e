"""Packaging: what is released is whole, and nothing else."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import duly

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
PLACES = {name: ROOT / place for name, place in SETUPTOOLS["package-dir"].items()}
DISTRIBUTIONS = {
    "durable_rules_engine": "durable-rules", "nats": "nats-py", "prometheus_client": "prometheus-client",
    "re2": "google-re2", "yaml": "PyYAML",
}  # fmt: skip
"""Modules that are called otherwise than the distribution they come in."""
BY_NAME = {"durable_rules_engine", "tzdata"}
"""Modules that are not imported by a statement: one is an extra, of the other only the data are read."""


def data_of(package: str) -> set[str]:
    """The files of a data package that a release must hold, as they lie below it."""
    place = PLACES[package]
    return {
        str(path.relative_to(place))
        for path in place.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }


def imported() -> set[str]:
    """Every top-level module that the engine and the command line import, wherever they do."""
    found: set[str] = set()
    for root in ("engine", "cli"):
        for path in (ROOT / root).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.split(".")[0])
                elif isinstance(node, ast.Constant) and node.value in BY_NAME:
                    found.add(node.value)
    return found - set(sys.stdlib_module_names) - {"duly", "duly_cli", "_sha2", "_sha256"}


def declared() -> set[str]:
    """The distributions that a user gets, with every extra but those for development and for benchmarks."""
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [
        *PROJECT["project"]["dependencies"],
        *(each for name in extras if name not in ("dev", "bench") for each in extras[name]),
    ]
    return {re.split(r"[<>=!~ \[]", each)[0] for each in wanted}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """The names of the files in the wheel and in the source release, built from a copy of what is here."""
    pytest.importorskip("build")
    here, out = tmp_path_factory.mktemp("copy") / "duly", tmp_path_factory.mktemp("dist")
    unwanted = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, here, ignore=unwanted)
    shutil.copytree(ROOT / ".ci", here / ".ci")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(here)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,), (source,) = out.glob("*.whl"), out.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    return set(zipfile.ZipFile(wheel).namelist()), names


def test_every_package_is_listed() -> None:
    """Every folder of the source roots that holds modules is a package, and the list names each."""
    found = set()
    for package in ("duly", "duly_cli"):
        for path in PLACES[package].rglob("*.py"):
            found.add(".".join((package, *path.parent.relative_to(PLACES[package]).parts)))
            assert (path.parent / "__init__.py").exists()
    assert sorted(found | {"duly.policies", "duly.schemas"}) == sorted(SETUPTOOLS["packages"])


def test_version_is_said_once() -> None:
    """The version that the release carries is the one that `duly --version` prints."""
    assert duly.__version__ == PROJECT["project"]["version"]


def test_dependencies_are_those_imported() -> None:
    """What is imported is declared, and nothing is declared that is not imported."""
    assert {DISTRIBUTIONS.get(module, module) for module in imported()} == declared()


def test_wheel_holds_schemas_and_packs(released: tuple[set[str], set[str]]) -> None:
    """Every schema and every file of every pack is in the wheel."""
    wheel, _ = released
    wanted = {
        f"{name.replace('.', '/')}/{file}"
        for name in ("duly.schemas", "duly.policies")
        for file in data_of(name)
    }
    assert set() == wanted - wheel
    assert {"duly/py.typed", "duly_cli/py.typed"} <= wheel
    store = "engine/duly/hosts/store/migrations"
    assert {
        f"duly/hosts/store/migrations/{path.relative_to(ROOT / store)}"
        for path in (ROOT / store).rglob("*.sql")
    } <= wheel


def test_wheel_holds_nothing_else(released: tuple[set[str], set[str]]) -> None:
    """No package called `engine`, `cli` or `tests` lands among a user's packages."""
    wheel, _ = released
    assert {"duly", "duly_cli"} == {name.split("/")[0] for name in wheel if ".dist-info/" not in name}


def test_source_release_can_be_tested(released: tuple[set[str], set[str]]) -> None:
    """The source release holds the data, the tests, the documentation and the licence."""
    _, source = released
    wanted = {"LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md", ".ci/run"}
    for folder in ("tests", "docs", "schemas", "policies"):
        wanted |= {
            str(path.relative_to(ROOT))
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
        }
    assert set() == wanted - source
