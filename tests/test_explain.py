"""Explanations: what `duly explain` tells a person, as golden files in cases/explain."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from duly_cli.commands.explain import explain as command
from duly_cli.timetable import LEGEND
from duly_cli.widths import width

HERE = Path(__file__).parent / "cases" / "explain"
CASES: dict[str, Any] = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
Tell = Callable[..., str]


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> Tell:
    """What is printed for a case, the revision elided: it names the data of the day it was made."""

    def tell(name: str, *more: str) -> str:
        each = CASES[name]
        clock = ["--clock", each["clock"]] if "clock" in each else []
        monkeypatch.chdir(HERE)
        monkeypatch.setenv("DULY_CACHE", "off")
        words = ["policy", "-", "--at", each["at"], *clock, *more]
        done = CliRunner().invoke(command, words, input=json.dumps(each["case"]), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return re.sub(r"sha256:[0-9a-f]+…?", "sha256:…", done.stdout)

    return tell


@pytest.mark.parametrize("name", CASES)
def test_story(name: str, explained: Tell) -> None:
    """The story of a case is the one in its golden file; DULY_GOLDEN=write writes it."""
    golden = HERE / f"{name}.txt"
    if os.environ.get("DULY_GOLDEN") == "write":
        golden.write_text(explained(name), encoding="utf-8")
    assert explained(name) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_tables_stand_straight(name: str, explained: Tell) -> None:
    """In the rows of a clock, and of the rules tried, a column begins at one place, in columns of a terminal."""
    story = explained(name)
    tables = re.findall(r"  every second:\n((?:    \S .*\n)+)", story)
    assert tables
    for table in tables:
        spans = [row for row in table.splitlines() if "→" in row]
        rows = [re.match(r".*?  (?=(open|closed|holiday|paused)\b)", row) for row in spans]
        assert len({width(row[0]) for row in rows if row}) == 1, table
    for table in re.findall(r"((?:    [✓✗] .*\n)+)", story):
        reasons = [re.match(r"    [✓✗] .*?  (?=`|always)", row) for row in table.splitlines()]
        assert len({width(row[0]) for row in reasons if row}) == 1, table


@pytest.mark.parametrize("name", CASES)
def test_programs_are_told_the_same(name: str, explained: Tell) -> None:
    """As JSON the account of a clock adds up, until now or its end, to the time that it has run."""
    told = json.loads(explained(name, "--format", "json"))
    for clock in told["clocks"]:
        until = clock.get("ended_at", told["at"])
        past = sum(row["counted_seconds"] for row in clock["account"] if row["to"] <= until)
        whole = sum(row["counted_seconds"] for row in clock["account"] if row["from"] < until)
        assert past <= clock.get("elapsed_seconds", 0) <= whole


def test_the_legend_is_told_once(explained: Tell) -> None:
    """However many clocks are drawn, their signs are told once, at the end."""
    story = explained("breached")
    assert story.count("to scale:") > 1
    assert story.rstrip().endswith(f"\n{LEGEND}")
    assert story.count(LEGEND) == 1


def test_one_clock_alone(explained: Tell) -> None:
    """A clock asked for is told of though it has not started, and nothing else is."""
    assert explained("spring-festival", "--clock", "task").splitlines()[3:] == ["clock task: not started", ""]
