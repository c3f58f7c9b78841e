"""CloudEvents 1.0 over HTTP: structured, batched, and binary, where the attributes stand in headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from duly import reading
from duly.cases import Refused

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_NAME = re.compile(r"[a-z0-9]{1,64}")
_JSON = re.compile(r"[\w.+-]+/([\w.+-]+\+)?json", re.ASCII)


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the attributes stand in headers, whose names are given in lower case."""
    return "ce-specversion" in headers


def is_json(media: str) -> bool:
    """Whether a media type, without its parameters, is of JSON."""
    return _JSON.fullmatch(media) is not None


def from_headers(headers: Mapping[str, str], media: str, body: bytes) -> dict[str, Any]:
    """The event of a request in binary mode, in the form of structured mode. Raises Refused."""
    event: dict[str, Any] = {}
    for name, value in headers.items():
        if name.startswith("ce-"):
            attribute = name[3:]
            if not _NAME.fullmatch(attribute) or attribute == "data":
                raise Refused("E311", f"`{name[:80]}` is no attribute of a CloudEvent", name[:80])
            event[attribute] = _decoded(name, value)
    if body.strip():
        event["datacontenttype"] = media
        event["data"] = reading.value(body)
    return event


def _decoded(name: str, value: str) -> str:
    """The text of an attribute: percent-encoded UTF-8 in a header, perhaps in quotes."""
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Refused("E002", f"`{name}` is not percent-encoded UTF-8", name) from None


def checked(event: Any) -> Any:
    """A value that should be a CloudEvent, or the Refused that says why it is none."""
    if isinstance(event, Refused):
        return event
    try:
        return check(event)
    except Refused as refused:
        return refused


def check(event: Any) -> Any:
    """A value that should be a CloudEvent, as it is. Raises Refused for what this version cannot take."""
    if not isinstance(event, dict):
        raise Refused("E102", "expected a CloudEvent, an object with `specversion`, `id`, `type`, `time`")
    if event.get("specversion") != "1.0":
        found = event.get("specversion")
        told = f"`{found}`" if isinstance(found, (str, int, float)) else "none"
        raise Refused(
            "E102", f"expected a CloudEvent of `specversion` `1.0`, found {told[:40]}", "specversion"
        )
    if "data_base64" in event:
        raise Refused("E102", "`data_base64` is not read; send `data` as JSON", "data_base64")
    media = event.get("datacontenttype")
    if media is not None and (
        not isinstance(media, str) or not is_json(media.partition(";")[0].strip().lower())
    ):
        raise Refused("E102", "`datacontenttype` is not that of JSON", "datacontenttype")
    return event
