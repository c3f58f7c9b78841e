"""Random cases of the shipped pack, and the pack itself, for the laws of decisions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from duly import instants
from duly.compiler import Compilation, Source, compile

PACK = Path(__file__).parent.parent.parent / "policies" / "standard-service"
PARAMETERS = "params.example.yaml"
START = instants.parse("2026-02-09T00:00:00Z")
HOUR = instants.HOUR
SPAN = 30 * 24
"""The hours in which everything happens: the weeks around the Spring Festival."""


def sources() -> list[Source]:
    """The documents of the pack, without its tests."""
    files = sorted(
        path
        for path in PACK.rglob("*.yaml")
        if path.name != PARAMETERS and not path.name.endswith(".test.yaml")
    )
    return [Source(str(path.relative_to(PACK)), path.read_bytes()) for path in files]


def parameters() -> dict[str, Any]:
    """The values that the pack's example gives."""
    found: dict[str, Any] = yaml.safe_load((PACK / PARAMETERS).read_text(encoding="utf-8"))
    return found


@cache
def pack() -> Compilation:
    """The pack, compiled."""
    return compile(sources(), parameters())


def compiled() -> dict[str, Any]:
    """The compiled data of the pack, as a bundle holds it."""
    found: dict[str, Any] = json.loads(json.dumps(pack().compiled))
    return found


def value(random: Random, field: dict[str, Any]) -> Any:
    """A value of a field's type."""
    match field["type"]:
        case "enum":
            return random.choice(field["values"])
        case "boolean":
            return random.random() < 0.5
        case "instant":
            return instants.render(START + random.randrange(SPAN) * HOUR)
        case "number" | "integer":
            return random.randint(1, 5)
        case "set":
            return random.sample(field.get("values", ["a", "b"]), 1)
    return random.choice(["一", "two", "person:lin"])


def some(
    random: Random, fields: dict[str, Any], prefix: str, chance: float, needed: Any = ()
) -> dict[str, Any]:
    """Values for some of the fields whose names begin with `prefix`; for all that are needed."""
    found = {}
    for name, field in fields.items():
        subject, dot, bare = name.rpartition(".")
        if subject + dot == prefix and (bare in needed or random.random() < chance):
            found[bare] = value(random, field)
    return found


def case(random: Random) -> dict[str, Any]:
    """A case of the pack to which much happens, some of it at the same instants and some of it twice."""
    policy = compiled_once()
    fields, required = policy["vocabulary"]["fields"], policy["required"]
    own = {name: field for name, field in fields.items() if name not in ("assignee", "acknowledged")}
    opened = random.randrange(SPAN // 3)
    hours = [random.randrange(opened, SPAN) for _ in range(random.randint(2, 8))]
    events = []
    for number in range(random.randint(2, 20)):
        kind = random.choice(types())
        data = some(random, own, "event.", 0.3, required.get(kind, ()))
        if kind in ("case.updated", "case.opened"):
            data = some(random, own, "", 0.3)
        elif random.random() < 0.3:
            data["case"] = some(random, own, "", 0.2)
        at = instants.render(START + random.choice(hours) * HOUR)
        events.append({"id": f"e{number:02d}", "type": kind, "at": at, "data": data})
    return {
        "id": f"C-{random.randrange(10**6)}", "opened_at": instants.render(START + opened * HOUR),
        "customer": f"K-{random.randrange(9)}", "fields": some(random, own, "", 0.6), "events": events,
    }  # fmt: skip


def look(random: Random) -> int:
    """An instant to decide at."""
    return START + random.randrange(SPAN) * HOUR + random.choice([0, 1, 1_800_000_000])


@cache
def compiled_once() -> dict[str, Any]:
    """The compiled pack, to be read only."""
    return compiled()


@cache
def types() -> tuple[str, ...]:
    """The event types that the pack's clocks and surveys hear, updates more often than others."""
    policy = compiled_once()
    heard = {event for clock in policy["clocks"] for on in clock["on"].values() for event, _ in on}
    heard |= {event for survey in policy["surveys"] for event in (*survey["on"], *survey["cancel_on"])}
    heard |= {"case.acknowledged", "case.assigned"}
    return (*sorted(heard - {"case.opened"}), "case.updated", "case.updated", "agent.replied")
