"""Signatures: Standard Webhooks, by which a receiver knows that a message is genuine, whole and fresh."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from hashlib import sha256

from duly.sinks.base import Misconfigured, Secret

PREFIX = "whsec_"


def key_of(secret: Secret) -> bytes:
    """The key that a secret such as `whsec_…` holds in base64. Raises Misconfigured, without showing it."""
    text = secret.reveal().strip()
    if not text.startswith(PREFIX):
        raise Misconfigured(
            f"a webhook secret begins with `{PREFIX}`, this one does not; make one: {_RECIPE}"
        )
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise Misconfigured(
            f"what follows `{PREFIX}` in a webhook secret is not base64; make one: {_RECIPE}"
        ) from None
    if not 24 <= len(key) <= 64:
        raise Misconfigured(
            f"a webhook secret holds 24 to 64 bytes, this one {len(key)}; make one: {_RECIPE}"
        )
    return key


_RECIPE = f'echo "{PREFIX}$(head -c 32 /dev/urandom | base64)"'


def signed(id: str, timestamp: int, body: bytes, keys: Iterable[bytes]) -> str:
    """The value of `webhook-signature`: a signature for each key, so that a receiver may hold the old or the new."""
    content = f"{id}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(key, content, sha256)).decode() for key in keys)
