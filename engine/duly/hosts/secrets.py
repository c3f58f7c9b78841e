"""Secrets: what is never written into a configuration, and never comes out again but where it is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from duly.sinks.base import Secret

__all__ = ["Secret", "Unresolved", "is_reference", "masked", "resolve", "sounds_secret"]

MAX_BYTES = 64 * 1024
_NAMES = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|token|api_?key|private_?key|credentials?)\Z", re.IGNORECASE
)


class Unresolved(Exception):
    """A secret that is not where the configuration says: a sentence, and what to do about it."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def is_reference(data: Any) -> bool:
    """Whether this is how a configuration speaks of a secret: `{env: NAME}` or `{file: PATH}`."""
    if not isinstance(data, Mapping) or len(data) != 1:
        return False
    ((key, value),) = data.items()
    return key in ("env", "file") and isinstance(value, str)


def sounds_secret(name: str) -> bool:
    """Whether a setting of this name wants a secret, such as `password` or `api_key`."""
    return _NAMES.search(name) is not None


def resolve(
    reference: Mapping[str, str], environment: Mapping[str, str], place: Callable[[str], Path]
) -> Secret:
    """The secret that a reference names; `place` makes a path of what the configuration calls a file.

    One newline at the end of a file is not part of it. Raises Unresolved.
    """
    if "env" in reference:
        name = reference["env"]
        value = environment.get(name)
        if not value:
            state = "is not set" if value is None else "is empty"
            raise Unresolved(f"environment variable `{name}` {state}", "set it where the service is started")
        return Secret(value)
    path = place(reference["file"])
    try:
        content = path.read_bytes()[: MAX_BYTES + 1]
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Unresolved(
            f"cannot read the secret in `{path}`: {reason}", "let the service's user read the file"
        ) from None
    except UnicodeDecodeError:
        raise Unresolved(f"the secret in `{path}` is no text", "write it as UTF-8") from None
    if not text or len(content) > MAX_BYTES:
        state = "is empty" if not text else f"has more than {MAX_BYTES // 1024} KiB"
        raise Unresolved(f"the secret in `{path}` {state}", "write the secret alone into the file")
    return Secret(text)


def masked(text: str, secrets: Mapping[str, object] | set[str]) -> str:
    """The text with every secret in it replaced by `***`."""
    for each in secrets:
        if each in text:
            text = text.replace(each, "***")
    return text
