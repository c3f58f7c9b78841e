"""Preservation: a whole timeline as plain JSON data, and back."""

from __future__ import annotations

from duly.machines.keeping import kept, restored
from duly.timeline import Timeline
from duly.versions import revision, shelves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from duly.acting import ActingSet


def preserved(timeline: Timeline) -> dict[str, Any]:
    """The whole timeline as plain JSON data."""
    versions = {"versions": timeline.versions.names()} if len(timeline.versions) > 1 else {}
    marks = timeline.versions.marks() if versions else {}
    return {
        **versions,
        "now": timeline.now,
        "entities": {key: kept(state, marks) for key, state in timeline.entities.items()},
        "present": dict(timeline.present),
        "spoke": dict(timeline.spoke),
        "seen": sorted(timeline.seen or ()),
        "later": [
            [at, number, key, kept(event), kept(facts)] for at, number, key, event, facts in timeline.later
        ],
    }


def revived(policy: ActingSet, data: Mapping[str, Any], others: Iterable[ActingSet] = ()) -> Timeline:
    """The timeline that `preserved` wrote, over the same policy, and the `others` that it had adopted since.

    Raises KeyError for a revision that is not among them.
    """
    found = Timeline(policy)
    known = {revision(each): each for each in (policy, *others)}
    found.resume(known[name] for name in data.get("versions", ())[1:])
    calendars, targets = shelves(found.versions)
    found.now = data["now"]
    found.entities = {key: restored(state, calendars, targets) for key, state in data["entities"].items()}
    found.present, found.spoke = dict(data["present"]), dict(data["spoke"])
    found.seen = set(data["seen"])
    found.later = [
        (at, number, key, restored(event, calendars, targets), restored(facts, calendars, targets))
        for at, number, key, event, facts in data["later"]
    ]
    for key, state in found.entities.items():
        if state.alarm is not None:
            found.await_alarm(state.alarm, key)
    return found
