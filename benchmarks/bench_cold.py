"""Benchmark of cold starts: the CPU of one `duly decide`, process and all, beside the bare interpreter and peers.

    python benchmarks/bench_cold.py [--duly PATH_OF_AN_INSTALLED_SCRIPT]

Without --duly, this checkout is installed (not editable) into a fresh virtual environment first. The policy has about
30 KB and 140 rules. Each figure is the CPU, user and system, of a whole process; processes take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "policies")]

import large
from figures import Row, cpu, row, show, skipped

RUNS = 25
EDITS = 15
CASE = {
    "id": "C-1",
    "opened_at": "2026-03-02T10:00:00+08:00",
    "customer": "K-7",
    "fields": {"tier": "vip", "category": "outage", "channel": "phone", "amount": 1234},
}
AT = "2026-03-02T11:00:00+08:00"
OBVIOUS = """
import sys, pathlib, yaml, jsonschema, click
from yaml import CSafeLoader
documents = [yaml.load(path.read_text(encoding="utf-8"), CSafeLoader) for path in pathlib.Path(sys.argv[1]).glob("*.yaml")]
check = jsonschema.Draft202012Validator({"type": "object", "required": ["apiVersion", "kind", "metadata", "spec"]})
for document in documents:
    check.validate(document)
"""
ZEN = """
import json, sys, zen
table = json.load(open(sys.argv[2]))
print(zen.ZenEngine().create_decision(json.dumps(table)).evaluate({"category": "outage", "channel": "phone", "amount": 1234}))
"""
RULE_ENGINE = """
import json, sys
from rule_engine import Rule
rules = [Rule(text) for text in json.load(open(sys.argv[2] + ".rules"))]
case = {"category": "outage", "channel": "phone", "amount": 1234}
print(next((number for number, rule in enumerate(rules) if rule.matches(case)), None))
"""
PEERS = {
    "YAML, JSON Schema and click, the obvious way": ("yaml", OBVIOUS),
    "zen-engine, one table of 60 rules": ("zen", ZEN),
    "rule-engine, 60 rules": ("rule_engine", RULE_ENGINE),
}


def rows(duly: str | None = None) -> list[Row]:
    """What a cold decision costs, on its own, right after an edit, and beside peers."""
    with tempfile.TemporaryDirectory(prefix="duly-bench-") as scratch:
        folder = Path(scratch)
        script = duly or str(install(folder))
        python = interpreter(script)
        policy, case = folder / "policy", folder / "case.json"
        policy.mkdir()
        size = large.write(policy)
        case.write_text(json.dumps(CASE), encoding="utf-8")
        env = {**os.environ, "DULY_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": ""}
        command = [script, "decide", str(policy), str(case), "--at", AT]
        found = _cold(command, python, size, env)
        found += _edited(command, policy, size, env)
        return found + _peers(command, policy, folder, env)


def install(folder: Path) -> Path:
    """Install this checkout into a virtual environment in `folder`; the script it puts there."""
    checkout, home = folder / "checkout", folder / "venv"
    kept = ("engine", "cli", "schemas", "policies", "pyproject.toml", "README.md", "LICENSE")
    for name in kept:
        source = HERE.parent / name
        if source.is_dir():
            shutil.copytree(
                source, checkout / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
        else:
            shutil.copy(source, checkout / name)
    venv.create(home, with_pip=True)
    binaries = home / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run(
        [binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", checkout],
        check=True,
    )
    return binaries / "duly"


def interpreter(script: str) -> str:
    """The Python that runs an installed script."""
    first = Path(script).read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix("#!").strip()


def _cold(command: list[str], python: str, size: int, env: dict[str, str]) -> list[Row]:
    bare = [python, "-c", "pass"]
    for _ in range(3):
        cpu(command, env=env)
    ours: list[float] = []
    beside: list[float] = []
    for _ in range(RUNS):
        ours.append(1000 * cpu(command, env=env)[0])
        beside.append(1000 * cpu(bare, env=env)[0])
    what = f"cold `duly decide`, a policy of {size / 1000:.0f} KB"
    return [row(what, "ms", ours, peer="`python -c pass`", beside=beside, costs_at_most=3)]


def _edited(command: list[str], policy: Path, size: int, env: dict[str, str]) -> list[Row]:
    spent: list[float] = []
    waited: list[float] = []
    for edition in range(1, EDITS + 1):
        large.write(policy, edition)
        used, wall = cpu(command, env=env)
        spent.append(1000 * used)
        waited.append(1000 * wall)
    what = f"the first `duly decide` after an edit, a policy of {size / 1000:.0f} KB"
    return [
        row(f"{what}, CPU", "ms", spent, at_most=150),
        row(f"{what}, on the clock", "ms", waited, at_most=150),
    ]


def _peers(command: list[str], policy: Path, folder: Path, env: dict[str, str]) -> list[Row]:
    content, texts = zen_table(), expressions()
    table = folder / "table.json"
    table.write_text(json.dumps(content), encoding="utf-8")
    Path(f"{table}.rules").write_text(json.dumps(texts), encoding="utf-8")
    found = []
    for name, (module, text) in PEERS.items():
        peer = [sys.executable, "-c", text, str(policy), str(table)]
        what = "cold `duly decide`"
        if subprocess.run(
            [sys.executable, "-c", f"import {module}"], capture_output=True, check=False
        ).returncode:
            found.append(skipped(f"{what} beside {name}", "not installed"))
            continue
        ours: list[float] = []
        beside: list[float] = []
        for _ in range(RUNS // 2):
            ours.append(1000 * cpu(command, env=env)[0])
            beside.append(1000 * cpu(peer, env=env)[0])
        found.append(row(what, "ms", ours, peer=name, beside=beside))
    return found


def expressions() -> list[str]:
    """The rules of the large policy's route in the syntax of rule-engine."""
    return [
        f'channel == "{large.CHANNELS[number % 3]}" and category == "{large.CATEGORIES[number // 3 % 3]}" '
        f"and amount >= {100 * number} and amount < {100 * number + 250}"
        for number in range(large.ROUTES)
    ]


def zen_table() -> dict[str, object]:
    """The rules of the large policy's route as a decision table of GoRules ZEN."""
    rules = [
        {"_id": str(number), "channel": f'"{large.CHANNELS[number % 3]}"',
         "category": f'"{large.CATEGORIES[number // 3 % 3]}"',
         "amount": f"[{100 * number}..{100 * number + 250})", "rule": str(number)}
        for number in range(large.ROUTES)
    ]  # fmt: skip
    inputs = [
        {"id": name, "name": name, "type": "expression", "field": name}
        for name in ("channel", "category", "amount")
    ]
    output = {"id": "rule", "name": "rule", "type": "expression", "field": "rule"}
    place = {"x": 0, "y": 0}
    content = {"hitPolicy": "first", "inputs": inputs, "outputs": [output], "rules": rules}
    return {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": place},
            {
                "id": "table",
                "type": "decisionTableNode",
                "name": "table",
                "content": content,
                "position": place,
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": place},
        ],
        "edges": [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }


def main() -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duly", help="the script of an installation that is not editable")
    return show(rows(parser.parse_args().duly))


if __name__ == "__main__":
    sys.exit(main())
