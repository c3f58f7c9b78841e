"""The configuration of a service: a document of kind Config, read, checked and made ready to use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from duly import documents, durations, validation
from duly.diagnostics import Diagnostic, did_you_mean, render_path
from duly.diagnostics import Path as Place
from duly.documents import Document
from duly.hosts.secrets import Secret, Unresolved, is_reference, resolve, sounds_secret
from duly.instants import SECOND


class Faulty(Exception):
    """A configuration that cannot be run with; `diagnostics` say why, each with its place."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics[0].message)
        self.diagnostics = tuple(diagnostics)


@dataclass(frozen=True, slots=True)
class Mode:
    """Whether actions are sent: to all sinks (`live`), to none (`dry_run`), to some (`pilot`)."""

    kind: Literal["live", "dry_run", "pilot"] = "live"
    sinks: frozenset[str] = frozenset()

    def sends(self, sink: str) -> bool:
        """Whether this sink is really sent to."""
        return self.kind == "live" or (self.kind == "pilot" and sink in self.sinks)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the state is kept. `retention` is how long the history of what is at rest is kept, in µs."""

    url: str = field(repr=False)
    shards: int | None = None
    retention: int | None = None

    @property
    def shown(self) -> str:
        """The address without a password, for people."""
        parts = urlsplit(self.url)
        if parts.password is None:
            return self.url
        return self.url.replace(f":{parts.password}@", ":***@", 1)


@dataclass(frozen=True, slots=True)
class Config:
    """What a service is run with. Paths in it are relative to the folder of its file; secrets are resolved.

    `http`, `sources`, `sinks`, `deliver`, `addresses`, `log` and `watchdog` are as the schema says,
    checked against it, with a Secret where there was `{env: …}` or `{file: …}`.
    """

    document: Document
    folder: Path
    policy: str | None
    releases: str | None
    parameters: Mapping[str, Any]
    matcher: str
    store: StoreSettings
    time: Literal["wall", "events"]
    mode: Mode
    trust: tuple[str, ...]
    http: Mapping[str, Any] | None
    sources: Mapping[str, Mapping[str, Any]]
    sinks: Mapping[str, Mapping[str, Any]]
    deliver: tuple[Mapping[str, Any], ...]
    addresses: Mapping[str, Mapping[str, str]]
    log: Mapping[str, Any]
    watchdog: Mapping[str, Any]
    stop_within: int = 10 * SECOND
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    def path(self, name: str) -> Path:
        """The file that the configuration calls by this name."""
        return self.folder / name

    def fault(self, place: Place, message: str, help: str | None = None, code: str = "D504") -> Diagnostic:
        """Something wrong at a place of the document, such as `("spec", "sinks", "chat", "settings")`."""
        return Diagnostic(code, message, self.document.span(place), path=render_path(place), help=help)


def read(content: bytes, file: str, environment: Mapping[str, str]) -> Config:
    """The configuration that a file's content says. Raises Faulty, with everything that is wrong."""
    found, faults = documents.load(content, file)
    if not found:
        raise Faulty(faults or [_empty(file)])
    document, more = validation.validate(found[0], kind="config")
    faults += more
    if faults:
        raise Faulty(faults)
    return _Reading(document, Path(file).resolve().parent, environment).config()


def _empty(file: str) -> Diagnostic:
    from duly.diagnostics import Span

    return Diagnostic(
        "D219", "nothing is in this file", Span(file, 1, 1, 1, 1), help="write a document of kind `Config`"
    )


class _Reading:
    """A document that its schema has been content with, on its way to a Config."""

    def __init__(self, document: Document, folder: Path, environment: Mapping[str, str]) -> None:
        self.document = document
        self.folder = folder
        self.environment = environment
        self.faults: list[Diagnostic] = []
        self.secrets: set[str] = set()
        self.spec: Mapping[str, Any] = document.data.get("spec") or {}

    def config(self) -> Config:
        spec = {key: self._resolved(value, ("spec", key)) for key, value in self.spec.items()}
        self._check_names(spec)
        store = self._store(spec.get("store") or {"url": "sqlite:duly.db"})
        if self.faults:
            raise Faulty(self.faults)
        mode = spec.get("mode", "live")
        return Config(
            self.document, self.folder, spec.get("policy"), spec.get("releases"), spec.get("parameters") or {},
            spec.get("matcher", "native"), store, spec.get("time", "wall"),
            Mode("pilot", frozenset(mode["pilot"]["sinks"])) if isinstance(mode, dict) else Mode(mode),
            tuple(spec.get("trust") or ()), spec.get("http"), spec.get("sources") or {}, spec.get("sinks") or {},
            tuple(spec.get("deliver") or ()), spec.get("addresses") or {}, spec.get("log") or {},
            spec.get("watchdog") or {},
            _duration(spec.get("stop_within"), 10 * SECOND), frozenset(self.secrets),
        )  # fmt: skip

    def _resolved(self, data: Any, place: Place) -> Any:
        """The data with secrets in the place of references to them."""
        if isinstance(data, dict):
            if len(place) > 2 and place[-1] != "settings" and is_reference(data):
                return self._secret(data, place)
            return {key: self._setting(key, value, (*place, key)) for key, value in data.items()}
        if isinstance(data, list):
            return [self._resolved(each, (*place, number)) for number, each in enumerate(data)]
        return data

    def _setting(self, key: str, value: Any, place: Place) -> Any:
        if (
            isinstance(value, str)
            and len(place) > 3
            and sounds_secret(key)
            and place[1] in ("sinks", "sources")
        ):
            message = f"a secret stands in `{key}` itself"
            help = f"write `{key}: {{env: NAME}}` or `{key}: {{file: PATH}}`, and keep the secret there"
            self.faults.append(self._fault(place, message, help, "D502"))
        return self._resolved(value, place)

    def _secret(self, reference: Mapping[str, str], place: Place) -> Secret | None:
        try:
            secret = resolve(reference, self.environment, lambda name: self.folder / name)
        except Unresolved as error:
            self.faults.append(self._fault(place, error.message, error.help, "D501"))
            return None
        self.secrets.add(secret.reveal())
        return secret

    def _store(self, spec: Mapping[str, Any]) -> StoreSettings:
        url = spec["url"]
        if isinstance(url, Secret):
            url = url.reveal()
        elif isinstance(url, str) and urlsplit(url).password:
            self.faults.append(self._fault(
                ("spec", "store", "url"), "a password stands in the address of the store",
                "write `url: {env: NAME}`, and keep the whole address there", "D502",
            ))  # fmt: skip
        url = url or ""
        if url.startswith("sqlite:"):
            name = url.removeprefix("sqlite:").removeprefix("//")
            url = "sqlite:" + str(self.folder / name)
        elif url and not url.startswith(("postgresql://", "postgres://")):
            message = "the address of the store begins neither with `sqlite:` nor with `postgresql://`"
            self.faults.append(self._fault(("spec", "store", "url"), message, None, "D504"))
        return StoreSettings(url, spec.get("shards"), _duration(spec.get("retention"), None))

    def _check_names(self, spec: Mapping[str, Any]) -> None:
        """Every sink that is spoken of is there."""
        sinks = list(spec.get("sinks") or {})
        for place, name in _sinks_named(spec):
            if name not in sinks:
                help = did_you_mean(name, sinks) or "declare it under `sinks`"
                self.faults.append(self._fault(place, f"there is no sink `{name}`", help, "D503"))
        for name, source in (spec.get("sources") or {}).items():
            if source["type"] == "http-webhook" and spec.get("http") is None:
                place = ("spec", "sources", name)
                self.faults.append(
                    self._fault(place, "a webhook is listened for, and there is no `http`", "add `http`")
                )
            if source["type"] == "file" and "path" not in source:
                place = ("spec", "sources", name)
                self.faults.append(self._fault(place, "a source of type `file` has no `path`", "add `path`"))

    def _fault(self, place: Place, message: str, help: str | None, code: str = "D504") -> Diagnostic:
        return Diagnostic(code, message, self.document.span(place), path=render_path(place), help=help)


def _sinks_named(spec: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    mode = spec.get("mode")
    if isinstance(mode, dict):
        for number, name in enumerate(mode["pilot"]["sinks"]):
            yield ("spec", "mode", "pilot", "sinks", number), name
    for number, rule in enumerate(spec.get("deliver") or ()):
        for position, name in enumerate(rule.get("sinks") or ()):
            yield ("spec", "deliver", number, "sinks", position), name
    for name, sink in (spec.get("sinks") or {}).items():
        if isinstance(sink.get("fallback"), str):
            yield ("spec", "sinks", name, "fallback"), sink["fallback"]


def _duration(text: str | None, default: Any) -> Any:
    return default if text is None else durations.parse(text).amount
