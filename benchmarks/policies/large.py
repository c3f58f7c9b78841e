"""A policy set of about 30 KB: the support set, with 120 rules in its tables and its route."""

from __future__ import annotations

import shutil
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent / "support"
TABLES, RULES, ROUTES = 4, 20, 60
EDITED = "routing.yaml"

CATEGORIES = ("question", "outage", "complaint")
CHANNELS = ("phone", "chat", "mail")


def write(folder: Path, edition: int = 0) -> int:
    """Write the set into an empty folder, or `edition` of its route over the last one; its size in bytes."""
    if edition == 0:
        shutil.copytree(SUPPORT, folder, dirs_exist_ok=True)
        folder.joinpath("vocabulary.yaml").write_text(_vocabulary(), encoding="utf-8")
        folder.joinpath("classification.yaml").write_text(_classification(), encoding="utf-8")
    folder.joinpath(EDITED).write_text(_routing(edition), encoding="utf-8")
    return sum(path.stat().st_size for path in folder.iterdir())


def _vocabulary() -> str:
    text = SUPPORT.joinpath("vocabulary.yaml").read_text(encoding="utf-8")
    for table in range(TABLES):
        text += f"    kind_{table}: {{type: enum, values: [plain, delicate], derived: true}}\n"
    return text


def _classification() -> str:
    lines = [SUPPORT.joinpath("classification.yaml").read_text(encoding="utf-8").rstrip()]
    for table in range(TABLES):
        lines += [f"    - sets: kind_{table}", "      hit: first", "      input: wins", "      rules:"]
        for number in range(RULES):
            amount = 1_000 * (table + 1) + 50 * number
            lines += [
                f"        - id: kind-{table}-{number:02d}",
                f"          title: {{zh: 第{number}类，金额超过{amount}元, en: Kind {number} over {amount}}}",
                f"          when: {{category: {CATEGORIES[number % 3]}, channel: {CHANNELS[number // 3 % 3]},"
                f" amount: {{over: {amount}}}}}",
                f"          value: {'delicate' if number % 2 else 'plain'}",
            ]
        lines.append("      otherwise: plain")
    return "\n".join(lines) + "\n"


def _routing(edition: int) -> str:
    head, tail = SUPPORT.joinpath("routing.yaml").read_text(encoding="utf-8").split("  otherwise:")
    lines = [head.rstrip()]
    for number in range(ROUTES):
        low = 100 * number + (edition if number == ROUTES // 2 else 0)
        lines += [
            f"    - id: route-{number:02d}",
            f"      title: {{zh: 第{number}条路由, en: Route {number}}}",
            f"      when: {{channel: {CHANNELS[number % 3]}, category: {CATEGORIES[number // 3 % 3]},"
            f" amount: {{at_least: {low}, below: {low + 250}}}}}",
            f"      to: group:{'vip-desk' if number % 2 else 'service-centre'}",
        ]
    return "\n".join(lines) + "\n  otherwise:" + tail
