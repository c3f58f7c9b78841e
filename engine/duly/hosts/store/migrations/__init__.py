"""Migrations: the numbered steps from an empty database to the present shape of a store, for each dialect."""

from __future__ import annotations

from importlib import resources


def steps(dialect: str) -> list[str]:
    """The steps as SQL, in order: after step n a store is of version n."""
    folder = resources.files(__name__) / dialect
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]
