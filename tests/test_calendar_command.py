"""`duly calendar`: answers for people and for machines, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from duly_cli.commands.calendar import calendar as command

_HOURS = ["--hours", "mon-fri=09:00-12:00,13:00-18:00", "--timezone", "Asia/Shanghai", "--country", "CN"]


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (
            ["due", *_HOURS, "--start", "2026-02-13T16:00:00+08:00", "--within", "4h"],
            "Sat 2026-02-14 11:00 +08:00 Asia/Shanghai  2026-02-14T03:00:00Z\n",
        ),
        (
            ["due", "--start", "2026-02-13T16:00:00Z", "--within", "30m", "--backward", "--format", "json"],
            '{"due_at": "2026-02-13T15:30:00Z"}\n',
        ),
        (
            [
                "elapsed",
                *_HOURS,
                "--start",
                "2026-02-13T16:00:00+08:00",
                "--end",
                "2026-02-14T10:00:00+08:00",
            ],
            "3h  (10800 s)\n",
        ),
        (
            ["next", *_HOURS, "--start", "2026-02-14T18:00:00+08:00"],
            "Tue 2026-02-24 09:00 +08:00 Asia/Shanghai  2026-02-24T01:00:00Z\n",
        ),
    ],
)
def test_command(arguments: list[str], output: str) -> None:
    """The commands answer on one line: local time with its zone, then UTC, or JSON."""
    result = CliRunner().invoke(command, arguments)
    assert (0, output) == (result.exit_code, result.stdout)


def test_show_a_month() -> None:
    """A month shows open hours, holidays and make-up working days by name."""
    result = CliRunner().invoke(command, ["show", *_HOURS, "--month", "2026-02"])
    lines = [
        line.split("  ")[-1] for line in result.stdout.splitlines() if "Tue 17" in line or "Sat 28" in line
    ]
    assert ["春节", "make-up working day for 2026-02-23"] == lines


def test_batch_answers_every_line_in_order() -> None:
    """A bad line yields an error in its place, the others are answered, and the exit code is 1."""
    good = b'{"op": "next_open", "start": "2026-03-02T00:00:00Z"}\n'
    bad = [
        b"nonsense\n",
        b"\xff\xfe\n",
        b'{"op": "due", "within": NaN}\n',
        b"x" * 300_000 + b"\n",
        b"[" * 100_000 + b"\n",
    ]
    result = CliRunner().invoke(command, ["batch"], input=good + good.join(bad) + good)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert (1, 11) == (result.exit_code, len(answers))
    assert ["not-json", "not-utf-8", "not-json", "too-long", "not-json"] == [
        row["error"]["code"] for row in answers[1::2]
    ]
    assert [2, 4, 6, 8, 10] == [row["error"]["line"] for row in answers[1::2]]
    assert [{"open_at": "2026-03-02T00:00:00Z"}] * 6 == answers[::2]


def test_batch_strict_stops_at_the_first() -> None:
    """With --strict nothing follows the first error."""
    result = CliRunner().invoke(command, ["batch", "--strict"], input=b'{}\n{"op": "next_open"}\n')
    assert (1, 1) == (result.exit_code, len(result.stdout.splitlines()))


def _duly(*words: str) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-c", "import sys; from duly_cli.main import main; sys.exit(main())"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*program, "calendar", *words], stdin=pipe, stdout=pipe, stderr=pipe)


def test_batch_answers_at_once_and_ends_cleanly() -> None:
    """An answer comes as soon as its line is written, and Ctrl-C ends with 130 and without a trace."""
    with _duly("batch") as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b'{"op": "next_open", "start": "2026-03-02T00:00:00Z"}\n')
        process.stdin.flush()
        answer = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        code = process.wait(10)
        assert (b'{"open_at": "2026-03-02T00:00:00Z"}\n', 130, b"") == (
            answer,
            code,
            process.stderr.read().strip(),
        )


def test_batch_closed_pipe() -> None:
    """A reader that goes away is no error."""
    with _duly("batch") as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        try:
            process.stdin.write(b'{"op": "next_open", "start": "2026-03-02T00:00:00Z"}\n' * 1_000)
            process.stdin.close()
        except BrokenPipeError:
            process.stdin = None
        code = process.wait(10)
        assert (0, b"") == (code, process.stderr.read())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["due", "--start", "2026-03-02T00:00:00", "--within", "1h"], 2),
        (["due", "--start", "2026-03-02T00:00:00Z", "--within", "1h", "--inline", "{"], 2),
        (["due", "--start", "2026-03-02T00:00:00Z", "--within", "1h", "--hours", "mon=9-5"], 2),
        (["due", "--start", "2026-12-31T18:00:00+08:00", "--within", "9h", *_HOURS], 1),
        (["show", "--month", "2026-13"], 2),
        (["batch", "no-such-file"], 2),
    ],
)
def test_exit_codes(words: list[str], code: int) -> None:
    """Wrong use exits with 2; an answer that the facts do not give exits with 1."""
    result = CliRunner().invoke(command, words)
    assert (code, "") == (result.exit_code, result.stdout)
