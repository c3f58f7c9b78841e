"""Addresses: where people, roles and groups are reached by a sink."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses by reference and sink, and the addresses that sinks fall back on."""

    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)

    def recipients(self, action: Mapping[str, Any], sink: str) -> list[tuple[str, str]]:
        """Who an action goes to at a sink, as (reference, address), the address empty where none is known.

        A role or group that has an address itself is reached there, else those of it who are on duty. A
        customer is `customer:K-7`, else `customer`. Whoever shares an address is told once.
        """
        data = action.get("data")
        data = data if isinstance(data, Mapping) else {}
        people = [str(each) for each in data.get("people") or ()]
        found: dict[str, str] = {}
        unknown: list[str] = []
        for reference in _references(data.get("to"), action):
            address = self.address(reference, sink)
            if address is None:
                unknown.append(reference)
            else:
                found.setdefault(reference, address)
        if unknown:
            for person in people:
                found.setdefault(person, self.address(person, sink) or "")
            if not people:
                found.update((reference, "") for reference in unknown)
        taken: set[str] = set()
        return [
            (reference, address)
            for reference, address in found.items()
            if not address or (address not in taken and not taken.add(address))  # type: ignore[func-returns-value]
        ]

    def address(self, reference: str, sink: str) -> str | None:
        """The address of a reference at a sink; None where there is none."""
        address = self.known.get(reference, {}).get(sink)
        if address is None and reference.startswith(CUSTOMER + ":"):
            return self.known.get(CUSTOMER, {}).get(sink)
        return address


def _references(to: Any, action: Mapping[str, Any]) -> list[str]:
    listed = to if isinstance(to, list) else [] if to is None else [to]
    customer = action.get("customer")
    return [
        f"{CUSTOMER}:{customer}" if each == CUSTOMER and customer is not None else str(each)
        for each in listed
    ]
