"""Duties at run time: what comes round must be done, proved, and is late or missed (semantics §6)."""

from __future__ import annotations

from duly.conditions.predicates import predicate
from duly.machines.doing import do
from duly.machines.length import after
from duly.machines.schedule import Schedule
from duly.machines.survey import sampled
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.calendars.calendars import Calendars
    from duly.calendars.localtime import Zone
    from duly.cases import Event
    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]
    Memory = dict[str, Any]

_LATE = "late:"
"""What begins the occurrence of a ladder that a late duty started; no event is called so."""

DUTIFUL = frozenset(("case.opened", "case.reopened", "case.closed", "case.cancelled"))
"""The types of events between which the duties of a case come round."""


class Duty:
    """One duty, compiled."""

    __slots__ = (
        "actions", "acts", "calendar", "due", "evidence", "for_each", "id", "ladder", "on", "owner", "rule", "sample",
        "schedule", "source", "when",
    )  # fmt: skip

    def __init__(self, spec: Mapping[str, Any], calendars: Calendars, zone: Zone) -> None:
        self.id: str = spec["id"]
        self.rule: str = spec["rule"]
        self.schedule = None if spec.get("every") is None else Schedule(spec["every"], calendars, zone)
        self.on = frozenset(spec.get("on", ()))
        self.for_each: str = spec.get("for_each", "set")
        self.when = None if spec.get("when") is None else predicate(spec["when"])
        self.owner: str | None = spec.get("owner")
        self.due: dict[str, Any] | None = spec.get("due")
        self.calendar = calendars[spec.get("calendar", "always")]
        self.evidence: list[tuple[str, Any]] = [
            (name, None if condition is None else predicate(condition))
            for name, condition in spec["evidence"]
        ]
        self.ladder: str | None = spec.get("ladder")
        self.actions: list[dict[str, Any]] = spec.get("do", [])
        self.acts: bool = spec["acts"]
        self.sample: float = spec.get("sample", 1.0)
        self.source: list[str] = spec.get("source", [])


class Duties:
    """The duties of one sort of entity. What an entity knows of them is kept in its memory under `duties`:
    `next` (duty and whom it is for → the next occurrence) and `open` (a list of `{"duty", "who", "opened",
    "due", "late"}`); all plain data.
    """

    __slots__ = ("_by_id", "hears", "ladders")

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._by_id = {duty.id: duty for duty in duties}
        self.hears = frozenset(
            name for duty in duties for name in [*duty.on, *(event for event, _ in duty.evidence)]
        )

    def begin(self, memory: Memory, at: int, sort: str, whom: Sequence[Mapping[str, str]] = ({},)) -> None:
        """Let the scheduled duties `for_each` of a sort come round from `at` on, for each of `whom` (tags such
        as {"person": …}).
        """
        book = memory.setdefault("duties", {"next": {}, "open": []})
        for duty in self._by_id.values():
            for who in whom:
                if duty.schedule is not None and duty.for_each == sort:
                    moment = duty.schedule.after(at - 1)
                    if moment is not None:
                        book["next"].setdefault(_key(duty.id, who), [moment, duty.id, dict(who)])

    def inherit(self, memory: Memory, turn: Turn) -> None:
        """Go on with what another revision's duties left: by their ids, each by its schedule from now on."""
        book = memory.get("duties")
        if book is None:
            return
        for each in list(book["open"]):
            if each["duty"] not in self._by_id:
                book["open"].remove(each)
                gone = Origin(f"duty#{each['duty']}", "policy.adopted", (), str(each["opened"]), duty=each["duty"],
                              **each["who"])  # fmt: skip
                turn.act("duty.cancelled", gone)
        for key, (_, name, who) in list(book["next"].items()):
            duty = self._by_id.get(name)
            moment = None if duty is None or duty.schedule is None else duty.schedule.after(turn.at)
            if moment is None:
                del book["next"][key]
            else:
                book["next"][key] = [moment, name, who]

    def for_each(self, sort: str) -> bool:
        """Whether any duty comes round for each of a sort, such as `customer`."""
        return any(duty.for_each == sort for duty in self._by_id.values())

    def end(self, memory: Memory) -> None:
        """Nothing comes round any more; what is open stays open."""
        memory.get("duties", {}).get("next", {}).clear()

    def hear(self, memory: Memory, event: Event, facts: Facts, turn: Turn, *, births: bool = True) -> None:
        """Evidence closes the oldest open occurrence; an event may give birth to a duty."""
        book = memory.setdefault("duties", {"next": {}, "open": []})
        for duty in self._by_id.values():
            proves = any(name == event.type and (test is None or test(facts)) for name, test in duty.evidence)
            if proves:
                self._prove(book, duty, event, turn)
            if births and event.type in duty.on and (duty.when is None or duty.when(facts)):
                who = (
                    {"person": event.person}
                    if event.person is not None and "person" not in turn.subject
                    else {}
                )
                self._open(book, duty, who, event.id, facts, turn)

    def alarm(self, memory: Mapping[str, Any]) -> int | None:
        """When the next occurrence comes, or an open one becomes late."""
        book = memory.get("duties")
        if book is None:
            return None
        moments = [row[0] for row in book["next"].values()]
        moments += [each["due"] + 1 for each in book["open"] if each["due"] is not None and not each["late"]]
        return min(moments, default=None)

    def ring(
        self, memory: Memory, facts: Facts, turn: Turn, customers: Mapping[str, Facts] | None = None
    ) -> tuple[str, str] | None:
        """Do the first thing that is due; a ladder that has to start is returned with its occurrence.

        `customers` are the facts of each, for duties that are `for_each: customer`.
        """
        book = memory["duties"]
        for each in book["open"]:
            if each["due"] is not None and not each["late"] and each["due"] < turn.at:
                each["late"] = True
                turn.at = each["due"] if turn.at == each["due"] + 1 else turn.at
                duty = self._by_id[each["duty"]]
                turn.act("duty.late", self._origin(duty, each), self._data(duty, turn, facts), at=each["due"])
                return None if duty.ladder is None else (duty.ladder, self._late(duty, each))
        for key, (moment, name, who) in sorted(book["next"].items()):
            if moment <= turn.at:
                duty = self._by_id[name]
                assert duty.schedule is not None
                if customers is not None and "customer" in who:
                    facts = customers.get(who["customer"], facts)
                following = duty.schedule.after(moment)
                if following is None:
                    del book["next"][key]
                else:
                    book["next"][key] = [following, name, who]
                self._miss(book, duty, who, facts, turn)
                if duty.when is None or duty.when(facts):
                    self._open(book, duty, who, str(moment), facts, turn)
                return None
        return None

    def _open(
        self, book: Any, duty: Duty, who: Mapping[str, str], occurrence: str, facts: Facts, turn: Turn
    ) -> None:
        about = next(iter(who.values()), turn.subject.get("case") or turn.subject.get("customer") or "set")
        if not sampled(duty.id, f"{about}:{occurrence}", duty.sample):
            return
        due = None if duty.due is None else turn.reckon(duty.rule, after, duty.calendar, turn.at, duty.due)
        entry = {"duty": duty.id, "who": dict(who), "opened": occurrence, "due": due, "late": False}
        origin = self._origin(duty, entry)
        turn.act("duty.opened", origin, self._data(duty, turn, facts), due_by=due)
        do(turn, duty.actions, Origin(duty.rule, "duty.opened", duty.source, occurrence, duty=duty.id, **who), facts,
           duty.owner)  # fmt: skip
        if duty.evidence:
            book["open"].append(entry)

    def _prove(self, book: Any, duty: Duty, event: Event, turn: Turn) -> None:
        for each in book["open"]:
            if each["duty"] == duty.id and _about(event, each["who"]):
                book["open"].remove(each)
                turn.act("duty.done", self._origin(duty, each), {"late": each["late"]}, due_by=each["due"])
                return

    def _miss(self, book: Any, duty: Duty, who: Mapping[str, str], facts: Facts, turn: Turn) -> None:
        """The next occurrence has come: one that was not proved by now is missed."""
        for each in list(book["open"]):
            if each["duty"] == duty.id and each["who"] == who:
                book["open"].remove(each)
                if duty.evidence:
                    turn.act("duty.missed", self._origin(duty, each), self._data(duty, turn, facts))

    def _late(self, duty: Duty, entry: Mapping[str, Any]) -> str:
        return "/".join((f"{_LATE}{duty.id}", str(entry["opened"]), *entry["who"].values()))

    def behind(self, ladder: str, occurrence: str) -> tuple[dict[str, Any], str | None]:
        """What the actions of a ladder that no clock started say of it, and who is its `owner`: whoever owes
        the late duty that started it. Each start has actions of its own, told apart by the occurrence.
        """
        tags: dict[str, Any] = {"ladder": ladder.partition("@")[0], "occurrence": occurrence}
        duty = (
            self._by_id.get(occurrence[len(_LATE) :].partition("/")[0])
            if occurrence.startswith(_LATE)
            else None
        )
        return (tags, None) if duty is None else ({**tags, "duty": duty.id}, duty.owner)

    def _origin(self, duty: Duty, entry: Mapping[str, Any]) -> Origin:
        return Origin(duty.rule, "duty", duty.source, str(entry["opened"]), duty=duty.id, **entry["who"])

    def _data(self, duty: Duty, turn: Turn, facts: Facts) -> dict[str, Any]:
        if duty.owner is None:
            return {}
        return {"to": [duty.owner], "people": turn.people([duty.owner], facts)}


def _about(event: Event, who: Mapping[str, str]) -> bool:
    """Whether evidence is that of whoever owes the duty; evidence that names nobody is."""
    person, customer = who.get("person"), who.get("customer")
    if person is not None and event.person is not None:
        return person.removeprefix("person:") == event.person.removeprefix("person:")
    return customer is None or event.customer in (None, customer)


def _key(duty: str, who: Mapping[str, str]) -> str:
    return f"{duty}:{next(iter(who.values()), '')}"
