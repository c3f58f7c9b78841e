"""Rule lists and cases for the matching benchmark: 3 to 5 tests a rule over 8 fields, fixed by a seed."""

from __future__ import annotations

from random import Random
from typing import Any

CHANNELS = ["phone", "web_chat", "email", "wechat", "wecom", "app"]
TYPES = [
    "complaint",
    "after_sales",
    "consultation",
    "technical_support",
    "billing",
    "return",
    "upgrade",
    "other",
]
TIERS = ["standard", "silver", "gold", "vip"]
PRIORITIES = ["low", "normal", "high", "urgent"]
REGIONS = [f"region-{number:02d}" for number in range(30)]
LANGUAGES = ["zh", "en", "ja", "ko"]
SPEC: dict[str, Any] = {
    "fields": {
        "channel": {"type": "enum", "values": CHANNELS},
        "type": {"type": "enum", "values": TYPES},
        "tier": {"type": "enum", "values": TIERS},
        "priority": {"type": "enum", "values": PRIORITIES, "ordered": True},
        "region": {"type": "text"},
        "language": {"type": "enum", "values": LANGUAGES},
        "amount": {"type": "number"},
        "contacts": {"type": "integer"},
    }
}


def rules(count: int) -> list[dict[str, Any]]:
    """`count` conditions as policies write them."""
    random = Random(7)
    return [_rule(random) for _ in range(count)]


def cases(count: int) -> list[dict[str, Any]]:
    """`count` cases: JSON values of all eight fields."""
    random = Random(11)
    return [
        {
            "channel": random.choice(CHANNELS),
            "type": random.choice(TYPES),
            "tier": random.choice(TIERS),
            "priority": random.choice(PRIORITIES),
            "region": random.choice(REGIONS),
            "language": random.choice(LANGUAGES),
            "amount": random.randint(0, 20_000) / 2,
            "contacts": random.randint(0, 20),
        }
        for _ in range(count)
    ]


def _rule(random: Random) -> dict[str, Any]:
    fields = random.sample(list(SPEC["fields"]), random.randint(3, 5))
    return {field: _test(random, field) for field in fields}


def _test(random: Random, field: str) -> Any:
    if field == "amount":
        low = random.randint(0, 9_000)
        return random.choice([{"over": low}, {"below": low}, {"at_least": low, "below": low + 1_000}])
    if field == "contacts":
        return {random.choice(["at_least", "at_most"]): random.randint(1, 19)}
    if field == "region":
        return random.choice(REGIONS)
    values = SPEC["fields"][field]["values"]
    if field == "priority" and random.random() < 0.5:
        return {"at_least": random.choice(values)}
    return random.choice(values) if random.random() < 0.7 else random.sample(values, 2)
