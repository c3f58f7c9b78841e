"""Events over HTTP: what becomes of them, one at a time, in lists, in lines and as CloudEvents."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from duly.hosts.contract import Busy, Unavailable

sys.path.insert(0, str(Path(__file__).parent))
web = importlib.import_module("web")
if TYPE_CHECKING:
    from web import START, Web, bearer, opened, serving
else:
    START, Web, bearer, opened, serving = web.START, web.Web, web.bearer, web.opened, web.serving

LINES = "application/x-ndjson"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service for all tests that hand in cases of their own."""
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    """The lines of an answer."""
    assert answer.headers["content-type"] == LINES
    return [json.loads(line) for line in answer.text.splitlines()]


def accepted(name: str) -> dict[str, Any]:
    """The receipt of an event."""
    return {"status": "accepted", "id": name}


def test_one_event(desk: Web) -> None:
    """An event is accepted once; again it is a duplicate; with other content it is in conflict."""
    event = opened("one")
    again = dict(reversed(event.items()))
    other = {**event, "data": {"category": "question"}}
    answers = [desk.post("/v1/events", each) for each in (event, again, other)]
    assert [202, 200, 409] == [each.status_code for each in answers]
    assert [accepted("e-one"), {"status": "duplicate", "id": "e-one"}] == [
        each.json() for each in answers[:2]
    ]
    assert {"code": "E108", "path": "id", "line": None} == {
        key: answers[2].json()["error"][key] for key in ("code", "path", "line")
    }


@pytest.mark.parametrize(
    ("body", "status", "code", "path"),
    [
        (b'{"id": "e-', 400, "E001", ""),
        (b'{"id": "\xff"}', 400, "E002", ""),
        (b'{"id": "a", "id": "b"}', 400, "E006", "id"),
        (b'{"id": NaN}', 400, "E005", ""),
        (b'{"id": 1e999}', 400, "E005", ""),
        (b'{"data": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "E004", ""),
        (b"[" * 100_000, 400, "E004", ""),
        (b'{"data": ' * 20_000, 400, "E004", ""),
        (b"", 400, "E001", ""),
        (b"17", 422, "E102", ""),
        (b'{"type": "case.opened", "at": "2026-03-11T02:00:00Z"}', 422, "E101", "id"),
        (b'{"id": "x", "type": "case.opened", "case": "C", "at": "yesterday"}', 422, "E103", "at"),
        (b'{"id": "x", "type": "case.opened", "at": "2026-03-11T02:00:00Z", "speed": 1}', 422, "E104", "speed"),
        (b'{"id": "x\\u0000", "type": "case.opened", "case": "C", "at": "2026-03-11T02:00:00Z"}', 422, "E111", "id"),
        (b'{"id": "x", "type": "case.opened", "case": "C", "at": "2026-03-11T03:00:00Z"}', 422, "E110", "at"),
        (b'{"id": "x", "type": "case.opened", "case": "C", "at": "2026-03-11T02:00:00Z", "data": {"category": "rain"}}',
         422, "C202", "data.category"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(desk: Web, body: bytes, status: int, code: str, path: str) -> None:
    """What cannot be read or taken is refused, with its code, a sentence and its place."""
    before = len(desk.service.store.rejects(limit=10_000))
    answer = desk.post("/v1/events", body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["path"]) == (code, path)
    assert error["message"]
    assert before + 1 == len(desk.service.store.rejects(limit=10_000))


def test_a_list(desk: Web) -> None:
    """Each event of a list gets a receipt, in order; what is wrong with one harms no other."""
    events = [opened("l1"), {"id": "l2"}, opened("l1"), opened("l3"), 7]
    answer = desk.post("/v1/events", events)
    assert answer.status_code == 202
    found = answer.json()
    assert ["accepted", "refused", "duplicate", "accepted", "refused"] == [
        each["status"] for each in found["receipts"]
    ]
    assert ["e-l1", "l2", "e-l1", "e-l3", None] == [each["id"] for each in found["receipts"]]
    assert {"accepted": 2, "duplicate": 1, "conflict": 0, "refused": 2} == found["counts"]
    assert "E101" == found["receipts"][1]["error"]["code"]
    assert (200, []) == ((empty := desk.post("/v1/events", [])).status_code, empty.json()["receipts"])


def test_a_list_that_is_broken_is_not_taken(desk: Web) -> None:
    """Of a list that is no JSON nothing is taken."""
    answer = desk.post(
        "/v1/events", b'[{"id": "b1", "type": "case.opened", "at": "' + START.encode() + b'"}, {'
    )
    assert (400, "E001") == (answer.status_code, answer.json()["error"]["code"])
    assert desk.client.get("/v1/cases/b1").status_code == 404


def test_lines(desk: Web) -> None:
    """Each line of a stream gets a line, with its number; blank ones are passed over, counts come last."""
    large = json.dumps(opened("n9", data={"text": "x" * 300_000}))
    texts = [json.dumps(opened("n1")), "", "{", json.dumps(opened("n1")), large, json.dumps(opened("n2"))]
    answer = desk.post("/v1/events", "\n".join(texts).encode(), kind=LINES)
    *receipts, counts = lines(answer)
    assert answer.status_code == 202
    assert [(1, "accepted"), (3, "refused"), (4, "duplicate"), (5, "refused"), (6, "accepted")] == [
        (each["line"], each["status"]) for each in receipts
    ]
    assert ["E001", "E003"] == [each["error"]["code"] for each in receipts if "error" in each]
    assert {"counts": {"accepted": 2, "duplicate": 1, "conflict": 0, "refused": 2}} == counts
    only = lines(desk.post("/v1/events?receipts=faults", "\n".join(texts).encode(), kind=LINES))
    assert [3, 5] == [each["line"] for each in only[:-1]]


def test_a_long_stream(desk: Web) -> None:
    """A stream of several parts, sent in pieces that end anywhere, is taken whole and in order."""
    told = {"type": "customer.updated", "at": START, "data": {"tier": "vip"}}
    events = [{**told, "id": f"s{number}", "customer": f"K-{number % 50}"} for number in range(2500)]
    body = b"\n".join(json.dumps(event).encode() for event in events)

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 7_919):
            yield body[start : start + 7_919]

    answer = desk.client.post("/v1/events", content=pieces(), headers={"content-type": LINES})
    *receipts, counts = lines(answer)
    assert list(range(1, 2501)) == [each["line"] for each in receipts]
    assert 2500 == counts["counts"]["accepted"]


CLOUD = {
    "specversion": "1.0",
    "source": "/crm",
    "type": "case.opened",
    "time": START,
    "data": {"category": "outage"},
}


def test_cloud_events(desk: Web) -> None:
    """CloudEvents are taken structured, in batches and binary; the same event in two forms is a duplicate."""
    one = {**CLOUD, "id": "ce-1", "subject": "case:客1"}
    structured = desk.post("/v1/events", one, kind="application/cloudevents+json; charset=utf-8")
    batch = desk.post(
        "/v1/events",
        [{**CLOUD, "id": "ce-2", "subject": "C-ce2"}, one],
        kind="application/cloudevents-batch+json",
    )
    headers = {"ce-specversion": "1.0", "ce-id": "ce-1", "ce-source": "/crm", "ce-type": "case.opened",
               "ce-time": START, "ce-subject": "case:%E5%AE%A21"}  # fmt: skip
    binary = desk.post("/v1/events", CLOUD["data"], **headers)
    assert [202, 202, 200] == [each.status_code for each in (structured, batch, binary)]
    assert ["accepted", "duplicate"] == [each["status"] for each in batch.json()["receipts"]]
    assert desk.client.get("/v1/cases/客1").json()["case"] == "客1"


@pytest.mark.parametrize(
    ("event", "kind", "headers", "expected"),
    [
        (opened("c1"), "application/cloudevents+json", {}, (422, "E102", "specversion")),
        ({**CLOUD, "specversion": "0.3"}, "application/cloudevents+json", {}, (422, "E102", "specversion")),
        ({**CLOUD, "data_base64": "e30="}, "application/cloudevents+json", {}, (422, "E102", "data_base64")),
        ({**CLOUD, "datacontenttype": "text/xml"}, "application/cloudevents+json", {},
         (422, "E102", "datacontenttype")),
        ([], "application/cloudevents+json", {}, (422, "E102", "")),
        ({}, "application/cloudevents-batch+json", {}, (422, "E102", "")),
        (b"<a/>", "text/xml", {"ce-specversion": "1.0"}, (415, "E308", "content-type")),
        ({}, "application/json", {"ce-specversion": "1.0", "ce-id": "%FF"}, (400, "E002", "ce-id")),
        ({}, "application/json", {"ce-specversion": "1.0", "ce-od_d": "1"}, (400, "E311", "ce-od_d")),
    ],
)  # fmt: skip
def test_odd_cloud_events(
    desk: Web, event: Any, kind: str, headers: dict[str, str], expected: tuple[int, str, str]
) -> None:
    """What is no CloudEvent of version 1.0 with JSON in it is refused."""
    answer = desk.post("/v1/events", event, kind=kind, **headers)
    error = answer.json()["error"]
    assert expected == (answer.status_code, error["code"], error["path"])


@pytest.mark.parametrize(
    ("kind", "coding"),
    [("application/x-www-form-urlencoded", ""), ("text/plain", ""), ("", ""), ("application/json", "gzip"),
     ("application/json; charset=latin-1", "")],
)  # fmt: skip
def test_other_media_are_not_read(desk: Web, kind: str, coding: str) -> None:
    """What is not JSON in UTF-8, as it is, is not guessed at."""
    headers = {"content-type": kind, **({"content-encoding": coding} if coding else {})}
    answer = desk.client.post("/v1/events", content=b"{}", headers=headers)
    assert (415, "E308") == (answer.status_code, answer.json()["error"]["code"])


def test_sizes(tmp_path: Path) -> None:
    """An event, a list, a body and a stream that are too large are refused, whether they say their length or not."""
    with serving(tmp_path, body_bytes=400_000, stream_bytes=500_000, batch_events=3) as small:
        large = json.dumps(opened("z", data={"text": "x" * 300_000})).encode()
        many = json.dumps([opened(f"z{number}") for number in range(4)]).encode()
        body = b'{"id": "' + b"x" * 450_000 + b'"}'
        answers = [
            small.post("/v1/events", large), small.post("/v1/events", many), small.post("/v1/events", body),
            small.client.post("/v1/events", content=iter([body]), headers={"content-type": "application/json"}),
            small.post("/v1/events", b"\n" * 600_000, kind=LINES),
        ]  # fmt: skip
        assert [413] * 5 == [each.status_code for each in answers]
        assert ["E003", "E307", "E307", "E307", "E307"] == [each.json()["error"]["code"] for each in answers]
        (only,) = small.post("/v1/events", [json.loads(large)]).json()["receipts"]
        assert "E003" == only["error"]["code"]
        assert 202 == small.post("/v1/events", opened("z")).status_code


def test_back_pressure(desk: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """While too much waits, events are answered with 429 and when to come again; a stream is held up instead."""
    real, calls = desk.service.intake.offer, []

    def busy(*given: Any) -> Any:
        calls.append(given)
        if len(calls) < 3:
            raise Busy(0.05)
        return real(*given)

    monkeypatch.setattr(desk.service.intake, "offer", busy)
    answer = desk.post("/v1/events", opened("p1"))
    assert (429, "1", "E305") == (
        answer.status_code,
        answer.headers["retry-after"],
        answer.json()["error"]["code"],
    )
    assert 202 == desk.post("/v1/events", json.dumps(opened("p2")).encode(), kind=LINES).status_code
    assert 3 == len(calls)


def test_a_store_that_is_away(desk: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store cannot be written, events are answered with 503, and not with why."""

    def away(*_: Any) -> Any:
        raise Unavailable("disk full: /var/lib/duly/duly.db")

    monkeypatch.setattr(desk.service.intake, "offer", away)
    for kind in ("application/json", LINES):
        answer = desk.post("/v1/events", opened("u1"), kind=kind)
        assert (503, "5", "E306") == (
            answer.status_code,
            answer.headers["retry-after"],
            answer.json()["error"]["code"],
        )
        assert "duly.db" not in answer.text
    monkeypatch.setattr(desk.service.store, "entity", away)
    assert 503 == desk.client.get("/v1/cases/u1").status_code


def test_the_rate_of_a_token(desk: Web) -> None:
    """Who sends more than he may is told when to come again; others are not."""
    first = desk.post("/v1/events", [opened("r1"), opened("r2")], **bearer("tok-slow"))
    second = desk.post("/v1/events", opened("r3"), **bearer("tok-slow"))
    assert (202, 429) == (first.status_code, second.status_code)
    assert 1 <= int(second.headers["retry-after"]) <= 5
    assert 202 == desk.post("/v1/events", opened("r4")).status_code
