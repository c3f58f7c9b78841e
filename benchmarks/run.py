"""All benchmarks in one run: a report in Markdown, ratios first; with --write into docs/benchmarks.md.

    python benchmarks/run.py [--write] [--only cold,decisions,calendars,matching,timeline,store] [--duly SCRIPT]

The exit code is 1 where a target is missed. What is measured beside is optional: `pip install '.[bench]'`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bench_calendars
import bench_cold
import bench_decisions
import bench_matching
import bench_store
import bench_timeline
from figures import Row, absolutes, machine, ratios

PAGE = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured by benchmarks/run.py: begin -->", "<!-- measured by benchmarks/run.py: end -->"


def report(found: list[Row], facts: list[str]) -> str:
    """The report: the machine, ratios, then figures, and which targets are missed."""
    missed = [each["what"] for each in found if each.get("holds") is False]
    promised = sum(each.get("holds") is not None for each in found)
    verdict = f"{promised - len(missed)} of {promised} targets hold" + (
        "; missed: " + "; ".join(missed) if missed else ""
    )
    lines = [*(f"- {fact}" for fact in facts), f"- {verdict}", "", *ratios(found), "", *absolutes(found)]
    return "\n".join(lines)


def write(text: str) -> None:
    """Put a report between the marks of the page."""
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


def main() -> int:
    """Run what is asked for and print the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help=f"put the report into {PAGE.name}")
    parser.add_argument(
        "--only", default="cold,decisions,calendars,matching,timeline,store", help="which ones"
    )
    parser.add_argument(
        "--duly", help="an installed script for the cold starts; else this checkout is installed"
    )
    options = parser.parse_args()
    works: dict[str, Callable[[], list[Row]]] = {
        "cold": lambda: bench_cold.rows(options.duly),
        "decisions": bench_decisions.rows,
        "calendars": bench_calendars.rows,
        "matching": bench_matching.rows,
        "timeline": bench_timeline.rows,
        "store": bench_store.rows,
    }
    facts = machine()
    found: list[Row] = []
    for name in options.only.split(","):
        print(f"measuring {name}", file=sys.stderr)
        found += works[name]()
    text = report(found, facts)
    print(text)
    if options.write:
        write(text)
    return 1 if any(each.get("holds") is False for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
