"""The sink `jsonl`: actions as lines of a file, safe on disk before they count as delivered."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from duly.sinks.base import DELIVERED, Message, Misconfigured, Receipt, Unreachable
from duly.sinks.settings import mapping


class JsonLines:
    """Appends each action as it is (interface.md §4). A file that was moved away, as for rotation, is begun anew.

    A line may be there twice after a crash, and one that was cut short by a full disk is ended before the next:
    readers drop what is no JSON, and repeats by `id`.
    """

    schema = mapping(
        {
            "path": {
                "description": "The file to append to; its folder must be there.",
                "type": "string",
                "minLength": 1,
                "x-file": True,
                "examples": ["actions.jsonl"],
            },
        },
        required=["path"],
        examples=[{"path": "actions.jsonl"}],
    )
    atomic = True
    worded = False

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._path = Path(settings["path"])
        self._file: int | None = None

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink."""
        lines = b"".join(
            orjson.dumps(action, default=str) + b"\n" for message in messages for action in message.actions
        )
        try:
            file = self._opened()
            while lines:
                lines = lines[os.write(file, lines) :]
            os.fsync(file)
        except OSError as error:
            self.close()
            return [Receipt("failed", f"{self._path}: {error.strerror}")] * len(messages)
        return [DELIVERED] * len(messages)

    def check(self) -> str:
        """Look whether the file can be appended to, without leaving a new one behind."""
        if self._path.is_dir():
            raise Misconfigured(f"`path`: `{self._path}` is a folder; name a file")
        place = self._path if self._path.exists() else self._path.absolute().parent
        if not place.exists():
            raise Misconfigured(f"`path`: the folder `{place}` is not there; make it")
        if not os.access(place, os.W_OK):
            raise Unreachable(f"`{place}` may not be written to by this user")
        return f"can append to {self._path}"

    def close(self) -> None:
        """See Sink."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        """The file that now has the name, open, and at the beginning of a line."""
        if self._file is not None:
            try:
                if os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                    return self._file
            except FileNotFoundError:
                pass
            self.close()
        self._file = os.open(
            self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644
        )
        size = os.fstat(self._file).st_size
        if size == 0:
            self._keep_name()
        else:
            os.lseek(self._file, -1, os.SEEK_END)
            if os.read(self._file, 1) != b"\n":
                os.write(self._file, b"\n")
        return self._file

    def _keep_name(self) -> None:
        """See to it that a new file's name, too, is still there after a power cut."""
        if os.name == "posix":
            folder = os.open(self._path.absolute().parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
