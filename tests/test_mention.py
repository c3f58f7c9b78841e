"""What a template names of the case goes along with the action: that, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from duly.acting import ActingSet
from duly.cases import read_event
from duly.compiler import Source, compile
from duly.instants import DAY, parse
from duly.replaying import replayed

AT = "2026-03-02T02:00:00Z"
POLICY = """
apiVersion: duly/v1
kind: PolicySet
metadata: {name: words, version: 1.0.0}
spec:
  timezone: UTC
  adoption: {open_cases: keep}
  templates:
    told: TEXT
    asked: {en: "How was {subject}, {customer.name}?"}
---
apiVersion: duly/v1
kind: Vocabulary
metadata: {name: words}
spec:
  fields:
    subject: {type: text}
    phone: {type: text, sensitive: true}
    promised: {type: instant}
    wait: {type: duration}
    tags: {type: set, values: [a, b]}
    size: {type: integer, default: 3}
  customer: {name: {type: text}}
  events: {note.added: {fields: {words: {type: text}}}}
---
apiVersion: duly/v1
kind: Survey
metadata: {name: words}
spec:
  ledger: [{scope: any, gap: 1d, from: sent}]
  surveys: [{id: ask, class: transactional, on: case.resolved, template: asked, when_blocked: {defer: 1d}, expires: 4d}]
---
apiVersion: duly/v1
kind: Reaction
metadata: {name: words}
spec:
  reactions:
    - {id: tell, on: note.added, do: [{message: told}, {notify: "person:lin", template: told}, {notify: "person:lin"}]}
---
apiVersion: duly/v1
kind: Roster
metadata: {name: words}
spec: {people: {lin: {name: Lin}}}
"""
FIELDS = {
    "subject": "Door", "phone": "123", "promised": "2026-03-03T10:00:00+08:00", "wait": "90m", "tags": ["b", "a"],
    "problem": {"part": "lock"},
}  # fmt: skip


def played(text: str) -> list[Any]:
    """The actions of a case that is opened, noted and resolved, where the template says `text`."""
    compilation = compile([Source("duly.yaml", POLICY.replace("TEXT", json.dumps(text)).encode())])
    assert compilation.compiled is not None, compilation.diagnostics
    about = {"case": "C-1", "customer": "K-1", "at": AT}
    events: list[dict[str, Any]] = [
        {"id": "e-0", "type": "customer.updated", "customer": "K-1", "at": AT, "data": {"name": "Wu"}},
        {**about, "id": "e-1", "type": "case.opened", "data": FIELDS},
        {**about, "id": "e-2", "type": "note.added", "data": {"words": "soon"}},
        {**about, "id": "e-3", "type": "case.resolved"},
    ]
    policy = ActingSet(json.loads(json.dumps(compilation.compiled)))
    return replayed(policy, [read_event(each) for each in events], parse(AT) + DAY)[1]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("About {subject}", {"subject": "Door"}),
        ("{customer.name}: {event.words}", {"customer.name": "Wu", "event.words": "soon"}),
        ("{promised} {wait} {tags} {size}",
         {"promised": "2026-03-03T02:00:00Z", "wait": "1h30m", "tags": ["a", "b"], "size": 3}),
        ("{problem}", {"problem": {"part": "lock"}}),
        ("Call {phone}", {"phone": "123"}),
        ("{case} {{subject}} {nothing} {action.at}", None),
        ("Hello", None),
    ],
)  # fmt: skip
def test_fields_that_a_text_names(text: str, fields: Any) -> None:
    """They go along as plain data, sensitive or not, declared or not; an action without the text has none."""
    message, notify, plain = [each for each in played(text) if each.type in ("message", "notify")]
    assert [message.data.get("fields"), notify.data.get("fields")] == [fields, fields]
    assert "fields" not in plain.data
    json.dumps(message.data)


def test_the_text_changes_no_id() -> None:
    """Actions are the same, whatever is said of them."""
    assert [each.id("words") for each in played("Hello")] == [
        each.id("words") for each in played("{subject}")
    ]


def test_a_survey_speaks_of_its_case() -> None:
    """What its template names comes from the case it is about, and its customer."""
    (sent,) = [each for each in played("Hello") if each.type == "survey.sent"]
    assert sent.data["fields"] == {"customer.name": "Wu", "subject": "Door"}
