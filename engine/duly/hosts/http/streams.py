"""Streams: events as lines, of which no more are read than have become durable."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from duly.hosts.contract import Intake
from duly.hosts.http import bodies, handing
from duly.hosts.http.answers import LINES, plain, shown
from duly.hosts.http.problems import BAD_REQUEST, Problem
from duly.hosts.http.settings import Limits
from duly.hosts.http.tokens import Caller

TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_PART = 1_000
"""Lines that become durable together."""
_PART_BYTES = 4 * 1024 * 1024
_SPOOLED_BYTES = 4 * 1024 * 1024
"""From here on the receipts of a long stream wait in a file, not in memory."""


async def post(request: Request, intake: Intake, caller: Caller, limits: Limits) -> Response:
    """A receipt for each line, in order, and a last line of counts, once all of them are durable.

    With `?receipts=faults` only for those that were not taken. Raises Problem, with the first line that was not
    taken; all before it are durable then.
    """
    wanted = request.query_params.get("receipts", "all")
    if wanted not in ("all", "faults"):
        raise Problem(BAD_REQUEST, "E311", "`receipts` is `all` or `faults`", "receipts")
    counts: Counter[str] = Counter()
    spool: IO[bytes] = SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115 - `_sent` closes it
    try:
        async for part in _parts(bodies.lines(bodies.chunks(request, limits.stream_bytes, limits))):
            answers = await _taken(part, intake, caller, limits, counts, wanted == "all")
            await run_in_threadpool(spool.write, answers)
        spool.write(plain({"counts": counted(counts)}) + b"\n")
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return StreamingResponse(_sent(spool), 202 if counts["accepted"] else 200, media_type=LINES)


def counted(counts: Counter[str]) -> dict[str, int]:
    """How many events there are of each kind."""
    return {status: counts[status] for status in ("accepted", "duplicate", "conflict", "refused")}


async def _taken(
    part: list[tuple[int, Any]],
    intake: Intake,
    caller: Caller,
    limits: Limits,
    counts: Counter[str],
    every: bool,
) -> bytes:
    """The answers to some lines, which are durable then. Raises Problem with the first of them."""
    try:
        await handing.held_up(caller.rate)
        offers = await run_in_threadpool(lambda: [handing.read(line) for _, line in part])
        receipts = await handing.streamed_in(intake, offers, caller.name, limits.answer_seconds)
    except Problem as problem:
        raise problem.at(part[0][0]) from None
    caller.rate.take(len(part))
    counts.update(receipt.status for receipt in receipts)
    return b"".join(
        plain(shown(receipt, number)) + b"\n"
        for (number, _), receipt in zip(part, receipts, strict=True)
        if every or receipt.status in ("conflict", "refused")
    )


async def _parts(lines: AsyncIterator[tuple[int, Any]]) -> AsyncIterator[list[tuple[int, Any]]]:
    """So many lines at once as become durable together."""
    part: list[tuple[int, Any]] = []
    size = 0
    async for number, line in lines:
        part.append((number, line))
        size += len(line) if isinstance(line, bytes) else 0
        if len(part) >= _PART or size >= _PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _sent(spool: IO[bytes]) -> Iterator[bytes]:
    with spool:
        while piece := spool.read(64 * 1024):
            yield piece
