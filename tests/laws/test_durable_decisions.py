"""Law: with the durable-rules matcher a policy decides whole cases as with the native one."""

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

CASES = 300
PERTURBED = {"MALLOC_PERTURB_": "165"}
SECONDS = 120


def test_decisions_agree() -> None:
    """300 random cases of the shipped pack get the same bytes from both matchers, and nothing crashes."""
    import pytest

    if find_spec("durable_rules_engine") is None:
        pytest.skip("the extra `durable-rules` is not installed")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", __file__, str(CASES)],
        capture_output=True, text=True, timeout=SECONDS, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **PERTURBED},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"cases": CASES, "differ": []}


def compared(count: int) -> dict[str, Any]:
    """The seeds of the cases that the two matchers decide differently."""
    from duly.cases import read_case
    from duly.decision import PolicySet, decide

    sys.path.insert(0, str(Path(__file__).parent))
    source = import_module("decision_cases")
    native, durable = PolicySet(source.compiled()), PolicySet(source.compiled(), "durable-rules")
    differ = []
    for seed in range(count):
        random = Random(f"durable {seed}")
        case, at = read_case(source.case(random)), source.look(random)
        if json.dumps(decide(durable, case, at), default=str) != json.dumps(
            decide(native, case, at), default=str
        ):
            differ.append(seed)
    return {"cases": count, "differ": differ}


if __name__ == "__main__":
    json.dump(compared(int(sys.argv[1])), sys.stdout)
