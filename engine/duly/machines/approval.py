"""Approvals at run time: who must agree, in which order, by when, and who stands in.

A vote comes as `approval.given` or `approval.refused` with `approval` and `by` in its payload. Only the vote
that decides is seen by anything else: the others are held back. So a reaction on `approval.given` runs when
the approval as a whole has been given.
"""

from __future__ import annotations

from duly.conditions.predicates import predicate
from duly.machines.doing import do
from duly.machines.length import after
from duly.machines.turn import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from duly.calendars.calendars import Calendars
    from duly.cases import Event
    from duly.machines.turn import Turn

    Facts = Mapping[str, Any]
    Json = Mapping[str, Any]

VOTES = frozenset(("approval.given", "approval.refused"))
PENDING, GIVEN, REFUSED, EXPIRED = "pending", "given", "refused", "expired"


class Approvals:
    """The approvals of a set. What a case knows of them is kept in its memory under `approvals`, by id:
    `{"status", "asked", "votes": {approver: true|false}, "due", "deputy_at", "deputies"}`.
    """

    __slots__ = ("_calendars", "_specs", "_tests", "hears")

    def __init__(self, specs: Sequence[Json], calendars: Calendars) -> None:
        self._specs = {spec["id"]: spec for spec in specs}
        self._tests = {
            spec["id"]: None if spec.get("when") is None else predicate(spec["when"]) for spec in specs
        }
        self._calendars = calendars
        self.hears = frozenset(event for spec in specs for event in spec["on"])
        if specs:
            self.hears |= {"approval.asked"}

    def held_back(self, memory: dict[str, Any], event: Event) -> bool:
        """Whether the event is a vote that does not decide; the vote is noted all the same."""
        if event.type not in VOTES:
            return False
        found = self._meant(memory, event)
        if found is None:
            # Nobody asked, or it is decided already: nothing may take it for the decision.
            return event.payload.get("approval", next(iter(self._specs), None)) in self._specs
        spec, kept = self._specs[found], memory["approvals"][found]
        voter = self._voter(spec, kept, event)
        if voter is None:
            return True
        kept["votes"][voter] = event.type == "approval.given"
        votes = kept["votes"]
        mode = spec.get("mode", "all")
        refused = any(vote is False for vote in votes.values())
        given = [name for name in spec["by"] if votes.get(name)]
        if mode == "any":
            decided = bool(given) or (refused and len(votes) == len(spec["by"]))
        else:
            decided = refused or len(given) == len(spec["by"])
        if decided:
            kept["status"] = event.type.partition(".")[2]
            kept["due"] = kept["deputy_at"] = None
        return not decided or (event.type == "approval.given" and mode != "any" and refused)

    def react(self, memory: dict[str, Any], event: Event, facts: Facts, turn: Turn) -> None:
        """Ask for the approvals that the event calls for, and the next approver of a sequence."""
        for name, spec in self._specs.items():
            test = self._tests[name]
            asked = event.type == "approval.asked" and event.payload.get("approval") == name
            if asked or (event.type in spec["on"] and (test is None or test(facts))):
                self._ask(memory, spec, turn, event)

    def next_in_turn(self, memory: dict[str, Any], event: Event, turn: Turn) -> None:
        """After a vote that was held back: a sequence asks its next approver."""
        found = self._meant(memory, event)
        if found is None:
            return
        spec, kept = self._specs[found], memory["approvals"][found]
        if spec.get("mode") == "sequence" and kept["status"] in (PENDING, EXPIRED):
            waiting = [name for name in spec["by"] if name not in kept["votes"]]
            if waiting and waiting[0] not in kept["asked"]:
                kept["asked"].append(waiting[0])
                self._say(spec, [waiting[0]], turn, kept, event.id)

    def alarm(self, memory: Mapping[str, Any]) -> int | None:
        """When the next approval is due, or the next deputy steps in."""
        kept = memory.get("approvals", {}).values()
        # A vote at the very due still counts, as an event does for a clock.
        moments = [each["due"] + 1 for each in kept if each.get("due") is not None]
        moments += [each["deputy_at"] for each in kept if each.get("deputy_at") is not None]
        return min(moments, default=None)

    def ring(self, memory: dict[str, Any], facts: Facts, turn: Turn) -> None:
        """A deputy steps in, or the time is up."""
        for name, kept in memory.get("approvals", {}).items():
            spec = self._specs[name]
            if kept.get("deputy_at") is not None and kept["deputy_at"] <= turn.at:
                kept["deputy_at"] = None
                deputy = spec["deputy"]["to"]
                kept["deputies"] = True
                self._say(spec, [deputy], turn, kept, "deputy")
                return
            if kept.get("due") is not None and kept["due"] < turn.at:
                turn.at = kept["due"] if turn.at == kept["due"] + 1 else turn.at
                kept["status"], kept["due"], kept["deputy_at"] = EXPIRED, None, None
                origin = Origin(spec["rule"], "approval.expired", spec.get("source", ()), kept["since"])
                do(turn, spec.get("on_expiry", []), origin, facts)
                return

    def inherit(self, memory: dict[str, Any], turn: Turn) -> None:
        """Go on with the approvals that another revision asked for; nobody waits any more for one that is gone."""
        asked = memory.get("approvals", {})
        for name in [name for name in asked if name not in self._specs]:
            kept = asked.pop(name)
            if kept["status"] in (PENDING, EXPIRED):
                origin = Origin(f"approval#{name}", "policy.adopted", (), kept["since"])
                turn.act("approval.cancelled", origin, {"approval": name})

    def given(self, memory: Mapping[str, Any], name: str) -> bool:
        """Whether an approval has been given, as a gate asks."""
        kept = memory.get("approvals", {}).get(name)
        return kept is not None and kept["status"] == GIVEN

    def _ask(self, memory: dict[str, Any], spec: Json, turn: Turn, event: Event) -> None:
        asked = spec["by"][:1] if spec.get("mode") == "sequence" else list(spec["by"])
        calendar = self._calendars[spec.get("calendar", "always")]
        rule = spec["rule"]
        due = turn.reckon(rule, after, calendar, turn.at, spec["due"]) if "due" in spec else None
        deputy_at = None
        deputy = spec.get("deputy")
        if deputy is not None:
            there = turn.people(asked, {})
            deputy_at = None if there else turn.at
            if "after" in deputy:
                deputy_at = turn.reckon(rule, after, calendar, turn.at, deputy["after"])
        kept: dict[str, Any] = {
            "status": PENDING, "since": event.id, "asked": asked, "votes": {}, "due": due,
            "deputy_at": deputy_at, "deputies": False,
        }  # fmt: skip
        memory.setdefault("approvals", {})[spec["id"]] = kept
        self._say(spec, asked, turn, kept, event.id)

    def _say(
        self, spec: Json, approvers: Sequence[str], turn: Turn, kept: Mapping[str, Any], occurrence: str
    ) -> None:
        origin = Origin(spec["rule"], "approval.asked", spec.get("source", ()), occurrence)
        data = {"approval": spec["id"], "to": list(approvers), "people": turn.people(approvers, {})}
        turn.act("approve", origin, data, due_by=kept["due"])

    def _meant(self, memory: Mapping[str, Any], event: Event) -> str | None:
        """The open approval that a vote is for; the only one where it names none.

        One whose time is up is still open: what waits for it would wait for ever.
        """
        pending = [
            name for name, kept in memory.get("approvals", {}).items() if kept["status"] in (PENDING, EXPIRED)
        ]
        named = event.payload.get("approval")
        if named is None:
            return pending[0] if len(pending) == 1 else None
        return str(named) if named in pending else None

    def _voter(self, spec: Json, kept: Mapping[str, Any], event: Event) -> str | None:
        """The approver that a vote counts for; a deputy's counts for the first who has not voted."""
        by = event.payload.get("by")
        waiting = [name for name in spec["by"] if name not in kept["votes"]]
        if spec.get("mode") == "sequence":
            waiting = waiting[:1]
        if by in waiting:
            return str(by)
        deputy = spec.get("deputy", {}).get("to")
        if by is None or (kept["deputies"] and by == deputy):
            return waiting[0] if waiting else None
        return None
