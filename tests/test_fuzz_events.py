"""Fuzz: whatever comes in as an event is refused with a reason or applied; nothing stops the service.

CI tries some hundreds; `DULY_FUZZ_EVENTS=100000` tries as many as one likes.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duly import codes

sys.path.insert(0, str(Path(__file__).parent))
web = importlib.import_module("web")
if TYPE_CHECKING:
    from serving import until
    from web import START, Web, serving
else:
    until = importlib.import_module("serving").until
    START, Web, serving = web.START, web.Web, web.serving

EVENTS = int(os.environ.get("DULY_FUZZ_EVENTS", "600"))
SEED = int(os.environ.get("DULY_FUZZ_SEED", "1"))
TYPES = [
    "case.opened", "case.updated", "case.assigned", "case.acknowledged", "case.resolved", "case.reopened",
    "case.closed",
    "case.cancelled", "case.merged", "agent.replied", "customer.replied", "survey.sent", "survey.answered", "task.done",
    "approval.given", "approval.refused", "customer.updated", "person.joined", "person.on_duty", "person.off_duty",
    "work.checked", "month.closed", "nothing", "",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, -0.0, 1e-320, 1e299, 0.1, "", " ", "x", "客服", "\u0000",
    "\ud7ff",
    "\u202e", "'; --", "{{7*7}}", "${x}", "../../x", "x" * 499, "x" * 501, "x" * 70_000, [], {}, [[]], [None] * 50,
    {"a": {"b": {"c": 1}}}, "outage", "question", "vip", "urgent", START, "2026-03-11T01:00:00Z",
    "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "2026-03-11",
    "person:lin", "group:desk",
]  # fmt: skip
FIELDS = ["category", "urgency", "promised", "tier", "assignee", "automated", "survey", "score", "case", "客"]
CASES, CUSTOMERS = max(40, EVENTS // 20), max(9, EVENTS // 60)


def event(dice: random.Random, number: int) -> Any:
    """An event that is more or less right."""
    if dice.random() < 0.02:
        return dice.choice(VALUES)
    made: dict[str, Any] = {
        "id": f"f-{number if dice.random() < 0.9 else dice.randrange(number + 1)}", "type": dice.choice(TYPES),
        "at": f"2026-03-{dice.randint(1, 10):02}T{dice.randrange(24):02}:{dice.randrange(60):02}:00Z",
    }  # fmt: skip
    if dice.random() < 0.8:
        made["case"] = f"C-{dice.randrange(CASES)}"
    if dice.random() < 0.4:
        made["customer"] = f"K-{dice.randrange(CUSTOMERS)}"
    if dice.random() < 0.1:
        made["person"] = dice.choice(["lin", "wu", "person:lin", "nobody"])
    if dice.random() < 0.7:
        made["data"] = {
            dice.choice(FIELDS): dice.choice(VALUES[-12:] if dice.random() < 0.6 else VALUES)
            for _ in range(dice.randrange(4))
        }
    for _ in range(dice.choice([0, 0, 0, 0, 1, 2])):
        key = dice.choice(
            ["id", "type", "at", "case", "customer", "person", "data", "actor", "specversion", "subject", "y"]
        )
        if dice.random() < 0.3:
            made.pop(key, None)
        else:
            made[key] = dice.choice(VALUES)
    return made


def text(dice: random.Random, number: int) -> bytes:
    """An event as a line, now and then broken."""
    line = json.dumps(event(dice, number), ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    if dice.random() < 0.08:
        broken = bytearray(line)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(broken)) if broken else 0
            kind = dice.randrange(3)
            if kind == 0 and broken:
                broken[place] = dice.randrange(256)
            elif kind == 1:
                broken[place:place] = dice.choice(
                    [b'"', b"{", b"\\u", b"1e999", b"NaN", b"\xff", b",", b'"a":1,"a":2,']
                )
            else:
                del broken[place:]
        line = bytes(broken)
    return line.replace(b"\n", b" ").replace(b"\r", b" ")


def answered(desk: Web, body: bytes) -> list[dict[str, Any]]:
    """The receipts of some lines."""
    answer = desk.post("/v1/events", body, kind="application/x-ndjson")
    assert answer.status_code in (200, 202), answer.text
    return [json.loads(line) for line in answer.text.splitlines()[:-1]]


def test_fuzzed_events(tmp_path: Path, store_url: str) -> None:
    """Each of many events, right, odd and broken, gets a receipt with a code that is known; all are worked off."""
    dice, counts, refusals = random.Random(SEED), Counter[str](), Counter[str]()
    with serving(tmp_path, store=store_url) as desk:
        for start in range(0, EVENTS, 500):
            lines = [text(dice, number) for number in range(start, min(start + 500, EVENTS))]
            receipts = answered(desk, b"\n".join(lines))
            assert len([line for line in lines if line.strip()]) == len(receipts)
            for receipt in receipts:
                counts[receipt["status"]] += 1
                if "error" in receipt:
                    refusals[receipt["error"]["code"]] += 1
                    assert receipt["error"]["message"]
        until(lambda: desk.service.store.counts()["pending"] == 0, 3600)
        assert not desk.service.failed
        assert 200 == desk.client.get("/healthz").status_code
        held = desk.service.store.counts()["events"]
        for number in range(40):
            assert desk.client.get(f"/v1/cases/C-{number}").status_code in (200, 404)
            assert desk.client.get(f"/v1/cases/C-{number}/history").status_code in (200, 404)
    print(dict(counts), dict(refusals.most_common()))
    assert set(refusals) <= set(codes.CATALOGUE)
    assert counts["accepted"] <= held
    assert min(counts["accepted"], counts["refused"]) > EVENTS / 10
    assert len(refusals) > 8
