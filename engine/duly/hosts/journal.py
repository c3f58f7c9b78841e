"""The journal as JSON Lines: out of a store, and into one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import orjson

from duly.hosts.intake import BATCH
from duly.hosts.sources.handing import Lines, offers
from duly.instants import render

if TYPE_CHECKING:
    from duly.hosts.contract import Receipt
    from duly.hosts.service import Service
    from duly.hosts.store.contract import Store

ORIGIN = "import"
_CHUNK = 256 * 1024


def exported(store: Store) -> Iterator[bytes]:
    """Every event that was accepted, as it was, in the order of acceptance; each a line with its end."""
    for line in store.export():
        yield line.body + b"\n"


def refused(store: Store) -> Iterator[bytes]:
    """Everything that was refused, in order, as lines of JSON: when, from where, why, and what it was."""
    after = 0
    while found := store.rejects(after):
        for each in found:
            yield orjson.dumps({
                "at": _when(each.at), "origin": each.origin, "code": each.code, "message": each.message,
                "event": each.body.decode("utf-8", "backslashreplace"),
            }) + b"\n"  # fmt: skip
        after = found[-1].seq


def _when(at: int) -> str | None:
    """The instant; None where time moves with the events and had not begun."""
    return render(at) if at > 0 else None


def imported(service: Service, file: BinaryIO) -> Iterator[tuple[int, Receipt]]:
    """What becomes of each line of a file that holds an event, as (line, receipt), once it is durable.

    The service has no sources, sinks or HTTP, and its time moves with the events; it is started and stopped here, and
    when this ends everything that is due up to the last event has been done.
    """
    service.start()
    try:
        number = 0
        for lines in _batches(file):
            numbered = [(number + place, line) for place, line in enumerate(lines, 1)]
            number += len(lines)
            given = [(place, offer) for place, line in numbered for offer in offers([line])]
            receipts = service.intake.accept([offer for _, offer in given], ORIGIN)
            yield from zip([place for place, _ in given], receipts, strict=True)
    finally:
        service.stop()


def _batches(file: BinaryIO) -> Iterator[list[bytes]]:
    lines = _lines(file)
    while batch := list(islice(lines, BATCH)):
        yield batch


def _lines(file: BinaryIO) -> Iterator[bytes]:
    cut = Lines()
    while chunk := file.read(_CHUNK):
        yield from (line.text for line in cut.more(chunk))
    yield from (line.text for line in cut.last())
