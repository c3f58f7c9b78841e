"""The tutorial and the how-to pages: what they show is what Duly does, command by command."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
HOW_TO = ("calendars", "ladders", "surveys", "reactions-and-approvals", "duties")
PAGES = {
    "tutorial.md": None,
    "simulate.md": "tutorial",
    **{f"how-to/{name}.md": "how-to/base" for name in HOW_TO},
}
"""Each page, and the folder that its commands begin with."""

_STEP = re.compile(
    r"<!-- write: (?P<name>\S+) -->\n```\w+\n(?P<content>.*?)```\n"
    r"|```console\n\$ duly (?P<command>[^\n]*)\n(?P<shown>.*?)```\n",
    re.DOTALL,
)
_YAML = re.compile(r"(<!-- write: \S+ -->\n)?```yaml\n(.*?)```\n", re.DOTALL)

_HERE = os.pathsep.join(os.path.abspath(place) for place in sys.path if place)
"""Where modules are found, for commands that run in another folder."""

Walk = Callable[[str], tuple[Path, list[tuple[str, str, str]]]]


def printed(command: str, place: Path) -> str:
    """What a command prints in a folder, decisions indented, and the revision elided: it names the data of its day."""
    done = subprocess.run(
        [sys.executable, "-m", "duly_cli.main", *shlex.split(command)],
        cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False,
        env={**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": _HERE},
    ).stdout  # fmt: skip
    if command.startswith("decide "):
        done = json.dumps(json.loads(done), ensure_ascii=False, indent=2) + "\n"
    return re.sub(r"sha256:[0-9a-f]+…?", "sha256:…", done.rstrip() + "\n" if done.strip() else "")


def walked(page: str, place: Path) -> Iterator[tuple[str, str, str]]:
    """Do what a page says from top to bottom: write its files, run its commands; (command, shown, printed)."""
    beginning = PAGES[page]
    if beginning is not None:
        shutil.copytree(DOCS / beginning, place, dirs_exist_ok=True)
    for step in _STEP.finditer((DOCS / page).read_text(encoding="utf-8")):
        if step["name"]:
            file = place / step["name"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step["content"], encoding="utf-8")
        else:
            yield step["command"], step["shown"], printed(step["command"], place)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Walks a page, once: the folder it leaves behind, and its steps."""

    @cache
    def walk(page: str) -> tuple[Path, list[tuple[str, str, str]]]:
        place = tmp_path_factory.mktemp("page")
        return place, list(walked(page, place))

    return walk


@pytest.mark.parametrize("page", PAGES)
def test_sessions_are_real(page: str, walk: Walk) -> None:
    """What a page shows below a command is what that command prints, given all that stands above it."""
    _, steps = walk(page)
    assert steps
    assert [(command, shown) for command, shown, _ in steps] == [
        (command, found) for command, _, found in steps
    ]


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("how-to/")])
def test_pieces_of_a_how_to_are_valid(page: str, walk: Walk) -> None:
    """The documents that a how-to page shows are valid together, beside the set it begins with."""
    place, _ = walk(page)
    assert "no faults" in printed("validate .", place)
    assert all(marked for marked, _ in _YAML.findall((DOCS / page).read_text(encoding="utf-8")))


def test_tutorial_ends_with_the_shipped_set(walk: Walk) -> None:
    """Whoever follows the tutorial to its end has the files of docs/tutorial."""
    place, _ = walk("tutorial.md")
    assert files(DOCS / "tutorial") == files(place)


def files(place: Path) -> dict[str, str]:
    """The texts below a folder, by the name of their file."""
    return {
        str(path.relative_to(place)): path.read_text(encoding="utf-8")
        for path in sorted(place.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
