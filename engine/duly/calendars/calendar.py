"""A calendar: due, elapsed, lead time and working days over the timeline of its open intervals."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from duly.calendars import working_days
from duly.calendars.combination import Combination
from duly.calendars.hours import OPEN, Hours
from duly.calendars.intervals import merged
from duly.calendars.limits import FIRST, FIRST_DAY, LAST_DAY, NEVER, BeyondCalendar, NoWorkingDays
from duly.calendars.localtime import day_number, day_text
from duly.calendars.openings import Openings
from duly.instants import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from duly.calendars.hours import Segment, Spans
    from duly.calendars.intervals import Interval

_NEGATIVE = "an amount of time cannot be negative"


class Calendar(Openings):
    """One calendar. Instants and amounts are whole microseconds; amounts are open time.

    `name`, `zone` (localtime.Zone) and `spec` (its resolved JSON) are for reading only.
    """

    __slots__ = ("_strict", "_sure_from", "_sure_to", "closings", "followers", "known_days", "spec")

    def __init__(self, name: str, spec: dict[str, Any], parts: Iterable[Calendar] = ()) -> None:
        """`spec` as resolution.py makes it; `parts` are the calendars of a combination, in its order."""
        parts = tuple(parts)
        super().__init__(name, Combination(spec, parts) if parts else Hours(spec))
        self.spec = spec
        self._strict = spec.get("beyond_calendar", "error") == "error"
        start, through = spec.get("confirmed_from"), spec.get("confirmed_through")
        first, last = (day_number(start) if start else None, day_number(through) if through else None)
        self._sure_from = -NEVER if first is None else self.zone.reach(first * DAY)
        self._sure_to = NEVER if last is None else self.zone.reach((last + 1) * DAY)
        if self._strict:
            self._known_from = self._sure_from
        self.followers: dict[int, int] = {}
        """The working day after a local date, both in days since 1970-01-01, as far as one was asked for."""
        self.closings: dict[tuple[int, int], int] = {}
        """The end of so many working days after a local date, as far as one was asked for."""
        self.known_days = (FIRST_DAY, LAST_DAY)
        """The first and the last local date that may be counted as a working day, since 1970-01-01."""
        if self._strict:
            self.known_days = (FIRST_DAY if first is None else first, LAST_DAY if last is None else last)

    # -- open time

    def due(self, start: int, amount: int, pauses: Iterable[Interval] = ()) -> int:
        """The earliest instant `t >= start` with `elapsed(start, t, pauses) >= amount`.

        An amount used up exactly at closing time is due at closing time; an amount of 0 is due at `start`.
        Raises BeyondCalendar where the answer is not known, ValueError for a negative amount.
        """
        if pauses or amount <= 0:
            return self._due_around(start, amount, merged(pauses))
        before = self._known.get(start)
        if before is None:
            self._enter(start)
            before = self._open_before(start)
        target = amount + before
        sums = self._sums
        place = bisect_left(sums, target)
        if place == len(sums):
            place = self._search(target)
            sums = self._sums
        answer = self._starts[place - 1] + target - sums[place - 1]
        if answer > self._sure_to and self._strict:
            raise self.beyond("this due time")
        return answer

    def _search(self, target: int) -> int:
        """Compile on until `target` is reached; its place in the sums."""
        while self._sums[-1] < target:
            if self._strict and self._high > self._sure_to:
                raise self.beyond("this due time")
            self._compile_after()
        return bisect_left(self._sums, target)

    def _due_around(self, start: int, amount: int, pauses: list[Interval]) -> int:
        """`due after a pause = due(resume, amount - open time already run)` (semantics 1.5)."""
        if amount < 0:
            raise ValueError(_NEGATIVE)
        if amount == 0:
            return start
        for pause, resume in pauses:
            if resume <= start:
                continue
            if pause > start:
                run = self.elapsed(start, pause)
                if run >= amount:
                    break
                amount -= run
            start = resume
        return self.due(start, amount)

    def due_back(self, reference: int, amount: int, pauses: Iterable[Interval] = ()) -> int:
        """Lead time: the latest instant `t <= reference` with `elapsed(t, reference, pauses) >= amount`.

        An amount of 0 gives `reference` where it is open, else the last open moment before it.
        Raises BeyondCalendar and ValueError as `due` does.
        """
        if amount < 0:
            raise ValueError(_NEGATIVE)
        if self._strict and reference > self._sure_to:
            raise self.beyond("this reference")
        if amount == 0:
            return self._last_open(reference)
        for pause, resume in reversed(merged(pauses) if pauses else ()):
            if pause >= reference:
                continue
            if resume < reference:
                run = self.elapsed(resume, reference)
                if run >= amount:
                    break
                amount -= run
            reference = pause
        target = self.open_before(reference) - amount
        while self._sums[0] > target:
            if self._strict and self._low <= self._sure_from:
                raise self.beyond("this lead time", back=True)
            self._compile_before()
        place = bisect_right(self._sums, target)
        return self._early_enough(self._starts[place - 1] + target - self._sums[place - 1])

    def _last_open(self, reference: int) -> int:
        self._cover(reference)
        while (place := bisect_right(self._starts, reference)) == 1:
            if self._strict and self._low <= self._sure_from:
                raise self.beyond("the last opening", back=True)
            self._compile_before()
        return self._early_enough(min(reference, self._ends[place - 1]))

    def _early_enough(self, answer: int) -> int:
        if self._strict and answer < self._sure_from:
            raise self.beyond("this lead time", back=True)
        return answer

    def elapsed(self, start: int, end: int, pauses: Iterable[Interval] = ()) -> int:
        """The open time in `[start, end)` outside `pauses`; 0 where `end` is not after `start`.

        Total over the years that calendars cover: past confirmed holidays ask `is_estimate(end)`.
        """
        if end <= start:
            return 0
        known = self._known
        before, after = known.get(start), known.get(end)
        if before is None:
            before = self._open_before(start)
        if after is None:
            after = self._open_before(end)
        open_time = after - before
        for pause, resume in merged(pauses) if pauses else ():
            low, high = max(pause, start), min(resume, end)
            if low < high:
                open_time -= self.open_before(high) - self.open_before(low)
        return open_time

    def next_open(self, instant: int) -> int:
        """The earliest open instant at or after `instant`. Raises BeyondCalendar as `due` does."""
        self._enter(instant)
        place = bisect_right(self._starts, instant)
        answer = instant
        if instant >= self._ends[place - 1]:
            while place == len(self._starts):
                if self._strict and self._high > self._sure_to:
                    raise self.beyond("the next opening")
                self._compile_after()
            answer = self._starts[place]
        if self._strict and answer >= self._sure_to:
            raise self.beyond("the next opening")
        return answer

    def segments(self, start: int, end: int) -> list[Segment]:
        """Every microsecond of `[start, end)` accounted for: `(from, to, kind, label)` in order, no gaps.

        Kinds: `open` (label: empty, the make-up working day's name, or `hours of DATE` for written dates),
        `closed` (outside the hours), `holiday` (label: its name), `closed_date`. In a combination the label
        begins with the name of the part that decides.
        """
        if start >= end:
            return []
        self._cover(start)
        self._cover(end)
        joined: list[Segment] = []
        for low, high, kind, label in self._hours.account(start, end):
            if joined and joined[-1][1:] == (low, kind, label):
                joined[-1] = (joined[-1][0], high, kind, label)
            else:
                joined.append((low, high, kind, label))
        return joined

    # -- local dates

    def date(self, day: int) -> tuple[str, str, Spans]:
        """What a local date (days since 1970-01-01) is: kind, label, spans since its local midnight.

        Kinds: `regular`, `special` (its hours are written), `closed_date`, `holiday`, `make_up`.
        """
        return self._hours.date(day)

    def own(self, day: int) -> list[Interval]:
        """The open intervals that belong to a local date: a night shift belongs to the date it starts on."""
        return self._hours.own(day)

    def due_working_days(
        self, start: int, days: int, rule: dict[str, Any] | None = None, pauses: Iterable[Interval] = ()
    ) -> int:
        """Where `days` working days after `start` land, by `rule` or else the calendar's own.

        Raises NoWorkingDays where neither is given, BeyondCalendar where the answer is not known.
        """
        rule = self._rule(rule)
        if not pauses:
            return working_days.due(self, start, days, rule)
        return working_days.due_after_pauses(self, start, days, rule, merged(pauses))

    def due_back_working_days(self, reference: int, days: int, rule: dict[str, Any] | None = None) -> int:
        """The instant that lies `days` whole working days before the date of `reference`."""
        if self._strict and reference > self._sure_to:
            raise self.beyond("this reference")
        return working_days.due_back(self, reference, days, self._rule(rule))

    def _rule(self, rule: dict[str, Any] | None) -> dict[str, Any]:
        found: dict[str, Any] | None = rule or self.spec.get("working_days")
        if found is None:
            raise NoWorkingDays(f"calendar `{self.name}` does not say how working days count")
        return found

    # -- what is known

    def is_estimate(self, *instants: int) -> bool:
        """Whether any of `instants` lies outside the confirmed holiday facts."""
        return any(not self._sure_from <= instant <= self._sure_to for instant in instants)

    def beyond(self, what: str, back: bool = False) -> BeyondCalendar:
        """The error for an answer past what the calendar knows; `what` is what was asked for."""
        first, last = self.known_days
        through = None if last == LAST_DAY else day_text(last)
        if back and first > FIRST_DAY:
            fact = f"before the holiday facts of `{self.name}`, which begin on {day_text(first)}"
        elif not back and through:
            fact = f"past the holiday facts of `{self.name}`, which are confirmed through {through}"
        else:
            fact = f"outside the years that `{self.name}` covers, {day_text(FIRST // DAY)} to {day_text(LAST_DAY)}"
        return BeyondCalendar(f"{what} lies {fact}", through)

    def _enter(self, start: int) -> None:
        """Make ready to search from `start`, which must not lie before the confirmed facts."""
        self._cover(start)
        if self._strict and start < self._sure_from:
            raise self.beyond("this start", back=True)


class Always(Calendar):
    """Round the clock: open time is elapsed time. Its dates are UTC's."""

    __slots__ = ()

    def due(self, start: int, amount: int, pauses: Iterable[Interval] = ()) -> int:
        """`start + amount`, plus the pauses in between."""
        if pauses or amount <= 0:
            return self._due_around(start, amount, merged(pauses))
        return start + amount

    def due_back(self, reference: int, amount: int, pauses: Iterable[Interval] = ()) -> int:
        """`reference - amount`, less the pauses in between."""
        if amount < 0:
            raise ValueError(_NEGATIVE)
        for pause, resume in reversed(merged(pauses) if pauses else ()):
            if pause < reference and amount:
                if reference - resume >= amount:
                    break
                amount -= max(reference - resume, 0)
                reference = pause
        return reference - amount

    def elapsed(self, start: int, end: int, pauses: Iterable[Interval] = ()) -> int:
        """`end - start`, less the pauses in between."""
        return max(end - start, 0) if not pauses else super().elapsed(start, end, pauses)

    def open_before(self, instant: int) -> int:
        """Every instant is open."""
        return instant

    _open_before = open_before

    def is_open(self, instant: int) -> bool:
        """Yes."""
        return True

    def next_open(self, instant: int) -> int:
        """`instant`."""
        return instant

    def intervals(self, start: int, end: int) -> list[Interval]:
        """The whole of it."""
        return [(start, end)] if start < end else []

    def segments(self, start: int, end: int) -> list[Segment]:
        """One open stretch."""
        return [(start, end, OPEN, "")] if start < end else []
