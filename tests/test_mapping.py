"""Mapping: what becomes of the messages of other systems, and what is wrong with a mapping."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from duly.cases import Refused, read_event
from duly.hosts.mapping import Mapping, read
from duly.instants import parse
from duly_cli.commands import cli
from duly_cli.sources import Choice, load

ROOT = Path(__file__).parents[1]
HOW_TO = ROOT / "docs" / "how-to"
START = "2026-03-11T02:00:00Z"
RECEIVED = parse("2026-03-11T02:00:05Z")


def entries(name: str) -> list[dict[str, Any]]:
    """The entries of a file of cases."""
    found: list[dict[str, Any]] = yaml.safe_load(
        (ROOT / f"tests/cases/mapping/{name}.yaml").read_text(encoding="utf-8")
    )
    return found


def mapping(*rules: dict[str, Any], **spec: Any) -> Mapping:
    """A sound mapping of these rules."""
    document = {
        "apiVersion": "duly/v1",
        "kind": "Mapping",
        "metadata": {"name": "m"},
        "spec": {**spec, "rules": rules},
    }
    found, faults = read(json.dumps(document).encode(), "m.mapping.yaml")
    assert found is not None, faults
    return found


def rule(name: str = "r", **event: Any) -> dict[str, Any]:
    """A rule that makes an event."""
    return {"id": name, "event": {"id": "e", "type": "x.done", "at": START, **event}}


@pytest.mark.parametrize("entry", entries("values"), ids=lambda entry: str(entry["case"]))
def test_values(entry: dict[str, Any]) -> None:
    """What a rule takes out of a message."""
    (made,) = (
        mapping(rule(**entry["event"])).apply(entry["message"], entry.get("headers", {}), RECEIVED).events
    )
    if "refuses" in entry:
        assert isinstance(made, Refused)
        code, path, message = entry["refuses"]
        assert (code, path) == (made.code, made.path)
        assert message in made.message
        assert made.message.startswith("rule `r`: ")
    else:
        assert {"id": "e", "type": "x.done", "at": START, **entry["gives"]} == made
        read_event(made)


@pytest.mark.parametrize(
    "entry", entries("conditions"), ids=lambda entry: json.dumps(entry["when"], ensure_ascii=False)
)
def test_conditions(entry: dict[str, Any]) -> None:
    """Which messages a rule is for."""
    found = mapping({**rule(), "when": entry["when"]})
    headers = entry.get("headers", {})
    assert [] == [each for each in entry["holds"] if not found.apply(each, headers, RECEIVED).events]
    assert [] == [each for each in entry["fails"] if found.apply(each, headers, RECEIVED).events]


@pytest.mark.parametrize("entry", entries("faults"), ids=lambda entry: str(entry["expected"][0]))
def test_faults(entry: dict[str, Any]) -> None:
    """What is wrong with a mapping is told with its place."""
    text = f"{entry['text']}\n"
    head = "apiVersion: duly/v1\nkind: Mapping\nmetadata: {name: m}\nspec:\n  rules:\n    - "
    found, faults = read((head + text).encode(), "m.mapping.yaml")
    assert found is None
    told = [f"{each.span.line - 5}:{each.span.column - 6} {each.code} {each.message}" for each in faults]
    assert len(entry["expected"]) == len(told), told
    for expected, each in zip(entry["expected"], told, strict=True):
        assert each.startswith(expected), each


def test_other_faults_of_a_document() -> None:
    """A file with nothing in it, with two documents, of another kind, or no YAML is no mapping."""
    sound = "apiVersion: duly/v1\nkind: Mapping\nmetadata: {name: m}\n"
    sound += "spec: {rules: [{id: r, event: {id: e, type: x.y, at: a}}]}\n"
    for text, code in (
        ("", "D219"),
        (f"{sound}---\n{sound}", "D216"),
        (sound.replace("Mapping", "Duty"), "D104"),
        ("a: [", "D003"),
    ):
        found, faults = read(text.encode(), "m.mapping.yaml")
        assert found is None
        assert code in {each.code for each in faults}, faults


def test_which_rules_make_events() -> None:
    """The first rule that holds makes its event, or all that hold do; what none is for is counted or refused."""
    rules = [
        {**rule("a", id="1"), "when": {"a": 1}}, {**rule("b", id="2"), "when": {"b": 1}},
        {**rule("c", id={"path": "c"}), "when": {"c": 0}},
    ]  # fmt: skip
    both, none = {"a": 1, "b": 1}, {"d": 1}

    def ids(found: Mapping, message: Any) -> list[Any]:
        return [
            each["id"] if isinstance(each, dict) else each.code for each in found.apply(message, {}, 0).events
        ]

    first, every = mapping(*rules), mapping(*rules, take="all", unmatched="refuse")
    assert (["1"], ["1", "2"]) == (ids(first, both), ids(every, both))
    assert ([], ["E201"]) == (ids(first, none), ids(every, none))
    assert 1 == first.apply(none, {}, 0).unmatched


def test_a_list_in_a_message() -> None:
    """Each thing of a list is looked at by itself; a fault of one harms no other."""
    found = mapping(
        rule(id={"join": [{"path": "$.batch"}, "/", {"path": "n"}]}), each="items",
    )  # fmt: skip
    made = found.apply({"batch": "b", "items": [{"n": 1}, {}, {"n": 3}]}, {}, 0).events
    assert ["b/1", "E202", "b/3"] == [each["id"] if isinstance(each, dict) else each.code for each in made]
    assert 1 == found.apply({}, {}, 0).unmatched
    (refused,) = found.apply({"items": 3}, {}, 0).events
    assert isinstance(refused, Refused)
    assert ("E203", "items") == (refused.code, refused.path)


def sample(system: str, name: str) -> list[Any]:
    """What the mapping of a system makes of one of its messages."""
    file = HOW_TO / system / f"{system}.mapping.yaml"
    found, faults = read(file.read_bytes(), str(file))
    assert found is not None, faults
    message = json.loads((HOW_TO / system / f"{name}.json").read_text(encoding="utf-8"))
    if set(message) == {"headers", "body"}:
        return found.apply(message["body"], message["headers"], RECEIVED).events
    return found.apply(message, {}, RECEIVED).events


@pytest.mark.parametrize(
    ("name", "type", "case", "data"),
    [
        (
            "created",
            "case.opened",
            "ZD-5158",
            {"channel": "web", "priority": "high", "tags": ["printer", "vip"]},
        ),
        ("comment-of-an-agent", "agent.replied", "ZD-5158", {"public": True, "automated": False}),
        ("comment-of-the-customer", "customer.replied", "ZD-5158", {}),
        ("assigned", "case.assigned", "ZD-5158", {"assignee": "person:8447388090495"}),
        ("priority", "case.updated", "ZD-5158", {"priority": "urgent"}),
        ("pending", "case.updated", "ZD-5158", {"status": "pending"}),
        ("solved", "case.resolved", "ZD-5158", {"case": {"status": "solved"}}),
        ("reopened", "case.reopened", "ZD-5158", {"case": {"status": "open"}}),
    ],
)
def test_zendesk(name: str, type: str, case: str, data: dict[str, Any]) -> None:
    """The mapping that is shipped makes an event of each sort of message of Zendesk."""
    (event,) = sample("zendesk", name)
    read_event(event)
    assert (type, case) == (event["type"], event["case"])
    assert data.items() <= event.get("data", {}).items()


@pytest.mark.parametrize(
    ("name", "type", "data"),
    [
        (
            "created",
            "case.opened",
            {"channel": "phone", "priority": "normal", "vip": True, "group": "Service Desk"},
        ),
        ("article-of-an-agent", "agent.replied", {"public": True, "automated": False}),
        ("article-of-the-customer", "customer.replied", {}),
        ("internal-note", "case.updated", {}),
        ("owner", "case.assigned", {"assignee": "person:emma@example.com"}),
        ("closed", "case.resolved", {"case": {"status": "closed"}}),
    ],
)
def test_zammad(name: str, type: str, data: dict[str, Any]) -> None:
    """The mapping that is shipped makes an event of each sort of message of Zammad."""
    (event,) = sample("zammad", name)
    read_event(event)
    assert (type, "ZM-10081") == (event["type"], event["case"])
    assert data.items() <= event.get("data", {}).items()


def test_every_sample_is_tried() -> None:
    """Each message that is shipped is one of those above; a private note of Zendesk is passed over."""
    assert [] == sample("zendesk", "private-note")
    assert (9, 6) == tuple(len(list((HOW_TO / system).glob("*.json"))) for system in ("zendesk", "zammad"))


KEYS = st.sampled_from(
    ["ticket", "article", "detail", "event", "type", "id", "time", "number", "owner", "current", "created_at"]
)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
TRIGGERS = ["duly: created", "duly: article", "duly: owner", "duly: state", "x"]
SHIPPED = {
    each: read((HOW_TO / each / f"{each}.mapping.yaml").read_bytes(), each)[0]
    for each in ("zendesk", "zammad")
}


@settings(max_examples=300, deadline=None)
@given(PLAIN, st.sampled_from(TRIGGERS), st.sampled_from(["created", "comment_added", "status_changed"]))
def test_no_message_is_too_odd(message: Any, trigger: str, kind: str) -> None:
    """Whatever another system sends becomes an event or is refused with a code."""
    for system, found in SHIPPED.items():
        if system == "zendesk" and isinstance(message, dict):
            message = {**message, "type": f"zen:event-type:ticket.{kind}"}
        assert found is not None
        for each in found.apply(message, {"X-Zammad-Trigger": trigger}, RECEIVED).events:
            assert isinstance(each, dict) or each.code in ("E201", "E202", "E203")
            json.dumps(each if isinstance(each, dict) else each.report())


def tried(*words: str, given: str = "") -> tuple[int, list[dict[str, Any]], str]:
    """What `duly map` gives: its exit code, its lines, and what it says."""
    done = CliRunner().invoke(cli, ["map", *words], input=given, standalone_mode=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.return_value, lines, done.stdout + done.stderr


def test_map_tries_a_mapping(tmp_path: Path) -> None:
    """`duly map` shows what becomes of messages, one a line, and what is wrong with a mapping."""
    zammad, zendesk = (str(HOW_TO / each / f"{each}.mapping.yaml") for each in ("zammad", "zendesk"))
    code, (event,), _ = tried(zammad, str(HOW_TO / "zammad" / "owner.json"))
    assert (0, "case.assigned") == (code, event["type"])
    code, (refused,), _ = tried(zammad, "--header", "X-Zammad-Trigger: duly: state", given='{"ticket": {}}')
    assert (1, "E202", 1) == (code, refused["error"]["code"], refused["error"]["line"])
    code, lines, told = tried(zendesk, given='{"type": "zen:event-type:user.created"}')
    assert (0, []) == (code, lines)
    assert "no rule holds for 1 messages" in told
    assert 0 == tried(zendesk, "--check")[0]
    (tmp_path / "m.yaml").write_text("kind: Mapping\n", encoding="utf-8")
    code, _, told = tried(str(tmp_path / "m.yaml"), "--check")
    assert (1, True) == (code, "D102" in told)


def test_a_mapping_is_no_document_of_a_set(tmp_path: Path) -> None:
    """A mapping that lies in the folder of a policy set is not looked at, and does not change the revision."""
    sources = ROOT / "tests/cases/suites/desk"
    for name in ("with", "without"):
        shutil.copytree(sources, tmp_path / name)
    shutil.copy(HOW_TO / "zammad" / "zammad.mapping.yaml", tmp_path / "with")
    found = [load(str(tmp_path / name), Choice()).compiled["revision"] for name in ("with", "without")]
    assert found[0] == found[1]
