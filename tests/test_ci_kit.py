"""The CI kit: hooks, action, GitLab job and what docs/ci.md shows, run as a CI would run them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
import yaml

from duly_cli.commands import cli

ROOT = Path(__file__).parent.parent
DESK = Path(__file__).parent / "cases" / "suites" / "desk"
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
JOB = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8"))["duly"]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
SNIPPETS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
COMMANDS = re.findall(
    r"^(duly [^#\n]*)", "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)), re.MULTILINE
)
COMMANDS += [words for words in re.findall(r"`(duly [a-z]+ [^`]*)`", PAGE) if "FILE" not in words]

Json = dict[str, Any]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a policy set in `policies/desk`, and a `duly` to be found on the path."""
    shutil.copytree(DESK, tmp_path / "policies" / "desk")
    command = tmp_path / "bin" / "duly"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m duly_cli.main "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return tmp_path


def run(repository: Path, shell: list[str], script: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the repository as a CI does."""
    paths = [
        str(Path(each).absolute()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each
    ]
    surroundings = {
        **os.environ, "PATH": f"{repository / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join(paths), "DULY_CACHE": str(repository / "cache"), **given,
    }  # fmt: skip
    return subprocess.run(
        [*shell, "-c", script],
        cwd=repository,
        env=surroundings,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def break_policy(repository: Path) -> None:
    """Put a fault into the policy."""
    place = repository / "policies" / "desk" / "duly.yaml"
    place.write_text(
        place.read_text(encoding="utf-8").replace("within: 5m", "within: 5min"), encoding="utf-8"
    )


def act(repository: Path, **given: str) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run the action's own steps until one fails, as GitHub does, but for the installation; by id."""
    inputs = {**{name: each["default"] for name, each in ACTION["inputs"].items()}, **given}
    done: dict[str, subprocess.CompletedProcess[str]] = {}
    for step in ACTION["runs"]["steps"]:
        if (
            "run" not in step
            or step["id"] == "install"
            or (step["id"] == "test" and inputs["test"] != "true")
        ):
            continue
        assert "bash" == step["shell"]
        assert "${{" not in step["run"]  # what is given goes through the environment, never into the script
        env = {name: _filled(text, inputs) for name, text in step["env"].items()}
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
        done[step["id"]] = run(repository, bash, step["run"], **env)
        if done[step["id"]].returncode:
            break
    return done


def _filled(text: str, inputs: Json) -> str:
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: str(inputs[found[1]]), text)


def job(repository: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the GitLab job."""
    return run(repository, ["sh", "-e"], "\n".join(JOB["script"]), **{**JOB["variables"], **given})


def test_action_on_a_sound_policy(repository: Path) -> None:
    """The action writes SARIF without results, JUnit with the tests, and succeeds."""
    done = act(repository, policy="policies", sarif="out.sarif", junit="out.xml")
    assert {"sarif": 0, "validate": 0, "test": 0} == {name: each.returncode for name, each in done.items()}
    assert [] == json.loads((repository / "out.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert 9 == len(list(ElementTree.parse(repository / "out.xml").getroot().iter("testcase")))


def test_action_on_a_broken_policy(repository: Path) -> None:
    """A fault is annotated and in the SARIF that was written before; the step of validation fails."""
    break_policy(repository)
    done = act(repository, policy="policies")
    assert {"sarif": 0, "validate": 1} == {name: each.returncode for name, each in done.items()}
    assert done["validate"].stdout.startswith("::error file=policies/desk/duly.yaml,line=")
    assert 1 == len(json.loads((repository / "duly.sarif").read_text(encoding="utf-8"))["runs"][0]["results"])


def test_action_with_options(repository: Path) -> None:
    """Parameters reach both commands, spaces in names and all; a threshold fails the tests; tests may be left out."""
    (repository / "my params.yaml").write_text("question_response: 30m\n", encoding="utf-8")
    options = {"policy": "policies", "params": "my params.yaml"}
    assert 0 == act(repository, **options)["test"].returncode
    failed = act(repository, **options, **{"coverage-threshold": "99%"})["test"]
    assert (1, True) == (failed.returncode, "asked for 99" in failed.stderr)
    assert "test" not in act(repository, **options, test="false")
    assert {"sarif": 1} == {name: each.returncode for name, each in act(repository, policy="nowhere").items()}


def test_action_says_what_it_gives() -> None:
    """Outputs are inputs of the same name; every input is used, and explained."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert all(f"inputs.{name}" in text and each["description"] for name, each in ACTION["inputs"].items())
    assert {f"${{{{ inputs.{name} }}}}" for name in ACTION["outputs"]} == {
        each["value"] for each in ACTION["outputs"].values()
    }


def test_gitlab_job(repository: Path) -> None:
    """The job writes its reports, and fails on a fault only after the report is written."""
    sound = job(repository, DULY_POLICY="policies")
    assert (0, []) == (
        sound.returncode,
        json.loads((repository / "duly-codequality.json").read_text("utf-8")),
    )
    assert 9 == len(list(ElementTree.parse(repository / "duly-junit.xml").getroot().iter("testcase")))
    assert 1 == job(repository, DULY_POLICY="policies", DULY_COVERAGE_THRESHOLD="99%").returncode
    break_policy(repository)
    broken = job(repository, DULY_POLICY="policies")
    (found,) = json.loads((repository / "duly-codequality.json").read_text(encoding="utf-8"))
    assert 1 == broken.returncode
    assert ("policies/desk/duly.yaml", "major") == (found["location"]["path"], found["severity"])
    assert {"duly-codequality.json", "duly-junit.xml"} == set(JOB["artifacts"]["reports"].values())


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_hooks(hook: Json, repository: Path) -> None:
    """A hook's entry runs with the arguments that docs/ci.md gives it, and stops a commit of a broken policy."""
    (used,) = [each for each in SNIPPETS[0]["repos"][0]["hooks"] if each["id"] == hook["id"]]
    words = shlex.join([*shlex.split(hook["entry"]), *used["args"]])
    assert not hook["pass_filenames"]
    assert 0 == run(repository, ["sh"], words).returncode
    break_policy(repository)
    assert 1 == run(repository, ["sh"], words).returncode


def test_snippets_name_what_there_is() -> None:
    """Hooks, inputs, outputs and variables that docs/ci.md shows are those of the kit."""
    hooks, workflow, gitlab = SNIPPETS
    assert {hook["id"] for hook in HOOKS} == {hook["id"] for hook in hooks["repos"][0]["hooks"]}
    (step,) = [each for each in workflow["jobs"]["duly"]["steps"] if each["uses"].startswith("OWNER/duly@")]
    assert step["with"].keys() <= ACTION["inputs"].keys()
    assert set(re.findall(r"steps\.duly\.outputs\.(\w+)", PAGE)) <= ACTION["outputs"].keys()
    assert gitlab["duly"]["variables"].keys() <= JOB["variables"].keys()
    assert (ROOT / gitlab["include"][0]["file"]).is_file()
    for name in (*ACTION["inputs"], *JOB["variables"]):
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_exist(words: str) -> None:
    """Every command that docs/ci.md shows is one, with options that it has."""
    verb, *rest = shlex.split(words)[1:]
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    command.make_context(verb, rest)
