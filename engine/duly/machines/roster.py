"""The roster at run time: who is on duty at an instant, and when somebody is next."""

from __future__ import annotations

from duly.calendars.limits import BeyondCalendar
from duly.calendars.localtime import Zone, day_number
from duly.instants import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from duly.calendars.calendar import Calendar
    from duly.calendars.calendars import Calendars


class Roster:
    """People, roles and groups. `present` maps people whose events said so to whether they are on duty:
    `person.on_duty` and `person.off_duty` overrule the shift until the next such event.
    """

    __slots__ = ("_away", "_teams", "_zone", "calendars")

    def __init__(self, spec: Mapping[str, Any], calendars: Calendars, zone: Zone) -> None:
        self.calendars = calendars
        self._zone = zone
        self._teams: dict[str, tuple[list[str], Calendar]] = {}
        for part, prefix in (("roles", "role:"), ("groups", "group:")):
            for name, team in spec[part].items():
                members = [str(member) for member in team.get("members", ())]
                found = (members, calendars[team.get("shift", "always")])
                self._teams[prefix + name] = found
                if prefix == "group:":
                    self._teams["queue:" + name] = found
        self._away = {
            "person:" + name: [_days(text) for text in person.get("away", ())]
            for name, person in spec["people"].items()
        }

    def members(self, reference: str) -> list[str]:
        """Everybody that a reference names, on duty or not; a person is a team of one."""
        if reference.startswith("person:"):
            return [reference]
        team = self._teams.get(reference)
        return [] if team is None else team[0]

    def on_duty(self, reference: str, at: int, present: Mapping[str, bool]) -> list[str]:
        """The people behind `role:x`, `group:x`, `queue:x` or `person:x` who are on duty at `at`."""
        team = self._teams.get(reference)
        if team is None:
            if not reference.startswith("person:"):
                # A name that another system gave: it is somebody, of whom nothing more is known.
                return [] if reference.startswith(("role:", "group:", "queue:")) else [reference]
            person = reference
            return [person] if present.get(person, not self.away(person, at)) else []
        members, shift = team
        open_now = shift.is_open(at)
        return [
            person for person in members
            if present.get(person, open_now and not self.away(person, at))
        ]  # fmt: skip

    def away(self, person: str, at: int) -> bool:
        """Whether a person is away on the local date of `at`."""
        days = self._away.get(person)
        if not days:
            return False
        day = self._zone.day(at)
        return any(first <= day <= last for first, last in days)

    def next_on_duty(self, reference: str, at: int, present: Mapping[str, bool]) -> int | None:
        """The earliest instant after `at` at which somebody is on duty by the roster; None where nobody is within
        a year, or as far as the holidays are known.
        """
        members, shift = self._teams.get(reference, ([reference], self.calendars["always"]))
        here = at
        for _ in range(400):
            try:
                here = shift.next_open(here)
            except BeyondCalendar:
                return None
            if here > at and any(present.get(person, not self.away(person, here)) for person in members):
                return here
            here = self._zone.reach((self._zone.day(here) + 1) * DAY)
        return None


def _days(text: str) -> tuple[int, int]:
    first, _, last = text.partition("/")
    return day_number(first), day_number(last or first)
