"""The registry: the types of sinks there are, and what is said of those that there are not."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from duly import documents
from duly.sinks import registry
from duly.sinks.base import Message, Misconfigured, Secret
from duly.testing import Collecting
from duly.validation import read as schema

Make = Callable[..., Message]
EXAMPLE = Path(__file__).parent / "example"
BUILT_IN = [name for name, each in registry.offered().items() if each.package == "duly"]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example package, with the metadata that installing it writes, on the path."""
    place = tmp_path / "site"
    shutil.copytree(EXAMPLE, place)
    monkeypatch.chdir(place)
    build: Any = importlib.import_module("setuptools.build_meta")
    build.prepare_metadata_for_build_wheel(str(place))
    monkeypatch.syspath_prepend(str(place))
    yield place
    sys.modules.pop("duly_sink_example", None)


def test_a_sink_of_ones_own(installed: Path, make: Make, tmp_path: Path) -> None:
    """A package adds a type of sink: it is found by its name, checked by its schema, and delivers."""
    assert "duly-sink-example" == registry.offered()["folder"].package
    document = documents.load(
        "spec: {sinks: {out: {type: folder, settings: {paht: x, indent: -1}}, in: {type: foldr}}}", "c.yaml"
    )[0][0]
    assert ["unknown key `paht`", "expected at least 0, found `-1`"] == [
        each.message for each in registry.faults(document, ("spec", "sinks", "out"))
    ]
    (fault,) = registry.faults(document, ("spec", "sinks", "in"))
    assert "did you mean `folder`?" in fault.message
    with pytest.raises(Misconfigured, match="is not there"):
        registry.build("folder", {"path": "nowhere"}, tmp_path)
    (tmp_path / "out").mkdir()
    sink = registry.build("folder", {"path": "out"}, tmp_path)
    assert "delivered" == sink.deliver([make("a")])[0].outcome
    assert "C-1001" == json.loads((tmp_path / "out" / "a.json").read_text(encoding="utf-8"))["case"]
    assert "has nothing to check" == registry.check(sink)
    assert "plain" == registry.escape_of(sink)
    registry.close(sink)


def entry(place: Path, package: str, points: str) -> None:
    """The metadata of a package that offers these entry points."""
    folder = place / f"{package}-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
    (folder / "entry_points.txt").write_text(f"[duly.sinks]\n{points}\n")


def test_packages_that_cannot_be_used(installed: Path) -> None:
    """A package that breaks, offers no sink, or takes another's name is named; it never takes a built-in's place."""
    entry(installed, "broken", "broken = nowhere_at_all:Sink\nnothing = json:loads\nfolder = json:JSONDecoder\n"
                               "webhook = json:JSONDecoder")  # fmt: skip
    for name, says in [
        ("broken", "of the package `broken` cannot be loaded: ModuleNotFoundError"),
        ("nothing", "has no method `deliver`"),
        ("folder", "offered by two packages"),
    ]:
        with pytest.raises(Misconfigured, match=says):
            registry.find(name)
    assert "duly.sinks.webhook" == registry.find("webhook").__module__


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in(name: str) -> None:
    """Each built-in describes its settings, every key with a description and an example that fits."""
    found = registry.schema_of(name)
    for key, part in found["properties"].items():
        assert part["description"].endswith("."), key
        assert part["examples"], key
    assert found["examples"]
    for example in found["examples"]:
        sinks = {"one": {"type": name, "settings": example}}
        document = documents.load(json.dumps({"spec": {"sinks": sinks}}), "c.yaml")[0][0]
        assert [] == registry.faults(document, ("spec", "sinks", "one"))


def test_unknown_type() -> None:
    """A type that there is not is told with the nearest one there is."""
    with pytest.raises(Misconfigured, match=r"unknown type of sink `web-hook`; did you mean `webhook`\?"):
        registry.find("web-hook")


BARE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('httpcore', 'apprise', 'nats', 'redis', 'psycopg'):
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Missing())
from duly.sinks import registry
from duly.sinks.base import Misconfigured
for name in sys.argv[1:]:
    try:
        registry.build(name, {'url': 'postgresql://x', 'path': 'x', 'host': 'x', 'from': 'a@b.example'})
        print(name, 'works')
    except Misconfigured as error:
        print(name, error)
"""


def test_without_extras() -> None:
    """Without extras the sinks that need none work, and the others say what to install."""
    done = subprocess.run(
        [sys.executable, "-c", BARE, *BUILT_IN], capture_output=True, encoding="utf-8", check=True
    )
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert {"console": "works", "jsonl": "works", "smtp": "works"} == {
        name: text for name, text in told.items() if text == "works"
    }
    extras = {
        "apprise": "apprise",
        "nats": "nats",
        "redis": "redis",
        "sql": "postgres",
        "webhook": "service",
        "chat": "service",
    }
    for name, extra in extras.items():
        assert told[name].endswith(f"is not installed; run: pip install 'duly[{extra}]'")


def test_files_are_looked_for_from_a_folder(tmp_path: Path) -> None:
    """What a configuration calls a file lies beside it; a secret or an address of a server is left alone."""
    sink: Any = registry.build("jsonl", {"path": "actions.jsonl"}, tmp_path)
    assert tmp_path / "actions.jsonl" == sink._path
    sink = registry.build("sql", {"url": "sqlite:actions.db"}, tmp_path)
    assert str(tmp_path / "actions.db") == sink._database.path
    sink = registry.build("sql", {"url": Secret("postgresql://x")}, tmp_path)
    assert "postgresql://x" == sink._database.url


def test_secrets_are_not_shown() -> None:
    """A secret shows itself in no text, and is written nowhere."""
    import copy
    import pickle

    secret = Secret("geheim")
    assert "***" == repr(secret) == str(secret) == f"{secret}"
    assert "geheim" == secret.reveal()
    assert secret.matches("geheim")
    assert Secret("geheim") == secret != Secret("anders")
    assert "geheim" not in str({"a": [secret]})
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not written anywhere"):
            write(secret)


def test_a_sink_for_tests(make: Make) -> None:
    """The sink that users' tests look into is one as any other."""
    sink = Collecting()
    assert "delivered" == sink.deliver([make()])[0].outcome
    assert "has nothing to check" == registry.check(sink)


def test_schema_of_the_configuration() -> None:
    """The schema of a configuration leaves a sink's settings to the sink."""
    settings = schema("config")["$defs"]["sink"]["properties"]["settings"]
    assert "properties" not in settings
