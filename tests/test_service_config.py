"""The configuration of a service: what is read from it, and what is said where it is wrong."""

from __future__ import annotations

import copy
import io
import json
import logging
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from duly.hosts import config, logs
from duly.hosts.config import Config, Faulty
from duly.hosts.secrets import Secret
from duly.instants import DAY, SECOND

CASES = yaml.safe_load((Path(__file__).parent / "cases/service/config.yaml").read_text(encoding="utf-8"))
WHOLE = """\
apiVersion: duly/v1
kind: Config
spec:
  policy: ./policy
  parameters: {consultation_response: 10m}
  store: {url: {env: STORE}, shards: 4, retention: 90d}
  time: events
  mode: {pilot: {sinks: [chat]}}
  stop_within: 3s
  http: {listen: "127.0.0.1:8080", tokens: [{name: crm, secret: {env: CRM_TOKEN}, may: [events, read]}]}
  sources: {feed: {type: file, path: events.jsonl}}
  sinks:
    chat: {type: webhook, settings: {url: "https://hooks.example.com", secret: {file: hook.secret}}}
    out: {type: jsonl, settings: {file: actions.jsonl}}
  addresses: {"person:lin": {chat: "@lin"}}
  log: {level: debug, format: json, mask: [phone]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def whole(folder: Path) -> Config:
    """A configuration that says nearly everything."""
    (folder / "hook.secret").write_text("whsec_1234\n", encoding="utf-8")
    environment = {"STORE": "postgresql://duly:hunter2@db/duly", "CRM_TOKEN": "swordfish"}
    return config.read(WHOLE.encode(), "duly.config.yaml", environment)


@pytest.mark.parametrize("case", CASES, ids=[each["case"] for each in CASES])
def test_configurations_are_checked(case: dict[str, Any], folder: Path) -> None:
    """Whatever is wrong is said with its place, and everything at once."""
    told = []
    try:
        config.read(case["text"].encode(), "duly.config.yaml", case.get("environment", {}))
    except Faulty as error:
        for each in error.diagnostics:
            assert each.help or each.expected
            told.append(
                f"{each.span.file}:{each.span.line}:{each.span.column}: {each.severity} {each.code}: "
                + each.message.replace(f"{folder}{os.sep}", "")
            )
    assert case["told"] == told


def test_settings_are_ready_to_use(whole: Config, folder: Path) -> None:
    """Durations are lengths, paths lie beside the file, secrets are resolved where they are asked for."""
    assert (4, 90 * DAY, 3 * SECOND) == (whole.store.shards, whole.store.retention, whole.stop_within)
    assert ("events", "10m") == (whole.time, whole.parameters["consultation_response"])
    assert [True, False] == [whole.mode.sends("chat"), whole.mode.sends("out")]
    assert folder / "events.jsonl" == whole.path(whole.sources["feed"]["path"])
    assert whole.http is not None
    assert whole.http["tokens"][0]["secret"].matches("swordfish")
    assert "whsec_1234" == whole.sinks["chat"]["settings"]["secret"].reveal()
    assert {"file": "actions.jsonl"} == whole.sinks["out"]["settings"]


def test_sqlite_lies_beside_the_configuration(folder: Path) -> None:
    """A SQLite file is found from wherever the service is started."""
    text = 'apiVersion: duly/v1\nkind: Config\nspec: {store: {url: "sqlite:state/duly.db"}}\n'
    found = config.read(text.encode(), str(folder / "etc" / "duly.config.yaml"), {})
    assert f"sqlite:{folder / 'etc' / 'state' / 'duly.db'}" == found.store.url


def test_secrets_do_not_show(whole: Config) -> None:
    """No way of printing a configuration, copying it or writing it down shows a secret."""
    assert "postgresql://duly:***@db/duly" == whole.store.shown
    for text in (
        repr(whole),
        str(whole.http),
        f"{whole.sinks}",
        repr(whole.store),
        json.dumps(whole.sinks, default=str),
    ):
        assert not any(secret in text for secret in ("hunter2", "swordfish", "whsec_1234"))
    assert "Secret" not in repr(Secret("a"))
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not written anywhere"):
            write(Secret("swordfish"))


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged, as text; the logging of the process is as before afterwards."""
    root, duly = logging.getLogger(), logging.getLogger("duly")
    before = list(root.handlers), root.level, duly.level
    stream = io.StringIO()
    yield stream
    root.handlers[:], root.level, duly.level = before[0], before[1], before[2]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_record_is_a_line(form: str, logged: io.StringIO) -> None:
    """Nothing that comes from outside makes a second line, talks to a terminal, or passes for another fact."""
    logs.configure({"format": form}, (), logged)
    nasty = 'a\nb\r\x1b[2J\u2028\x7fc level=error "x"'
    logs.Log("duly.test").info(nasty, event=nasty, k={"n": [nasty]})
    assert 1 == len(logged.getvalue().splitlines()) == logged.getvalue().count("\n")
    assert set() == {"\x1b", "\r", "\u2028", "\x7f"} & set(logged.getvalue())
    if form == "json":
        found = json.loads(logged.getvalue())
        assert (nasty, nasty, {"n": [nasty]}) == (found["message"], found["event"], found["k"])


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_and_sensitive_values_are_masked(form: str, logged: io.StringIO) -> None:
    """Secrets never reach a log, wherever they stand, nor do values of fields that are sensitive."""
    logs.configure({"format": form, "mask": ["phone"]}, ["swordfish", "swordfish-2"], logged)
    log = logs.Log("duly.test")
    try:
        raise ValueError("swordfish-2")
    except ValueError as error:
        log.fault("a swordfish came", error, token=Secret("x"), phone="13800000000", url="https://a?t=swordfish",
                  facts={"phone": "13800000000", "of": ["swordfish"]})  # fmt: skip
    logging.getLogger("another.library").warning("said %s", "swordfish")
    text = logged.getvalue()
    assert 2 == len(text.splitlines())
    assert ("swordfish" in text, "13800000000" in text, "***" in text) == (False, False, True)


def test_levels_are_kept(logged: io.StringIO) -> None:
    """What is less than the level is not logged; libraries speak up from warnings on."""
    logs.configure({"level": "warning"}, (), logged)
    log = logs.Log("duly.test")
    for tell in (log.debug, log.info, log.warning):
        tell("hello")
    logging.getLogger("another.library").info("hello")
    assert 1 == logged.getvalue().count("hello")
