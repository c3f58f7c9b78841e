"""The syntax of conditions: the data of a `when:` to a tree, with every fault in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from duly.conditions.faults import Fault
from duly.conditions.fields import Field, Vocabulary
from duly.conditions.tree import Condition
from duly.diagnostics import Path


def read(
    data: object,
    vocabulary: Vocabulary,
    at: Path = (),
    *,
    events: Collection[str] | None = None,
    raw: Callable[[Path], str | None] | None = None,
    parameters: Mapping[str, object] | None = None,
) -> tuple[Condition, list[Fault]]:
    """The condition that the data of a `when:` means, and all of its faults. Where there are faults, the
    condition holds what could be understood and must not be used to decide.

    `at` is the path of `data` in its document. `events` are the event types that are looked at: only their
    payload may be tested; None: any event's; empty: no event is looked at here. `raw` gives a plain scalar
    as it was written (`Document.raw`), so that a text field takes `0777` as it stands. `parameters` maps
    the names of declared parameters to their values for `{param: name}`; a value of None is a parameter
    that has none yet: no fault here, the test is left out.
    """
    raise NotImplementedError


def read_value(
    data: object, field: Field, at: Path = (), raw: Callable[[Path], str | None] | None = None
) -> tuple[object, list[Fault]]:
    """A value of the type of `field` as a policy writes it (such as what a rule sets), as a fact: text in
    NFC, durations and instants in microseconds, sets as frozenset. None where it has faults."""
    raise NotImplementedError
