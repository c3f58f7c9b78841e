"""Duly: service-level policy as code. The front door; the rest is imported when it is first used."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

_DOORS = {
    "Diagnostic": "duly.diagnostics",
    "Document": "duly.documents",
    "load": "duly.documents",
    "compile": "duly.compiler",
    "PolicySet": "duly.decision",
    "decide": "duly.decision",
}
__all__ = ["Diagnostic", "Document", "PolicySet", "compile", "decide", "load"]


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module `duly` has no `{name}`")
    from importlib import import_module

    return getattr(import_module(_DOORS[name]), name)
