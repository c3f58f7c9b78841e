"""The storyline: what happened and what the policy did about it, one line an instant, for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from duly_cli.timetable import Teller, instant_of
from duly_cli.widths import fitted, padded

if TYPE_CHECKING:
    from duly.actions import Action
    from duly.cases import Event
    from duly.decision import PolicySet

_COLOURS = {
    "clock.breached": "31;1", "clock.expired": "31", "escalation.unmanned": "31", "gate.violated": "31",
    "escalation.exhausted": "31", "clock.met": "32", "clock.warned": "33", "notify": "35", "message": "35",
    "assign": "36", "task": "36", "case.routed": "36", "survey.sent": "34", "survey.planned": "34",
    "duty.late": "31", "duty.missed": "31;1", "duty.done": "32",
}  # fmt: skip
_WIDE = 20
_LONGEST = 90
_IDENTITY = {"set", "version", "revision"}


def told(policy: PolicySet, events: Sequence[Event], actions: Sequence[Action], until: int | None) -> str:
    """The story: events marked `▶`, what follows from them below, in order of time."""
    teller = Teller(policy)
    rows: list[tuple[int, int, int, str]] = []
    for number, event in enumerate(events):
        if until is None or event.at <= until:
            rows.append((event.at, 1, number, _event(teller, event)))
    first_event = {row[0] for row in rows}
    for number, action in enumerate(actions):
        # What was due at an instant comes before its events, what follows from them after.
        rank = 0 if action.at in first_event and action.reason in _BY_TIME else 2
        rows.append((action.at, rank, number, _action(teller, action)))
    rows.sort(key=lambda row: row[:3])
    stamps = {row[0]: teller.instant(row[0]) for row in rows}
    wide = max(map(len, stamps.values()), default=0)
    lines: list[str] = []
    shown = None
    for at, _, _, text in rows:
        stamp = stamps[at] if at != shown else ""
        shown = at
        lines.append(f"{padded(stamp, wide)} {text}".rstrip())
    return "\n".join(lines) + "\n" if lines else ""


_BY_TIME = frozenset(("ladder.step", "due_passed", "clock.warned"))


def _event(teller: Teller, event: Event) -> str:
    about = event.case or event.customer or event.person or "set"
    payload = {name: value for name, value in event.payload.items() if name != "case" or not event.changes}
    data = _data(teller, {**event.changes, **payload})
    return teller.paint(f"▶ {event.type}", "1") + f"  {about}" + (f"  {data}" if data else "")


def _action(teller: Teller, action: Action) -> str:
    what = teller.paint(padded(action.type, _WIDE), _COLOURS.get(action.type, "2"))
    parts = [action.case or action.customer or action.person or ""]
    if action.clock:
        parts.append(action.clock + (f"#{action.cycle}" if action.cycle and action.cycle > 1 else ""))
    if action.step:
        parts.append(f"{action.ladder}/{action.step}" + (f" round {action.loop + 1}" if action.loop else ""))
    parts += [each for each in (action.survey, action.duty) if each]
    data = _data(teller, action.data)
    if data:
        parts.append(data)
    if action.due_by is not None:
        parts.append(f"due {teller.instant(action.due_by)}")
    if action.reason not in (action.type, "ladder.step", "due_passed"):
        parts.append(f"({action.reason})")
    sources = f"  [{', '.join(action.source)}]" if action.source else ""
    return f"  {what} {'  '.join(part for part in parts if part)}{teller.paint(sources, '2')}"


def _data(teller: Teller, data: Any) -> str:
    """The telling part of a payload, short."""
    words: list[str] = []
    for name, value in data.items():
        if value is None or value in ([], {}, ""):
            continue
        each = value if isinstance(value, (list, tuple)) else [value]
        text = ", ".join(_word(teller, one) for one in each)
        words.append(text if name in ("to", "template", "task", "event", "fields") else f"{name}={text}")
    return fitted(" ".join(words), _LONGEST)


def _word(teller: Teller, value: Any) -> str:
    """A value as a policy writes it; instants in the set's own time zone."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        if value.keys() == _IDENTITY:
            return f"{value['set']} {value['version']} ({value['revision'].partition(':')[2][:8]})"
        return "{" + ", ".join(f"{name}: {_word(teller, each)}" for name, each in value.items()) + "}"
    at = instant_of(value)
    return str(value) if at is None else teller.instant(at)
