"""Settings: what of the configuration is HTTP's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from duly import durations
from duly.hosts.http.signatures import TOLERANCE
from duly.hosts.mapping import Mapping as EventMapping


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, and how slowly, somebody may send."""

    body_bytes: int = 16 * 1024 * 1024
    """A body that is read as a whole: one event, a list of them, a case."""
    stream_bytes: int = 1024 * 1024 * 1024
    """A body of lines, which is read piece by piece."""
    hook_bytes: int = 1024 * 1024
    """A message of another system."""
    batch_events: int = 10_000
    """Events of one list."""
    header_bytes: int = 32 * 1024
    header_seconds: float = 10
    body_seconds: float = 30
    """How long nothing may come."""
    answer_seconds: float = 60
    """How long an answer may take to be fetched, and an event to become durable."""
    connections: int = 1_000

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Limits:
        """The limits of a configuration, which its schema has been content with."""
        return cls(**{each.name: given[each.name] for each in fields(cls) if each.name in given})


@dataclass(frozen=True, slots=True)
class Hook:
    """A source whose messages come as webhooks: who signs them and how, and what makes events of them."""

    name: str
    scheme: str
    secrets: Sequence[str]
    mapping: EventMapping | None = None
    tolerance: int = TOLERANCE

    @classmethod
    def of(cls, name: str, given: Mapping[str, Any], mapping: EventMapping | None) -> Hook:
        """A source of a configuration, whose secrets have been resolved."""
        secrets = [given["secret"]] if "secret" in given else []
        secrets += given.get("secrets", ())
        tolerance = durations.parse(given["tolerance"]).amount if "tolerance" in given else TOLERANCE
        revealed = [each.reveal() for each in secrets]
        return cls(name, given.get("scheme", "standard"), revealed, mapping, tolerance)
