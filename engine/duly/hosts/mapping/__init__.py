"""Mapping: the messages of other systems to events, by a document of rules (docs/mapping.md)."""

from duly.hosts.mapping.mapping import Mapping
from duly.hosts.mapping.reading import read

__all__ = ["Mapping", "read"]
