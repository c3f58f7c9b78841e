"""Looking over HTTP: decisions on cases given, and what is kept of cases, queues and alarms."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duly.instants import parse

sys.path.insert(0, str(Path(__file__).parent))
web = importlib.import_module("web")
if TYPE_CHECKING:
    from serving import DESK, surroundings, until
    from web import START, Web, bearer, opened, serving
else:
    shared = importlib.import_module("serving")
    DESK, surroundings, until = shared.DESK, shared.surroundings, shared.until
    START, Web, bearer, opened, serving = web.START, web.Web, web.bearer, web.opened, web.serving

CASES: list[dict[str, Any]] = [
    {"id": "C-1", "opened_at": "2026-03-11T01:50:00Z", "fields": {"category": "outage"}},
    {"id": "C-2", "customer": "K-1", "events": [
        {"id": "1", "type": "case.opened", "at": "2026-03-10T02:00:00Z", "data": {"category": "question"}},
        {"id": "2", "type": "agent.replied", "at": "2026-03-10T02:20:00Z", "data": {"automated": False}},
    ]},
]  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A desk with eight cases, of which each of two people has three."""
    with serving(tmp_path_factory.mktemp("service")) as running:
        for number in range(8):
            event = opened(f"C/{number}", at=f"2026-03-11T01:{50 + number}:00Z", customer=f"K-{number}")
            assert 202 == running.post("/v1/events", event).status_code
        until(lambda: running.service.store.counts()["pending"] == 0)
        yield running


def cli(folder: Path, verb: str, *words: str) -> list[dict[str, Any]]:
    """What the command line says of the cases."""
    done = subprocess.run(
        [sys.executable, "-m", "duly_cli.main", verb, str(DESK), "-", "--at", START, *words], cwd=folder,
        input="\n".join(map(json.dumps, CASES)).encode(), capture_output=True, check=True, env=surroundings(folder),
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_decide(desk: Web, tmp_path: Path) -> None:
    """A case that is given whole is decided as `duly decide` does it, one or a line each."""
    expected = cli(tmp_path, "decide")
    assert expected == [desk.post("/v1/decide", case).json() for case in CASES]
    text = b"\n".join([json.dumps(CASES[0]).encode(), b"{", json.dumps(CASES[1]).encode()])
    answer = desk.post("/v1/decide", text, kind="application/x-ndjson")
    first, wrong, second = map(json.loads, answer.text.splitlines())
    assert (200, expected) == (answer.status_code, [first, second])
    assert ("E001", 2) == (wrong["error"]["code"], wrong["error"]["line"])


def test_explain(desk: Web, tmp_path: Path) -> None:
    """An explanation is that of `duly explain`: rules with their places, and an account of time."""
    expected = cli(tmp_path, "explain", "--format", "json")
    found = [desk.post("/v1/explain", case).json() for case in CASES]
    assert [each["clocks"] for each in expected] == [each["clocks"] for each in found]
    (target,) = found[0]["trace"][-1]["entries"]
    assert ("duly.yaml", True) == (target["file"], target["matched"])
    assert found[0]["clocks"][0]["account"]


@pytest.mark.parametrize(
    ("case", "query", "expected"),
    [
        ({"id": "C", "type": "case.opened", "at": START}, "", (422, "E104")),
        ({"type": "case.opened", "at": START}, "", (422, "E105")),
        ({"id": "C", "opened_at": START, "fields": {"category": "rain"}}, "", (422, "C202")),
        ({"id": "C", "opened_at": "1990-01-01T00:00:00Z"}, "", (422, "E119")),
        (CASES[0], "?at=tomorrow", (400, "E311")),
        (CASES[0], "?at=9999-01-01T00:00:00Z", (400, "E311")),
        (b"[", "", (400, "E001")),
    ],
)
def test_what_cannot_be_decided(desk: Web, case: Any, query: str, expected: tuple[int, str]) -> None:
    """A case that is none is refused with a reason."""
    answer = desk.post("/v1/decide" + query, case)
    assert expected == (answer.status_code, answer.json()["error"]["code"])


def test_a_case(desk: Web) -> None:
    """A case is shown as it stands now, or at another instant; its name may have a `/` in it."""
    found = desk.client.get("/v1/cases/C/0").json()
    (clock,) = found["clocks"]
    assert ("C/0", START, "running", True) == (found["case"], found["at"], clock["state"], clock["breached"])
    assert ("2026-03-11T01:55:00Z", 300) == (clock["due_at"], clock["overdue_seconds"])
    before = desk.client.get("/v1/cases/C%2F0", params={"at": "2026-03-11T01:52:00Z"}).json()["clocks"][0]
    assert (180, False) == (before["remaining_seconds"], before["breached"])
    assert 404 == desk.client.get("/v1/cases/C/99").status_code
    assert 400 == desk.client.get("/v1/cases/C/0?at=x").status_code


def test_its_history(desk: Web) -> None:
    """A history has the events in order, what the desk told the case, and the actions that were given."""
    found = desk.client.get("/v1/cases/C/0/history").json()
    assert ["case.opened", "case.assigned"] == [each["event"]["type"] for each in found["events"]]
    assert ["crm", "desk"] == [each["origin"] for each in found["events"]]
    given = [each["type"] for each in found["actions"]]
    assert {"case.routed", "clock.started", "clock.breached", "notify"} <= set(given)
    assert {"C/0"} == {each["case"] for each in found["actions"]}
    assert 404 == desk.client.get("/v1/cases/C/99/history").status_code


def test_what_is_due(desk: Web) -> None:
    """What happens by itself comes in order of time, with the clocks that run."""
    found = desk.client.get("/v1/due?limit=3").json()
    assert START == found["at"]
    times = [parse(each["at"]) for each in found["due"]]
    assert (3, times) == (len(times), sorted(times))
    assert ("case", "first_response") == (found["due"][0]["of"], found["due"][0]["clocks"][0]["clock"])
    for limit in ("0", "1001", "x", "-1", "1e3", "9" * 30):
        answer = desk.client.get(f"/v1/due?limit={limit}")
        error = answer.json()["error"]
        assert (400, "E311", "limit") == (answer.status_code, error["code"], error["path"])


def test_a_queue(desk: Web) -> None:
    """A queue has what nobody has taken, the oldest first; one that is empty is not one that is unknown."""
    found = desk.client.get("/v1/queues/desk").json()
    assert [(1, "C/6"), (2, "C/7")] == [(each["position"], each["case"]) for each in found["waiting"]]
    assert (240, "group:desk") == (found["waiting"][0]["waiting_seconds"], found["waiting"][0]["to"])
    assert found["waiting"] == desk.client.get("/v1/queues/group:desk").json()["waiting"]
    assert [] == desk.client.get("/v1/queues/vip-desk").json()["waiting"]
    assert 404 == desk.client.get("/v1/queues/nobody").status_code


def test_the_policy_and_the_service(desk: Web) -> None:
    """The policy in force is named with its revision; health and metrics say how the service is."""
    found = desk.client.get("/v1/policy").json()
    assert ("desk", [found["policy"]["revision"]]) == (
        found["policy"]["set"], [each["revision"] for each in found["adopted"]]
    )  # fmt: skip
    assert ["group:desk", "group:vip-desk"] == found["groups"]
    assert desk.client.get("/healthz").json()["alive"]
    assert desk.client.get("/readyz").json()["ready"]
    page = desk.client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'duly_events_total{source="crm",status="accepted"}' in page.text


def test_a_service_that_is_not_ready(desk: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks without a token learns that the service is not ready, but not why."""
    facts = {"state": "running", "store": "no space left on /var/lib/duly"}
    monkeypatch.setattr(type(desk.service.health), "ready", lambda _: (False, facts))
    answer = desk.client.get("/readyz", headers={"authorization": ""})
    assert (503, {"ready": False, "state": "running"}) == (answer.status_code, answer.json())
