"""Bundles: a compiled policy set as one immutable file, whose digest is checked whenever it is read."""

from __future__ import annotations

import json

from duly_cli import cache
from duly_cli.files import BUNDLE_MAGIC, Unreadable
from duly_cli.sources import Choice, Loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1


def pack(loaded: Loaded, files: list[dict[str, Any]], key: str | None = None) -> bytes:
    """The bytes of a bundle: equal for equal policy, parameters, version of Duly and signing key.

    `key` is the file of the private key that signs it.
    """
    body = b"\n".join(
        json.dumps(part, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        for part in (loaded.compiled, loaded.places)
    )
    head = {
        "duly-bundle": FORMAT,
        "set": loaded.compiled["set"]["name"],
        "version": loaded.compiled["set"]["version"],
        "revision": loaded.compiled["revision"],
        "matcher": loaded.matcher,
        "files": files,
        "digest": "sha256:" + cache.digest(body),
    }
    if key is not None:
        from duly_cli.signing import signed

        head = signed(head, key)
    return json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" + body + b"\n"


def head(content: bytes, name: str) -> dict[str, Any]:
    """The first line of a bundle, its digest checked against the rest. Raises Unreadable."""
    first, _, body = content.partition(b"\n")
    try:
        found: dict[str, Any] = json.loads(first)
    except ValueError:
        found = {}
    if not first.startswith(BUNDLE_MAGIC) or not isinstance(found, dict):
        raise Unreadable(f"`{name}` is not a bundle that `duly build` made")
    if found.get("duly-bundle") != FORMAT:
        raise Unreadable(f"`{name}` is a bundle of another format; build it again with this version of Duly")
    if found.get("digest") != "sha256:" + cache.digest(body.removesuffix(b"\n")):
        raise Unreadable(f"`{name}` is damaged: its content does not match its digest; build it again")
    return found


def unpack(content: bytes, name: str, choice: Choice) -> Loaded:
    """The compiled set of a bundle. Raises Unreadable where it is damaged or parameters are given."""
    if choice.parameters or choice.parameters_file:
        reason = "a bundle, whose parameters were fixed when it was built; build it anew with others"
        raise Unreadable(f"`{name}` is {reason}")
    found = head(content, name)
    lines = content.split(b"\n")
    return Loaded(json.loads(lines[1]), lines[2], found.get("matcher", "native"))
