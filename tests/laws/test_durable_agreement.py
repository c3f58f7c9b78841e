"""Law: the durable-rules matcher and the native one give the same answers, to clean cases and dirty ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

CASES = 24_000
"""Cases of both halves together: six in ten problems have dirty values, up to four in ten of them."""
PERTURBED = {"MALLOC_PERTURB_": "165"}
"""Makes glibc fill memory with rubbish, so that durable-rules cannot be right by luck where it reads too early."""
SECONDS = 300


def test_matchers_agree() -> None:
    """In 24,000 random cases both matchers find the same rules, and the same first one, and nothing crashes."""
    import pytest

    if find_spec("durable_rules_engine") is None:
        pytest.skip("the extra `durable-rules` is not installed")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", __file__, str(CASES)],
        capture_output=True, text=True, timeout=SECONDS, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **PERTURBED},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["differ"] == []
    assert result["cases"] >= CASES
    assert 0.2 < result["matched"] / result["cases"] < 0.9
    assert result["dirty"] >= CASES // 4


def compared(most: int) -> dict[str, Any]:
    """The cases compared, how many of them had a value that was refused, and where answers differ."""
    from duly.conditions.durable import DurableMatcher
    from duly.conditions.index import Matcher
    from duly.conditions.packing import pack_rules

    sys.path.insert(0, str(Path(__file__).parent))
    source = import_module("condition_cases")
    asked = dirty = matched = seed = 0
    differ: list[Any] = []
    while asked < most:
        random = Random(seed)
        problem = source.problem(
            random, rules=random.choice([1, 4, 12, 40]), cases=40, dirt=random.choice([0, 0, 0.1, 0.2, 0.4])
        )
        read = source.native(problem)
        packed = json.loads(json.dumps(pack_rules(read.conditions)))
        native, durable = Matcher(packed), DurableMatcher(packed)
        for case, facts in enumerate(read.facts):
            expected = native.all(facts), native.first(facts)
            found = durable.all(facts), durable.first(facts)
            if found != expected:
                differ.append([seed, case, expected, found])
            matched += bool(expected[0])
        asked += len(read.facts)
        dirty += sum(map(bool, read.faults))
        seed += 1
    return {"cases": asked, "dirty": dirty, "matched": matched, "differ": differ[:10]}


if __name__ == "__main__":
    json.dump(compared(int(sys.argv[1])), sys.stdout)
