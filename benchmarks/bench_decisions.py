"""Benchmark of whole decisions: four clocks and a ladder, in process and through the command line.

    python benchmarks/bench_decisions.py [--cases 50000]

In process: reading the case, replaying its events and telling all that the policy says, beside the same policy
written by hand on other libraries, whose answers are compared first. Through the command line: a file of JSON Lines
to a file of decisions, beside a loop that reads and writes the same lines with Python's json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "engine"), str(ROOT / "cli")]

import decision_peers
from figures import Row, cpu, rounds, row, show, skipped

from duly import instants
from duly.cases import read_case
from duly.compiler import Source, compile
from duly.decision import PolicySet

SUPPORT = HERE / "policies" / "support"
AT = "2026-03-13T15:00:00+08:00"
FIRST = dt.datetime(2026, 3, 8, 16, tzinfo=decision_peers.SHANGHAI)
SAMPLE = 500
ROUNDS = 15
COPY = """
import json, sys
with open(sys.argv[1], "rb") as lines, open(sys.argv[2], "w", encoding="utf-8") as out:
    for line in lines:
        out.write(json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":")) + "\\n")
"""


def cases(count: int, history: bool = False) -> list[dict[str, Any]]:
    """Cases opened in the five days before `AT`; with `history`, each with four events since."""
    random = Random(5)
    return [_case(random, number, history) for number in range(count)]


def _case(random: Random, number: int, history: bool) -> dict[str, Any]:
    opened = FIRST + dt.timedelta(seconds=random.randrange(110 * 3600))
    fields = {
        "tier": random.choice(["normal", "normal", "normal", "vip"]),
        "category": random.choice(["question", "question", "outage", "complaint"]),
        "channel": random.choice(["phone", "chat", "mail"]),
        "amount": random.randint(1, 20_000) / 2,
    }
    case: dict[str, Any] = {"id": f"C-{number}", "opened_at": opened.isoformat(), "customer": f"K-{number % 997}",
                            "fields": fields}  # fmt: skip
    if history:
        happened: list[tuple[int, str, dict[str, Any]]] = [
            (4, "agent.replied", {"automated": False}),
            (90, "case.updated", {"status": "waiting"}),
            (150, "customer.replied", {}),
            (151, "case.updated", {"status": "open"}),
        ]
        case["events"] = [
            {
                "id": f"e-{place}",
                "type": kind,
                "at": (opened + dt.timedelta(minutes=after)).isoformat(),
                "data": data,
            }
            for place, (after, kind, data) in enumerate(happened)
        ]
    return case


def policy() -> PolicySet:
    """The support policy, compiled."""
    sources = [Source(path.name, path.read_bytes()) for path in sorted(SUPPORT.glob("*.yaml"))]
    compiled = compile(sources).compiled
    assert compiled is not None
    return PolicySet(json.loads(json.dumps(compiled)))


def rows(count: int = 50_000) -> list[Row]:
    """Decisions in process, then through the command line."""
    return _in_process() + _through_the_command_line(count)


def _in_process() -> list[Row]:
    support, at = policy(), instants.parse(AT)

    def duly(case: dict[str, Any]) -> Any:
        return support.view(support.replay(read_case(case), at), at)

    fresh, told = cases(SAMPLE), cases(SAMPLE, history=True)
    works: dict[str, Callable[[], int]] = {"fresh": _all(duly, fresh), "told": _all(duly, told)}
    missing: dict[str, str] = {}
    now = dt.datetime.fromisoformat(AT)
    for name in decision_peers.PEERS:
        try:
            peer = decision_peers.decider(name)
        except ImportError as error:
            missing[name] = f"not installed ({error.name})"
            continue
        for case in fresh[:100]:
            _compare(name, duly(case), peer(case, now))
        works[name] = _all(lambda case, peer=peer: peer(case, now), fresh[:20])
    gc.collect()
    gc.freeze()  # as the command line does
    found = dict(zip(works, rounds(list(works.values()), ROUNDS), strict=True))
    micro = {name: [seconds * 1e6 for seconds in spent] for name, spent in found.items()}
    what = "a decision with 4 clocks and a ladder"
    made = [row(what, "µs", micro["fresh"], at_most=60), row(f"{what}, 4 events since", "µs", micro["told"])]
    for name in decision_peers.PEERS:
        if name in missing:
            made.append(skipped(f"{what} beside {name}", missing[name]))
        else:
            made.append(row(what, "µs", micro["fresh"], peer=name, beside=micro[name]))
    return made


def _all(decide: Callable[[dict[str, Any]], Any], given: list[dict[str, Any]]) -> Callable[[], int]:
    def work() -> int:
        for case in given:
            decide(case)
        return len(given)

    return work


def _compare(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Raises where a peer answers otherwise than Duly: it would not be the same work."""
    keys = ("due_at", "remaining_seconds", "elapsed_seconds", "overdue_seconds", "breached", "warn_at")
    for mine, other in zip(ours["clocks"], theirs["clocks"], strict=True):
        if "due_at" in mine:
            steps = [[step["at"] for step in clock.get("ladder", ())] for clock in (mine, other)]
            if steps[0] != steps[1] or any(mine[key] != other[key] for key in keys):
                raise ValueError(f"{name} says of {ours['case']}: {other}\nduly: {mine}")
    if ours["route"]["to"] != theirs["route"]:
        raise ValueError(f"{name} routes {ours['case']} elsewhere")


def _through_the_command_line(count: int) -> list[Row]:
    made = []
    with tempfile.TemporaryDirectory(prefix="duly-bench-") as scratch:
        folder = Path(scratch)
        env = {**os.environ, "DULY_CACHE": str(folder / "cache"),
               "PYTHONPATH": os.pathsep.join([str(ROOT / "engine"), str(ROOT / "cli")])}  # fmt: skip
        for history in (False, True):
            given, out = folder / "cases.jsonl", folder / "decisions.jsonl"
            lines = [json.dumps(case, ensure_ascii=False) for case in cases(count, history)]
            given.write_text("\n".join(lines) + "\n", encoding="utf-8")
            duly = [sys.executable, "-m", "duly_cli.main", "decide", str(SUPPORT), str(given), "--at", AT]
            copy = [sys.executable, "-c", COPY, str(given), str(folder / "copy.jsonl")]
            ours: list[float] = []
            beside: list[float] = []
            for _ in range(5):
                with out.open("wb") as stream:
                    ours.append(count / cpu(duly, env=env, stdout=stream)[0])
                beside.append(count / cpu(copy)[0])
            if sum(1 for _ in out.open("rb")) != count or subprocess.run(["grep", "-c", '"error"', out],
                                                                         capture_output=True, check=False).returncode == 0:  # fmt: skip
                raise ValueError("not every line was decided")
            what = "JSON Lines through the command line" + (", 4 events a case" if history else "")
            made.append(
                row(what, "cases/s", ours, peer="copying the lines with json", beside=beside, costs=True,
                    at_least=None if history else 15_000)
            )  # fmt: skip
    return made


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=50_000, help="lines through the command line")
    return show(rows(parser.parse_args().cases))


if __name__ == "__main__":
    sys.exit(main())
