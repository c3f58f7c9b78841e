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
from duly.diagnostics import Diagnostic, Path, Related, did_you_mean, nearest, render_path
from duly.documents import Document
from duly.durations import Duration
from duly.instants import HOUR, MINUTE

LOOSE_REFERENCES = frozenset(("assignee", "owner", "customer"))
_HOMES = {
    "calendar": "Calendar", "ladder": "Escalation", "clock": "ServiceLevel", "survey": "Survey",
    "event": "Vocabulary", "field": "Vocabulary", "approval": "Reaction",
}  # fmt: skip
"""What sort of document declares a name."""
_UNKNOWN_IN_CONDITIONS = frozenset(("C002", "C012"))


@dataclass(slots=True)
class Scope:
    """Everything that can be named in a set, gathered before any document is compiled."""

    vocabulary: Vocabulary
    lost: frozenset[str] = frozenset()
    """The kinds of which a document could not be read: the names that it may declare are not called unknown."""
    calendars: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    calendar_names: frozenset[str] = frozenset()
    """Every calendar that is declared, also those with faults, of which nothing more is said."""
    people: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    ladders: frozenset[str] = frozenset()
    clocks: frozenset[str] = frozenset()
    surveys: frozenset[str] = frozenset()
    approvals: frozenset[str] = frozenset()
    templates: Mapping[str, Mapping[str, str]] | None = None
    """The texts that the set declares, by name: the fields that each speaks of, with their types."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    """Every field that a condition of the set asks for."""
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
        """What the document says, under `spec`."""
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
            if each.code in _UNKNOWN_IN_CONDITIONS and "Vocabulary" in self.scope.lost:
                continue
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
        self.scope.reads |= fields_of(tree)
        if rule and not found:
            place = self.scope.places.setdefault(rule, {})
            place["when"] = pack_tree(tree)
            place["lines"] = {render_path(at): self.document.span(at, key=True).line for at in tests(tree)}
        return tree

    def packed(
        self,
        data: Any,
        path: Path,
        *,
        events: Collection[str] | None = (),
        vocabulary: Vocabulary | None = None,
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

    def name(
        self,
        name: str,
        known: Collection[str],
        what: str,
        path: Path,
        code: str = "D202",
        *,
        key: bool = False,
    ) -> bool:
        """Whether a name is known; reports it where it is not and where all that may declare it could be read."""
        if name in known:
            return True
        home = _HOMES.get(what)
        if home not in self.scope.lost:
            document = "the Vocabulary" if home == "Vocabulary" else f"a document of kind `{home}`"
            remedy = f"declare it in {document}, or take it away" if home else f"this set has no {what}"
            self.fault(code, f"unknown {what} `{name}`", path, found=name, key=key,
                       help=did_you_mean(name, known) or remedy)  # fmt: skip
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
        }  # fmt: skip
        if bare in known.get(kind, ()) or "Roster" in self.scope.lost:
            return
        other = next((each for each, names in known.items() if bare in names), None)
        near = bare if other else nearest(bare, known.get(kind, ()))
        remedy = f"add `{bare}` to the `{'groups' if kind == 'queue' else kind + 's'}` of the Roster"
        remedy = remedy.replace("persons", "people")
        self.fault("D201", f"`{name}` is not in the Roster", path, found=name,
                   help=f"did you mean `{other or kind}:{near}`?" if near else remedy)  # fmt: skip

    def calendar(self, name: str | None, path: Path) -> str:
        """The name of a calendar, checked; `always` where there is none."""
        if name is None or name == "always":
            return "always"
        self.name(name, {*self.scope.calendar_names, "always"}, "calendar", path)
        return name

    def duration(self, text: str, path: Path, calendar: str | None = None, *, days: bool = True) -> Duration:
        """A duration; with `calendar`, checked to suit it. `days`: whether working days may stand here.

        Of a calendar that is unknown or has faults nothing is said: that is reported where it stands.
        """
        try:
            length = durations.parse(text)
        except ValueError as error:
            self.fault("D105", str(error), path)
            return Duration(durations.OPEN, 0, "0s")
        rules = self.scope.calendars.get(calendar or "")
        if length.unit == durations.PLAIN and rules is not None:
            self.fault("D211", f"`{text}` is plain days, but calendar `{calendar}` applies here", path,
                       help=f"write working days (`{_working(length)}`), hours of open time, "
                       "or `calendar: always`")  # fmt: skip
        elif length.unit == durations.WORKING_DAYS:
            if not days:
                self.fault("D212", f"`{text}` is working days; here a length of open time is needed", path,
                           help=f"write hours, such as `{length.amount * 8}h`")  # fmt: skip
            elif calendar == "always":
                self.fault("D212", f"`{text}` is working days, but calendar `always` has none", path,
                           help="name a calendar with working days, or write `24h` for each day")  # fmt: skip
            elif rules is not None and "working_days" not in rules:
                self.fault("D213", f"calendar `{calendar}` does not say how `{text}` counts", path,
                           help="give the calendar `working_days: cn_civil_code`, or another rule")  # fmt: skip
        return length

    def cron(self, text: str, path: Path) -> None:
        """Check that five cron fields name minutes, hours and days that there are."""
        from croniter import CroniterError, croniter

        try:
            croniter.expand(text)
        except CroniterError:
            fields = "five cron fields: minute, hour, day of month, month, day of week"
            remedy = "minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-7 or a name such as `fri`"
            message = f"`{text}` names a time that no clock shows"
            self.fault("D105", message, path, found=text, expected=fields, help=remedy)

    def schedule(self, schedule: Any, path: Path) -> None:
        """Check an `every:` or a `schedule:`: its cron fields and its calendar."""
        if isinstance(schedule, dict):
            if isinstance(schedule.get("cron"), str):
                self.cron(schedule["cron"], (*path, "cron"))
            if "calendar" in schedule:
                self.calendar(schedule["calendar"], (*path, "calendar"))

    def unique(self, kind: str, name: str, path: Path, *, key: bool = False) -> bool:
        """Whether a name is given for the first time in the set; reports it where it is not."""
        before = self.scope.first.setdefault((kind, name), (self.document, path))
        if before[0] is self.document and before[1] == path:
            return True
        first = Related("first here", before[0].span(before[1], key=key))
        self.fault("D203", f"{kind} `{name}` is there twice", path, found=name, related=(first,), key=key,
                   help="give one of the two another name")  # fmt: skip
        return False


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


def compiled_schedule(every: dict[str, Any]) -> dict[str, Any]:
    """An `every:` or `schedule:` as the runtime reads it; `at` in µs since local midnight."""
    compiled = dict(every)
    if "at" in every:
        hour, _, minute = str(every["at"]).partition(":")
        compiled["at"] = int(hour) * HOUR + int(minute) * MINUTE
    return compiled


def packed_length(length: Duration) -> dict[str, Any]:
    """A duration as compiled data."""
    return {"unit": length.unit, "amount": length.amount, "text": length.text}


def _working(length: Duration) -> str:
    return f"{max(1, length.amount // 86_400_000_000)}wd"
