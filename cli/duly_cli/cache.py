"""The cache: compiled policy sets in the user's cache folder, keyed by what they were made of."""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MODE = 0o022
_KEPT = 30 * 24 * 3600
_COMPILING = frozenset(("calendars", "conditions", "documents", "kinds", "validation"))


def digest(*parts: bytes) -> str:
    """A SHA-256 over parts, each with its length, so that no two lists of parts look alike."""
    sha = _sha256()
    for part in parts:
        sha.update(b"%d:" % len(part))
        sha.update(part)
    return str(sha.hexdigest())


def digest_of(content: bytes) -> str:
    """The SHA-256 of one content, in hexadecimal, as `sha256sum` prints it."""
    sha = _sha256()
    sha.update(content)
    return str(sha.hexdigest())


def _sha256() -> Any:
    # Importing hashlib loads OpenSSL, which costs a tenth of a whole cold decision.
    for module in ("_sha2", "_sha256", "hashlib"):
        try:
            return __import__(module).sha256()
        except ImportError:
            continue
    raise ImportError("no SHA-256")


def place() -> str | None:
    """Where the cache lies; None where `DULY_CACHE` is `off` or there is no home."""
    chosen = os.environ.get("DULY_CACHE")
    if chosen:
        return None if chosen == "off" else chosen
    base = os.environ.get("XDG_CACHE_HOME")
    if not base:
        home = os.path.expanduser("~")
        if home == "~":
            return None
        base = os.path.join(home, ".cache")
    return os.path.join(base, "duly")


def fingerprint() -> bytes:
    """What tells this build of the engine from another: the sizes and times of the files that compile, and
    when packages were last installed, for the facts of holidays and zones come from packages.

    Without it a cache would outlive a change of the compiler that forgot to change the version.
    """
    import duly

    parts = [duly.__version__]
    for folder in sys.path:
        if folder.endswith(("site-packages", "dist-packages")):
            try:
                parts.append(f"{folder}:{os.stat(folder).st_mtime_ns}")
            except OSError:
                continue
    folders = [os.path.dirname(duly.__file__)]
    for folder in folders:
        with os.scandir(folder) as listing:
            for entry in listing:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    parts.append(f"{entry.name}:{status.st_size}:{status.st_mtime_ns}")
                elif entry.name in _COMPILING:
                    folders.append(entry.path)
    return "\n".join(sorted(parts)).encode()


def load(key: str) -> list[bytes] | None:
    """The lines stored under a key; None where there are none, or not the user's own, or not whole."""
    folder = place()
    if folder is None:
        return None
    path = os.path.join(folder, key + ".json")
    try:
        with open(path, "rb") as file:
            if not _own(os.fstat(file.fileno())):
                return None
            stored, _, content = file.read().partition(b"\n")
    except OSError:
        return None
    return content.split(b"\n") if stored.decode("ascii", "replace") == digest(content) else None


def store(key: str, *lines: Any) -> None:
    """Keep values as lines of JSON. A cache that cannot be written is no fault."""
    folder = place()
    if folder is None:
        return
    content = b"\n".join(
        json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() for line in lines
    )
    path = os.path.join(folder, key + ".json")
    part = f"{path}.{os.getpid()}"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(part, "wb") as file:
            file.write(digest(content).encode() + b"\n" + content)
        os.replace(part, path)
        _tidy(folder, key)
    except OSError:
        return


def _tidy(folder: str, key: str) -> None:
    """Remove what nobody has used for a month, a sixteenth of the entries with each new one: those whose keys
    begin as its key does. Names that are no keys are not the cache's own.
    """
    # The file just written tells the time. Where a disk keeps no times of reading, age counts from the writing.
    latest = os.stat(os.path.join(folder, key + ".json")).st_mtime - _KEPT
    with os.scandir(folder) as listing:
        for entry in listing:
            stem, dot, kind = entry.name.partition(".")
            if dot and kind.startswith("json") and stem[:1] == key[:1] and _is_key(stem):
                status = entry.stat(follow_symlinks=False)
                if max(status.st_atime, status.st_mtime) < latest:
                    os.unlink(entry.path)


def _is_key(stem: str) -> bool:
    return len(stem) == 64 and not stem.strip("0123456789abcdef")


def _own(status: os.stat_result) -> bool:
    """Whether a file is the user's own and nobody else may write to it."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & _MODE
