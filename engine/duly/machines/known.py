"""What is known of a customer beside his own state: what was said of him, and which cases he has."""

from __future__ import annotations

from duly.calendars.limits import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from duly.cases import Event


class Known:
    """What each new case of a customer is told first, `said`, and the keys of his `cases`, who hear what comes next."""

    __slots__ = ("alarm", "at", "cases", "said")

    def __init__(self) -> None:
        self.alarm: int | None = None
        self.at = -NEVER
        self.said: list[Event] = []
        self.cases: list[str] = []
