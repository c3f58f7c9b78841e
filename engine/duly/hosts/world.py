"""A world: the timeline of one shard, kept between transactions for as long as nobody else has worked on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from duly.acting import ActingSet
from duly.calendars.limits import NEVER
from duly.cases import Event, presence
from duly.doings import Doings
from duly.hosts.entities import Entities
from duly.hosts.lines import event
from duly.hosts.store.contract import Work
from duly.machines.packed import Packing
from duly.machines.rows import dumps, event_row, facts_row, loads, to_event, to_facts
from duly.timeline import HUB, Timeline
from duly.versions import shelf

NOTE = "world"
_MOST_OUTAGES = 100


class World:
    """`made` are the adoptions made so far, as (the instant from which it was in force here, the set); `handing` says
    how far the last of them has been handed over, as (instant, after which key, whether cases are reached); `latest`
    is the instant of the latest turn of all; `outages` those that were caught up with.
    """

    timeline: Timeline
    entities: Entities

    def __init__(self, load: Callable[[str], ActingSet], cache_size: int) -> None:
        self.load = load
        self._cache_size = cache_size
        self._left: tuple[Work, int, bool] | None = None
        self._note = b""
        self._presence: list[Event] | None = None
        self.doings = Doings(HUB)

    def open(self, work: Work) -> None:
        """Go on where the shard stands, with what is here if that still holds."""
        left, self._left = self._left, None
        holds = (
            left is not None and left[0].version == work.version and (left[1] != work.version or not left[2])
        )
        if not holds:
            self._build(work)
        self.entities.begin(work)
        self.doings.clear()
        self.timeline.refused.clear()

    def _build(self, work: Work) -> None:
        self._note = work.noted(NOTE) or b"{}"
        facts = loads(self._note)
        adoptions = work.adoptions()
        instants: list[int] = facts.get("made") or [adoptions[0][0]]
        self.made = [
            (at, self.load(revision)) for at, (_, revision) in zip(instants, adoptions, strict=False)
        ]
        work.adopted = max(work.adopted, 1)
        handing = facts.get("handing")
        self.handing: tuple[int, str, bool] | None = None if handing is None else tuple(handing)
        self.latest: int | None = facts.get("latest")
        self.outages: list[tuple[int, int]] = [(start, end) for start, end in facts.get("outages", ())]
        self._presence = None
        self.entities = Entities(Packing({}))
        elsewhere = None if work.hub else _nobody
        first = self.made[0][1]
        self.timeline = Timeline(first, self.entities, elsewhere, log=self.doings, remembers=False)
        self.timeline.resume(policy for _, policy in self.made[1:])
        self.pack()
        self.timeline.present, self.timeline.spoke = facts.get("present", {}), facts.get("spoke", {})
        self.timeline.later = [
            (at, number, key, to_event(event), to_facts(told))
            for at, number, key, event, told in facts.get("later", ())
        ]

    def pack(self) -> None:
        """Know the calendars and targets of all revisions that there are now."""
        versions = self.timeline.versions
        self.entities.packing = Packing({name: shelf(versions[name]) for name in versions.names()})

    def turn(self) -> int:
        """The latest instant at which the world became another for everybody: a revision was adopted, somebody came
        on duty or went. What happened before that is not to be taken as if it had happened after.
        """
        return max([at for at, _ in self.made[1:]] + list(self.timeline.spoke.values()), default=-NEVER)

    def presence(self, work: Work) -> Sequence[Event]:
        """Who said when to be on duty or not, as far as that was taken."""
        if self._presence is None:
            lines = [line for line in work.journal("set") if not line.pending]
            events = [event(line) for line in lines]
            self._presence = [each for each in events if presence(each)]
        return self._presence

    def heard(self, events: Sequence[Event]) -> None:
        """Events were taken."""
        if self._presence is not None:
            self._presence += [each for each in events if presence(each)]

    def caught_up(self, outage: tuple[int, int]) -> None:
        """Remember an outage, so that a replay does late what was done late."""
        if outage not in self.outages:
            self.outages = [*self.outages, outage][-_MOST_OUTAGES:]

    def group(self, key: str, speaker: str | None, said: dict[str, str]) -> str:
        """The group of a new entity: that of the event it was begun by, or of whoever spoke to it first."""
        sort, _, name = key.partition(":")
        if sort == "known":
            return f"customer:{name}"
        if sort not in ("case", "customer"):
            return "set"
        if speaker is not None and speaker not in HUB:
            return self.entities.groups[speaker]
        if sort == "customer":
            return key
        customer = self.entities[key].customer
        return said.get(key) or (key if customer is None else f"customer:{customer}")

    def place(self, said: dict[str, str]) -> dict[str, str]:
        """Say of every new entity to which group it belongs; `said` is the group of each case as events have it.
        The cases that the policy itself has opened, with their groups.
        """
        groups, opened = self.entities.groups, {}
        for key, speaker in self.doings.begun:
            if key not in groups:
                groups[key] = self.group(key, speaker, said)
            if speaker is not None and key.startswith("case:"):
                opened[key[5:]] = groups[key]
        for key in self.doings.touched:
            if key not in groups:
                groups[key] = self.group(key, None, said)
        return opened

    def close(self, work: Work, forgotten: Sequence[str] = ()) -> None:
        """Write what was touched, and keep the latest of it."""
        began, touched = work.version, self.doings.touched
        if forgotten:
            work.forget(forgotten)
        rows = self.entities.rows(touched)
        work.save(rows)
        self.latest = max(
            [row.last for row in rows] + ([] if self.latest is None else [self.latest]), default=None
        )
        note = self._noted()
        changed = bool(rows or forgotten or note != self._note)
        if note != self._note:
            work.note(NOTE, note)
            self._note = note
        self.entities.settle(touched, self._cache_size)
        self._left = work, began, changed

    def _noted(self) -> bytes:
        timeline = self.timeline
        facts: dict[str, Any] = {
            "made": [at for at, _ in self.made], "handing": self.handing, "latest": self.latest,
            "outages": self.outages, "present": timeline.present, "spoke": timeline.spoke,
            "later": [
                (at, number, key, event_row(event), facts_row(told))
                for at, number, key, event, told in timeline.later
            ],
        }  # fmt: skip
        return dumps(facts)


def _nobody(key: str, at: int, told: Sequence[Any]) -> list[Any]:
    """The desk and the set are in another shard, and nobody there listens."""
    return []
