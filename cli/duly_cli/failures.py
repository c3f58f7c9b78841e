"""Failures: what a person sees when Duly itself is at fault."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence

import duly


def report(error: Exception, words: Sequence[str]) -> int:
    """Write a report that can be filed, say where it lies, and give the exit code 3."""
    detail = "".join(traceback.format_exception(error))
    text = f"duly {duly.__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    text += f"arguments: {list(words)}\n\n{detail}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="duly-failure-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        place = f"a report to file with the issue lies in {file.name}"
    except OSError:
        place = f"the failure: {type(error).__name__}: {error}"
    print(f"duly: this is a fault in Duly, not in your policy or your case; {place}", file=sys.stderr)
    return 3
