"""Hooks: `POST /hooks/{source}`, the webhooks of other systems."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from duly import reading
from duly.cases import Refused
from duly.hosts.contract import Intake, Offer
from duly.hosts.http import bodies, cloud_events, events, handing, signatures
from duly.hosts.http.problems import UNSUPPORTED, Problem
from duly.hosts.http.settings import Hook, Limits


async def post(request: Request, hook: Hook, intake: Intake, limits: Limits, now: int) -> Response:
    """What becomes of a message of another system. Raises Problem.

    A message that is sent again gives the events that it gave before, which are duplicates then.
    """
    media = bodies.media_type(request)
    if not cloud_events.is_json(media):
        raise Problem(UNSUPPORTED, "E308", "send `application/json`", "content-type")
    body = await bodies.whole(request, limits.hook_bytes, limits)
    headers = {name.lower(): value for name, value in request.headers.items()}
    signatures.check(hook.scheme, hook.secrets, headers, body, now, hook.tolerance)
    offers, unmatched = await run_in_threadpool(_offers, hook, headers, body, now)
    if not offers:
        return events.several([], unmatched=unmatched)
    receipts = await handing.handed_in(intake, offers, hook.name, limits.answer_seconds)
    if len(receipts) == 1 and not unmatched:
        return events.single(receipts[0])
    return events.several(receipts, unmatched=unmatched)


def _offers(hook: Hook, headers: dict[str, str], body: bytes, now: int) -> tuple[list[Offer], int]:
    """The events of a message, and how many parts of it no rule was for. Raises Problem for what is no JSON."""
    try:
        payload = reading.message(body)
    except Refused as refused:
        raise Problem.of(refused) from None
    if hook.mapping is None:
        values = payload if isinstance(payload, list) else [payload]
        return [Offer(each, body if len(values) == 1 else b"") for each in values], 0
    mapped = hook.mapping.apply(payload, headers, now)
    offers = [Offer(each, body if isinstance(each, Refused) else b"") for each in mapped.events]
    return offers, mapped.unmatched
