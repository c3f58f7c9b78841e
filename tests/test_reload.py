"""A service that goes on while its policy changes: folders, releases, signatures, and state of another set."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from serving import PROMPT, Running, configured, outbox, until

from duly import instants
from duly_cli import signing
from duly_cli.commands import run

FEED = {"feed": {"type": "file", "path": "events.jsonl"}}


def policy(folder: Path, old: str = "", new: str = "", version: str = "1.0.0") -> Path:
    """The prompt policy in a folder of its own, with something changed."""
    folder.mkdir(exist_ok=True)
    text = (PROMPT / "duly.yaml").read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new).replace("version: 1.0.0", f"version: {version}")
    (folder / "duly.yaml").write_text(text, encoding="utf-8")
    return folder


def send(folder: Path, name: str) -> None:
    """Let a case be opened now."""
    event = {"id": f"e-{name}", "type": "case.opened", "case": name, "at": instants.render(_now())}
    with (folder / "events.jsonl").open("ab") as file:
        file.write(json.dumps(event).encode() + b"\n")


def _now() -> int:
    import time

    return time.time_ns() // 1000


def started(folder: Path, case: str) -> dict[str, Any]:
    """The start of a case's clock, as soon as it is in the outbox."""

    def found() -> dict[str, Any] | None:
        given = [
            each for each in outbox(folder) if each.get("case") == case and each["type"] == "clock.started"
        ]
        return given[0] if given else None

    action: dict[str, Any] = until(found)
    return action


def test_a_policy_that_changes_is_in_force_from_then_on(tmp_path: Path) -> None:
    """A changed folder is adopted without a stop; what is invalid changes nothing, and is told with its place."""
    place = policy(tmp_path / "policy")
    configured(tmp_path, place, sources=FEED)
    with Running(tmp_path) as service:
        service.says("running")
        send(tmp_path, "C-1")
        first = started(tmp_path, "C-1")["policy"]
        policy(place, "within: 1h", "within: 2h", "1.1.0")
        service.says("adopted a policy", 2)
        send(tmp_path, "C-2")
        second = started(tmp_path, "C-2")["policy"]
        policy(place, "within: 1h", "within: soon", "1.2.0")
        told = service.says("cannot be run")
        assert ["duly.yaml:" in told, "`soon`" in told, "1.1.0" in told] == [True] * 3
        send(tmp_path, "C-3")
        assert started(tmp_path, "C-3")["policy"] == second
        assert 0 == service.stop()
    assert (first["version"], second["version"]) == ("1.0.0", "1.1.0")
    adopted = [each for each in outbox(tmp_path) if each["type"] == "policy.adopted"]
    assert [each["data"]["to"]["version"] for each in adopted] == ["1.1.0"]


def test_releases_are_followed_if_they_are_signed(tmp_path: Path) -> None:
    """Of a folder of bundles the newest that is signed runs; an unsigned one is passed over, a broken one too."""
    key, releases = tmp_path / "key.pem", tmp_path / "releases"
    public = signing.new_key(str(key))
    releases.mkdir()

    def release(version: str, *words: str) -> None:
        made = policy(tmp_path / "policy", version=version)
        assert run(["build", str(made), "-o", str(releases / f"{version}.duly"), *words]) == 0

    release("1.0.0", "--sign", str(key))
    configured(tmp_path, releases="releases", trust=[public], sources=FEED)
    with Running(tmp_path) as service:
        assert "1.0.0" in service.says("starting")
        release("3.0.0")
        release("2.0.0", "--sign", str(key))
        service.process.send_signal(signal.SIGHUP)
        assert "2.0.0" in service.says("adopted a policy", 2)
        send(tmp_path, "C-1")
        assert started(tmp_path, "C-1")["policy"]["version"] == "2.0.0"
        os.remove(releases / "2.0.0.duly")
        service.process.send_signal(signal.SIGHUP)
        assert "1.0.0" in service.says("adopted a policy", 3)
        assert 0 == service.stop()


@pytest.mark.parametrize("words", [[], ["--check"]], ids=["run", "check"])
def test_state_of_another_set_is_refused(tmp_path: Path, words: list[str]) -> None:
    """A store belongs to one set: another one is not run on it by mistake."""
    configured(tmp_path, policy(tmp_path / "policy"), sources=FEED)
    with Running(tmp_path) as service:
        service.says("running")
        assert 0 == service.stop()
    policy(tmp_path / "policy", "metadata: {name: prompt, version", "metadata: {name: other, version")
    with Running(tmp_path, *words) as service:
        assert 1 == service.ended()
    assert "belongs to the set `prompt`; the policy is `other`" in service.told
