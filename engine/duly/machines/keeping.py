"""Keeping: what entities are at an instant as plain JSON data, and back, so that any host can store them."""

from __future__ import annotations

from duly.cases import Event
from duly.machines.climb import Climb
from duly.machines.desk import Queues
from duly.machines.known import Known
from duly.machines.run import CANCELLED, FAILED, NOT_STARTED, OPEN, STOPPED, Run
from duly.machines.state import Customer, State
from duly.machines.survey import Plan
from duly.machines.target import Target
from duly.machines.whole import Whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.calendars.calendars import Calendars

_KEPT = {kind.__name__: kind for kind in (Climb, Customer, Event, Known, Plan, Queues, Run, State, Whole)}
_PHASES = {phase: phase for phase in (NOT_STARTED, OPEN, STOPPED, CANCELLED, FAILED)}


_UNMARKED: Mapping[int, str] = {}


def kept(value: Any, marks: Mapping[int, str] = _UNMARKED) -> Any:
    """A value as JSON data; what JSON has no form for is an object with the one key `$…`.

    Calendars and targets are named, not copied: they belong to the policy; where there are several
    revisions, `marks` says whose each object is, by its identity.
    """
    kind = type(value)
    if value is None or kind in (str, int, float, bool):
        return value
    if kind is list:
        return [kept(each, marks) for each in value]
    if kind is dict:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: kept(each, marks) for key, each in value.items()}
        return {"$dict": [[kept(key, marks), kept(each, marks)] for key, each in value.items()]}
    if kind is tuple:
        return {"$tuple": [kept(each, marks) for each in value]}
    if kind in (set, frozenset):
        return {f"${kind.__name__}": sorted((kept(each, marks) for each in value), key=repr)}
    if kind.__name__ in _KEPT:
        slots = {name: kept(getattr(value, name), marks) for name in value.__slots__ if hasattr(value, name)}
        return {"$" + kind.__name__: slots}
    if kind is Target:
        return {"$target": _marked(value.rule, value, marks)}
    if hasattr(value, "due_working_days"):
        return {"$calendar": _marked(value.name, value, marks)}
    return {"$decimal": str(value)}


def restored(data: Any, calendars: Calendars, targets: Mapping[str, Target]) -> Any:
    """The value that `kept` wrote; `targets` are those of the policy, by rule."""
    if isinstance(data, list):
        return [restored(each, calendars, targets) for each in data]
    if not isinstance(data, dict):
        return data
    if len(data) != 1 or not next(iter(data)).startswith("$"):
        return {key: restored(each, calendars, targets) for key, each in data.items()}
    ((tag, inner),) = data.items()
    if tag == "$target":
        return targets[_name(inner)]
    if tag == "$calendar":
        return calendars[_name(inner)]
    if tag == "$decimal":
        from decimal import Decimal

        return Decimal(inner)
    if tag == "$dict":
        return {restored(key, calendars, targets): restored(each, calendars, targets) for key, each in inner}
    if tag in _SEQUENCES:
        return _SEQUENCES[tag](restored(each, calendars, targets) for each in inner)
    kind = _KEPT[tag[1:]]
    found = kind.__new__(kind)
    for name, each in inner.items():
        value = restored(each, calendars, targets)
        setattr(found, name, _PHASES.get(value, value) if name == "phase" else value)
    return found


def _marked(name: str, value: Any, marks: Mapping[int, str]) -> Any:
    mark = marks.get(id(value))
    return name if mark is None else [name, mark]


def _name(inner: Any) -> Any:
    return inner if isinstance(inner, str) else tuple(inner)


_SEQUENCES: dict[str, Any] = {"$tuple": tuple, "$set": set, "$frozenset": frozenset}
