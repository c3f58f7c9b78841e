"""Queries: decisions on cases that are given, and looks at what is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from duly import instants, reading
from duly.cases import MAX_NAME, Refused
from duly.hosts.contract import Unavailable, Views
from duly.hosts.http import bodies, cloud_events, handing, streams
from duly.hosts.http.answers import LINES, answer, plain
from duly.hosts.http.problems import BAD_REQUEST, NOT_FOUND, UNSUPPORTED, Problem, error, unavailable
from duly.hosts.http.settings import Limits
from duly.instants import DAY

MOST_DUE = 1_000
_DUE = 50
_AHEAD = 10 * 365 * DAY
"""How far ahead one may look: to look further takes longer, and calendars end."""


async def asked(ask: Callable[..., Any], *arguments: Any) -> Any:
    """What a view answers, asked in a thread. Raises Problem."""
    try:
        return await run_in_threadpool(ask, *arguments)
    except Refused as refused:
        raise Problem.of(refused) from None
    except Unavailable:
        raise unavailable() from None


async def decided(request: Request, decide: Callable[[Any, int], Any], limits: Limits, now: int) -> Response:
    """The decision on one case, or on each of some lines. Raises Problem."""
    at = _instant(request, now)
    media = bodies.media_type(request)
    if media in streams.TYPES:
        lines = bodies.lines(bodies.chunks(request, limits.body_bytes, limits))
        found = [each async for each in lines]
        return StreamingResponse(_decisions(found, decide, at), media_type=LINES)
    if not cloud_events.is_json(media):
        message = "send `application/json` or `application/x-ndjson`"
        raise Problem(UNSUPPORTED, "E308", message, "content-type")
    body = await bodies.whole(request, limits.body_bytes, limits)

    def one() -> bytes:
        return plain(decide(reading.value(body), at))

    return Response(await asked(one), media_type="application/json")


async def _decisions(
    lines: list[tuple[int, Any]], decide: Callable[[Any, int], Any], at: int
) -> AsyncIterator[bytes]:
    """A decision a line, in order; an `error` in the place of one that cannot be made."""
    for number, line in lines:
        yield await run_in_threadpool(_decision, number, line, decide, at)


def _decision(number: int, line: Any, decide: Callable[[Any, int], Any], at: int) -> bytes:
    offer = handing.read(line)
    try:
        if isinstance(offer.value, Refused):
            raise offer.value
        return plain(decide(offer.value, at)) + b"\n"
    except Refused as refused:
        return plain({"error": error(refused.code, refused.message, refused.path, number)}) + b"\n"


async def case(request: Request, views: Views, now: int) -> Response:
    """The decision on a case that is kept. Raises Problem."""
    name = _name(request, "case")
    return _found(await asked(views.case, name, _instant(request, now)), f"no case `{name}`")


async def history(request: Request, views: Views) -> Response:
    """The events and actions of a case that is kept. Raises Problem."""
    name = _name(request, "case")
    return _found(await asked(views.history, name), f"no case `{name}`")


async def due(request: Request, views: Views, now: int) -> Response:
    """What will happen by itself next. Raises Problem."""
    text = request.query_params.get("limit", str(_DUE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_DUE):
        raise Problem(BAD_REQUEST, "E311", f"`limit` is a whole number from 1 to {MOST_DUE:,}", "limit")
    found = await asked(views.due, int(text), now)
    return answer({"at": instants.render(now), "due": found})


async def queue(request: Request, views: Views, now: int) -> Response:
    """What waits for a group, in the desk's order. Raises Problem."""
    name = _name(request, "group")
    return _found(await asked(views.queue, name, now), f"no group or queue `{name}`")


def _found(found: Any, message: str) -> Response:
    if found is None:
        raise Problem(NOT_FOUND, "E310", message)
    return answer(found)


def _instant(request: Request, now: int) -> int:
    """The instant that `?at=` names, or now."""
    text = request.query_params.get("at")
    if text is None:
        return now
    try:
        at = instants.parse(text)
    except ValueError as found:
        raise Problem(BAD_REQUEST, "E311", str(found), "at") from None
    if at - now > _AHEAD:
        raise Problem(BAD_REQUEST, "E311", f"`at` is more than {_AHEAD // DAY // 365} years ahead", "at")
    return at


def _name(request: Request, key: str) -> str:
    """A name out of the path: whatever it is, it is compared with names and nothing else."""
    name: str = request.path_params[key]
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Problem(BAD_REQUEST, "E311", f"expected a name of at most {MAX_NAME} signs", key)
    return name
