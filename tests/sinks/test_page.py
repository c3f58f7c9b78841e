"""The page on sinks: every configuration on it is one that can be used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from duly import documents, validation
from duly.hosts.sources import nats, redis
from duly.sinks import registry, texts
from duly.sinks.base import Secret
from duly.sinks.templates import read, render

PAGE = (Path(__file__).parents[2] / "docs" / "sinks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SCHEMAS = {"nats": nats.SCHEMA, "redis": redis.SCHEMA}
SECRETS = {"CRM_AUTHORIZATION": "Bearer x", "WAREHOUSE_URL": "postgresql://x", "REDIS_URL": "redis://x",
           "SLACK_URL": "json://127.0.0.1", "NTFY_URL": "json://127.0.0.2"}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def resolved(settings: Any) -> Any:
    """Settings with a secret of the right form in the place of each reference."""
    if isinstance(settings, dict):
        if settings and settings.keys() <= {"env", "file"}:
            name = next(iter(settings.values()))
            usual = (
                "https://x.example/"
                if name.endswith("url")
                else "whsec_" + "A" * 44
                if "HOOK" in name
                else "x"
            )
            return Secret(SECRETS.get(name, usual))
        return {key: resolved(value) for key, value in settings.items()}
    return [resolved(each) for each in settings] if isinstance(settings, list) else settings


def parts(kind: str) -> list[Any]:
    """Each sink or source on the page: its document, its place in it."""
    found = []
    for block in BLOCKS:
        (document,), faults = documents.load(block, "sinks.md")
        assert [] == faults
        place = ("spec", kind) if "spec" in document.data else (kind,)
        owner = document.data.get("spec", document.data)
        found += [pytest.param(document, (*place, name), id=f"{name}") for name in owner.get(kind, ())]
    return found


@pytest.mark.parametrize(("document", "place"), parts("sinks"))
def test_sinks(document: Any, place: Any, tmp_path: Path) -> None:
    """Each sink on the page fits its schema, and can be made."""
    assert [] == registry.faults(document, place)
    declared = document.part(place).data
    settings = resolved(declared.get("settings", {}))
    if settings.pop("ca_file", None) is not None:
        settings["allow_private"] = True
    registry.close(registry.build(declared["type"], settings, tmp_path))


@pytest.mark.parametrize(("document", "place"), parts("sources"))
def test_sources(document: Any, place: Any) -> None:
    """Each source on the page fits its schema."""
    kind = document.part(place).data["type"]
    assert [] == validation.settings(document, (*place, "settings"), f"sources/{kind}", SCHEMAS[kind])


def test_every_type_has_its_chapter() -> None:
    """Each built-in type of sink is on the page, in the table and with a chapter of its own."""
    types = [name for name, each in registry.offered().items() if each.package == "duly"]
    assert sorted(types) == sorted(re.findall(r"^\| \[`(\w+)`\]\(#\1\)", PAGE, re.MULTILINE))
    assert set(types) <= set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE))


def test_template(make: Any) -> None:
    """The template on the page says what it should; the line on a ladder that there is not is left out."""
    template = read(
        next(each for each in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) if "超时" in each), "t.txt"
    )
    action = {**make().actions[0], "due_by": "2026-03-02T01:05:00Z", "ladder": None}
    title, text = render(action, template, "zh", "plain")
    assert "first_response 已超时：C-1001" == title
    assert "应于 2026-03-02 01:05 UTC 前完成。\n处理人：person:lin" in text
    assert "已超时" in texts.TEXTS["clock.breached"]["zh"][0]


def test_yaml_is_plain() -> None:
    """Any reader of YAML understands the page's configurations."""
    assert all(isinstance(yaml.safe_load(block), dict) for block in BLOCKS)


def test_class(make: Any) -> None:
    """The class on the page is a sink."""
    names: dict[str, Any] = {}
    exec(next(iter(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))), names)
    sink = names["Pager"]({"number": "1", "key": Secret("x")})
    assert ["delivered"] == [each.outcome for each in sink.deliver([make()])]
