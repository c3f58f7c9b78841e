"""Admission: what can be said against an event without looking at any case."""

from __future__ import annotations

from duly.cases import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duly.cases import Event
    from duly.decision import PolicySet


def admit(policy: PolicySet, event: Event) -> None:
    """Refuse an event that no case could take, whatever its state: a value of the wrong type, one that an enum does
    not have, payload or, of a case that is opened, a field that is required and missing. Raises Refused.
    """
    payload, opening = event.payload, event.type == "case.opened"
    if payload:
        intake = policy.customer_intake if event.type == "customer.updated" else policy.event_intake
        _refuse(intake(payload, False)[1], event.path + "data.")
    for name in policy.compiled.get("required", {}).get(event.type, ()):
        if payload.get(name) is None:
            message = f"`{name}` is missing; every `{event.type}` has it"
            raise Refused("C203", message, f"{event.path}data.{name}")
    if event.changes or opening:
        _refuse(policy.case_intake(event.changes, opening)[1], event.path + event.field_path)


def _refuse(faults: Sequence[Mapping[str, str]], prefix: str) -> None:
    if faults:
        message = "; ".join(fault["message"] for fault in faults[:5])
        raise Refused(faults[0]["code"], message, prefix + faults[0]["path"])
