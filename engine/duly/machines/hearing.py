"""Hearings: whom in a policy set an event concerns, by its type, worked out before any event comes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from duly.machines.clock import Clock
    from duly.machines.route import Routing
    from duly.machines.survey import Survey

_ENDS = {"case.closed": True, "case.cancelled": True, "case.merged": True, "case.reopened": False}
_LEARNT = frozenset(("customer.updated", "case.assigned", "case.acknowledged"))
_ALWAYS = ("case.opened", "agent.replied", "survey.sent", *_ENDS, *_LEARNT)


class Hearing:
    """What events of one type may do to a case.

    `deeds` are what they do to clocks, as (clock, deed, test). `closes` says whether the case is closed after them,
    None where they do not touch on that; `learns` that they say something of the case by their very type.
    """

    __slots__ = ("by_agent", "closes", "deeds", "learns", "opens", "required", "routes", "surveys", "told")

    def __init__(self, kind: str, clocks: Iterable[Clock], surveys: Iterable[Survey]) -> None:
        self.opens = kind == "case.opened"
        self.by_agent = kind == "agent.replied"
        self.closes = _ENDS.get(kind)
        self.learns = kind in _LEARNT
        self.required: Sequence[str] = ()
        self.routes = False
        self.deeds: tuple[tuple[str, int, Any], ...] = tuple(
            (clock.id, deed, test) for clock in clocks for deed, test in clock.on.get(kind, ())
        )
        self.surveys = tuple(survey for survey in surveys if kind in survey.hears)
        # Of the customer alone, whatever the surveys.
        self.told = bool(self.surveys) or kind == "survey.sent"


def hearings(
    clocks: Sequence[Clock],
    surveys: Sequence[Survey],
    routing: Routing | None,
    required: Mapping[str, Sequence[str]],
) -> tuple[dict[str, Hearing], Hearing]:
    """The hearing of each type of event that concerns anybody, and that of every other."""
    evaluate_on = frozenset[str]() if routing is None else routing.evaluate_on
    kinds = {*_ALWAYS, *evaluate_on, *required}
    kinds.update(*(clock.on for clock in clocks), *(survey.hears for survey in surveys))
    found = {}
    for kind in kinds:
        hearing = found[kind] = Hearing(kind, clocks, surveys)
        hearing.required = required.get(kind, ())
        hearing.routes = kind in evaluate_on
    return found, Hearing("", (), ())
