"""Sources: where events come from besides HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duly.hosts.contract import Part
    from duly.hosts.service import Service

TYPES = {"file": "file", "nats": "nats", "redis": "redis", "stdin": "stdin"}
"""The types of sources, each with the module whose `source(name, settings, service)` makes one."""


def source(name: str, settings: Mapping[str, Any], service: Service) -> Part:
    """The source that the configuration calls `name`. Raises Misconfigured."""
    module = import_module(f"duly.hosts.sources.{TYPES[settings['type']]}")
    part: Part = module.source(name, settings, service)
    return part
