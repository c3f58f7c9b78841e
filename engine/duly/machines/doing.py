"""Doing: the actions of a `do:` list, carried out in a turn."""

from __future__ import annotations

from duly.machines.length import after
from duly.machines.mention import mentioned
from duly.machines.turn import Origin, Turn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Facts = Mapping[str, Any]
    Json = Mapping[str, Any]

_WITH = ("template", "via", "data", "title", "checklist", "amount", "at_most", "calendar")


def do(turn: Turn, actions: Sequence[Json], origin: Origin, facts: Facts, owner: str | None = None) -> None:
    """Carry out actions in their order: each is an action of the turn, and what changes the case or sets
    something off is an event of the same instant besides.
    """
    for index, action in enumerate(actions):
        verb = next(name for name in action if name not in _WITH and name not in ("to", "due"))
        _VERBS[verb](turn, action, origin, facts, index, owner)


def references(value: Any, owner: str | None) -> list[str]:
    """The references of a `notify:` or `to:` as a list; `owner` is whoever owes the clock."""
    listed = value if isinstance(value, list) else [value]
    return [owner if each == "owner" and owner is not None else each for each in listed]


def _extras(action: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    found = {name: action[name] for name in _WITH if name in action and name != "data"}
    return mentioned(action.get("fields"), facts) | found | dict(action.get("data", {}))


def _notify(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    to = references(action["notify"], owner)
    data = {
        "to": to,
        "people": turn.people(to, facts),
        "template": action.get("template"),
        **_extras(action, facts),
    }
    turn.act("notify", origin, data, index=index)


def _message(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    turn.act(
        "message",
        origin,
        {"to": ["customer"], "template": action["message"], **_extras(action, facts)},
        index=index,
    )


def _assign(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    to = references(action["assign"], owner)[0]
    turn.act("assign", origin, {"to": [to], "people": turn.people([to], facts)}, index=index)
    turn.emit("case.assigned", origin, {"assignee": to}, index)


def _set(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    turn.act("set", origin, dict(action["set"]), index=index)
    turn.emit("case.updated", origin, None, index).changes = dict(action["set"])


def _task(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    to = references(action["to"], owner) if "to" in action else []
    data = {"task": action["task"], "to": to, "people": turn.people(to, facts), **_extras(action, facts)}
    due = action.get("due")
    due_by = None
    if due is not None:
        due_by = turn.reckon(origin.rule, after, turn.calendars[due["calendar"]], turn.at, due)
    turn.act("task", origin, data, index=index, due_by=due_by)


def _emit(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    turn.act("emit", origin, {"event": action["emit"], **dict(action.get("data", {}))}, index=index)
    turn.emit(action["emit"], origin, dict(action.get("data", {})), index)


def _escalate(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    turn.act("escalate", origin, {"ladder": action["escalate"]}, index=index)
    turn.emit("ladder.started", origin, {"ladder": action["escalate"]}, index)


def _open_case(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    from duly.cases import Event

    opened = turn.act("open_case", origin, {"fields": dict(action["open_case"])}, index=index)
    name = f"{turn.subject.get('case') or turn.subject.get('customer') or 'case'}/{opened.id('')[:12]}"
    opened.data = {**opened.data, "case": name}
    event = Event(f"open/{name}", "case.opened", turn.at)
    event.case, event.customer, event.actor = name, turn.subject.get("customer"), "policy"
    event.changes = dict(action["open_case"])
    turn.messages.append((f"case:{name}", event, {}))


def _approve(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    turn.act("approve", origin, {"approval": action["approve"]}, index=index)
    turn.emit("approval.asked", origin, {"approval": action["approve"]}, index)


def _survey(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    turn.act("survey", origin, {"survey": action["survey"]}, index=index)
    turn.emit("survey.asked", origin, {"survey": action["survey"]}, index)


def _recommend(turn: Turn, action: Json, origin: Origin, facts: Facts, index: int, owner: str | None) -> None:
    to = references(action["to"], owner) if "to" in action else []
    data = {
        "recommend": action["recommend"],
        "to": to,
        "people": turn.people(to, facts),
        **_extras(action, facts),
    }
    turn.act("recommend", origin, data, index=index)


_VERBS = {
    "notify": _notify,
    "message": _message,
    "assign": _assign,
    "set": _set,
    "task": _task,
    "emit": _emit,
    "escalate": _escalate,
    "open_case": _open_case,
    "approve": _approve,
    "survey": _survey,
    "recommend": _recommend,
}
