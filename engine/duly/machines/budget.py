"""The ledger at run time: one budget for everything that is sent to a customer (semantics §5)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Sent = Sequence[tuple[int, str, str]]
    """(instant, survey id, class) of what went to the customer, or is going to."""

_MOST_MOVES = 1_000


def free_at(
    ledger: Sequence[Mapping[str, Any]], survey: str, kind: str, sent: Sent, answered: Sent, at: int
) -> int:
    """The earliest instant from `at` on at which every limit of the ledger lets the survey out.

    A gap is kept to what comes before and to what is planned after; `max` in `per` counts the half-open window
    that ends at the instant. `from: answered` counts answers in place of sendings.
    """
    for _ in range(_MOST_MOVES):
        moved = max((_free(limit, survey, kind, sent, answered, at) for limit in ledger), default=at)
        if moved == at:
            return at
        at = moved
    return at


def _free(limit: Mapping[str, Any], survey: str, kind: str, sent: Sent, answered: Sent, at: int) -> int:
    scope = limit["scope"]
    own = [
        moment for moment, name, of in (answered if limit["from"] == "answered" else sent)
        if scope == "any" or (scope == "class" and of == kind) or (scope == "survey" and name == survey)
    ]  # fmt: skip
    if "gap" in limit:
        blocking = [moment for moment in own if abs(moment - at) < limit["gap"]]
        return int(max(blocking) + limit["gap"]) if blocking else at
    inside = sorted(moment for moment in own if at - limit["per"] < moment <= at)
    if len(inside) < limit["max"]:
        return at
    return int(inside[len(inside) - limit["max"]] + limit["per"])
