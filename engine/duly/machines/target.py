"""Targets at run time: what a clock promises to whom, and in which calendar."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.calendars.calendars import Calendars


class Target:
    """One target of a clock.

    `amount` is microseconds of open time, or with `counts_days` a number of working days. `field` names a
    fact that holds the promised instant instead. `none`: explicitly no promise. `plain`: nothing of all that, but
    open time.
    """

    __slots__ = (
        "amount",
        "calendar",
        "counts_days",
        "field",
        "id",
        "none",
        "plain",
        "rule",
        "source",
        "text",
    )

    def __init__(self, spec: Mapping[str, Any], calendars: Calendars) -> None:
        self.id: str = spec["id"]
        self.rule: str = spec["rule"]
        self.none: bool = spec.get("none", False)
        self.field: str | None = spec.get("field")
        self.text: str | None = spec.get("within")
        self.amount: int = spec.get("amount", 0)
        self.counts_days: bool = spec.get("unit") == "working_days"
        self.plain = self.amount > 0 and self.field is None and not self.counts_days and not self.none
        self.calendar = calendars[spec["calendar"]]
        self.source: list[str] = spec.get("source", [])

    def meaning(self) -> tuple[Any, ...]:
        """What the target promises, whatever revision it is of."""
        return self.rule, self.none, self.field, self.amount, self.counts_days, self.calendar.name
