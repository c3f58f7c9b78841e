"""Lateness: a group whose events came too late is worked out anew from its journal, and reconciled with what was done.

What is missing is done late, what should not have been is cancelled, nothing is done twice. The desk and the set are
told what is new; what they did stands, for people were really assigned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from duly.actions import Action
from duly.cases import Event, Refused
from duly.doings import Doings
from duly.hosts import hearsay
from duly.hosts.hearsay import Hearsay
from duly.hosts.lines import event as event_of
from duly.hosts.store.contract import Work
from duly.hosts.store.records import HUB as FROM_HUB
from duly.hosts.store.records import Line, Out
from duly.hosts.world import World
from duly.reconciliation import CANCELLED
from duly.timeline import HUB, Timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from duly.machines.machine import Told

Message = tuple[str, Event, Mapping[str, Any]]
"""What was told the desk or the set: the key, the event, the facts."""


@dataclass(slots=True)
class Replay:
    """What becomes of a group by its journal: its entities, the actions, what it tells the hub, what it refuses."""

    entities: dict[str, Any]
    actions: list[Action] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    refused: list[tuple[Event, Refused]] = field(default_factory=list)


@dataclass(slots=True)
class Reconciled:
    """What is to be done about a group: actions to give, what the hub has to hear, entities that are no more, and the
    lines that cannot be taken.
    """

    actions: list[Action]
    told: list[Message]
    gone: list[str]
    refused: list[tuple[Event, Refused]]
    too_late: list[Line]


def reconcile(world: World, work: Work, group: str, lines: Sequence[Line], until: int) -> Reconciled:
    """Let a group be as if `lines` had come in time. All else that is due by `until` has been done."""
    base = work.base(group)
    begins = None if base is None else base[0]
    too_late = [line for line in lines if begins is not None and line.at <= begins]
    taken = [line for line in work.journal(group) if not line.pending]
    fresh = [line for line in lines if line not in too_late]
    after = replay(world, work, group, [*taken, *fresh], until)
    told = after.told
    if told:
        told = _new(replay(world, work, group, taken, until).told, told)
    gone = [key for key in work.keys(group) if key not in after.entities]
    for key in gone:
        world.entities.drop(key)
    for key, entity in after.entities.items():
        world.entities[key] = entity
        world.entities.groups[key] = group
        world.doings.touched[key] = None
        if entity.alarm is not None and entity.alarm <= world.timeline.horizon:
            world.timeline.await_alarm(entity.alarm, key)
    ids = {line.id for line in fresh}
    refused = [(event, reason) for event, reason in after.refused if event.id in ids]
    actions = _settle(world, work.standing(group), after.actions, until)
    return Reconciled(actions, told, gone, refused, too_late)


def replay(world: World, work: Work, group: str, lines: Sequence[Line], until: int) -> Replay:
    """What becomes of a group by these lines, up to an instant."""
    base = work.base(group)
    begins, rows = (None, []) if base is None else base
    found = Replay({row.key: world.entities.packing.unpacked(row.body) for row in rows})
    heard = [hearsay.read(line) for line in lines if line.origin == FROM_HUB]
    events = [event_of(line) for line in lines if line.origin != FROM_HUB]
    events += [event for event in world.presence(work) if begins is None or event.at > begins]
    doings = Doings(HUB)
    made = world.made[1:]

    def elsewhere(key: str, at: int, told: Sequence[Told]) -> list[Action]:
        actions: list[Action] = []
        for event, facts in told:
            found.told.append((key, event, facts))
            for each in [each for each in heard if each.at == at and each.cause == (event.id, event.type)]:
                heard.remove(each)
                actions += timeline.tell(each.key, at, [(each.event, each.facts)])
        return actions

    timeline = Timeline(world.made[0][1], found.entities, elsewhere, log=doings, remembers=False)
    if begins is not None:
        timeline.resume(policy for at, policy in made if at <= begins)
        made = [(at, policy) for at, policy in made if at > begins]
    _play(timeline, events, heard, made, world.outages, until)
    found.actions = [action for key, actions in doings.acted if key not in HUB for action in actions]
    found.refused = timeline.refused
    return found


def _play(
    timeline: Timeline, events: Sequence[Event], heard: list[Hearsay], made: Sequence[Any],
    outages: Sequence[tuple[int, int]], until: int,
) -> None:  # fmt: skip
    batches: dict[int, list[Event]] = {}
    for event in events:
        batches.setdefault(event.at, []).append(event)
    moments = {*batches, *(each.at for each in heard), *(at for at, _ in made), *(end for _, end in outages)}
    for at in sorted(moment for moment in moments if moment <= until):
        timeline.until(at, *during(outages, at))
        for _, policy in [each for each in made if each[0] == at]:
            timeline.adopt(policy, at)
        _hear(timeline, [each for each in heard if each.at <= at and each.cause is None], heard)
        if at in batches:
            timeline.take(at, batches[at])
        _hear(timeline, [each for each in heard if each.at <= at], heard)
    timeline.until(until, *during(outages, until))


def _hear(timeline: Timeline, now: Sequence[Hearsay], heard: list[Hearsay]) -> None:
    for each in now:
        if each in heard:
            heard.remove(each)
            timeline.tell(each.key, each.at, [(each.event, each.facts)])


def during(outages: Sequence[tuple[int, int]], at: int) -> tuple[int, ...]:
    """The outage in which an instant lies, if any, as `Timeline.until` takes it."""
    return next((outage for outage in outages if outage[0] < at <= outage[1]), ())


def _new(before: Sequence[Message], after: Sequence[Message]) -> list[Message]:
    """What is said now and was not said before."""
    left: dict[tuple[str, str, str], int] = {}
    for key, event, _ in before:
        mark = key, event.id, event.type
        left[mark] = left.get(mark, 0) + 1
    found: list[Message] = []
    for key, event, facts in after:
        mark = key, event.id, event.type
        if left.get(mark, 0):
            left[mark] -= 1
        else:
            found.append((key, event, facts))
    return found


def _settle(world: World, given: Sequence[Out], right: Sequence[Action], moment: int) -> list[Action]:
    """What is missing of the actions that should have been, and the cancelling of those that should not."""
    name = world.timeline.policy.identity["set"]
    cancelled = _cancelled(given)
    stands = standing(given)
    should = {action.id(name): action for action in right}
    found = [_cancel(out, cancelled[key] + 1, moment) for key, out in stands.items() if key not in should]
    for key, action in should.items():
        if key not in stands:
            action.late_by = max(0, moment - action.at)
            found.append(action)
    return found


def standing(given: Sequence[Out]) -> dict[str, Out]:
    """Of actions in the order in which they were given out, those that were not cancelled since, by id."""
    found: dict[str, Out] = {}
    for out in given:
        if out.type == CANCELLED:
            found.pop(_moot(out), None)
        else:
            found[out.id] = out
    return found


def _cancelled(given: Sequence[Out]) -> Counter[str]:
    """How often each action was cancelled."""
    return Counter(_moot(out) for out in given if out.type == CANCELLED)


def _moot(cancel: Out) -> str:
    return str(orjson.loads(cancel.body)["data"]["cancels"])


def _cancel(out: Out, number: int, moment: int) -> Action:
    moot = orjson.loads(out.body)
    cancel = Action(CANCELLED, moment, "late_event", moot["rule"])
    cancel.case, cancel.customer = moot.get("case"), moot.get("customer")
    cancel.source = moot["source"]
    cancel.occurrence = f"{out.id}/{number}"
    cancel.data = {"cancels": out.id, "type": out.type}
    return cancel
