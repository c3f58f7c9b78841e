"""Actions: the words a policy answers in, with everything that says why."""

from __future__ import annotations

from duly.instants import render, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_TEXTS = (
    "case", "customer", "person", "group", "clock", "cycle", "ladder", "step", "loop", "survey", "duty",
)  # fmt: skip


class Action:
    """One action, or one fact such as `clock.breached` (interface.md §4).

    `at` is the instant it belongs to. `occurrence` tells two actions of one rule apart where nothing else
    does, such as two firings of one reaction; `index` counts the actions of one `do:`. `late_by` is how
    long after its instant it was noticed, in µs.
    """

    __slots__ = (
        "at", "case", "clock", "customer", "cycle", "data", "due_by", "duty", "group", "index", "ladder", "late_by",
        "loop", "occurrence", "person", "policy", "reason", "rule", "source", "step", "survey", "type",
    )  # fmt: skip

    def __init__(self, type: str, at: int, reason: str, rule: str | None) -> None:
        self.type = type
        self.at = at
        self.reason = reason
        self.rule = rule
        self.case: str | None = None
        self.customer: str | None = None
        self.person: str | None = None
        self.group: str | None = None
        self.clock: str | None = None
        self.cycle: int | None = None
        self.ladder: str | None = None
        self.step: str | None = None
        self.loop: int | None = None
        self.survey: str | None = None
        self.duty: str | None = None
        self.due_by: int | None = None
        self.late_by = 0
        # The revision it comes from, where there are several.
        self.policy: Mapping[str, str] | None = None
        self.data: Mapping[str, Any] = {}
        self.source: Sequence[str] = ()
        self.occurrence = ""
        self.index = 0

    def id(self, set_name: str) -> str:
        """The same on every machine and in every replay, so that a consumer can drop repeats."""
        from hashlib import sha256

        parts = (
            set_name, self.case, self.customer, self.person, self.group, self.clock, self.cycle, self.ladder,
            self.step, self.loop, self.survey, self.duty, self.rule, self.type, self.occurrence, self.index,
        )  # fmt: skip
        text = "\x1f".join("" if part is None else str(part) for part in parts)
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def shown(self, policy: Mapping[str, str]) -> dict[str, Any]:
        """The action as JSON; `policy` is the identity of the set it comes from."""
        found: dict[str, Any] = {"id": self.id(policy["set"]), "type": self.type, "at": render(self.at)}
        for name in _TEXTS:
            value = getattr(self, name)
            if value is not None:
                found[name] = value
        found["due_by"] = None if self.due_by is None else render(self.due_by)
        found["reason"] = self.reason
        if self.late_by:
            found["late_by_seconds"] = seconds(self.late_by)
        found["rule"] = self.rule
        found["policy"] = policy if self.policy is None else self.policy
        found["data"] = self.data
        found["source"] = list(self.source)
        return found
