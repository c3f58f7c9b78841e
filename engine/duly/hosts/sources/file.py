"""A file as a source: JSON Lines, followed as they are written, through rotation and truncation.

How far it was read is kept in the store, in the transaction that accepts the events: after a crash nothing is
read twice, and nothing is lost.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from duly.hosts.contract import Unavailable
from duly.hosts.intake import BATCH
from duly.hosts.logs import Log
from duly.hosts.sources.handing import RETRY_SECONDS, Line, Lines, hand_in, offers
from duly.sinks.base import Misconfigured

if TYPE_CHECKING:
    from duly.hosts.service import Service

CHUNK = 256 * 1024
HEAD = 512
"""Bytes by which the beginning of a file is known again."""
LOOK_SECONDS = 0.2
"""How often a file that has nothing new is looked at."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read: which file, by its number and its first bytes, and how many bytes of it."""

    device: int
    inode: int
    offset: int = 0
    head: int = 0
    digest: str = ""

    def stored(self) -> bytes:
        """The position as it is kept."""
        return orjson.dumps([self.device, self.inode, self.offset, self.head, self.digest])

    def fits(self, file: BinaryIO) -> bool:
        """Whether the file still begins as it did, and is not shorter than what was read of it."""
        size = os.fstat(file.fileno()).st_size
        return size >= self.offset and _digest(file, self.head) == self.digest


class File:
    """Reads a file, and goes on as it grows, in a thread of its own."""

    brings = True

    def __init__(self, name: str, path: Path, service: Service, *, follow: bool) -> None:
        self._name, self._path, self._service, self._follow = name, path, service, follow
        self._log = Log("duly.sources")
        self._stopping = threading.Event()
        self._missing = False
        self._thread = threading.Thread(target=self._run, name=f"duly-source-{name}")

    def start(self) -> None:
        """See Part."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """See Part."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def where(self) -> str:
        """See Part."""
        return f"source {self._name}: {'follows' if self._follow else 'reads'} {self._path}"

    def _run(self) -> None:
        position = self._noted()
        if position is not None:
            position = self._finish(position)
        while not self._stopping.is_set():
            file = self._opened()
            if file is None:
                continue
            with file:
                if not self._read(file, self._begin(file, position)):
                    break
            position = None
        if not self._stopping.is_set():
            self._log.info("source has come to its end", source=self._name)
            self._service.source_ended()

    def _noted(self) -> Position | None:
        while not self._stopping.is_set():
            try:
                found = self._service.store.noted(f"source:{self._name}")
            except Unavailable:
                self._stopping.wait(RETRY_SECONDS)
                continue
            return None if found is None else Position(*orjson.loads(found))
        return None

    def _finish(self, position: Position) -> Position | None:
        """Read to its end the file that was rotated away while nobody looked; where to go on."""
        try:
            now = self._path.stat()
            if (now.st_dev, now.st_ino) == (position.device, position.inode):
                return position
            beside = [each for each in self._path.parent.iterdir() if each.is_file()]
        except OSError:
            return position
        for each in beside:
            found = each.stat()
            if (found.st_dev, found.st_ino) == (position.device, position.inode):
                with each.open("rb", buffering=0) as file:
                    if position.fits(file):
                        self._log.info("source was rotated; reading what was left of it", file=str(each))
                        self._read(file, position, rotated=True)
                        return None
        self._log.warning(
            "source was rotated, and the file it was is gone: its end may be lost", source=self._name
        )
        return None

    def _opened(self) -> BinaryIO | None:
        try:
            file: BinaryIO = self._path.open("rb", buffering=0)
        except OSError as error:
            if not self._missing:
                reason = (error.strerror or str(error)).lower()
                self._log.warning(
                    "source cannot be read; waiting for it", file=str(self._path), reason=reason
                )
            self._missing = True
            self._stopping.wait(LOOK_SECONDS)
            return None
        self._missing = False
        return file

    def _begin(self, file: BinaryIO, position: Position | None) -> Position:
        found = os.fstat(file.fileno())
        if position is not None and (position.device, position.inode) == (found.st_dev, found.st_ino):
            if position.fits(file):
                return position
            self._log.warning("source was written anew; reading it from its beginning", source=self._name)
        return Position(found.st_dev, found.st_ino)

    def _read(self, file: BinaryIO, position: Position, *, rotated: bool = False) -> bool:
        """Read a file from a position on; whether there is another one to read after it."""
        file.seek(position.offset)
        lines, start, found = Lines(), position.offset, list[Line]()
        while not self._stopping.is_set():
            # Whole batches are handed in while there is more to read; at its end, what there is.
            chunk = file.read(CHUNK)
            if chunk:
                found += lines.more(chunk)
                whole = len(found) - len(found) % BATCH
                position = self._take(found[:whole], file, position, start)
                del found[:whole]
                continue
            position = self._take(found, file, position, start)
            found.clear()
            if rotated or not self._follow:
                self._take(lines.last(), file, position, start)
                return rotated
            if not position.fits(file):
                self._log.warning("source was written anew; reading it from its beginning", source=self._name)
                return True
            # Looked at before it was read to its end once more: what was written until then has been read.
            rotated = self._rotated(position)
            if not rotated:
                self._stopping.wait(LOOK_SECONDS)
        return False

    def _rotated(self, position: Position) -> bool:
        try:
            found = self._path.stat()
        except OSError:
            # Renamed, and not there again yet: it may still be written to.
            return False
        return (found.st_dev, found.st_ino) != (position.device, position.inode)

    def _take(self, found: list[Line], file: BinaryIO, position: Position, start: int) -> Position:
        """Hand in lines, and in the same transaction how far that was; the new position."""
        for first in range(0, len(found), BATCH):
            part = found[first : first + BATCH]
            after = self._after(file, position, start + part[-1].end)
            note = {f"source:{self._name}": after.stored()}
            given = offers(line.text for line in part)
            if hand_in(self._service.intake, given, self._name, self._stopping, self._log, note) is None:
                break
            position = after
        return position

    def _after(self, file: BinaryIO, position: Position, offset: int) -> Position:
        head = min(HEAD, offset)
        digest = position.digest if head == position.head else _digest(file, head)
        return Position(position.device, position.inode, offset, head, digest)


def _digest(file: BinaryIO, size: int) -> str:
    return hashlib.sha256(os.pread(file.fileno(), size, 0)).hexdigest()[:16] if size else ""


def source(name: str, settings: Mapping[str, Any], service: Service) -> File:
    """The file at `path`; followed unless `follow` says otherwise. Raises Misconfigured."""
    if "path" not in settings:
        raise Misconfigured("a source of type `file` needs a `path`")
    return File(name, service.config.path(settings["path"]), service, follow=settings.get("follow", True))
