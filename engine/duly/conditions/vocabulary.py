"""The vocabulary of a policy set: the data of a Vocabulary document as typed fields."""

from __future__ import annotations

from collections.abc import Callable

from duly.conditions.faults import Fault
from duly.conditions.fields import Vocabulary
from duly.diagnostics import Path


def read_vocabulary(
    spec: object, at: Path = ("spec",), raw: Callable[[Path], str | None] | None = None
) -> tuple[Vocabulary, list[Fault]]:
    """The vocabulary that the `spec` of a Vocabulary document declares, with what is always there.

    Always there: the case fields `assignee` (text) and `acknowledged` (boolean), and the standard events.
    `spec` may be None or {}: only what is always there. `raw` gives a plain scalar as it was written.
    """
    raise NotImplementedError
