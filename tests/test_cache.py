"""The cache of compiled sets: what it keeps, and for how long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duly_cli import cache

MONTH = 30 * 24 * 3600
KEYS = [f"{number:x}".rjust(2, "0") * 32 for number in range(256)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, in a folder that holds other things too."""
    monkeypatch.setenv("DULY_CACHE", str(tmp_path))
    return tmp_path


def unused_for(file: Path, seconds: int) -> None:
    """Let a file have been written and read last so long ago."""
    then = file.stat().st_mtime - seconds
    os.utime(file, (then, then))


def test_stored_is_loaded() -> None:
    """What is stored under a key comes back as lines of JSON, and under no other key."""
    cache.store(KEYS[0], {"a": "值"}, [1])
    assert ['{"a":"值"}'.encode(), b"[1]"] == cache.load(KEYS[0])
    assert cache.load(KEYS[1]) is None


def test_what_was_not_used_for_a_month_goes(folder: Path) -> None:
    """Writing removes the entries that nobody has used for 30 days, and leaves used ones and other files."""
    for key in KEYS[:64]:
        cache.store(key, 1)
    half = folder / f"{KEYS[3]}.json.4711"
    foreign = [folder / "notes.json", folder / f"{KEYS[3]}.txt", folder / "0a.json"]
    for file in (half, *foreign):
        file.write_bytes(b"")
    used = folder / f"{KEYS[1]}.json"
    for file in folder.iterdir():
        unused_for(file, MONTH + 60)
    os.utime(used, (used.stat().st_atime + MONTH, used.stat().st_mtime))
    new = [f"{digit:x}".ljust(64, "f") for digit in range(16)]
    for key in new:
        cache.store(key, 1)
    assert {*new, KEYS[1]} == {file.stem for file in folder.iterdir() if file not in foreign}
    assert [] == [file for file in foreign if not file.exists()]


def test_a_month_is_a_month(folder: Path) -> None:
    """An entry that was used less than 30 days ago stays."""
    cache.store(KEYS[0], 1)
    unused_for(folder / f"{KEYS[0]}.json", MONTH - 60)
    cache.store(KEYS[1], 1)
    assert cache.load(KEYS[0]) == [b"1"]
