"""A line to Redis: the connection that the sink and the source share their way to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from duly.sinks.base import Misconfigured, revealed, said
from duly.sinks.settings import TEXT_OR_SECRET, TIMEOUT, Schema

FAULTS: tuple[type[Exception], ...] = (redis.RedisError, OSError)
"""What may go wrong on the way, and may go right the next time."""

SETTINGS: dict[str, Schema] = {
    "url": {
        **TEXT_OR_SECRET,
        "description": "The server: `redis://…`, or `rediss://…` with TLS.",
        "examples": ["redis://127.0.0.1:6379/0", {"env": "REDIS_URL"}],
    },
    "stream": {
        "description": "The key of the stream.",
        "type": "string",
        "minLength": 1,
        "examples": ["duly:actions"],
    },
    "timeout_seconds": TIMEOUT,
}
"""The settings that say which stream it is, and how it is reached."""


def connected(settings: Mapping[str, Any], wait: float = 0) -> redis.Redis:
    """A client of the server; it connects when it is first used. `wait` is how long a command may block, in seconds."""
    seconds = float(settings.get("timeout_seconds", 15))
    try:
        return redis.Redis.from_url(
            revealed(settings["url"]), socket_timeout=seconds + wait, socket_connect_timeout=seconds,
            decode_responses=False, client_name="duly",
        )  # fmt: skip
    except ValueError as error:
        raise Misconfigured(
            f"`url`: expected an address such as `redis://127.0.0.1:6379/0`; {said(error)}"
        ) from None


def why(error: BaseException) -> str:
    """What went wrong, in words."""
    return said(error) or type(error).__name__
