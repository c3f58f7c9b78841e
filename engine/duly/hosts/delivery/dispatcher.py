"""Dispatcher: the deliveries of a service, put together from its configuration."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from duly.calendars.localtime import Zone
from duly.hosts.clock import WallClock
from duly.hosts.config import Config, Faulty
from duly.hosts.delivery import settings as reading
from duly.hosts.delivery.calls import Around
from duly.hosts.delivery.couriers import Couriers
from duly.hosts.delivery.settings import Settings
from duly.hosts.delivery.sorting import Action
from duly.hosts.delivery.wording import Wording
from duly.hosts.secrets import masked
from duly.sinks import registry
from duly.sinks.base import Misconfigured, Sink
from duly.sinks.registry import build, close, escape_of
from duly.sinks.templates import Localized

if TYPE_CHECKING:
    from duly.hosts.service import Service


class Dispatcher:
    """The part of a service that delivers. Raises Faulty for a configuration that cannot work, and Unavailable."""

    brings = False

    def __init__(self, service: Service) -> None:
        self._service = service
        config = service.config
        self._settings = settings(config, service.policy.compiled["calendars"])
        self._sinks = sinks(config)
        self._wordings = wordings(config, self._sinks, self._templates)
        # Deliveries keep the hours of this world, even where the engine's time moves with the events.
        clock = service.clock if service.clock.live else WallClock()
        around = Around(
            clock.now, self._render, lambda: service.policy.compiled["calendars"], service.metrics.delivered,
            lambda text: masked(text, set(config.secrets)),
        )  # fmt: skip
        # Who has a store to himself need not wait for the lease of one that crashed to run out.
        owner = (
            f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
            if service.store.shared
            else "its only user"
        )
        self._couriers = Couriers(self._sinks, self._settings, service.store, clock, owner, around)
        if not service.checking:
            self._couriers.subscribe()
        for name in self._sinks:
            service.metrics.depth(name, lambda name=name: service.store.depth(name))  # type: ignore[misc]

    def start(self) -> None:
        """Begin to deliver; come back at once."""
        self._couriers.start()

    def stop(self, seconds: float) -> None:
        """Deliver what can be delivered now, for at most so many seconds, and let go of the sinks."""
        self._couriers.stop(seconds)

    def where(self) -> str:
        """Where it delivers to."""
        silent = [name for name, terms in self._settings.terms.items() if not terms.sends]
        told = "delivers to " + ", ".join(
            f"{name} ({terms.type})" for name, terms in self._settings.terms.items()
        )
        return told + (
            f"; {self._settings.mode}: records and does not send for {', '.join(silent)}" if silent else ""
        )

    def _render(self, sink: str, actions: Sequence[Action]) -> tuple[str, str]:
        return self._wordings[sink](actions) if registry.worded(self._sinks[sink]) else ("", "")

    def _templates(self) -> tuple[Mapping[str, Localized], Zone]:
        policy = self._service.policy
        return policy.compiled["set"].get("templates") or {}, policy.zone


def settings(config: Config, calendars: Mapping[str, Any] | None = None) -> Settings:
    """What a configuration says of delivery; `calendars` are the policy's. Raises Faulty."""
    known = None if calendars is None else ["always", *calendars]
    spec = {**config.document.data["spec"], "addresses": config.addresses}
    found, faults = reading.read(spec, known)
    if faults:
        raise Faulty([config.fault(fault.place, fault.message, fault.help) for fault in faults])
    return found


def sinks(config: Config, names: Iterable[str] | None = None) -> dict[str, Sink]:
    """The sinks of a configuration, or those named, ready to deliver. Raises Faulty, with all that cannot work."""
    found: dict[str, Sink] = {}
    faults = []
    for name in config.sinks if names is None else names:
        sink = config.sinks[name]
        wrong = registry.faults(config.document, ("spec", "sinks", name))
        if wrong:
            faults += wrong
            continue
        try:
            found[name] = build(sink["type"], sink.get("settings") or {}, config.folder)
        except Misconfigured as error:
            faults.append(config.fault(("spec", "sinks", name), str(error)))
    if faults:
        for each in found.values():
            close(each)
        raise Faulty(faults)
    return found


def wordings(config: Config, made: Mapping[str, Sink], policy: Any) -> dict[str, Wording]:
    """How each sink says things. Raises Faulty for templates that cannot be used."""
    found = {}
    faults = []
    for name, sink in made.items():
        try:
            found[name] = Wording(config.sinks[name], escape_of(sink), config.folder, policy)
        except Misconfigured as error:
            faults.append(config.fault(("spec", "sinks", name, "templates"), str(error)))
    if faults:
        raise Faulty(faults)
    return found
