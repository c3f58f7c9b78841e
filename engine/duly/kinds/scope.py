"""The scope: what the documents of a policy set may speak of, and what was found wrong in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from duly import durations
from duly.conditions.faults import Fault
from duly.conditions.fields import Field, Vocabulary
from duly.conditions.packing import pack_condition, pack_tree
from duly.conditions.syntax import read, read_value
from duly.conditions.tree import ALWAYS, All, Condition, Not, Some, Test
from duly.diagnostics import Diagnostic, Path, Related, did_you_mean, render_path
from duly.documents import Document
from duly.durations import Duration

LOOSE_REFERENCES = frozenset(("assignee", "owner", "customer"))


@dataclass(slots=True)
class Scope:
    """Everything that can be named in a set, gathered before any document is compiled."""

    vocabulary: Vocabulary
    calendars: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    ladders: frozenset[str] = frozenset()
    clocks: frozenset[str] = frozenset()
    surveys: frozenset[str] = frozenset()
    approvals: frozenset[str] = frozenset()
    templates: frozenset[str] | None = None
    parameter_places: Mapping[tuple[str, int, Path], str] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    first: dict[tuple[str, str], tuple[Document, Path]] = field(default_factory=dict)

    @property
    def events(self) -> Collection[str]:
        """Every event type that is known: the standard ones and those that the Vocabulary declares."""
        return self.vocabulary.events.keys()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One document that is being compiled against the scope of its set."""

    document: Document
    scope: Scope

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.document.data["spec"]
        return spec

    @property
    def prefix(self) -> str:
        """What rules of this document are called by: `service-level/support`."""
        return f"{slug(self.document.kind)}/{self.document.name}"

    def fault(
        self, code: str, message: str, path: Path, *, help: str | None = None, key: bool = False,
        found: str | None = None, expected: str | None = None, related: tuple[Related, ...] = (),
        severity: Any = "error",
    ) -> None:  # fmt: skip
        """Report a fault at a path of the document."""
        span = self.document.span(path, key=key)
        self.scope.diagnostics.append(
            Diagnostic(code, message, span, severity, render_path(path), found, expected, help, related)
        )

    def faults(self, found: Collection[Fault]) -> None:
        """Report the faults that the rooms of conditions and calendars found."""
        for each in found:
            self.fault(each.code, each.message, each.path, help=each.help, key=each.key, found=each.found,
                       expected=each.expected, severity=each.severity)  # fmt: skip

    def rule(self, entry: Mapping[str, Any], path: Path, *names: str) -> str:
        """The name of an entry in decisions, such as `routing/support#vip-outage`; notes where it stands."""
        name = f"{self.prefix}#{'/'.join(names)}"
        span = self.document.span((*path, "id") if "id" in entry else path)
        place: dict[str, Any] = {"file": span.file, "line": span.line}
        for key in ("title", "note", "source"):
            if key in entry:
                place[key] = entry[key]
        self.scope.places[name] = place
        return name

    def condition(
        self, data: Any, path: Path, rule: str = "", *, events: Collection[str] | None = (),
        vocabulary: Vocabulary | None = None,
    ) -> Condition:  # fmt: skip
        """The tree of a `when:`; `events` are the event types it is looked at with. None data: always."""
        if data is None:
            return ALWAYS
        known = vocabulary or self.scope.vocabulary
        tree, found = read(data, known, path, events=events, raw=self.document.raw)
        self.faults(found)
        if rule and not found:
            place = self.scope.places.setdefault(rule, {})
            place["when"] = pack_tree(tree)
            place["lines"] = {render_path(at): self.document.span(at, key=True).line for at in tests(tree)}
        return tree

    def packed(
        self, data: Any, path: Path, *, events: Collection[str] | None = (), vocabulary: Vocabulary | None = None
    ) -> Any:
        """The same for a single condition, packed; None for None."""
        if data is None:
            return None
        return pack_condition(self.condition(data, path, events=events, vocabulary=vocabulary))

    def value(self, data: Any, of: Field, path: Path) -> Any:
        """A value of the type of a field, as a fact."""
        value, found = read_value(data, of, path, self.document.raw)
        self.faults(found)
        return value

    def name(self, name: str, known: Collection[str], what: str, path: Path, code: str = "D202") -> bool:
        """Whether a name is known; reports it where it is not."""
        if name in known:
            return True
        self.fault(code, f"unknown {what} `{name}`", path, found=name, help=did_you_mean(name, known)
                   or f"this set declares no {what}; declare `{name}` or take it away")  # fmt: skip
        return False

    def event(self, name: str, path: Path) -> None:
        """Check that an event type is a standard one or declared."""
        self.name(name, self.scope.events, "event", path)

    def reference(self, name: str, path: Path) -> None:
        """Check that `role:x`, `group:x`, `queue:x` or `person:x` is in the Roster."""
        if name in LOOSE_REFERENCES:
            return
        kind, _, bare = name.partition(":")
        known = {
            "role": self.scope.roles, "group": self.scope.groups, "queue": self.scope.groups,
            "person": self.scope.people,
        }.get(kind, frozenset())  # fmt: skip
        if bare in known:
            return
        near = did_you_mean(name, {f"{kind}:{each}" for each in known})
        roster = "a person" if kind == "person" else "a role" if kind == "role" else "a group"
        self.fault("D201", f"`{name}` is not in the Roster", path, found=name,
                   help=near or f"add {roster} called `{bare}` to a Roster document")  # fmt: skip

    def calendar(self, name: str | None, path: Path) -> str:
        """The name of a calendar, checked; `always` where there is none or it is unknown."""
        if name is None or name == "always":
            return "always"
        return name if self.name(name, {*self.scope.calendars, "always"}, "calendar", path) else "always"

    def duration(self, text: str, path: Path, calendar: str | None = None, *, days: bool = True) -> Duration:
        """A duration; with `calendar`, checked to suit it. `days`: whether working days may stand here."""
        try:
            length = durations.parse(text)
        except ValueError as error:
            self.fault("D105", str(error), path)
            return Duration(durations.OPEN, 0, "0s")
        if length.unit == durations.PLAIN and calendar not in (None, "always"):
            self.fault("D211", f"`{text}` is plain days, but calendar `{calendar}` applies here", path,
                       help=f"write working days (`{_working(length)}`), hours of open time, "
                       "or `calendar: always`")  # fmt: skip
        elif length.unit == durations.WORKING_DAYS:
            if not days:
                self.fault("D212", f"`{text}` is working days; here a length of open time is needed", path)
            elif calendar == "always":
                self.fault("D212", f"`{text}` is working days, but calendar `always` has none", path,
                           help="name a calendar with working days, or write `24h` for each day")  # fmt: skip
            elif calendar is not None and "working_days" not in self.scope.calendars.get(calendar, {}):
                self.fault("D213", f"calendar `{calendar}` does not say how `{text}` counts", path,
                           help="give the calendar `working_days: cn_civil_code`, or another rule")  # fmt: skip
        return length

    def unique(self, kind: str, name: str, path: Path) -> None:
        """Report a name that was given before in the set."""
        before = self.scope.first.setdefault((kind, name), (self.document, path))
        if before == (self.document, path):
            return
        first = Related("first here", before[0].span(before[1]))
        self.fault("D203", f"{kind} `{name}` is there twice", path, found=name, related=(first,),
                   help="give one of the two another name")  # fmt: skip


def slug(kind: str) -> str:
    """`ServiceLevel` as `service-level`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()


def tests(tree: Condition) -> list[Path]:
    """The places of all tests of a condition."""
    match tree:
        case Test(at=at):
            return [at]
        case Not(part=part):
            return tests(part)
        case All(parts=parts) | Some(parts=parts):
            return [place for part in parts for place in tests(part)]


def fields_of(tree: Condition) -> set[str]:
    """The fields that a condition reads."""
    match tree:
        case Test(field=name):
            return {name}
        case Not(part=part):
            return fields_of(part)
        case All(parts=parts) | Some(parts=parts):
            return {name for part in parts for name in fields_of(part)}


def packed_length(length: Duration) -> dict[str, Any]:
    """A duration as compiled data."""
    return {"unit": length.unit, "amount": length.amount, "text": length.text}


def _working(length: Duration) -> str:
    return f"{max(1, length.amount // 86_400_000_000)}wd"
