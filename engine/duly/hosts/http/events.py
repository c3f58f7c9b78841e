"""Events: `POST /v1/events`, one, a list, lines, or CloudEvents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from duly import reading
from duly.cases import MAX_EVENT_BYTES, Refused
from duly.hosts.contract import Intake, Offer, Receipt
from duly.hosts.http import bodies, cloud_events, handing, streams
from duly.hosts.http.answers import answer, shown
from duly.hosts.http.problems import TOO_LARGE, UNSUPPORTED, Problem
from duly.hosts.http.settings import Limits
from duly.hosts.http.tokens import Caller, check_rate


async def post(request: Request, intake: Intake, caller: Caller, limits: Limits) -> Response:
    """What becomes of the events of a request. Raises Problem."""
    check_rate(caller)
    media = bodies.media_type(request)
    if media in streams.TYPES:
        return await streams.post(request, intake, caller, limits)
    headers = {name.lower(): value for name, value in request.headers.items()}
    binary = cloud_events.is_binary(headers)
    if not cloud_events.is_json(media) and not (binary and not media):
        message = "send `application/json`, `application/x-ndjson` or `application/cloudevents+json`"
        raise Problem(UNSUPPORTED, "E308", message, "content-type")
    body = await bodies.whole(request, limits.body_bytes, limits)
    if binary:
        found: Offer | list[Offer] = _from_headers(headers, media, body)
    elif _is_list(media, body):
        found = await run_in_threadpool(_listed, body, media, limits.batch_events)
    else:
        found = _one(body, media)
    offers = found if isinstance(found, list) else [found]
    receipts = await handing.handed_in(intake, offers, caller.name, limits.answer_seconds)
    caller.rate.take(len(offers))
    return several(receipts) if isinstance(found, list) else single(receipts[0])


def single(receipt: Receipt) -> Response:
    """The answer to one event. Raises Problem where it was not taken."""
    if receipt.status in ("refused", "conflict"):
        raise Problem.of(receipt)
    return answer(shown(receipt), 202 if receipt.status == "accepted" else 200)


def several(receipts: Sequence[Receipt], **more: Any) -> Response:
    """The answer to a list: a receipt for each, in order, and how many there are of each kind."""
    counts: Counter[str] = Counter(receipt.status for receipt in receipts)
    found = {"receipts": [shown(receipt) for receipt in receipts], "counts": streams.counted(counts), **more}
    return answer(found, 202 if counts["accepted"] else 200)


def _is_list(media: str, body: bytes) -> bool:
    return media == cloud_events.BATCH or (media != cloud_events.STRUCTURED and body.lstrip()[:1] == b"[")


def _listed(body: bytes, media: str, most: int) -> Offer | list[Offer]:
    """The events of a list; the whole of it where it cannot be read. Raises Problem for one that is too long."""
    try:
        values = reading.listed(body)
    except Refused as refused:
        return Offer(refused, body)
    if len(values) > most:
        message = f"{len(values):,} events in a list; at most {most:,}; send lines instead"
        raise Problem(TOO_LARGE, "E307", message)
    return [Offer(cloud_events.checked(each) if media == cloud_events.BATCH else each) for each in values]


def _one(body: bytes, media: str) -> Offer:
    """The one event of a body. Raises Problem for one that is too large to be kept."""
    if len(body) > MAX_EVENT_BYTES:
        raise Problem(TOO_LARGE, "E003", f"an event of {len(body):,} bytes; at most {MAX_EVENT_BYTES:,}")
    found = handing.read(body)
    if media == cloud_events.STRUCTURED:
        found.value = cloud_events.checked(found.value)
    return found


def _from_headers(headers: Mapping[str, str], media: str, body: bytes) -> Offer:
    try:
        return Offer(cloud_events.check(cloud_events.from_headers(headers, media, body)), body)
    except Refused as refused:
        return Offer(refused, body)
