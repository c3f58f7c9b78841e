"""A mapping: rules that make events of the messages of another system."""

from __future__ import annotations

from collections.abc import Mapping as Names
from dataclasses import dataclass, field
from typing import Any

from duly.cases import Refused
from duly.hosts.mapping import instants
from duly.hosts.mapping.conditions import Condition, condition
from duly.hosts.mapping.message import MISSING, Message
from duly.hosts.mapping.paths import Path
from duly.hosts.mapping.values import Taker, place_of, taker, text
from duly.instants import render

_NEEDED = ("id", "type", "at")
_TEXTS = ("id", "type", "case", "customer", "person")
_FIELD_EVENTS = ("case.opened", "case.updated")


@dataclass(slots=True)
class Mapped:
    """What became of a message: an event in Duly's envelope, or a Refused, for each rule that held, in order.

    `unmatched` counts the parts of the message for which none did, where the mapping ignores them.
    """

    events: list[dict[str, Any] | Refused] = field(default_factory=list)
    unmatched: int = 0


class Rule:
    """One rule of a mapping: when it holds, and the event that it makes."""

    def __init__(self, spec: Names[str, Any]) -> None:
        """`spec` has been checked by `read`."""
        event = spec["event"]
        self.id = str(spec["id"])
        self.holds: Condition = condition(spec["when"]) if "when" in spec else lambda message: True
        self._places = {name: place_of(event[name]) for name in (*_TEXTS, "at") if name in event}
        self._parts = {name: taker(event[name]) for name in _TEXTS if name in event}
        self._at = taker(event["at"])
        self._written = isinstance(event["at"], dict) and bool({"as", "form", "timezone"} & set(event["at"]))
        self._actor = {name: taker(value) for name, value in event.get("actor", {}).items()}
        self._fields = {name: taker(value) for name, value in event.get("fields", {}).items()}
        self._data = {name: taker(value) for name, value in event.get("data", {}).items()}

    def event(self, message: Message) -> dict[str, Any]:
        """The event that the message becomes. Raises Refused, naming the rule and the path."""
        try:
            return self._event(message)
        except Refused as refused:
            raise Refused(refused.code, f"rule `{self.id}`: {refused.message}", refused.path) from None

    def _event(self, message: Message) -> dict[str, Any]:
        event: dict[str, Any] = {}
        for name, take in self._parts.items():
            value = take(message)
            if value is MISSING:
                self._need(name)
                continue
            event[name] = self._text(name, value)
        event["at"] = self._moment(message)
        actor = {name: self._text("actor", value) for name, value in _taken(self._actor, message).items()}
        if "kind" in actor:
            event["actor"] = actor
        fields, data = _taken(self._fields, message), _taken(self._data, message)
        if event["type"] in _FIELD_EVENTS:
            if data:
                raise Refused("E203", f"`{event['type']}` has fields alone, and no `data`", "")
            data = fields
        elif fields:
            data["case"] = fields
        if data:
            event["data"] = data
        return event

    def _need(self, name: str) -> None:
        if name in _NEEDED:
            place = self._places[name]
            where = f"the message has no `{place}`" if place else "there is no value"
            raise Refused("E202", f"{where} for the event's `{name}`", place)

    def _text(self, name: str, value: Any) -> str:
        try:
            return text(value)
        except ValueError as error:
            raise Refused("E203", f"{error} for the event's `{name}`", self._places.get(name, "")) from None

    def _moment(self, message: Message) -> str:
        value = self._at(message)
        if value is MISSING:
            self._need("at")
        if self._written and isinstance(value, str):
            return value
        try:
            return render(instants.read(value, None, None))
        except ValueError as error:
            raise Refused("E203", str(error), self._places["at"]) from None


class Mapping:
    """The rules of one mapping document. Never changes; may be shared by threads."""

    def __init__(self, spec: Names[str, Any], name: str = "") -> None:
        """`spec` is that of a document which `read` has found sound."""
        self.name = name
        self.rules = [Rule(each) for each in spec["rules"]]
        self._all = spec.get("take") == "all"
        self._refuse = spec.get("unmatched") == "refuse"
        self._each = Path(spec["each"]) if "each" in spec else None

    def apply(self, payload: Any, headers: Names[str, str], received: int) -> Mapped:
        """The events that a message becomes. `received` is when it came in, in µs since 1970 UTC."""
        mapped = Mapped()
        whole = Message.of(payload, headers, received)
        for message in self._messages(whole, mapped):
            held = False
            for rule in self.rules:
                if not rule.holds(message):
                    continue
                held = True
                try:
                    mapped.events.append(rule.event(message))
                except Refused as refused:
                    mapped.events.append(refused)
                if not self._all:
                    break
            if not held:
                self._unmatched(mapped)
        return mapped

    def _messages(self, whole: Message, mapped: Mapped) -> list[Message]:
        if self._each is None:
            return [whole]
        items = self._each.find(whole)
        if items is MISSING:
            self._unmatched(mapped)
            return []
        if not isinstance(items, list):
            mapped.events.append(Refused("E203", "expected a list, as `each` says", self._each.text))
            return []
        return [whole.at(item) for item in items]

    def _unmatched(self, mapped: Mapped) -> None:
        if self._refuse:
            mapped.events.append(
                Refused("E201", f"no rule of the mapping `{self.name}` holds for this message")
            )
        else:
            mapped.unmatched += 1


def _taken(takers: Names[str, Taker], message: Message) -> dict[str, Any]:
    """The values that there are, by name."""
    return {name: value for name, take in takers.items() if (value := take(message)) is not MISSING}
