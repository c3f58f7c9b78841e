"""Hearsay: what the desk and the set said to a case or a customer, as lines of that group's journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from duly.cases import Event
from duly.doings import Said
from duly.hosts.store.records import HUB, Line
from duly.machines.rows import dumps, event_row, facts_row, loads, to_event, to_facts


@dataclass(slots=True)
class Hearsay:
    """What an entity was told at an instant. `cause` is the id and type of what its own group had told the hub."""

    key: str
    at: int
    event: Event
    facts: Mapping[str, Any]
    cause: tuple[str, str] | None


def line(said: Said, group: str, id: str, now: int) -> Line:
    """The line that remembers what was said."""
    cause = None if said.cause is None else (said.cause.id, said.cause.type)
    body = dumps([said.key, event_row(said.event), facts_row(said.facts), cause])
    sort, _, name = said.key.partition(":")
    return Line(
        id,
        said.at,
        group,
        body,
        name if sort == "case" else None,
        name if sort == "customer" else None,
        HUB,
        now,
    )


def read(line: Line) -> Hearsay:
    """What `line` wrote."""
    key, event, facts, cause = loads(line.body)
    return Hearsay(
        key, line.at, to_event(event), to_facts(facts), None if cause is None else (cause[0], cause[1])
    )
