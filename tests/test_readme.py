"""The README, in both languages: what it shows is what Duly does."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh-CN.md")

_FILE = re.compile(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```\n", re.DOTALL)
_SESSION = re.compile(r"```console\n\$ duly ([^\n]*)\n(.*?)```\n", re.DOTALL)
_RUN_BY_CI = re.compile(r"<!-- run by \.ci/run: (\w+) -->\n```sh\n(.*?)```\n", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def text(readme: str) -> str:
    """The text of one README."""
    return (ROOT / readme).read_text(encoding="utf-8")


def printed(command: str) -> str:
    """What a command prints for a person, the revision elided: it names the data of the day it was made."""
    done = subprocess.run(
        [sys.executable, "-m", "duly_cli.main", *shlex.split(command)],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=True, env={**os.environ, "PYTHONUTF8": "1"},
    ).stdout  # fmt: skip
    shown = (
        json.dumps(json.loads(done), ensure_ascii=False, indent=2) if done.startswith("{") else done.strip()
    )
    return re.sub(r"sha256:[0-9a-f]+…?", "sha256:…", shown) + "\n"


@pytest.mark.parametrize("readme", READMES)
def test_policy_is_the_shipped_file(readme: str) -> None:
    """The policy that a README shows is the file of the example, line by line."""
    shown = _FILE.findall(text(readme))
    assert ["docs/example/policy.yaml"] == [name for name, _ in shown]
    assert [(ROOT / name).read_text(encoding="utf-8") for name, _ in shown] == [
        content for _, content in shown
    ]


@pytest.mark.parametrize("readme", READMES)
def test_policy_has_twenty_lines(readme: str) -> None:
    """Twenty lines are promised, not counting the one that parts the two documents."""
    ((_, content),) = _FILE.findall(text(readme))
    assert 20 == len([line for line in content.splitlines() if line != "---"])


@pytest.mark.parametrize("readme", READMES)
def test_sessions_are_real(readme: str) -> None:
    """What a README shows below a command is what that command prints."""
    sessions = _SESSION.findall(text(readme))
    assert ["decide", "explain"] == [command.split()[0] for command, _ in sessions]
    assert [printed(command) for command, _ in sessions] == [shown for _, shown in sessions]


def test_both_readmes_run_the_same_commands() -> None:
    """The two commands are two, and the same in both languages."""
    english, chinese = (_RUN_BY_CI.findall(text(readme)) for readme in READMES)
    assert ["setup", "tests"] == [name for name, _ in english]
    assert english == chinese


@pytest.mark.parametrize("page", [*READMES, "CONTRIBUTING.md", "CHANGELOG.md", *sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")
)])  # fmt: skip
def test_links_lead_somewhere(page: str) -> None:
    """Every link of the documentation to another file of the repository finds it."""
    here = (ROOT / page).parent
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text(page), flags=re.DOTALL)
    assert [] == [link for link in _LINK.findall(prose) if not (here / link).exists()]
