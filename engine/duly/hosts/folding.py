"""Folding: which entities of a group at rest go on when its history is dropped."""

from __future__ import annotations

from collections.abc import Sequence

from duly.hosts.store.records import Kept
from duly.machines.known import Known
from duly.machines.packed import Packing

_PACKING = Packing({})


def fold(group: Sequence[Kept]) -> list[Kept]:
    """The entities of a group that go on, given all of them: the customer, and what is known of him without the cases
    that have ended, which are forgotten.
    """
    ended = {kept.key for kept in group if kept.closed}
    going = [kept for kept in group if not kept.closed]
    for kept in going:
        if kept.key.startswith("known:"):
            known: Known = _PACKING.unpacked(kept.body)
            known.cases = [key for key in known.cases if key not in ended]
            kept.body = _PACKING.packed(known)
    return going
