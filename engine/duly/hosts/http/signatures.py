"""Signatures: whether a webhook comes from whom it says, in the ways that other systems sign."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence

from duly.hosts.http.problems import UNAUTHORIZED, Problem
from duly.instants import MINUTE, SECOND

TOLERANCE = 5 * MINUTE
"""By how much the time that a sender has signed may differ from ours."""

Headers = Mapping[str, str]
"""Headers by their names in lower case."""


def check(
    scheme: str, secrets: Sequence[str], headers: Headers, body: bytes, now: int, tolerance: int = TOLERANCE
) -> None:
    """Whether the body is signed with one of the secrets, and lately. Raises Problem, which never says which part
    of a signature was wrong.

    `standard` is Standard Webhooks 1.0 (v1, HMAC-SHA256), `zendesk` and `zammad` are what those systems send.
    """
    _SCHEMES[scheme](secrets, headers, body, now, tolerance)


def _standard(secrets: Sequence[str], headers: Headers, body: bytes, now: int, tolerance: int) -> None:
    name, moment = _header(headers, "webhook-id"), _header(headers, "webhook-timestamp")
    given = _header(headers, "webhook-signature")
    _check_moment(_seconds(moment), now, tolerance)
    signed = f"{name}.{moment}.".encode("utf-8", "replace") + body
    offered = [part[3:] for part in given.split(" ")[:20] if part.startswith("v1,")]
    keys = [_standard_key(secret) for secret in secrets]
    _check(_matches(keys, signed, offered, hashlib.sha256, _base64))


def _standard_key(secret: str) -> bytes:
    """`whsec_` and the key in base64; any other text is the key itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret[6:], validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()


def _zendesk(secrets: Sequence[str], headers: Headers, body: bytes, now: int, tolerance: int) -> None:
    moment = _header(headers, "x-zendesk-webhook-signature-timestamp")
    given = _header(headers, "x-zendesk-webhook-signature")
    try:
        at = dt.datetime.fromisoformat(moment)
        seconds = None if at.tzinfo is None else int(at.timestamp())
    except (ValueError, OverflowError, OSError):
        seconds = None
    _check_moment(seconds, now, tolerance)
    signed = moment.encode("utf-8", "replace") + body
    keys = [secret.encode() for secret in secrets]
    _check(_matches(keys, signed, [given], hashlib.sha256, _base64))


def _zammad(secrets: Sequence[str], headers: Headers, body: bytes, now: int, tolerance: int) -> None:
    """The scheme signs no time: a message that is sent again gives the same event, which changes nothing."""
    given = _header(headers, "x-hub-signature").removeprefix("sha1=").lower()
    keys = [secret.encode() for secret in secrets]
    _check(_matches(keys, body, [given], hashlib.sha1, bytes.hex))


_SCHEMES: dict[str, Callable[[Sequence[str], Headers, bytes, int, int], None]] = {
    "standard": _standard,
    "zendesk": _zendesk,
    "zammad": _zammad,
}
SCHEMES = tuple(_SCHEMES)


def _header(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise Problem(UNAUTHORIZED, "E303", f"the header `{name}` is missing: this webhook has to be signed")
    return value


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _check_moment(seconds: int | None, now: int, tolerance: int) -> None:
    if seconds is None:
        raise Problem(UNAUTHORIZED, "E303", "the time of the signature is no time")
    if abs(seconds * SECOND - now) > tolerance:
        minutes = tolerance / MINUTE
        raise Problem(UNAUTHORIZED, "E304", f"signed more than {minutes:g} minutes before or after our time")


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _matches(
    keys: Sequence[bytes],
    signed: bytes,
    offered: Sequence[str],
    digest: Callable[..., object],
    render: Callable[[bytes], str],
) -> bool:
    """Whether one of the keys makes one of the signatures; all are compared, each in constant time."""
    found = False
    for key in keys:
        expected = render(hmac.new(key, signed, digest).digest()).encode()  # type: ignore[arg-type]
        for each in offered:
            found |= hmac.compare_digest(expected, each.encode("utf-8", "replace"))
    return found


def _check(good: bool) -> None:
    if not good:
        raise Problem(UNAUTHORIZED, "E303", "the signature does not fit what was sent")
