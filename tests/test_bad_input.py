"""Bad input to the command line: a clear sentence, the right exit code, and every other line answered."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BASE = Path(__file__).parent / "diagnostics" / "base"
AT = "2026-03-02T09:00:00+08:00"
GOOD = {"id": "C-1", "opened_at": AT, "fields": {"tier": "vip"}}
Done = subprocess.CompletedProcess[bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound policy set `set`, a broken one, none at all, and a case."""
    folder = tmp_path_factory.mktemp("bad-input")
    for name in ("set", "broken", "bomb"):
        (folder / name).mkdir()
        for path in BASE.glob("*.yaml"):
            (folder / name / path.name).write_bytes(path.read_bytes())
    (folder / "broken" / "routing.yaml").write_text("apiVersion: duly/v1\nkind: Ruoting\n", encoding="utf-8")
    lines = [f"  k{n}: &k{n} [" + ", ".join([f"*k{n - 1}"] * 9) + "]" for n in range(1, 10)]
    (folder / "bomb" / "bomb.yaml").write_text(
        "\n".join(["kind: Roster", "spec:", "  k0: &k0 lol", *lines, ""])
    )
    (folder / "none").mkdir()
    (folder / "case.json").write_text(json.dumps(GOOD), encoding="utf-8")
    return folder


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a run, with a cache of its own."""
    paths = [
        str(Path(each).absolute()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each
    ]
    return {
        **os.environ,
        "DULY_CACHE": str(folder / "cache"),
        "PYTHONPATH": os.pathsep.join(paths),
        "NO_COLOR": "1",
    }


def duly(folder: Path, *words: str, given: bytes = b"") -> Done:
    """One run of `duly` in a folder."""
    command = [sys.executable, "-m", "duly_cli.main", *words]
    return subprocess.run(
        command, cwd=folder, input=given, capture_output=True, check=False, env=surroundings(folder)
    )


def answers(done: Done) -> list[Any]:
    """Of each line of the output the case decided, or the code, the message and the path of its error."""
    found: list[Any] = []
    for line in done.stdout.decode().splitlines():
        answer = json.loads(line)
        error = answer.get("error")
        found.append(answer["case"] if error is None else (error["code"], error["message"], error["path"]))
    return found


def line(**changes: Any) -> bytes:
    """A good case with changes, as a line."""
    return json.dumps({**GOOD, **changes}, ensure_ascii=False).encode() + b"\n"


BAD_LINES: dict[str, tuple[bytes, tuple[str, str, str]]] = {
    "unknown enum": (
        line(fields={"tier": "贵宾"}),
        ("C202", "`tier`: `贵宾` is no known value; known here: `normal`, `vip`", "fields.tier"),
    ),
    "misspelt enum": (
        line(fields={"tier": "vpi"}), ("C202", "`tier`: `vpi` is no known value; did you mean `vip`?", "fields.tier"),
    ),
    "wrong type": (
        line(fields={"vip": "yes"}), ("C201", '`vip`: expected `true` or `false`, found `"yes"`', "fields.vip"),
    ),
    "naive instant": (
        line(opened_at="2026-03-02T09:00:00"),
        ("E103", f"instant without an offset: `{AT[:19]}`; add `Z` or an offset such as `+08:00`", "opened_at"),
    ),
    "no instant": (
        line(opened_at="yesterday"),
        ("E103", "expected an instant such as `2026-03-02T09:00:00+08:00`, found `yesterday`", "opened_at"),
    ),
    "too large": (
        line(fields={"subject": "客" * 100_000}), ("E003", "300,082 bytes; at most 262,144 but for `events`", ""),
    ),
    "too large an event": (
        line(events=[{"id": "e", "type": "case.updated", "at": AT, "data": {"x": "x" * 300_000}}]),
        ("E003", "an event of 300,089 bytes; at most 262,144", "events[0]"),
    ),
    "not UTF-8": (b'{"id": "C-\xff"}\n', ("E002", "byte 0xff at position 11 is not UTF-8", "")),
    "half a character": (
        b'{"id": "C-\\ud83d", "opened_at": "2026-03-02T09:00:00Z"}\n', ("E002", "`\\ud83d` is half of a character", ""),
    ),
    "not a number": (
        b'{"id": "C-1", "opened_at": "2026-03-02T09:00:00Z", "fields": {"amount": NaN}}\n',
        ("E005", "`NaN` is not a number JSON knows", ""),
    ),
    "beyond all numbers": (
        b'{"id": "C-1", "opened_at": "2026-03-02T09:00:00Z", "fields": {"amount": 1e400}}\n',
        ("E005", "`1e400` is further from 0 than any number that can be kept", ""),
    ),
    "an exponent without end": (
        b'{"id": "C-1", "opened_at": "2026-03-02T09:00:00Z", "fields": {"amount": 1e9999999999999999999}}\n',
        ("E005", "`1e9999999999999999999` is further from 0 than any number that can be kept", ""),
    ),
    "too long a name": (line(id="C" * 501), ("E111", "a name of 501 characters; at most 500", "id")),
    "an odd name": (line(id="C-1\x1b[2J"), ("E111", "a name with a control character in it: 'C-1\\x1b[2J'", "id")),
    "duplicate key": (
        b'{"id": "C-1", "id": "C-2", "opened_at": "2026-03-02T09:00:00Z"}\n', ("E006", "key `id` is there twice", "id"),
    ),
    "cut short": (b'{"id": "C-1", "opened_at":\n', ("E001", "not JSON: it ends too early", "")),
    "single quotes": (
        b"{'id': 'C-1'}\n",
        ("E001", "not JSON: expecting property name enclosed in double quotes at column 2", ""),
    ),
    "too deep": (line(fields={"x": json.loads("[" * 40 + "]" * 40)}), ("E004", "nested more than 32 deep", "")),
    "far too deep": (b"[" * 100_000 + b"\n", ("E004", "nested more than 32 deep", "")),
    "a list": (b"[]\n", ("E102", "expected a case, an object with `id`, `opened_at` and `fields`", "")),
    "no id": (b'{"opened_at": "2026-03-02T09:00:00Z"}\n', ("E101", "`id` is missing; every case has an `id`", "id")),
    "unknown key": (
        line(feilds={}), ("E104", "unknown key `feilds`; fields of the case belong under `fields`", "feilds"),
    ),
    "an event": (
        json.dumps({"type": "case.opened", "at": AT, "case": "C-1"}).encode() + b"\n",
        ("E105", "this is an event; `decide` takes cases", "type"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def answered(folder: Path) -> dict[str, Any]:
    """What each bad line got, all of them in one stream with a good line before and behind each."""
    lines = [line(id="first")]
    for number, (bad, _) in enumerate(BAD_LINES.values()):
        lines += [bad, line(id=f"C-{number}")]
    done = duly(folder, "decide", "set", "--at", AT, given=b"".join(lines))
    assert done.returncode == 1
    assert (
        done.stderr.decode()
        == f"duly: {len(BAD_LINES)} of {len(lines)} cases could not be decided; their lines say why\n"
    )
    found = answers(done)
    assert found[::2] == ["first", *(f"C-{number}" for number in range(len(BAD_LINES)))]
    return dict(zip(BAD_LINES, found[1::2], strict=True))


@pytest.mark.parametrize("name", BAD_LINES)
def test_bad_line(name: str, answered: dict[str, Any]) -> None:
    """A bad line gets its error in its place; the lines around it are answered in order."""
    assert answered[name] == BAD_LINES[name][1]


def test_duplicate_ids_of_events_are_one_event(folder: Path) -> None:
    """An event that is sent twice counts once."""
    reply = {"id": "e-1", "type": "agent.replied", "at": AT, "data": {"automated": False}}
    once = duly(folder, "decide", "set", "--at", AT, given=line(events=[reply]))
    twice = duly(folder, "decide", "set", "--at", AT, given=line(events=[reply, reply]))
    assert (twice.returncode, twice.stdout) == (0, once.stdout)


def test_strict_stops_at_the_first(folder: Path) -> None:
    """With `--strict` nothing is answered behind the first bad line."""
    lines = line(id="one") + b"{}\n" + line(id="three")
    done = duly(folder, "decide", "set", "--strict", "--at", AT, given=lines)
    assert (done.returncode, answers(done)) == (
        1,
        ["one", ("E101", "`id` is missing; every case has an `id`", "id")],
    )


def test_blank_lines_marks_and_line_ends(folder: Path) -> None:
    """A byte order mark, blank lines, Windows line ends and a missing last line end are no faults."""
    lines = b"\xef\xbb\xbf" + line(id="one").replace(b"\n", b"\r\n") + b"\r\n  \n" + line(id="two").strip()
    done = duly(folder, "decide", "set", "--at", AT, given=lines)
    assert (done.returncode, answers(done), done.stderr) == (0, ["one", "two"], b"")


@pytest.mark.parametrize("given", [b"", b"\n\n", b"\xef\xbb\xbf"], ids=["nothing", "blank lines", "a mark"])
def test_no_case_at_all(folder: Path, given: bytes) -> None:
    """Input without a case is wrong use."""
    done = duly(folder, "decide", "set", given=given)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"duly: no case in the input; give one JSON object, or one a line\n"


WRONG_USE = {
    "decide set nosuch.json": "cannot read `nosuch.json`: no such file or directory",
    "decide nosuch case.json": "no policy at `nosuch`: there is no such file or folder",
    "decide none case.json": "no policy set in `none`: it has no duly.yaml; `duly init` makes one",
    "validate none": "no policy set in `none`: it has no duly.yaml; `duly init` makes one",
    "validate case.json": "`case.json` is not a bundle that `duly build` made",
    "validate set/duly.yaml": "`set/duly.yaml` is not a bundle that `duly build` made; name its folder: `set`",
    "decied set case.json": "no command `decied`; did you mean `decide`?",
    "decide set case.json --explian": "no such option `--explian`; did you mean `--explain`?",
    "decide set case.json --at": "option `--at` requires an argument",
    "decide set case.json --at tomorrow": f"`--at`: expected an instant such as `{AT}`, found `tomorrow`",
    "decide set case.json --param wait": "`--param wait`: expected `name=value`",
    "decide set case.json --params nosuch.yaml": "cannot read `nosuch.yaml`: no such file or directory",
    "decide set case.json more": "expected POLICY and CASE, found more",
    "validate set --format x": (
        "invalid value for `--format`: `x` is not one of `text`, `json`, `sarif`, `github`, `gitlab`"
    ),
    "validate set --output none/no/report": "cannot write `none/no/report`: no such file or directory",
    "decide git:nosuch case.json": None,
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_USE)
def test_wrong_use(folder: Path, words: str) -> None:
    """What cannot be read or understood is told in one sentence on stderr, with exit code 2 and no output."""
    done = duly(folder, *words.split(" "))
    last = done.stderr.decode().splitlines()[-1]
    assert (done.returncode, done.stdout) == (2, b"")
    assert last.startswith("duly: ")
    assert WRONG_USE[words] in (None, last.removeprefix("duly: "))
    assert "Traceback" not in done.stderr.decode()


def test_broken_policy_decides_nothing(folder: Path) -> None:
    """A policy with faults is not decided with: the faults go to stderr, exit code 1."""
    done = duly(folder, "decide", "broken", "case.json")
    told = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    assert told.startswith("broken/routing.yaml:2:7: error D111: unknown kind `Ruoting`\n")
    assert told.endswith("duly: the policy cannot be used: 1 error\n")


def test_bomb_is_refused_at_once(folder: Path) -> None:
    """Aliases that expand to billions are a fault of their file, in a second and in little memory."""
    done = duly(folder, "validate", "bomb")
    assert done.returncode == 1
    assert re.match(
        r"bomb/bomb\.yaml:\d+:\d+: error D010: aliases expand to more than 100,000 values",
        done.stdout.decode(),
    )


def test_names_that_are_no_text(folder: Path, tmp_path: Path) -> None:
    """A file whose name is not UTF-8 is validated and named like any other."""
    name = os.fsdecode(b"\xffroster.yaml")
    try:
        (tmp_path / name).write_text(
            "apiVersion: duly/v1\nkind: Roster\nmetadata: {name: x}\nspec: {peple: {}}\n"
        )
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    (tmp_path / "duly.yaml").write_bytes((BASE / "duly.yaml").read_bytes())
    for form in ("text", "json", "sarif", "github"):
        done = duly(folder, "validate", str(tmp_path), "--format", form)
        assert (done.returncode, b"D101" in done.stdout) == (1, True)
