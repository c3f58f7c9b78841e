"""What entities and machines are: the words in which a timeline speaks of whatever it runs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol

    from duly.cases import Event
    from duly.machines.turn import Turn

    Told = tuple[Event, Mapping[str, Any]]
    """An event, and the facts of the case it comes from."""

    class Entity(Protocol):
        """The state of one case, one customer, the desk or the set: it knows when it acts next by itself, and
        `at`, the instant of its last turn.
        """

        alarm: int | None
        at: int

    class Machine(Protocol):
        """What runs the entities of one sort. None of them knows the time but from the turn."""

        def begin(self, name: str, at: int, first: Event) -> Any:
            """A new entity, before its first event."""

        def subject(self, state: Any) -> Mapping[str, Any]:
            """Whom the entity's actions are about."""

        def apply(self, state: Any, at: int, told: Sequence[Told], turn: Turn) -> None:
            """What the events of one instant do."""

        def wake(self, state: Any, turn: Turn) -> None:
            """The one thing that is due first at the turn's instant."""
