"""Answers: what another side's HTTP status and headers mean for a delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpcore

from duly.sinks.base import Receipt, said

LIMIT = 16_384
"""How many bytes of an answer are read: enough to say why something was refused."""

_AGAIN = frozenset((408, 425, 429))
_LONGEST = 7 * 86_400.0
"""The longest wait that is granted, in seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and the beginning of its body."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


def answered(response: httpcore.Response, faults: tuple[type[Exception], ...]) -> Answer:
    """The answer of a response; no more of its body is read than can be of use."""
    found = b""
    try:
        for chunk in response.iter_stream():
            found += chunk
            if len(found) >= LIMIT:
                break
    except faults:
        pass  # What it said before stands, and the status says the rest.
    return Answer(response.status, response.headers, found[:LIMIT])


def meant(answer: Answer, now: float) -> Receipt:
    """What an answer means by its status. `now` is what dates in it are compared with, in seconds since 1970."""
    status, detail = answer.status, said(answer.body.decode("utf-8", "replace"))
    if 200 <= status < 300:
        return Receipt("delivered", details={"status": status})
    reason = f"answered {status}{_phrase(status)}" + (f": {detail}" if detail else "")
    if status == 410:
        return Receipt("gone", reason, details={"status": status})
    if 300 <= status < 400:
        reason = f"answered {status}, a redirect, which is not followed; set `url` to where it leads"
    elif 400 <= status < 500 and status not in _AGAIN:
        return Receipt("refused", reason, details={"status": status})
    return Receipt("failed", reason, _after(answer, now), {"status": status})


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _after(answer: Answer, now: float) -> float | None:
    """How many seconds the other side asks to wait, in its header `Retry-After`: a number, or a date."""
    value = next((value for name, value in answer.headers if name.lower() == b"retry-after"), None)
    if value is None:
        return None
    text = value.decode("ascii", "replace").strip()
    if text.isdigit():
        return min(float(text[:9]), _LONGEST)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - now), _LONGEST)
    except (TypeError, ValueError, OverflowError):
        return None
