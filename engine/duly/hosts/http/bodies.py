"""Bodies: what is sent, read within limits of size and patience."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import ClientDisconnect, Request

from duly.cases import MAX_EVENT_BYTES, Refused
from duly.hosts.http.problems import TIMEOUT, TOO_LARGE, UNSUPPORTED, Problem
from duly.hosts.http.settings import Limits

_DRAINED_BYTES = 1024 * 1024
_DRAINED_SECONDS = 2.0


def media_type(request: Request) -> str:
    """The media type without parameters, in lower case. Raises Problem for a body that is not plain UTF-8."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise Problem(UNSUPPORTED, "E308", "a compressed body; send it as it is", "content-encoding")
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = next(
        (each.partition("=")[2] for each in parameters.split(";") if "charset=" in each.lower()), "utf-8"
    )
    if charset.strip().strip('"').lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(UNSUPPORTED, "E308", "a body that is not UTF-8", "content-type")
    return media.strip().lower()


async def chunks(request: Request, most: int, limits: Limits) -> AsyncIterator[bytes]:
    """The body, piece by piece. Raises Problem where it is larger than `most` bytes, or too slow."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > most:
        raise too_large(most)
    size, stream = 0, request.stream().__aiter__()
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream), limits.body_seconds)
        except StopAsyncIteration:
            return
        except TimeoutError:
            message = f"nothing came for {limits.body_seconds:g} seconds"
            raise Problem(TIMEOUT, "E309", message, headers={"Connection": "close"}) from None
        size += len(piece)
        if size > most:
            raise too_large(most)
        if piece:
            yield piece


def too_large(most: int) -> Problem:
    """The answer to what is larger than it may be."""
    headers = {"Connection": "close"}
    return Problem(TOO_LARGE, "E307", f"a body of more than {most:,} bytes", headers=headers)


async def whole(request: Request, most: int, limits: Limits) -> bytes:
    """The whole body. Raises Problem."""
    return b"".join([piece async for piece in chunks(request, most, limits)])


async def drain(request: Request) -> None:
    """Read what is still coming, for a little while: a sender that is cut off does not see the answer."""
    size = 0
    try:
        async with asyncio.timeout(_DRAINED_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > _DRAINED_BYTES:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):
        return


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, Any]]:
    """The lines of a body with their numbers, from 1, without blank ones; a Refused for one that is too long.

    No more is kept of a line than an event may have.
    """
    number, rest, skipping = 1, b"", False
    async for piece in pieces:
        *ends, last = piece.split(b"\n")
        for end in ends:
            line, rest = rest + end, b""
            if skipping:
                skipping = False
            elif len(line) > MAX_EVENT_BYTES:
                yield number, _too_long()
            elif line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            number += 1
        if not skipping:
            rest += last
            if len(rest) > MAX_EVENT_BYTES:
                yield number, _too_long()
                rest, skipping = b"", True
    if rest.strip() and not skipping:
        yield number, rest.removeprefix(b"\xef\xbb\xbf") if number == 1 else rest


def _too_long() -> Refused:
    return Refused("E003", f"a line of more than {MAX_EVENT_BYTES:,} bytes")
