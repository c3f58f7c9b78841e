"""Figures: one row of a report each; a median with its spread, beside a peer of the same run."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""`what`, `unit`, `median`, `low`, `high` (quartiles); `peer`, what it was measured beside, with `beside`, its median in
the same unit, and `ratio` to it in the sense that `reads` says; `target` and `holds`, None where nothing is promised.
A row that could not be measured has `skipped`: why."""

COSTS, FASTER = "times the cost", "times as fast"


def resident() -> int:
    """Bytes of memory of this process."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def row(
    what: str,
    unit: str,
    found: Sequence[float],
    *,
    peer: str | None = None,
    beside: Sequence[float] = (),
    at_most: float | None = None,
    at_least: float | None = None,
    costs: bool = False,
    costs_at_most: float | None = None,
    faster_at_least: float | None = None,
) -> Row:
    """A row of what was `found`, repeatedly, and what the `peer` needed meanwhile, in the same unit.

    Units are costs (`µs`, `ms`, `MB`), or rates (`/s`). With `costs` the ratio says what ours costs in terms of the
    peer's, which `costs_at_most` bounds; else how many times as fast ours is.
    """
    low, high = quartiles(found)
    made: Row = {"what": what, "unit": unit, "median": statistics.median(found), "low": low, "high": high}
    made |= {"peer": peer, "beside": None, "ratio": None, "reads": None}
    if beside:
        made["beside"] = statistics.median(beside)
        dearer = made["median"] / made["beside"]
        if unit.endswith("/s"):
            dearer = 1 / dearer
        costs = costs or costs_at_most is not None
        made["reads"] = COSTS if costs else FASTER
        made["ratio"] = dearer if costs else 1 / dearer
    checks: list[tuple[str, bool]] = []
    if at_most is not None:
        checks.append((f"≤ {number(at_most, unit)}", made["median"] <= at_most))
    if at_least is not None:
        checks.append((f"≥ {number(at_least, unit)}", made["median"] >= at_least))
    if costs_at_most is not None:
        checks.append(
            (f"≤ {costs_at_most:g} ×", made["ratio"] is not None and made["ratio"] <= costs_at_most)
        )
    if faster_at_least is not None:
        checks.append(
            (f"≥ {faster_at_least:g} ×", made["ratio"] is not None and made["ratio"] >= faster_at_least)
        )
    made["target"] = ", ".join(text for text, _ in checks) or None
    made["holds"] = all(good for _, good in checks) if checks else None
    return made


def skipped(what: str, why: str) -> Row:
    """A row for what could not be measured here."""
    return {"what": what, "skipped": why}


def quartiles(found: Sequence[float]) -> tuple[float, float]:
    """The quarter and the three-quarter point; of fewer than four figures the least and the greatest."""
    if len(found) < 4:
        return min(found), max(found)
    low, _, high = statistics.quantiles(found, n=4, method="inclusive")
    return low, high


def rounds(works: Sequence[Callable[[], int]], count: int, least: float = 0.1) -> list[list[float]]:
    """CPU seconds a unit for each of `works`, `count` times, taking turns so that a busy moment hits all alike.

    A work does something and returns how many units it did; it is repeated for `least` CPU seconds a turn.
    """
    found: list[list[float]] = [[] for _ in works]
    for _ in range(count):
        for place, work in enumerate(works):
            done, started = 0, time.process_time()
            while (spent := time.process_time() - started) < least or not done:
                done += work()
            found[place].append(spent / done)
    return found


def cpu(command: Sequence[str], **more: Any) -> tuple[float, float]:
    """CPU seconds (user and system) and seconds on the clock that a command took. Raises where it fails."""
    started = time.perf_counter()
    more.setdefault("stdout", subprocess.DEVNULL)
    process = subprocess.Popen(command, **more)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, wall


def machine() -> list[str]:
    """What a reader must know of the machine: processor, cores, system, Python."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = f", load at the start {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return [
        f"{name}, {os.cpu_count()} cores{load}",
        f"{platform.system()} {platform.release().split('-')[0]}, {platform.python_implementation()} "
        f"{platform.python_version()}, {_speed()}",
    ]


def _speed() -> str:
    """What a small loop takes at best: builds of the same Python differ by half."""

    def loop() -> float:
        started = time.perf_counter()
        total = 0
        for turn in range(20_000):
            total += turn * turn % 7
        return time.perf_counter() - started

    return f"{1000 * min(loop() for _ in range(50)):.2f} ms for 20,000 turns of a small loop"


def number(value: float, unit: str) -> str:
    """A figure with as many digits as mean something."""
    if unit.endswith("/s"):
        return f"{value:,.0f} {unit}"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def ratios(rows: Sequence[Row]) -> list[str]:
    """The table of ratios, in Markdown: what was measured beside a peer."""
    lines = ["| what | ratio | to | target | |", "|---|---:|---|---|---|"]
    for each in rows:
        if each.get("ratio") is not None:
            target = each["target"] if each["target"] and "×" in each["target"] else ""
            mark = _mark(each) if target else ""
            lines.append(
                f"| {each['what']} | {number(each['ratio'], '')} {each['reads']} | {each['peer']} | {target} | {mark} |"
            )
    return lines


def absolutes(rows: Sequence[Row]) -> list[str]:
    """The table of figures, in Markdown, with their spread, and what the peer needed."""
    lines = ["| what | median | quartiles | peer | target | |", "|---|---:|---|---|---|---|"]
    for each in rows:
        if "skipped" in each:
            lines.append(f"| {each['what']} | – | {each['skipped']} | | | |")
            continue
        unit = each["unit"]
        spread = f"{number(each['low'], unit)} to {number(each['high'], unit)}"
        beside = f"{each['peer']}: {number(each['beside'], unit)}" if each["beside"] is not None else ""
        target = each["target"] if each["target"] and "×" not in each["target"] else ""
        mark = _mark(each) if target else ""
        lines.append(
            f"| {each['what']} | {number(each['median'], unit)} | {spread} | {beside} | {target} | {mark} |"
        )
    return lines


def _mark(each: Row) -> str:
    return "" if each["holds"] is None else "✓" if each["holds"] else "✗"


def show(rows: Sequence[Row]) -> int:
    """Print a benchmark's own report; the exit code, 1 where a target is missed."""
    print("\n".join([*ratios(rows), "", *absolutes(rows)]))
    return 1 if any(each.get("holds") is False for each in rows) else 0
