"""Settings: what the configuration says of delivery, read and checked."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from duly import durations
from duly.diagnostics import Path, did_you_mean
from duly.hosts.delivery.addresses import Addresses
from duly.hosts.delivery.bundles import Bundling
from duly.hosts.delivery.limits import Limit
from duly.hosts.delivery.quiet import Quiet
from duly.hosts.delivery.retry import Retry
from duly.hosts.delivery.routes import KEYS, Routes, Rule
from duly.sinks.base import Secret, revealed
from duly.validation import schemas


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in the configuration: its place there, what was found, what to do."""

    place: Path
    message: str
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms one sink is delivered to. `sends` is false where all is recorded and nothing sent."""

    name: str
    type: str = ""
    fallback: str | None = None
    retry: Retry = field(default_factory=Retry)
    bundling: Bundling | None = None
    quiet: Quiet | None = None
    limit: Limit | None = None
    limit_each: Limit | None = None
    sends: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the configuration says of delivery."""

    terms: Mapping[str, Terms]
    routes: Routes
    addresses: Addresses
    quiet_hours: Mapping[str, Quiet] = field(default_factory=dict)
    mode: str = "live"


def read(spec: Mapping[str, Any], calendars: Container[str] | None = None) -> tuple[Settings, list[Fault]]:
    """The settings in the `spec` of a configuration that its schema is content with, and what is wrong there.

    Of `spec` the keys `sinks`, `deliver`, `addresses`, `quiet_hours` and `mode` are looked at. `calendars` are
    the names that the policy knows, where it is known.
    """
    return _Reading(spec, calendars).settings()


class _Reading:
    def __init__(self, spec: Mapping[str, Any], calendars: Container[str] | None) -> None:
        self.sinks: Mapping[str, Mapping[str, Any]] = spec.get("sinks") or {}
        self.rules: Sequence[Mapping[str, Any]] = spec.get("deliver") or ()
        self.spec = spec
        self.calendars = calendars
        self.types: list[str] = schemas.read("action")["properties"]["type"]["enum"]
        self.faults: list[Fault] = []

    def settings(self) -> tuple[Settings, list[Fault]]:
        mode = self.spec.get("mode") or "live"
        pilot = mode["pilot"]["sinks"] if isinstance(mode, Mapping) else None
        for number, name in enumerate(pilot or ()):
            self._known(name, ("mode", "pilot", "sinks", number))
        live = {name: mode == "live" if pilot is None else name in pilot for name in self.sinks}
        settings = Settings(
            {name: self._terms(name, sink, live[name]) for name, sink in self.sinks.items()},
            self._routes(),
            self._addresses(),
            {
                reference: self._quiet(quiet, ("quiet_hours", reference))
                for reference, quiet in (self.spec.get("quiet_hours") or {}).items()
            },
            mode if isinstance(mode, str) else "pilot",
        )
        self._check_fallbacks()
        return settings, self.faults

    def _terms(self, name: str, sink: Mapping[str, Any], sends: bool) -> Terms:
        place: Path = ("sinks", name)
        bundle, quiet, limits = sink.get("bundle"), sink.get("quiet"), sink.get("limits") or {}
        return Terms(
            name,
            sink["type"],
            sink.get("fallback"),
            self._retry(sink.get("retry") or {}, (*place, "retry")),
            None
            if bundle is None
            else Bundling(self._length(bundle["within"], (*place, "bundle", "within"))),
            None if quiet is None else self._quiet(quiet, (*place, "quiet")),
            self._limit(limits.get("sink"), (*place, "limits", "sink")),
            self._limit(limits.get("recipient"), (*place, "limits", "recipient")),
            sends,
        )

    def _retry(self, retry: Mapping[str, Any], place: Path) -> Retry:
        usual = Retry()
        waits = retry.get("after")
        return Retry(
            usual.waits
            if waits is None
            else tuple(self._length(wait, (*place, "after", number)) for number, wait in enumerate(waits)),
            usual.jitter if "jitter" not in retry else round(float(str(retry["jitter"]).rstrip("%")) * 10),
        )

    def _limit(self, limit: Mapping[str, Any] | None, place: Path) -> Limit | None:
        return None if limit is None else Limit(limit["most"], self._length(limit["per"], (*place, "per")))

    def _quiet(self, quiet: Mapping[str, Any], place: Path) -> Quiet:
        name = quiet["calendar"]
        if self.calendars is not None and name not in self.calendars:
            listed = list(self.calendars) if isinstance(self.calendars, (Mapping, Sequence)) else []
            self._fault(
                (*place, "calendar"), f"the policy has no calendar `{name}`", did_you_mean(name, listed)
            )
        return Quiet(name, frozenset(quiet.get("through") or ()))

    def _length(self, text: str, place: Path) -> int:
        """A length of time in µs, which must be some."""
        try:
            found = durations.parse(text)
        except ValueError as error:
            self._fault(place, str(error))
            return 1
        if found.unit == durations.WORKING_DAYS or not found.amount:
            self._fault(place, f"expected a length of time such as `30s`, `5m` or `1d`, found `{text}`")
            return 1
        return found.amount

    def _routes(self) -> Routes:
        rules = []
        for number, rule in enumerate(self.rules):
            place: Path = ("deliver", number)
            tests = {key: _listed(value) for key, value in (rule.get("when") or {}).items()}
            for key in [key for key in tests if key not in KEYS]:
                self._fault((*place, "when", key), f"no action has a `{key}`", did_you_mean(key, KEYS))
                del tests[key]
            self._check_types(tests.get("type", ()), (*place, "when", "type"))
            for position, name in enumerate(rule["sinks"]):
                self._known(name, (*place, "sinks", position))
                self._check_only(name, tests.get("type", ()), (*place, "sinks", position))
            rules.append(Rule(tuple(tests.items()), tuple(rule["sinks"]), rule.get("also", False)))
        only = {}
        for name, sink in self.sinks.items():
            only[name] = sink.get("only")
            self._check_types(only[name] or (), ("sinks", name, "only"))
        fallbacks = {sink.get("fallback") for sink in self.sinks.values()}
        reserves = frozenset(name for name in fallbacks if name is not None and only.get(name) is None)
        return Routes(tuple(rules), only, reserves)

    def _check_types(self, patterns: Sequence[str], place: Path) -> None:
        for number, pattern in enumerate(patterns):
            if not any(fnmatchcase(type, pattern) for type in self.types):
                hint = did_you_mean(pattern, self.types) or "`duly schema action` names the types"
                self._fault((*place, number), f"no action is of the type `{pattern}`", hint)

    def _check_only(self, name: str, patterns: Sequence[str], place: Path) -> None:
        """A rule that sends a sink what it never takes would do nothing."""
        only = (self.sinks.get(name) or {}).get("only")
        if only is None or not patterns:
            return
        wanted = [type for type in self.types if any(fnmatchcase(type, each) for each in patterns)]
        if wanted and not any(fnmatchcase(type, each) for type in wanted for each in only):
            self._fault(place, f"`{name}` takes none of these types", f"see `only` of the sink `{name}`")

    def _addresses(self) -> Addresses:
        known: dict[str, dict[str, str]] = {}
        for reference, by_sink in (self.spec.get("addresses") or {}).items():
            for name, address in by_sink.items():
                if self._known(name, ("addresses", reference, name)):
                    known.setdefault(reference, {})[name] = _address(address)
        defaults = {name: _address(sink["address"]) for name, sink in self.sinks.items() if "address" in sink}
        return Addresses(known, defaults)

    def _check_fallbacks(self) -> None:
        for name, sink in self.sinks.items():
            if "fallback" in sink and self._known(sink["fallback"], ("sinks", name, "fallback")):
                chain = list(_chain(self.sinks, name))
                if chain[-1] == name:
                    circle = " → ".join(f"`{each}`" for each in [name, *chain])
                    self._fault(
                        ("sinks", name, "fallback"), f"fallbacks go round in a circle: {circle}",
                        "let the last of them have no fallback",
                    )  # fmt: skip

    def _known(self, name: str, place: Path) -> bool:
        if name in self.sinks:
            return True
        self._fault(
            place, f"there is no sink `{name}`", did_you_mean(name, self.sinks) or "declare it under `sinks`"
        )
        return False

    def _fault(self, place: Path, message: str, help: str | None = None) -> None:
        self.faults.append(Fault(("spec", *place), message, help))


def _chain(sinks: Mapping[str, Mapping[str, Any]], name: str) -> Iterator[str]:
    """The fallbacks of a sink, one after the other, until one comes round again."""
    seen: set[str] = set()
    here = sinks[name].get("fallback")
    while here is not None and here in sinks and here not in seen:
        seen.add(here)
        yield here
        here = sinks[here].get("fallback")


def _listed(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, (list, tuple)) else (str(value),)


def _address(address: str | Secret) -> str:
    return revealed(address)
