"""Clocks: one promise of a ServiceLevel, compiled; what happens to it is a matter of its cycles."""

from __future__ import annotations

from duly.conditions.matchers import matcher
from duly.conditions.predicates import predicate
from duly.machines.target import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from duly.calendars.calendars import Calendars

    Facts = Mapping[str, Any]
    Predicate = Callable[[Facts], bool]

# What an event does to a clock, in the order in which the deeds of one instant are done (semantics §2.3).
CANCEL, STOP, RESET, PAUSE, RESUME, REOPEN, START = range(7)
_DEEDS = {"cancel": CANCEL, "stop": STOP, "reset": RESET, "pause": PAUSE, "resume": RESUME, "start": START}


class Clock:
    """One clock of a ServiceLevel, compiled: its triggers, its targets and how it answers change."""

    __slots__ = (
        "anchored_to_event",
        "before",
        "before_text",
        "calendar",
        "cancel_while",
        "edges",
        "every",
        "fixed",
        "id",
        "ladder",
        "looser",
        "match",
        "matcher",
        "on",
        "on_expiry",
        "owner",
        "pause_while",
        "reads",
        "reads_event",
        "reopen",
        "restless",
        "resume_while",
        "rule",
        "source",
        "started_by_event",
        "stricter",
        "targets",
        "warn",
        "warns_in_order",
        "watches",
        "while_",
    )  # fmt: skip

    def __init__(self, spec: Mapping[str, Any], calendars: Calendars, engine: str) -> None:
        self.id: str = spec["id"]
        self.rule: str = spec["rule"]
        self.owner: str | None = spec.get("owner")
        self.source: list[str] = spec.get("source", [])
        self.calendar = calendars[spec["calendar"]]
        self.targets = [Target(target, calendars) for target in spec["targets"]]
        self.matcher = matcher(spec["match"], engine, self.rule, [target.rule for target in self.targets])
        self.reads = frozenset(spec["reads"])
        # Targets that ask for no field are the same for every case.
        self.fixed = not self.reads
        self.match = self.matched({}) if self.fixed else None
        promised = {target.field for target in self.targets if target.field is not None}
        self.reads_event = any(name.startswith("event.") for name in self.reads | promised)
        self.on: dict[str, list[tuple[int, Predicate | None]]] = {}
        for deed, triggers in spec["on"].items():
            for event, condition in triggers:
                test = None if condition is None else predicate(condition)
                self.on.setdefault(event, []).append((_DEEDS[deed], test))
        self.started_by_event = any(deed == START for on in self.on.values() for deed, _ in on)
        self.pause_while = _state(spec.get("pause_while"))
        self.resume_while = _state(spec.get("resume_while"))
        self.cancel_while = _state(spec.get("cancel_while"))
        self.while_ = _state(spec.get("while"))
        self.edges = self.resume_while is not None or bool(spec["on"].get("resume"))
        self.watches = frozenset(spec["watches"])
        self.reopen: str | None = spec.get("reopen")
        if self.reopen not in (None, "keep_stopped"):
            self.on.setdefault("case.reopened", []).append((REOPEN, None))
        self.stricter: str = spec.get("stricter", "keep_start")
        self.looser: str = spec.get("looser", "keep_start")
        self.warn: list[float] = spec.get("warn", [])
        self.warns_in_order = self.warn == sorted(self.warn) and all(percent <= 100 for percent in self.warn)
        self.on_expiry: list[dict[str, Any]] = spec.get("on_expiry", [])
        self.ladder: str | None = spec.get("ladder")
        self.before: tuple[str, int, bool] | None = None
        self.before_text: dict[str, str] | None = None
        if "before" in spec:
            lead = spec["before"]
            self.before_text = {"clock": lead["clock"], "by": lead["by"]}
            self.before = (lead["clock"], lead["amount"], lead["unit"] == "working_days")
        self.every: bool = spec.get("every", False)
        self.restless = self.every or self.before is not None
        """Whether it may move without an event of its own."""
        self.anchored_to_event: bool = spec.get("anchor") == "event"

    def matched(self, facts: Facts) -> Target | None:
        """The first target whose condition holds; where the clock is `fixed` that is `match`, whatever the facts."""
        number = self.matcher.first(facts)
        return self.targets[number] if number >= 0 else None


def _state(condition: Any) -> Predicate | None:
    return None if condition is None else predicate(condition)
