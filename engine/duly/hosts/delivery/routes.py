"""Routes: which sinks an action goes to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from duly.hosts.delivery.severity import severity

CANCELLED = "action.cancelled"


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else [str(value)]


def _of(name: str) -> Callable[[Mapping[str, Any]], list[str]]:
    return lambda action: _listed(action.get(name))


def _in_data(*names: str) -> Callable[[Mapping[str, Any]], list[str]]:
    def found(action: Mapping[str, Any]) -> list[str]:
        data = action.get("data")
        return (
            [each for name in names for each in _listed(data.get(name))] if isinstance(data, Mapping) else []
        )

    return found


KEYS: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "type": _of("type"),
    "severity": lambda action: [severity(action)],
    "to": _in_data("to", "people"),
    "template": _in_data("template"),
    "via": _in_data("via"),
    **{name: _of(name) for name in ("clock", "ladder", "step", "survey", "duty", "group", "reason", "rule")},
}
"""What a rule may ask of an action: one of its values, or several, of which one must match."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where the actions go of which all `tests` hold: (key, patterns), one of the patterns for each key.

    A `*` in a pattern stands for anything. With `also`, the rules after it are looked at too.
    """

    tests: tuple[tuple[str, tuple[str, ...]], ...]
    sinks: tuple[str, ...]
    also: bool = False

    def holds(self, action: Mapping[str, Any]) -> bool:
        """Whether an action is one of those meant."""
        return all(
            any(_matches(pattern, value) for pattern in patterns for value in KEYS[key](action))
            for key, patterns in self.tests
        )


@dataclass(frozen=True, slots=True)
class Routes:
    """The rules in their order, and what each sink takes at all.

    `only` maps every sink to patterns of the types that it takes, None for all of them. A sink that no rule
    names takes whatever it may, unless it is in `reserves`: there for what others give up.
    """

    rules: tuple[Rule, ...] = ()
    only: Mapping[str, Sequence[str] | None] | None = None
    reserves: frozenset[str] = frozenset()

    def wanted(self, action: Mapping[str, Any], cancelled: Mapping[str, Any] | None = None) -> list[str]:
        """The sinks that an action goes to, in their order; none where nobody wants it.

        `cancelled` is the action that this one takes back, if it does: it goes wherever that one went.
        """
        named = {sink for rule in self.rules for sink in rule.sinks}
        chosen = self._chosen(action) | (set() if cancelled is None else self._chosen(cancelled))
        return [
            sink
            for sink, only in (self.only or {}).items()
            if (sink in chosen if sink in named else sink not in self.reserves)
            and (only is None or any(_matches(each, type) for each in only for type in _types(action)))
        ]

    def _chosen(self, action: Mapping[str, Any]) -> set[str]:
        found: set[str] = set()
        for rule in self.rules:
            if rule.holds(action):
                found.update(rule.sinks)
                if not rule.also:
                    break
        return found


def _types(action: Mapping[str, Any]) -> list[str]:
    """The type of an action; one that cancels another passes for that one's type too."""
    data = action.get("data")
    cancelled = data.get("type") if action["type"] == CANCELLED and isinstance(data, Mapping) else None
    return [str(action["type"]), *_listed(cancelled)]


def _matches(pattern: str, value: str) -> bool:
    return pattern == value or ("*" in pattern and _pattern(pattern).fullmatch(value) is not None)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", pattern)), re.DOTALL)
