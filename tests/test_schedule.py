"""`duly schedule`: what comes round between two dates; what it prints stands in cases/schedule."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from duly_cli.main import main

CASES = Path(__file__).parent / "cases" / "schedule"
OCTOBER = ["--from", "2026-09-25", "--to", "2026-10-31"]
PRINTED = {
    "october.txt": OCTOBER,
    "october.jsonl": [*OCTOBER, "--format", "json"],
    "october.ics": [*OCTOBER, "--format", "ical"],
    "new-year.txt": ["--from", "2026-12-30", "--to", "2027-01-10", "--language", "en"],
}


def printed(capsysbinary: pytest.CaptureFixture[bytes], *words: str) -> str:
    """What a schedule prints to standard output."""
    assert main(["schedule", str(CASES), *words]) == 0
    return capsysbinary.readouterr().out.decode()


def rows(capsysbinary: pytest.CaptureFixture[bytes], *words: str) -> list[dict[str, Any]]:
    """What a schedule prints for a program."""
    return [json.loads(line) for line in printed(capsysbinary, *words, "--format", "json").splitlines()]


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed(name: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Holidays move what rolls, and are named where they are not known; titles keep their columns."""
    shown = printed(capsysbinary, *PRINTED[name]).replace("\r\n", "\n")
    assert (CASES / name).read_text(encoding="utf-8") == shown


def test_it_comes_true(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """What is listed is what happens, and when, and is due when it says: the same days are simulated."""
    start = "2026-09-25T00:00:00+08:00"
    customers = [f"K-{number}" for number in range(12)]
    events: list[dict[str, Any]] = [
        {"type": "customer.updated", "data": {"tier": "vip"}, "customer": name} for name in customers
    ]
    events += [{"type": "case.opened", "customer": name, "case": f"C-{name}"} for name in customers]
    given = tmp_path / "events.jsonl"
    lines = [json.dumps({"id": f"e{number}", "at": start, **event}) for number, event in enumerate(events)]
    given.write_text("\n".join(lines), encoding="utf-8")
    listed = {(row["at"], row["id"], row["due_at"]) for row in rows(capsysbinary, *OCTOBER) if "at" in row}
    done = subprocess.run(
        [sys.executable, "-m", "duly_cli.main", "simulate", CASES, given, "--until", "2026-11-01T00:00:00+08:00"],
        capture_output=True, check=True,
    )  # fmt: skip
    actions = [json.loads(line) for line in done.stdout.decode().splitlines()]
    came = {(each["at"], each["duty"], each["due_by"]) for each in actions if each["type"] == "duty.opened"}
    came |= {(each["at"], each["survey"], None) for each in actions if each["type"] == "survey.sent"}
    assert listed == came


def test_calendar_files_are_well_formed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Lines end as RFC 5545 has it and take 75 octets at most; no character is cut in two."""
    shown = printed(capsysbinary, *OCTOBER, "--format", "ical").encode()
    lines = shown.split(b"\r\n")
    assert b"" == lines.pop()
    assert 75 >= max(map(len, lines))
    assert shown.count(b"\n") == len(lines)
    assert all(line.decode() for line in lines)


def test_identities_are_stable(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """The same occurrence has the same UID whatever else is asked for, and no other has it."""
    whole, part = (
        [
            line
            for line in printed(capsysbinary, *words, "--format", "ical").splitlines()
            if line.startswith("UID:")
        ]
        for words in (OCTOBER, ["--from", "2026-10-10", "--to", "2026-10-31"])
    )
    assert len(whole) == len(set(whole))
    assert whole[-len(part) :] == part


def test_edges(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """The last date is included whole; an instant is where it ends, exclusive."""
    at = "2026-10-30T16:00:00+08:00"
    assert 2 == sum("at" in row for row in rows(capsysbinary, "--from", "2026-10-30", "--to", "2026-10-30"))
    assert 1 == sum("at" in row for row in rows(capsysbinary, "--from", "2026-10-30", "--to", at))
    assert 1 == sum("at" in row for row in rows(capsysbinary, "--from", at, "--to", "2026-10-30"))


def test_by_default_a_month(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Without an end it is a month, to the last day of a shorter one; without a start it begins now."""
    shown = printed(capsysbinary, "--from", "2026-01-31")
    assert shown.startswith("desk · 2026-01-31 to 2026-02-27 · Asia/Shanghai\n")
    assert rows(capsysbinary)


def test_far_away(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Far beyond the confirmed holidays everything is listed, as an estimate."""
    found = [row for row in rows(capsysbinary, "--from", "2190-01-01", "--to", "2190-12-31") if "at" in row]
    assert {"month-end", "friday-report", "quarterly", "greeting"} == {row["id"] for row in found}
    assert all(row["estimate"] for row in found)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "soon"], "`--from soon`: expected a date such as 2026-03-02, or an instant"),
        (["--to", "2026-02-30"], "`--to 2026-02-30`: expected a date"),
        (["--from", "2026-03-05", "--to", "2026-03-04"], "`--to` lies before `--from`"),
        (["--from", "2026-03-05", "--to", "2066-03-04"], "ask for ten years at most"),
        (["--from", "1800-03-05"], "calendars cover the years 1901 to 2198"),
    ],
)
def test_wrong_use(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no span of time is told, with what to write."""
    assert main(["schedule", str(CASES), *words]) == 2
    assert told in capsys.readouterr().err


def test_the_page_is_true(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """What docs/schedule.md shows is what the command prints."""
    root = Path(__file__).parent.parent
    page = (root / "docs" / "schedule.md").read_text(encoding="utf-8")
    ((words, shown),) = re.findall(r"```console\n\$ duly ([^\n]*)\n(.*?)```\n", page, re.DOTALL)
    monkeypatch.chdir(root)
    assert main(shlex.split(words)) == 0
    assert shown == capsysbinary.readouterr().out.decode()
