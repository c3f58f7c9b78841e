"""Records: what a store keeps, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

HUB = "hub"
"""The origin of what the desk or the set said to a case or a customer: part of that group's journal."""


@dataclass(slots=True)
class Line:
    """One line of the journal: an event as it was accepted.

    `group` is whose history it belongs to: `customer:K`, or `case:C` for a case of nobody known, or `set`.
    `body` is the event as JSON in Duly's envelope, `origin` the source it came from or `hub` (then `body` is the
    shard's own). `seq` is given by the store, and whether it is `pending`: still to be taken. Instants are µs
    since 1970 UTC. With `everywhere` it is for every shard to take, and not only for that of its group: who is on
    duty matters to all cases.
    """

    id: str
    at: int
    group: str
    body: bytes
    case: str | None = None
    customer: str | None = None
    origin: str = ""
    received_at: int = 0
    seq: int = 0
    pending: bool = False
    everywhere: bool = False


@dataclass(slots=True)
class Kept:
    """One entity as it is stored: `case:C`, `customer:K`, `known:K`, `desk`, `set`.

    `alarm` is the next instant at which it does something by itself, `last` that of its last turn; `closed` says
    whether it is a case that has ended. `steady` is said of one that is saved: it is stored with this group and alarm
    already, so that nothing by which it is looked for changes.
    """

    key: str
    group: str
    alarm: int | None
    last: int
    body: bytes
    closed: bool = False
    steady: bool = field(default=False, compare=False)


@dataclass(slots=True)
class Out:
    """One action in the outbox. `seq` rises within a shard in the order of commits; the store gives it.

    `group` is that of the entity that acted, `set` for the desk and the set. An `id` comes again where an action
    was cancelled and is right after all.
    """

    id: str
    at: int
    type: str
    group: str
    body: bytes
    shard: int = 0
    seq: int = 0


@dataclass(slots=True)
class Reject:
    """Something that could not be taken, kept with its reason. `body` is what came, as far as it was read."""

    at: int
    origin: str
    code: str
    message: str
    body: bytes
    seq: int = 0


State = Literal["retry", "deferred", "dead", "moot", "withheld"]
"""What became of a parcel that is not delivered: it failed, or waits behind one that failed, and is tried again;
put off, by quiet hours, a limit or a bundle; given up; needed no more; not sent because of dry run or pilot.
"""


@dataclass(slots=True)
class Parcel:
    """What one sink still has to deliver of one action: how often it was tried, when it may be tried again.

    `due` is 0 for what is new. `part` is a recipient where each gets a message of his own, `group` that of the
    action, `bundle` names those that go out together, `handed_by` the sink that gave it up to this one.
    """

    shard: int
    seq: int
    body: bytes
    attempt: int = 0
    due: int = 0
    reason: str = ""
    state: State = "retry"
    group: str = ""
    part: str = ""
    bundle: str = ""
    handed_by: str = ""


@dataclass(slots=True)
class Settlement:
    """What became of parcels of one sink at an instant.

    `delivered` and `unwanted` leave nothing but the cursor (and a count of what was delivered); `again` are tried
    again at their `due`, `ended` are kept with their state and reason; `handed` are given to another sink, which
    is due to try them at once, for the first time, unless it has them already. What is new is settled in order,
    with no gaps: what stands before the last new parcel of a settlement, and is in none, is not asked for again.
    """

    at: int
    delivered: Sequence[Parcel] = ()
    unwanted: Sequence[Parcel] = ()
    again: Sequence[Parcel] = ()
    ended: Sequence[Parcel] = ()
    handed: Sequence[tuple[str, Parcel]] = ()
    error: str = ""


@dataclass(slots=True)
class Outlet:
    """What is known of a sink: whether it was switched off and why, what it has delivered, its latest failure."""

    sink: str
    disabled: str = ""
    disabled_at: int = 0
    delivered: int = 0
    delivered_at: int = 0
    error: str = ""
    error_at: int = 0


class Depth(NamedTuple):
    """How much of the outbox a sink has before it, and what it has kept."""

    new: int = 0
    retry: int = 0
    deferred: int = 0
    dead: int = 0
    moot: int = 0
    withheld: int = 0


Standing = Literal["accepted", "duplicate", "conflict"]
"""What became of a line: in the journal now; there already, the same; there already, and different."""
