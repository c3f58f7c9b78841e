"""Handing in: lines of text to events to the intake, again and again until they are taken."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from duly.cases import MAX_EVENT_BYTES, Refused
from duly.hosts.contract import Busy, Offer, Receipt, Unavailable
from duly.hosts.intake import Intake
from duly.hosts.logs import Log
from duly.reading import value

LONGEST_LINE = 4 * MAX_EVENT_BYTES
"""Bytes of a line that are looked at; what is longer is no event, and is passed over to its end."""
RETRY_SECONDS = 1.0


class Line(NamedTuple):
    """A line without its end, and how many bytes there were up to behind its end."""

    text: bytes
    end: int


class Lines:
    """Bytes to lines, as they come."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipped = 0
        self._taken = 0

    def more(self, chunk: bytes) -> list[Line]:
        """The lines that are complete with this chunk."""
        *complete, rest = chunk.split(b"\n")
        lines = [self._line(each, 1) for each in complete]
        self._keep(rest)
        return lines

    def last(self) -> list[Line]:
        """The last line, where nothing ends it."""
        return [self._line(b"", 0)] if self._rest or self._skipped else []

    def _line(self, end: bytes, mark: int) -> Line:
        self._keep(end)
        self._taken += len(self._rest) + self._skipped + mark
        line = Line(bytes(self._rest), self._taken)
        self._rest.clear()
        self._skipped = 0
        return line

    def _keep(self, part: bytes) -> None:
        room = max(0, LONGEST_LINE - len(self._rest))
        self._rest += part[:room]
        self._skipped += max(0, len(part) - room)


def offers(lines: Iterable[bytes]) -> list[Offer]:
    """What lines of JSON offer; blank ones nothing."""
    found = []
    for line in lines:
        text = line.strip().removeprefix(b"\xef\xbb\xbf")
        if text:
            try:
                found.append(Offer(value(text), text))
            except Refused as refused:
                found.append(Offer(refused, text))
    return found


def hand_in(
    intake: Intake, given: Sequence[Offer], origin: str, stopping: threading.Event, log: Log,
    notes: Mapping[str, bytes] | None = None,
) -> list[Receipt] | None:  # fmt: skip
    """The receipts of what was handed in, as soon as it is taken; None where the service stops before.

    What cannot be taken now is offered again: a source that may be read again loses nothing by that.
    """
    while not stopping.is_set():
        try:
            receipts = intake.accept(given, origin, notes)
        except Busy as busy:
            stopping.wait(busy.after_seconds)
        except Unavailable:
            stopping.wait(RETRY_SECONDS)
        else:
            for receipt in receipts:
                if receipt.status in ("refused", "conflict"):
                    log.warning("an event was refused", source=origin, event=receipt.id, code=receipt.code,
                                path=receipt.path, reason=receipt.message)  # fmt: skip
            return receipts
    return None
