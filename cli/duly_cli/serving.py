"""Serving: from the file that `duly run` is given to a service that is ready to start."""

from __future__ import annotations

from collections.abc import Mapping

from duly import instants
from duly.acting import ActingSet
from duly.diagnostics import Diagnostic
from duly.hosts import logs
from duly.hosts.config import Config, read
from duly.hosts.reload import Unusable
from duly.hosts.service import Service
from duly_cli import deciding, files
from duly_cli.files import Unreadable
from duly_cli.releases import Releases
from duly_cli.sources import Choice, Invalid

EXAMPLE = """\
apiVersion: duly/v1
kind: Config
spec:
  policy: ./policy
  store: {url: "sqlite:duly.db"}
  sources: {feed: {type: file, path: events.jsonl}}
  sinks: {out: {type: jsonl, settings: {path: actions.jsonl}}}
"""


def content(file: str) -> bytes:
    """The content of the configuration file. Raises Unreadable, with an example where there is none."""
    try:
        return files.read(file)
    except Unreadable as error:
        raise Unreadable(f"{error}; a configuration looks like this:\n{EXAMPLE}") from None


def configuration(file: str, content: bytes, environment: Mapping[str, str]) -> Config:
    """The configuration, with logs written as it says from here on. Raises Faulty."""
    config = read(content, file, environment)
    logs.configure(config.log, config.secrets)
    return config


def service(
    config: Config, file: str, content: bytes, until: str | None = None, *, checking: bool = False
) -> Service:
    """The service, not started. Raises Unreadable, Invalid and Faulty, and what opening a store raises."""
    releases = place(config, file, content)
    loaded = releases.load()
    policy = deciding.opened(loaded, None, ActingSet)
    logs.configure({**config.log, "mask": [*config.log.get("mask", ()), *_sensitive(policy)]}, config.secrets)
    found = Service(config, policy, lambda: loaded.places, checking=checking)
    if config.http or config.sources:
        found.follow(_Followed(releases))
    if until is not None:
        found.until = instants.parse(until)
    return found


def place(config: Config, file: str, content: bytes) -> Releases:
    """Where the policy comes from. Raises Unreadable for what cannot be trusted."""
    name = config.releases or config.policy or "."
    argument = name if name.startswith("git:") else str(config.path(name))
    # Values that stand beside the policy count unless this configuration gives some itself.
    own = (file, content) if config.parameters or config.matcher != "native" else None
    return Releases(argument, Choice(), config.trust, folder=config.releases is not None, own=own)


class _Followed:
    """A place as a running service follows it; see hosts.reload.Place."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases

    def mark(self) -> object:
        return self._releases.mark()

    def load(self, running: ActingSet) -> ActingSet:
        try:
            loaded = self._releases.load(running.identity["set"])
            policy: ActingSet = deciding.opened(loaded, None, ActingSet)
            return policy
        except Unreadable as error:
            raise Unusable(str(error)) from None
        except Invalid as error:
            raise Unusable("; ".join(map(_line, error.diagnostics[:5]))) from None


def _line(found: Diagnostic) -> str:
    return f"{found.span.file}:{found.span.line}:{found.span.column}: {found.message}"


def _sensitive(policy: ActingSet) -> list[str]:
    """The fields that the vocabulary calls sensitive, with and without what they belong to."""
    fields = policy.compiled["vocabulary"]["fields"]
    names = [name for name, field in fields.items() if field.get("sensitive")]
    return [*names, *(name.rpartition(".")[2] for name in names)]
