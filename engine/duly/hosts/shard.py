"""A shard's work: accepted events and due alarms of one shard to new states, alarms and actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TypeVar

from duly.acting import ActingSet
from duly.actions import Action
from duly.cases import Event, Refused
from duly.hosts import hearsay
from duly.hosts.lateness import during, reconcile
from duly.hosts.lines import action_body, event
from duly.hosts.store.contract import Work
from duly.hosts.store.records import Line, Out, Reject
from duly.hosts.world import World
from duly.instants import SECOND
from duly.timeline import HUB
from duly.versions import KEEP, answer, revision

T = TypeVar("T")
_CASES = "case:"
_BEHIND_CASES = "case;"


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did. `more` says that there is more to do at once; `lateness` is, of each alarm that rang, how
    long after its instant in µs; `types` counts the actions by type.
    """

    events: int = 0
    alarms: int = 0
    actions: int = 0
    refused: int = 0
    reconciled: int = 0
    more: bool = False
    lateness: Sequence[int] = ()
    types: Mapping[str, int] = field(default_factory=dict)


class Shard:
    """The work on the shards of a store, by one thread; it keeps the entities that it used last, decoded.

    `load` gives the acting set of a revision that the store has adopted; it is asked once for each. At most
    `cache_size` entities of each shard are kept between steps; they count only while nobody else has worked on it.
    """

    def __init__(self, load: Callable[[str], ActingSet], cache_size: int = 20_000) -> None:
        self._load = load
        self._cache_size = cache_size
        self._sets: dict[str, ActingSet] = {}
        self._worlds: dict[int, World] = {}

    def step(
        self, work: Work, now: int, *, wall: bool = False, outage: tuple[int, int] | None = None,
        limit: int = 1_000,
    ) -> Step:  # fmt: skip
        """Do what is to be done by `now`, at most about `limit` lines and alarms, within the transaction `work`.

        With `wall`, `now` is the wall clock, and what is given a second or more after its instant says so
        (`late_by_seconds`); without, time is that of the events. `outage` (from, to) says that nobody worked in
        that time: what was due in it is caught up with (semantics §3.6). Say it with each step until one has
        nothing `more` to do. Where the transaction is not committed, the next step finds out by itself.
        """
        world = self._worlds.get(work.shard)
        if world is None:
            world = self._worlds[work.shard] = World(self._set, self._cache_size)
        world.open(work)
        turn = _Turn(world, work, now, wall, limit)
        if world.handing is not None:
            turn.hand_over()
        else:
            turn.work(outage)
        return turn.finish()

    def _set(self, name: str) -> ActingSet:
        found = self._sets.get(name)
        if found is None:
            found = self._sets[name] = self._load(name)
        return found


class _Turn:
    """One step: what it reads, what it does in the world, what it writes."""

    def __init__(self, world: World, work: Work, now: int, wall: bool, limit: int) -> None:
        self._world, self._work, self._wall, self._limit = world, work, wall, limit
        self._now = now if work.now is None else max(now, work.now)  # time never goes back
        self._outs: list[Out] = []
        self._gone: list[str] = []
        self._lines: dict[str, Line] = {}
        self._taken: list[Line] = []
        self._refused: list[Reject] = []
        self._reconciled = 0
        self._more = False

    def work(self, outage: tuple[int, int] | None) -> None:
        """Late groups first, then events and alarms in the order of time; then a revision that is to be adopted."""
        world, work = self._world, self._work
        coming = self._coming()
        horizon = self._now if coming is None else coming[0]
        lines, beyond = _whole(
            lambda size: work.pending(horizon if coming is None else horizon - 1, size), self._limit, _line_at
        )
        if beyond is not None:
            horizon, self._more = beyond - 1, True
        due, beyond = _whole(lambda size: work.due(horizon, size), self._limit, _alarm_at)
        if beyond is not None:
            horizon, self._more = beyond - 1, True
            lines = [line for line in lines if line.at <= horizon]
        world.timeline.horizon = horizon
        if outage is not None and outage[0] < horizon:
            world.caught_up(outage)
        self._take(lines)
        self._fetch(lines, due)
        lines = self._reconcile(lines)
        for at, key in due:
            world.timeline.await_alarm(at, key)
        self._advance(lines, horizon)
        work.now = horizon if work.now is None else max(work.now, horizon)
        if coming is not None:
            if not self._more:
                self._announce(*coming)
            self._more = True

    def _coming(self) -> tuple[int, ActingSet] | None:
        """The next adoption, if it is time for it: from when on it is in force here, and the set."""
        adoptions = self._work.adoptions()
        number = len(self._world.made)
        if number >= len(adoptions):
            return None
        at, name = adoptions[number]
        at = at if self._work.now is None else max(at, self._work.now)
        return (at, self._world.load(name)) if at <= self._now else None

    def _take(self, lines: Sequence[Line]) -> None:
        self._taken += lines
        self._lines.update((line.id, line) for line in lines)

    def _fetch(self, lines: Sequence[Line], due: Sequence[tuple[int, str]]) -> None:
        """Get what will be wanted from the store at once."""
        keys = dict.fromkeys(key for _, key in due)
        surveys = len(self._world.timeline.policy.customers.hears) > 3
        entities = self._world.entities
        for line in lines:
            customer = line.customer
            if line.case is not None:
                keys[f"case:{line.case}"] = None
            elif customer is not None:
                keys[f"customer:{customer}"] = None
            if customer is not None:
                keys[f"known:{customer}"] = None
                if surveys:
                    keys[f"customer:{customer}"] = None
        entities.fetch(keys)

    def _reconcile(self, lines: list[Line]) -> list[Line]:
        """Work out anew the groups that have come too late; the lines that are in time."""
        world, work = self._world, self._work
        late = dict.fromkeys(work.moved())
        turn = world.turn()
        latest = turn if world.latest is None else max(turn, world.latest)
        suspects = [line for line in lines if line.at <= latest and line.group != "set"]
        if suspects:
            lasts = work.group_of({line.group for line in suspects})
            late.update(dict.fromkeys(
                line.group for line in suspects if line.at < turn or line.at <= lasts.get(line.group, line.at - 1)
            ))  # fmt: skip
        until = work.now
        if not late or until is None:
            return lines
        mine: dict[str, list[Line]] = {group: [] for group in late}
        for line in lines:
            if line.group in mine and line.at <= until:
                mine[line.group].append(line)
        for group, own in mine.items():
            self._work_out(group, own, until)
        return [line for line in lines if line.group not in mine or line.at > until]

    def _work_out(self, group: str, lines: Sequence[Line], until: int) -> None:
        world = self._world
        found = reconcile(world, self._work, group, lines, until)
        self._reconciled += 1
        self._gone += found.gone
        self._give(group, found.actions)
        self._reject(found.refused)
        for line in found.too_late:
            message = f"the history of `{line.group}` has been folded up to a later instant"
            self._refused.append(Reject(self._now, line.origin, "E112", message, line.body))
        for key, told, facts in found.told:
            world.timeline.tell(key, until, [(told, facts)])

    def _advance(self, lines: Sequence[Line], horizon: int) -> None:
        """Events and alarms in the order of time."""
        world, timeline = self._world, self._world.timeline
        for at, together in groupby(sorted(lines, key=_line_at), _line_at):
            events = [each for line in together if (each := self._read(line)) is not None]
            timeline.until(at, *during(world.outages, at))
            timeline.take(at, events)
            world.heard(events)
        if self._wall and self._work.hub and "set" not in world.entities:
            timeline.take(horizon, ())  # duties come round whether anything happens or not
        timeline.until(horizon, *during(world.outages, horizon))
        self._reject(timeline.refused)

    def _read(self, line: Line) -> Event | None:
        try:
            return event(line)
        except (Refused, ValueError) as error:
            code = error.code if isinstance(error, Refused) else "E102"
            if line.group == "set" and not self._work.hub:
                return None  # where the set is it is kept
            self._refused.append(Reject(self._now, line.origin, code, str(error), line.body))
            return None

    def _announce(self, at: int, policy: ActingSet) -> None:
        world = self._world
        self._work.adopted += 1
        if revision(policy) == world.timeline.versions.names()[-1]:
            world.made.append((at, policy))
            return
        world.timeline.announce(policy, at)
        world.made.append((at, policy))
        world.pack()
        world.handing = at, _BEHIND_CASES, False
        self._work.now = at if self._work.now is None else max(self._work.now, at)

    def hand_over(self) -> None:
        """Hand some more entities over to the revision that was announced: first those that are no cases."""
        world = self._world
        if world.handing is None:
            return
        at, after, cases = world.handing
        world.timeline.horizon = at - 1
        keys = list(islice(self._work.keys(after=after), self._limit))
        if cases:
            keys = [key for key in keys if key.startswith(_CASES)]
        world.entities.fetch(keys)
        for key in keys:
            world.timeline.hand_over(key, at)
        if len(keys) == self._limit:
            world.handing = at, keys[-1], cases
        elif cases or answer(world.timeline.versions.latest) == KEEP:
            world.handing = None
        else:
            world.handing = at, "", True
        self._more = True

    def finish(self) -> Step:
        """Write everything that has come of it."""
        world, work, doings = self._world, self._work, self._world.doings
        opened = world.place(
            {f"case:{line.case}": line.group for line in self._taken if line.case is not None}
        )
        groups = world.entities.groups
        for key, actions in doings.acted:
            self._give("set" if key in HUB else groups[key], actions)
        if opened:
            work.place(opened)
        said = [
            hearsay.line(each, groups[each.key], f"hub/{work.shard}/{work.version}/{number}", self._now)
            for number, each in enumerate(doings.said)
        ]
        work.record(said)
        work.give(self._outs)
        work.reject(self._refused)
        work.taken([line.seq for line in self._taken])
        world.close(work, self._gone)
        types: dict[str, int] = {}
        for out in self._outs:
            types[out.type] = types.get(out.type, 0) + 1
        return Step(
            events=len(self._taken), alarms=len(doings.rang), actions=len(self._outs),
            refused=len(self._refused), reconciled=self._reconciled, more=self._more,
            lateness=[self._now - at for at in doings.rang], types=types,
        )  # fmt: skip

    def _give(self, group: str, actions: Sequence[Action]) -> None:
        identity = self._world.timeline.policy.identity
        for action in actions:
            if self._wall and self._now - action.at >= SECOND:
                action.late_by = self._now - action.at
            shown = action.shown(identity)
            body = action_body(shown)
            self._outs.append(Out(shown["id"], action.at, action.type, group, body))

    def _reject(self, refused: Sequence[tuple[Event, Refused]]) -> None:
        for each, reason in refused:
            line = self._lines.get(each.id)
            body = action_body({"id": each.id, "type": each.type}) if line is None else line.body
            origin = "" if line is None else line.origin
            self._refused.append(Reject(self._now, origin, reason.code, reason.message, body))


def _whole(fetch: Callable[[int], list[T]], limit: int, at: Callable[[T], int]) -> tuple[list[T], int | None]:
    """About so many rows in order of time, whole instants only; and the instant of the first that is left."""
    size = limit
    while True:
        rows = fetch(size + 1)
        if len(rows) <= size:
            return rows, None
        last = at(rows[-1])
        found = [row for row in rows if at(row) < last]
        if found:
            return found, last
        size *= 4


def _line_at(line: Line) -> int:
    return line.at


def _alarm_at(alarm: tuple[int, str]) -> int:
    return alarm[0]
