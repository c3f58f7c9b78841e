"""Watching: something done again whenever a file below a folder changes, until Ctrl-C."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from duly_cli.files import Unreadable, complain
from duly_cli.sources import Invalid

_PAUSE = 0.3
"""Seconds between two looks."""


def again(folder: str, once: Callable[[], int]) -> int:
    """Do it now and after every change of a YAML file; 130 once it is interrupted."""
    try:
        while True:
            seen = _times(folder)
            _guarded(once)
            sys.stdout.flush()
            complain(f"watching `{folder}`; Ctrl-C ends it")
            while _times(folder) == seen:
                time.sleep(_PAUSE)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130


def _guarded(once: Callable[[], int]) -> None:
    """What is half written now may be right after the next change."""
    from duly_cli.rendering import show_invalid

    try:
        once()
    except Unreadable as error:
        complain(str(error))
    except Invalid as error:
        show_invalid(error)


def _times(folder: str) -> dict[str, tuple[int, int]]:
    """When each YAML file was changed last, and its size."""
    found: dict[str, tuple[int, int]] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(".yaml"):
                path = os.path.join(place, name)
                try:
                    status = os.stat(path)
                except OSError:
                    continue
                found[path] = (status.st_mtime_ns, status.st_size)
    return found
