"""Answers: plain JSON data as the bytes and headers of a response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from duly.hosts.contract import Receipt
from duly.hosts.http.problems import Problem, error

JSON = "application/json"
LINES = "application/x-ndjson"


def plain(value: Any) -> bytes:
    """JSON in UTF-8; a number with more digits than a float has keeps them all."""
    try:
        return orjson.dumps(value, default=_decimal)
    except TypeError:
        # Whole numbers of more than 64 bits: rare, and exact here as anywhere.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=float)
        return text.encode("utf-8", "replace")


def _decimal(value: Any) -> Any:
    return orjson.Fragment(str(value))


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response of JSON."""
    return Response(plain(value), status, headers, JSON)


def told(problem: Problem) -> Response:
    """A problem as a response."""
    return answer({"error": problem.error}, problem.status, problem.headers)


def shown(receipt: Receipt, line: int | None = None) -> dict[str, Any]:
    """A receipt as JSON; `line` is where the event stood, where that is a line."""
    found: dict[str, Any] = {"status": receipt.status, "id": receipt.id}
    if line is not None:
        found["line"] = line
    if receipt.code:
        found["error"] = error(receipt.code, receipt.message, receipt.path, line)
    return found
