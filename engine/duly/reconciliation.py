"""Reconciliation: events as they arrive, late ones among them, to what has not been done yet.

A host that lives in real time has acted on what it knew. When an event arrives that belongs before that, what
should have been done is worked out anew: what is missing is done late, what should not have been is cancelled.
"""

from __future__ import annotations

from duly.actions import Action
from duly.replaying import replayed
from duly.timeline import Timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from duly.acting import ActingSet
    from duly.cases import Event
    from duly.timeline import Adoption

CANCELLED = "action.cancelled"


class Reconciled:
    """A timeline that takes events in the order in which they arrive.

    No action is given out twice. `standing` are those given out and not cancelled, by id: after the same
    events they are the same, whatever the order of arrival (interface.md §1).
    """

    def __init__(self, policy: ActingSet) -> None:
        self.policy = policy
        self.timeline = Timeline(policy)
        self.standing: dict[str, Action] = {}
        self._journal: dict[str, Event] = {}
        self._cancelled: dict[str, int] = {}
        self._adoptions: list[Adoption] = []

    def arrive(self, events: Sequence[Event], now: int | None = None) -> list[Action]:
        """Take events that arrive together at `now`, by default as soon as they happen; what is to be done.

        What comes late carries `late_by`; an `action.cancelled` names the action that is moot.
        """
        fresh = [event for event in events if event.id not in self._journal]
        self._journal.update((event.id, event) for event in fresh)
        moment = self._moment(fresh, now)
        if moment is None:
            return []
        known = self.timeline.now
        if known is None or all(event.at > known for event in fresh):
            return self._give(self._in_order(fresh, moment))
        self.timeline, actions = replayed(self.policy, self._journal.values(), moment, self._adoptions)
        return self._settle(actions, moment)

    def until(self, now: int, since: int | None = None) -> list[Action]:
        """Everything due by `now`; a host that was down since an instant says so (see Timeline.until)."""
        return self._give(self.timeline.until(now, since))

    def adopt(self, policy: ActingSet, at: int) -> list[Action]:
        """Let another revision be in force from `at` on, also for events of that time that arrive later."""
        known = self.timeline.now
        self._adoptions = sorted([*self._adoptions, (at, policy)], key=_instant)
        if known is None or at >= known:
            return self._give(self.timeline.adopt(policy, at))
        self.timeline, actions = replayed(self.policy, self._journal.values(), known, self._adoptions)
        return self._settle(actions, known)

    def _moment(self, fresh: Sequence[Event], now: int | None) -> int | None:
        moments = [event.at for event in fresh]
        moments += [moment for moment in (self.timeline.now, now) if moment is not None]
        return max(moments, default=None)

    def _in_order(self, fresh: Sequence[Event], moment: int) -> list[Action]:
        by_instant: dict[int, list[Event]] = {}
        for event in fresh:
            by_instant.setdefault(event.at, []).append(event)
        actions: list[Action] = []
        for at in sorted(by_instant):
            actions += self.timeline.take(at, by_instant[at])
        return actions + self.timeline.until(moment)

    def _give(self, actions: Sequence[Action]) -> list[Action]:
        name = self.policy.identity["set"]
        given = []
        for action in actions:
            key = action.id(name)
            if key not in self.standing:
                self.standing[key] = action
                given.append(action)
        return given

    def _settle(self, actions: Sequence[Action], moment: int) -> list[Action]:
        """What is missing of the actions that should have been, and the cancelling of those that should not."""
        name = self.policy.identity["set"]
        right = {action.id(name): action for action in actions}
        given: list[Action] = []
        for key in [key for key in self.standing if key not in right]:
            given.append(self._cancel(key, self.standing.pop(key), moment))
        for key, action in right.items():
            if key not in self.standing:
                self.standing[key] = action
                action.late_by = max(0, moment - action.at)
                given.append(action)
        return given

    def _cancel(self, key: str, moot: Action, moment: int) -> Action:
        self._cancelled[key] = self._cancelled.get(key, 0) + 1
        cancel = Action(CANCELLED, moment, "late_event", moot.rule)
        cancel.case, cancel.customer = moot.case, moot.customer
        cancel.source = moot.source
        cancel.occurrence = f"{key}/{self._cancelled[key]}"
        cancel.data = {"cancels": key, "type": moot.type}
        return cancel


def _instant(adoption: Adoption) -> int:
    return adoption[0]
