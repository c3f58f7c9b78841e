"""Writing: both ways of writing answers give the same bytes, and an answer arrives when it is waited for."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from duly_cli.writing import compact, quick

ROOT = Path(__file__).parent.parent


def answers(seed: int) -> list[dict[str, Any]]:
    """Answers in the shape of decisions, with texts and numbers of every sort."""
    draw = random.Random(seed)
    texts = ["紧急 / urgent", 'a"b\\c', "tab\t and \x1f", "e-17", "", "\u2028", "😀", "1e-6"]
    numbers = [0, 1, -5, 2**53, 0.5, 1234.567891, 1e-06, 1e20, 1e16, 123456789.000001, 10**30]
    return [
        {
            "case": draw.choice(texts),
            "fields": {"x": {"value": draw.choice([*texts, *numbers, True, None]), "from": "input"}},
            "clocks": [{"remaining_seconds": draw.choice([0, 1, 0.5, 86400.25, 0.000001]), "due_at": None}],
            "tags": frozenset(draw.sample(texts, 3)),
        }
        for _ in range(500)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_two_ways_one_text(seed: int) -> None:
    """What orjson writes is what the json module writes."""
    pytest.importorskip("orjson")
    encode = quick()
    for answer in answers(seed):
        assert compact(answer) == encode(answer)


def test_answer_arrives_before_the_next_question(tmp_path: Path) -> None:
    """A program that waits for each answer before it asks on gets it."""
    del tmp_path
    policy = str(ROOT / "docs" / "example")
    with subprocess.Popen(
        [sys.executable, "-m", "duly_cli.main", "decide", policy, "-", "--at", "2026-03-02T03:00:00Z"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            case = {"id": f"C-{number}", "opened_at": "2026-03-02T09:00:00+08:00", "fields": {}}
            process.stdin.write(json.dumps(case) + "\n")
            process.stdin.flush()
            assert f"C-{number}" == json.loads(process.stdout.readline())["case"]
        process.stdin.close()
        assert 0 == process.wait(timeout=30)
