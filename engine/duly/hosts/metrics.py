"""Metrics: what a service counts and measures, for Prometheus to fetch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from duly.hosts.store.records import Depth
from duly.instants import SECOND

FETCH = "pip install 'duly[service]'"
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_LATE = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 60, 600, 3600)


class Metrics:
    """What is counted. Without prometheus-client all of it goes nowhere, and costs nothing."""

    def __init__(self) -> None:
        try:
            self._page: _Page | None = _Page()
        except ImportError:
            self._page = None

    def page(self) -> bytes:
        """Everything in the text format of Prometheus."""
        if self._page is None:
            return f"# there are no metrics without prometheus-client: {FETCH}\n".encode()
        return self._page.text()

    def taken(self, status: str, source: str, count: int = 1) -> None:
        """Events handed in: `accepted`, `duplicate`, `conflict` or `refused`, by source."""
        if self._page is not None and count:
            self._page.events.labels(status, source).inc(count)

    def stepped(self, seconds: float, kind: str) -> None:
        """How long a transaction took: `accept`, `work` or `fold`."""
        if self._page is not None:
            self._page.steps.labels(kind).observe(seconds)

    def gave(self, types: Mapping[str, int], late: Sequence[int]) -> None:
        """Actions given into the outbox, by type; how long after its instant each timer rang, in µs."""
        if self._page is None:
            return
        for type, count in types.items():
            self._page.actions.labels(type).inc(count)
        for each in late:
            self._page.late.observe(each / SECOND)

    def folded(self, groups: int) -> None:
        """Histories folded because nothing of them has moved for long."""
        if self._page is not None:
            self._page.folded.inc(groups)

    def delivered(self, sink: str, outcome: str, count: int = 1) -> None:
        """Deliveries by a sink: `delivered`, `failed`, `refused`, `gone`, `suppressed`, …"""
        if self._page is not None:
            self._page.deliveries.labels(sink, outcome).inc(count)

    def jumped(self) -> None:
        """The machine's clock was set."""
        if self._page is not None:
            self._page.jumps.inc()

    def depth(self, sink: str, measure: Callable[[], Depth]) -> None:
        """Whom to ask, at each fetch, how much a sink has before it, and what it has kept."""
        if self._page is not None:
            self._page.depths[sink] = measure

    def behind(self, measure: Callable[[], float]) -> None:
        """Whom to ask, at each fetch, by how many seconds the latest timer is overdue."""
        if self._page is not None:
            self._page.overdue.set_function(measure)

    def waiting(self, measure: Callable[[], float]) -> None:
        """Whom to ask, at each fetch, how many events wait to be made durable."""
        if self._page is not None:
            self._page.queue.set_function(measure)


class _Page:
    """The metrics as prometheus-client keeps them; a registry of its own for each service."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        registry = self.registry = CollectorRegistry()
        self.events = Counter("duly_events", "Events handed in.", ["status", "source"], registry=registry)
        self.steps = Histogram(
            "duly_step_seconds", "How long transactions took.", ["kind"], buckets=_STEPS, registry=registry
        )
        self.actions = Counter(
            "duly_actions", "Actions given, breaches among them.", ["type"], registry=registry
        )
        self.late = Histogram(
            "duly_timer_late_seconds", "How long after their instant timers rang.", buckets=_LATE,
            registry=registry,
        )  # fmt: skip
        self.deliveries = Counter(
            "duly_deliveries", "Deliveries by their result.", ["sink", "outcome"], registry=registry
        )
        self.folded = Counter(
            "duly_groups_folded", "Histories folded after the retention.", registry=registry
        )
        self.jumps = Counter("duly_clock_jumps", "How often the machine's clock was set.", registry=registry)
        self.overdue = Gauge(
            "duly_timers_overdue_seconds", "By how much the earliest timer is overdue.", registry=registry
        )
        self.queue = Gauge("duly_events_waiting", "Events not durable yet.", registry=registry)
        self.depths: dict[str, Callable[[], Depth]] = {}
        registry.register(_Depths(self.depths))

    def text(self) -> bytes:
        from prometheus_client import generate_latest

        return generate_latest(self.registry)


class _Depths:
    """How much of the outbox each sink has before it, asked for when somebody looks."""

    def __init__(self, depths: dict[str, Callable[[], Depth]]) -> None:
        self._depths = depths

    def collect(self) -> list[Any]:
        """What prometheus-client asks of a collector."""
        from prometheus_client.core import GaugeMetricFamily

        from duly.hosts.contract import Unavailable

        family = GaugeMetricFamily(
            "duly_outbox_depth", "Actions that a sink has before it.", labels=["sink", "state"]
        )
        for sink, measure in sorted(self._depths.items()):
            try:
                found = measure()
            except Unavailable:
                continue
            for state, count in found._asdict().items():
                family.add_metric([sink, state], count)
        return [family]
