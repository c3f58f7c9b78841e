"""The holder of a file: the one process that may work on it, as a lock beside it says."""

from __future__ import annotations

import os
from pathlib import Path

from duly.hosts.contract import Unavailable
from duly.hosts.store.contract import InUse

try:
    import fcntl
except ImportError:  # pragma: no cover - where there is no flock, nobody is kept out
    fcntl = None  # type: ignore[assignment]


class Holder:
    """The lock on a file, held until it is released or the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise Unavailable(f"cannot write beside `{path}`: {error.strerror}") from None
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            pid = os.pread(self._file, 20, 0).decode(errors="replace").strip()
            os.close(self._file)
            who = "this process" if pid == str(os.getpid()) else f"process {pid or 'unknown'}"
            raise InUse(
                f"`{path}` is in use by {who}: one service has a SQLite file to itself; stop that one, or give"
                " this one a store of its own (several services share one in PostgreSQL)"
            ) from None
        except OSError as error:
            os.close(self._file)
            raise Unavailable(f"cannot write `{self._path}`: {error.strerror}") from None

    def release(self) -> None:
        """Let others have it. The file stays: whoever removed it might remove another's lock."""
        os.close(self._file)
