"""The command line, as a newcomer meets it: each run is a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from duly import __version__

VERBS = (
    "audit", "build", "calendar", "clauses", "completion", "decide", "explain", "init", "inspect", "journal",
    "key", "map", "run", "schedule", "schema", "simulate", "sinks", "test", "validate",
)  # fmt: skip
AT = "2026-03-11T12:15:00+08:00"
CASE = "my-service/cases/02-consultation-at-lunch.json"
SMALL = {
    "id": "C-1",
    "opened_at": "2026-03-11T10:00:00+08:00",
    "fields": {"category": "product_consultation"},
}

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a policy set in it, made by `duly init`."""
    folder = tmp_path_factory.mktemp("home")
    assert 0 == duly(folder, "init", "my-service").returncode
    return folder


def duly(folder: Path, *words: str, given: str | bytes = "", **environment: str) -> Done:
    """One run of `duly` in a folder, with its own cache."""
    done = subprocess.run(
        [sys.executable, "-m", "duly_cli.main", *words], cwd=folder, capture_output=True, check=False,
        input=given.encode() if isinstance(given, str) else given, env=surroundings(folder, **environment),
    )  # fmt: skip
    return Done(words, done.returncode, done.stdout.decode(), done.stderr.decode())


def surroundings(folder: Path, **environment: str) -> dict[str, str]:
    """The environment of a run."""
    paths = [
        str(Path(each).absolute()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each
    ]
    return {
        **os.environ, "DULY_CACHE": str(folder / "cache"), "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "0",
        **environment,
    }  # fmt: skip


def decided(done: Done) -> dict[str, Any]:
    """The one decision that a run printed."""
    assert (0, "") == (done.returncode, done.stderr)
    decision: dict[str, Any] = json.loads(done.stdout)
    return decision


def test_init_shows_what_to_do_next(tmp_path: Path) -> None:
    """A fresh policy set validates, and the commands that `init` names work as they are printed."""
    made = duly(tmp_path, "init", "wo möchte ich 服务")
    commands = [line.split("duly ", 1)[1] for line in made.stderr.splitlines() if line.startswith("  duly ")]
    assert ["validate", "decide", "explain"] == [command.split()[0] for command in commands]
    made = duly(tmp_path, "init", "service")
    for line in made.stderr.splitlines()[1:]:
        assert 0 == duly(tmp_path, *line.split()[1:]).returncode, line


def test_init_overwrites_nothing(home: Path) -> None:
    """Where a policy set is already, `init` says so and leaves it."""
    again = duly(home, "init", "my-service")
    assert (2, True) == (again.returncode, "is there already" in again.stderr)


def test_folder_revision_and_bundle_decide_the_same(home: Path) -> None:
    """A policy in a folder, in a bundle and in Git gives the same bytes and has one revision."""
    folder = duly(home, "decide", "my-service", CASE, "--at", AT)
    assert 0 == duly(home, "build", "my-service", "-o", "service.duly").returncode
    bundle = duly(home, "decide", "service.duly", CASE, "--at", AT)
    head = json.loads(duly(home, "inspect", "service.duly", "--format", "json").stdout)
    author = ("-c", "user.name=duly", "-c", "user.email=duly@example.com")
    for words in (("init", "-q"), ("add", "my-service"), (*author, "commit", "-q", "-m", "first")):
        subprocess.run(["git", *words], cwd=home, check=True, capture_output=True)
    (home / "my-service" / "routing.yaml").rename(home / "routing.away")
    revision = duly(home, "decide", "git:HEAD:my-service", CASE, "--at", AT)
    (home / "routing.away").rename(home / "my-service" / "routing.yaml")
    assert [folder.stdout] * 2 == [bundle.stdout, revision.stdout]
    assert head["revision"] == decided(folder)["policy"]["revision"]


def test_parameters_make_another_revision(home: Path) -> None:
    """Another value of a parameter is another policy, from `--param` and from a file alike."""
    plain = decided(duly(home, "decide", "my-service", CASE, "--at", AT))
    given = decided(
        duly(home, "decide", "my-service", CASE, "--at", AT, "--param", "delay_notice_before=task")
    )
    other = decided(
        duly(home, "decide", "my-service", CASE, "--at", AT, "--param=normal_response_calendar=always")
    )
    assert plain["policy"]["revision"] == given["policy"]["revision"]
    assert plain["policy"]["revision"] != other["policy"]["revision"]
    assert ["office", "always"] == [
        each["clocks"][0]["calendar"] for each in (plain, other) if each["clocks"]
    ]


def test_quick_and_full_command_line_agree(home: Path) -> None:
    """The short way that `decide` takes at its start and click's way give the same bytes and exit code."""
    words = ["decide", "my-service", CASE, "--at", AT]
    through_click = "from duly_cli.commands import run; import sys; sys.exit(run(sys.argv[1:]))"
    full = subprocess.run(
        [sys.executable, "-c", through_click, *words], cwd=home, capture_output=True, check=True,
        env=surroundings(home),
    )  # fmt: skip
    assert duly(home, *words).stdout == full.stdout.decode()


def test_stream_answers_every_line(home: Path) -> None:
    """A bad line gets an error in its place; the others are answered, in order, and the exit code tells."""
    good = [json.dumps({**SMALL, "id": f"C-{number}"}) for number in range(3)]
    lines = [
        good[0], "{", '{"id": "C-x", "opened_at": "2026-03-11T10:00:00"}', good[1],
        json.dumps({**SMALL, "fields": {"category": "nonsense"}}), json.dumps({**SMALL, "fields": {"tier": 7}}),
        '{"id": "n", "opened_at": NaN}', json.dumps({**SMALL, "fields": {"subject": "x" * 300_000}}), good[2],
    ]  # fmt: skip
    given = "\n".join(lines).encode() + b"\n\xff\xfe\n"
    done = duly(home, "decide", "my-service", "--at", AT, given=given)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    told = [each.get("case") or each["error"]["line"] for each in answers]
    assert (1, ["C-0", 2, 3, "C-1"]) == (done.returncode, told[:4])
    assert [6, 7, 8, "C-2", 10] == told[5:]


def test_first_bad_line_stops_where_asked(home: Path) -> None:
    """With `--strict` the first case that cannot be decided is the last line."""
    given = "\n".join([json.dumps(SMALL), "{", json.dumps(SMALL)])
    done = duly(home, "decide", "my-service", "--at", AT, "--strict", given=given)
    assert (1, 2) == (done.returncode, len(done.stdout.splitlines()))


def test_explanations_name_rule_and_line(home: Path) -> None:
    """`explain` tells the rules tried and where they stand; `--format json` tells a program the same."""
    text = duly(home, "explain", "my-service", CASE, "--at", AT)
    data = json.loads(duly(home, "explain", "my-service", CASE, "--at", AT, "--format", "json").stdout)
    assert (0, "") == (text.returncode, text.stderr)
    assert "my-service/service-levels.yaml:" in text.stdout
    assert data["trace"]
    assert all(clock["account"] for clock in data["clocks"] if clock["state"] == "running")


def test_faults_go_to_everyone(home: Path) -> None:
    """An invalid policy is told to a person, a program, a code host and CI, each time with exit code 1."""
    broken = home / "broken"
    assert 0 == duly(home, "init", str(broken)).returncode
    place = broken / "service-levels.yaml"
    place.write_text(
        place.read_text(encoding="utf-8").replace("within: 5m", "within: 5min"), encoding="utf-8"
    )
    runs = {
        form: duly(home, "validate", "broken", "--format", form)
        for form in ("text", "json", "sarif", "github", "gitlab")
    }
    assert [1] * 5 == [done.returncode for done in runs.values()]
    assert "did you mean `5m`?" in runs["text"].stdout
    assert "service-levels.yaml" in json.dumps(json.loads(runs["json"].stdout))
    assert "2.1.0" == json.loads(runs["sarif"].stdout)["version"]
    assert runs["github"].stdout.startswith("::error file=broken/service-levels.yaml,line=")
    assert "broken/service-levels.yaml" == json.loads(runs["gitlab"].stdout)[0]["location"]["path"]
    assert 1 == duly(home, "decide", "broken", CASE).returncode


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["decide", "nowhere", "-"], "no policy at `nowhere`"),
        (["decide", "my-service", "nowhere.json"], "`nowhere.json`"),
        (["decide", "my-service/cases", "-"], "duly.yaml"),
        (["decide", "my-service", "-", "--at", "2026-03-11T12:15:00"], "--at"),
        (["decide", "my-service", "-", "--at", "tomorrow"], "--at"),
        (["decide", "my-service", "-", "--atx", "x"], "--at"),
        (["simulate", "my-service", "-", "--until", "tomorrow"], "`--until`: expected an instant"),
        (["decide", "my-service", "-"], "no case in the input"),
        (["decide", "git:nowhere:my-service", "-"], "git:nowhere"),
        (["decied"], "did you mean `decide`?"),
        (["inspect", "my-service/duly.yaml"], "not a bundle"),
        (["schema", "nonsense"], "nonsense"),
        (["init", "new", "--pack", "standard-servise"], "did you mean `standard-service`?"),
        ([], "Usage"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_told_without_a_traceback(home: Path, words: list[str], told: str) -> None:
    """What cannot be read or understood has exit code 2, a sentence on stderr and nothing on stdout."""
    done = duly(home, *words)
    assert (2, "") == (done.returncode, done.stdout)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_damaged_bundle_is_refused(home: Path) -> None:
    """A bundle whose content does not match its digest is not decided with."""
    assert 0 == duly(home, "build", "my-service", "-o", "damaged.duly").returncode
    bundle = home / "damaged.duly"
    bundle.write_bytes(bundle.read_bytes().replace(b"first_response", b"first_respanse"))
    done = duly(home, "decide", "damaged.duly", CASE)
    assert (2, True) == (done.returncode, "damaged" in done.stderr)


def test_a_bundle_is_whole(home: Path) -> None:
    """Validating a bundle says that it is whole, and does not speak of files."""
    assert 0 == duly(home, "build", "my-service", "-o", "whole.duly").returncode
    done = duly(home, "validate", "whole.duly")
    assert (0, "", True) == (done.returncode, done.stdout, "the bundle is whole" in done.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")
def test_a_bundle_goes_into_a_pipe(home: Path) -> None:
    """Where something that is no file takes the bundle, it is written to and not replaced."""
    pipe = home / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        built = duly(home, "build", "my-service", "-o", "pipe")
        if not pipe.is_fifo():
            reader.kill()
        content = reader.communicate()[0]
    assert (0, True) == (built.returncode, pipe.is_fifo())
    assert content.startswith(b'{"duly-bundle"')


def test_bundles_are_reproducible(home: Path) -> None:
    """Building twice gives the same bytes, with the cache and without."""
    duly(home, "build", "my-service", "-o", "one.duly")
    duly(home, "build", "my-service", "-o", "two.duly", DULY_CACHE="off")
    assert (home / "one.duly").read_bytes() == (home / "two.duly").read_bytes()


def test_version() -> None:
    """`--version` prints the version, and nothing else."""
    assert f"duly {__version__}\n" == duly(Path.cwd(), "--version").stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_help(home: Path, verb: str) -> None:
    """Help of a command says in a sentence what it does, and fits a terminal."""
    done = duly(home, verb, "--help")
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(f"Usage: duly {verb}")
    assert max(len(line) for line in done.stdout.splitlines()) <= 110


def test_help_lists_every_command(home: Path) -> None:
    """The help of `duly` names each command there is."""
    listed = duly(home, "--help").stdout.partition("Commands:")[2]
    assert list(VERBS) == [
        line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script(home: Path, shell: str) -> None:
    """Completion prints a script for the shell, which asks `duly` for what fits."""
    done = duly(home, "completion", shell)
    assert (0, True) == (done.returncode, "_DULY_COMPLETE" in done.stdout)


def test_completion_completes(home: Path) -> None:
    """A shell that asks is told the commands that begin like that."""
    asked = {"_DULY_COMPLETE": "bash_complete", "COMP_WORDS": "duly va", "COMP_CWORD": "1"}
    assert "plain,validate\n" == duly(home, **asked).stdout


def test_no_colour_without_a_terminal(home: Path) -> None:
    """What is piped has no escape sequences, with or without NO_COLOR."""
    for environment in ({}, {"NO_COLOR": "1"}):
        for words in (["explain", "my-service", CASE, "--at", AT], ["validate", "broken-or-not"], ["--help"]):
            done = duly(home, *words, **environment)
            assert "\x1b" not in done.stdout + done.stderr


def test_output_is_utf8_in_any_locale(home: Path) -> None:
    """Chinese goes out as UTF-8 even where the locale knows only ASCII."""
    plain = duly(home, "explain", "my-service", CASE, "--at", AT)
    ascii_only = duly(home, "explain", "my-service", CASE, "--at", AT, LC_ALL="C", PYTHONCOERCECLOCALE="0")
    assert plain.stdout == ascii_only.stdout


def test_closed_pipe_is_no_error(home: Path) -> None:
    """A reader that has seen enough, such as `head`, ends a stream quietly."""
    cases = home / "many.jsonl"
    cases.write_text((json.dumps(SMALL) + "\n") * 5_000, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "duly_cli.main", "decide", "my-service", "many.jsonl", "--at", AT], cwd=home,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings(home),
    )  # fmt: skip
    assert process.stdout
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=30)
    assert (0, b"") == (process.returncode, err)


@pytest.mark.parametrize("words", [["explain", "my-service", CASE], ["--help"], ["calendar", "show"]])
def test_any_command_may_be_cut_short(home: Path, words: list[str]) -> None:
    """What goes through click ends as quietly where nobody reads its output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "duly_cli.main", *words], cwd=home, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=surroundings(home),
    )  # fmt: skip
    assert process.stdout
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=30)
    assert (0, b"") == (process.returncode, err)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
def test_interrupt_ends_cleanly(home: Path) -> None:
    """Ctrl-C ends with 130, says nothing, and what was answered before has been written."""
    answers = home / "answers.jsonl"
    with answers.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "duly_cli.main", "decide", "my-service", "--at", AT], cwd=home,
            stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE, env=surroundings(home),
        )  # fmt: skip
    assert process.stdin
    process.stdin.write((json.dumps(SMALL) + "\n").encode() * 5_000)
    process.stdin.flush()
    while process.poll() is None and not answers.stat().st_size:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (130, b"") == (process.returncode, err)
    assert {"C-1"} == {json.loads(line)["case"] for line in answers.read_bytes().splitlines()}
