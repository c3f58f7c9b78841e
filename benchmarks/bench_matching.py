"""Benchmark of matching: the first rule of N that holds for a case, Duly beside other engines, in one run.

    python benchmarks/bench_matching.py [--rules 10,100,1000,5000] [--python PYTHON_WITH_THE_PEERS]

Each engine runs in a process of its own, which may hang or die; an engine that is not installed is skipped.
Figures are decisions per CPU second (the best of three rounds) and memory: what building the rules adds to the process.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "engine")]

from figures import Row, resident, row, skipped
from matching_peers import PEERS
from matching_rules import cases, rules

TIMEOUT = 180
CASES = 2_000
SIZES = (10, 100, 1_000, 5_000)
CHECKED = 300
ROUND = 0.4  # CPU seconds that a round lasts at least
MODULES = {
    "zen-engine": "zen",
    "durable-rules": "durable_rules_engine",
    "duly by durable-rules": "durable_rules_engine",
    "rule-engine": "rule_engine",
    "common-expression-language": "cel",
}


def main() -> int:
    """Runs all engines for all sizes and prints the table; 1 where an engine answers otherwise than Duly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", default="10,100,1000,5000", help="sizes of the rule list")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the other engines")
    parser.add_argument("--measure", nargs=2, metavar=("ENGINE", "RULES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure[0], int(options.measure[1]))))
        return 0
    sizes = [int(size) for size in options.rules.split(",")]
    results = {
        (engine, size): _in_a_process(options.python if engine != "duly" else sys.executable, engine, size)
        for size in sizes
        for engine in PEERS
    }
    _print_table(results, sizes)
    differing = [
        f"{engine} at {size:,} rules"
        for (engine, size), result in results.items()
        if "answers" in result and result["answers"] != results["duly", size].get("answers")
    ]
    print("\nanswers: " + ("these differ from Duly's: " + ", ".join(differing) if differing else
                           f"all engines agree on {CHECKED} cases of each size"))  # fmt: skip
    return 1 if differing else 0


def rows(python: str = sys.executable) -> list[Row]:
    """Matching for the report: Duly at all sizes, and each other engine at 1,000 rules."""
    ours = {size: _in_a_process(sys.executable, "duly", size) for size in SIZES}
    micro = {size: [seconds * 1e6 for seconds in found["rounds"]] for size, found in ours.items()}
    made = [
        row("matching a case against 10 rules", "µs", micro[10]),
        row("matching a case against 100 rules", "µs", micro[100], at_most=3),
        row("matching a case against 1,000 rules", "µs", micro[1_000]),
        row("matching a case against 5,000 rules", "µs", micro[5_000], peer="100 rules", beside=micro[100],
            costs_at_most=2),
        row("memory of 5,000 rules", "MB", [ours[5_000]["traced"] / 1e6], at_most=10),
    ]  # fmt: skip
    for engine in PEERS:
        if engine == "duly":
            continue
        found = _in_a_process(python, engine, 1_000)
        if "skipped" in found:
            made.append(skipped(f"matching beside {engine}", found["skipped"]))
        else:
            beside = [seconds * 1e6 for seconds in found["rounds"]]
            again = _in_a_process(
                sys.executable, "duly", 1_000
            )  # right behind it: the machine may have slowed down
            near = [seconds * 1e6 for seconds in again["rounds"]]
            # Duly's own fence around durable-rules is shown, and promises nothing.
            least = None if engine.startswith("duly") else 10
            made.append(row("matching a case against 1,000 rules", "µs", near, peer=engine, beside=beside,
                            faster_at_least=least))  # fmt: skip
    return made


def measure(engine: str, size: int) -> dict[str, Any]:
    """One engine at one size, in this process."""
    if engine in MODULES:
        try:
            importlib.import_module(MODULES[engine])
        except ImportError as error:
            return {"skipped": f"not installed ({error})"}
    whens, given = rules(size), _facts(engine)
    gc.collect()
    before, started = resident(), time.process_time()
    first = PEERS[engine](whens)
    first(given[0])
    built, grown = time.process_time() - started, resident() - before
    spent = [_round(first, given) for _ in range(5)]
    answers = [first(case) for case in given[:CHECKED]]
    result = {"seconds": min(spent), "rounds": spent, "build": built, "resident": grown, "answers": answers}
    if engine == "duly":
        result["traced"] = _traced(engine, whens, given)
    return result


def _facts(engine: str) -> list[dict[str, Any]]:
    """The cases as the engine takes them: JSON values, for Duly typed as its intake does."""
    given = cases(CASES)
    if not engine.startswith("duly"):
        return given
    from matching_rules import SPEC

    from duly.conditions.packing import pack_vocabulary
    from duly.conditions.values import Intake
    from duly.conditions.vocabulary import read_vocabulary

    intake = Intake(pack_vocabulary(read_vocabulary(SPEC)[0]))
    return [intake(case)[0] for case in given]


def _round(first: Any, given: list[dict[str, Any]]) -> float:
    """CPU seconds a decision, over as many cases as fill a round."""
    done = 0
    started = time.process_time()
    while True:
        for case in given[done % CASES : done % CASES + 50]:
            first(case)
        done += 50
        spent = time.process_time() - started
        if spent >= ROUND and (done >= CASES or spent >= 5 * ROUND):
            return spent / done


def _traced(engine: str, whens: list[dict[str, Any]], given: list[dict[str, Any]]) -> int:
    """Bytes that the built rules keep, by Python's own account."""
    gc.collect()
    tracemalloc.start()
    first = PEERS[engine](whens)
    first(given[0])
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept


def _in_a_process(python: str, engine: str, size: int) -> dict[str, Any]:
    """One measurement in a process of its own; why there is none, where there is none."""
    command = [python, __file__, "--measure", engine, str(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return {"skipped": f"no answer in {TIMEOUT} s"}
    try:
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        lines = done.stderr.strip().splitlines()
        result = {"skipped": f"died with {done.returncode}: {lines[-1][:100] if lines else 'no message'}"}
    if "skipped" in result:
        print(f"{engine} at {size:,} rules: {result['skipped']}", file=sys.stderr)
    return result


def _print_table(results: dict[tuple[str, int], dict[str, Any]], sizes: list[int]) -> None:
    """Decisions per CPU second, how many times as many Duly makes, and memory."""
    print("| engine | " + " | ".join(f"N={size:,}" for size in sizes) + " |")
    print("|---|" + "---|" * len(sizes))
    for engine in PEERS:
        print(f"| {engine} | " + " | ".join(_cell(results, engine, size) for size in sizes) + " |")


def _cell(results: dict[tuple[str, int], dict[str, Any]], engine: str, size: int) -> str:
    result, ours = results[engine, size], results["duly", size]
    if "skipped" in result:
        return "–"
    memory = f"{result.get('traced', result['resident']) / 1e6:.1f} MB"
    rate = f"{1 / result['seconds']:,.0f}/s"
    if engine == "duly" or "skipped" in ours:
        return f"{rate} ({result['seconds'] * 1e6:.2f} µs), {memory}"
    return f"{rate} (Duly {result['seconds'] / ours['seconds']:.0f}×), {memory}"


if __name__ == "__main__":
    sys.exit(main())
