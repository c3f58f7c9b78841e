"""Handing in: events that came over HTTP to the intake, and its receipts back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from duly import reading
from duly.cases import Refused
from duly.hosts.contract import Busy, Intake, Offer, Receipt, Unavailable
from duly.hosts.http.problems import busy, unavailable
from duly.hosts.http.tokens import Rate

_PATIENCE_SECONDS = 30.0
"""How long a stream is held up, by not being read on, before it is told to come back."""
_MUCH = "more has come in than can be taken"


def read(text: bytes | Refused) -> Offer:
    """A text handed in: what it says, or why it says nothing."""
    if isinstance(text, Refused):
        return Offer(text)
    try:
        return Offer(reading.value(text), text)
    except Refused as refused:
        return Offer(refused, text)


async def handed_in(intake: Intake, offers: Sequence[Offer], origin: str, seconds: float) -> list[Receipt]:
    """The receipts of events that came at once. Raises Problem where none of them was taken."""
    try:
        return await _accepted(intake, offers, origin, seconds)
    except Busy as error:
        raise busy(error.after_seconds, _MUCH) from None
    except Unavailable:
        raise unavailable() from None


async def streamed_in(intake: Intake, offers: Sequence[Offer], origin: str, seconds: float) -> list[Receipt]:
    """The receipts of a part of a stream, which waits while too much has come in. Raises Problem."""
    waited = 0.0
    while True:
        try:
            return await _accepted(intake, offers, origin, seconds)
        except Unavailable:
            raise unavailable() from None
        except Busy as error:
            if waited >= _PATIENCE_SECONDS:
                raise busy(error.after_seconds, _MUCH) from None
            pause = min(error.after_seconds, 1.0)
            await asyncio.sleep(pause)
            waited += pause


async def held_up(rate: Rate) -> None:
    """Wait until somebody may send more. Raises Problem where that would be long."""
    wait = rate.wait()
    if wait > _PATIENCE_SECONDS:
        raise busy(wait, "more events than this token may send")
    while wait > 0:
        await asyncio.sleep(wait)
        wait = rate.wait()


async def _accepted(intake: Intake, offers: Sequence[Offer], origin: str, seconds: float) -> list[Receipt]:
    # In a thread: to read and check a thousand events takes long enough to keep others waiting.
    future = await run_in_threadpool(intake.offer, offers, origin)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
    except TimeoutError:
        raise Unavailable("the store takes too long") from None
