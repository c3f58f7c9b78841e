"""The story of a decision, told to a person: the rules tried, and every stretch of each clock's time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from duly import instants
from duly.durations import render as length
from duly.instants import SECOND
from duly.reports.account import account
from duly.reports.trace import phrase
from duly_cli.timetable import LEGEND, Teller, stretches
from duly_cli.widths import padded, width

if TYPE_CHECKING:
    from duly.decision import PolicySet
    from duly.machines.run import Run
    from duly.machines.state import State

Places = Mapping[str, dict[str, Any]]
_REASONS = {
    "breached_by_change": "a change of what was promised put the due time into the past",
    "born_late": "the latest instant had already passed when this clock started",
}


class _Story(Teller):
    """A teller who also knows the policy's own words: titles and clauses."""

    def __init__(self, policy: PolicySet, decision: dict[str, Any], places: Places) -> None:
        super().__init__(policy)
        self.decision = decision
        self.places = places
        self.languages: list[str] = policy.compiled["set"]["languages"]

    def title(self, rule: str | None) -> str:
        """What people call an entry, in each language of the set: `紧急需求 / Urgent request`."""
        title = self.places.get(rule or "", {}).get("title")
        if isinstance(title, dict):
            known = [each for each in self.languages if each in title]
            return " / ".join(
                title[each] for each in [*known, *(each for each in title if each not in known)]
            )
        return title or ""

    def called(self, name: str, rule: str | None) -> str:
        """A name with its title."""
        title = self.title(rule)
        return f"{name} ({title})" if title else name

    def clauses(self, rule: str | None) -> str:
        """The clauses of the written rule that an entry implements."""
        source = self.places.get(rule or "", {}).get("source") or []
        return ", ".join([source] if isinstance(source, str) else source)


def told(
    policy: PolicySet, decision: dict[str, Any], state: State, now: int, places: Places, chosen: str | None = None
) -> str:  # fmt: skip
    """The whole story as text, or that of the `chosen` clock; `places` says what entries are called."""
    story = _Story(policy, decision, places)
    identity = policy.identity
    opened = "" if state.opened_at is None else f", opened {story.instant(state.opened_at)}"
    lines = [
        story.paint(f"case {state.id}", "1") + f" at {story.instant(now)} ({story.zone.name}){opened}",
        f"policy {identity['set']} {identity['version']}, revision {identity['revision'][:19]}…",
    ]
    if chosen is None:
        lines += _fields(story) + _route(story)
    waiting: list[str] = []
    rules = {clock.id: clock.rule for clock in policy.clocks}
    for shown in decision["clocks"]:
        if shown["state"] == "not_started" and chosen is None:
            waiting.append(shown["clock"])
        else:
            lines += _clock(story, shown, state.runs[shown["clock"]], now, rules[shown["clock"]])
    if waiting:
        lines += ["", *_listed(story, "clocks not started", waiting)]
    if chosen is None:
        lines += _surveys(story)
    for error in decision.get("errors", ()):
        lines += ["", story.paint("error", "31;1") + f": {error['message']} ({error['rule']})"]
    if any(line == "  to scale:" for line in lines):
        lines += ["", story.paint(LEGEND, "2")]
    return "\n".join(lines) + "\n"


def _listed(story: _Story, head: str, names: list[str]) -> list[str]:
    return [story.paint(head, "1") + f": {', '.join(names)}"]


def _entries(story: _Story, listing: str, clock: str = "") -> list[str]:
    """The rules of one list as they were tried: what each asked, what was found, and where it stands."""
    found = next((each for each in story.decision["trace"] if each["list"] == listing), None)
    if found is None:
        return []
    if "note" in found:
        return [f"    {found['note']}"]
    names = [_short(entry["rule"], clock) for entry in found["entries"]]
    titles = [story.title(entry["rule"]) for entry in found["entries"]]
    wide, wider = max(map(width, names), default=0), max(map(width, titles), default=0)
    lines = []
    for name, title, entry in zip(names, titles, found["entries"], strict=True):
        mark = story.paint("✓", "32;1") if entry["matched"] else story.paint("✗", "31")
        reason = phrase(entry["test"]) if entry["test"] else "always"
        line = entry["test"]["line"] if entry["test"] and entry["test"].get("line") else entry["line"]
        place = story.paint(f"{entry['file']}:{line}", "2") if entry["file"] else ""
        called = padded(name, wide) + (f"  {padded(title, wider)}" if wider else "")
        lines.append(f"    {mark} {called}  {reason}  {place}".rstrip())
    return lines


def _short(rule: str, clock: str) -> str:
    """An entry's name in its own list."""
    return rule.rsplit("#", 1)[-1].removeprefix(f"{clock}/")


def _behind(story: _Story, rule: str) -> str:
    """The entry that decided, with the clauses it implements."""
    clauses = story.clauses(rule)
    return f"{rule}, {clauses}" if clauses else rule


def _fields(story: _Story) -> list[str]:
    lines: list[str] = []
    for name, field in story.decision["fields"].items():
        value = field["value"] if field["value"] is not None else "missing"
        head = story.paint(f"{name} = {value}", "1") + f"   from {_behind(story, field['from'])}"
        lines += ["", head, *_entries(story, f"classification of `{name}`")]
    return lines


def _route(story: _Story) -> list[str]:
    route = story.decision["route"]
    if route is None:
        return ["", story.paint("route: none yet", "1")]
    head = f"route: {route['to']}"
    if route["boost_seconds"]:
        head += f", counted {length(route['boost_seconds'] * SECOND)} older"
    if route["also"]:
        head += f", also {', '.join(route['also'])}"
    return [
        "",
        story.paint(head, "1") + f"   from {_behind(story, route['rule'])}",
        *_entries(story, "routing"),
    ]


def _clock(story: _Story, shown: dict[str, Any], run: Run, now: int, rule: str) -> list[str]:
    head = f"clock {story.called(shown['clock'], rule)}: {_stand(story, shown, run)}"
    lines = ["", story.paint(head, "1")]
    if run.cycle == 0 or shown["state"] == "unknown":
        return lines
    if run.cycle > 1:
        lines.append(f"  cycle {run.cycle}")
    lines.append(f"  target {_target(story, shown, run)}")
    if shown.get("reason"):
        lines.append(f"  {_REASONS.get(shown['reason'], shown['reason'])}")
    lines += _entries(story, f"targets of `{shown['clock']}`", shown["clock"])
    if shown["state"] == "none":
        return lines  # Time counts for nothing here.
    lines += stretches(story, account(run, now), run, now, shown["state"])
    if shown["warn_at"]:
        lines.append(f"  warns {', '.join(_local(story, at) for at in shown['warn_at'])}")
    return lines + _steps(story, shown, now)


def _target(story: _Story, shown: dict[str, Any], run: Run) -> str:
    """The promise in words, and the clauses that ask for it."""
    where = f"calendar {shown['calendar']}"
    if "before" in shown:
        told = (
            f"at the latest {shown['before']['by']} before clock {shown['before']['clock']} is due, {where}"
        )
    elif run.target is None:
        return "none: no entry holds, so nothing is promised"
    elif run.target.none:
        told = "explicitly no promise"
    elif run.target.field is not None:
        told = f"the instant in `{run.target.field}`, {where}"
    else:
        told = f"{shown['within']} of {where}"
    clauses = shown.get("source") or []
    told += f" ({', '.join(clauses)})" if clauses else ""
    return (
        told
        if "before" in shown or run.target is None
        else f"{_short(run.target.rule, shown['clock'])}: {told}"
    )


def _stand(story: _Story, shown: dict[str, Any], run: Run) -> str:
    """Where the clock stands, in a sentence."""
    state = shown["state"]
    if state in ("not_started", "unknown", "none"):
        return {"not_started": "not started", "unknown": "not known", "none": "no promise"}[state]
    due = "" if run.due is None else f", due {story.instant(run.due)}"
    late = f"{_open(shown, 'overdue_seconds')} late" if shown["breached"] else ""
    if run.ended_at is not None:
        return f"{state} {story.instant(run.ended_at)}{due}" + (f", {late}" if late else "")
    if state == "paused" and run.paused_at is not None:
        state = f"paused since {story.instant(run.paused_at)}"
    if late:
        return f"breached and still {state}{due}, {late}"
    if shown["remaining_seconds"] is None:
        return f"{state}, no due time"
    again = shown.get("due_if_resumed_now")
    guess = ", an estimate, since its holidays are not confirmed yet" if shown.get("estimated") else ""
    again = f", due {_local(story, again)} if it resumed now" if again else ""
    return f"{state}{due}{guess}, {_open(shown, 'remaining_seconds')} left{again}"


def _open(shown: dict[str, Any], key: str) -> str:
    lasts = length(round(shown[key] * SECOND))
    return lasts if shown["calendar"] == "always" else f"{lasts} of open time"


def _local(story: _Story, at: str) -> str:
    return story.instant(instants.parse(at))


def _steps(story: _Story, shown: dict[str, Any], now: int) -> list[str]:
    """The steps of the clock's ladder in order of time."""
    steps = shown["ladder"]
    if not steps:
        return []
    wide = max(width(step["step"]) for step in steps)
    lines = [f"  ladder {steps[0]['ladder']}:"]
    for step in steps:
        past = " (past)" if instants.parse(step["at"]) <= now else ""
        again = f" (round {step['loop'] + 1})" if step["loop"] else ""
        lines.append(
            f"    {_local(story, step['at'])}  {padded(step['step'], wide)}  {_actions(step['do'])}{again}{past}"
        )
    return lines


def _actions(actions: list[dict[str, Any]]) -> str:
    return "; ".join(f"{verb} {_words(value)}" for action in actions for verb, value in action.items())


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    return str(value)


def _surveys(story: _Story) -> list[str]:
    lines: list[str] = []
    quiet: dict[str, list[str]] = {}
    for survey in story.decision["surveys"]:
        status = survey["status"].replace("_", " ")
        if survey["status"] in ("not_triggered", "scheduled"):
            quiet.setdefault(status, []).append(survey["survey"])
            continue
        text = f"survey {story.called(survey['survey'], survey.get('rule'))}: {status}"
        if survey.get("gate"):
            text += f" by {survey['gate']}"
        if survey.get("at"):
            text += f" {_local(story, survey['at'])}"
        if survey.get("send_at"):
            text += f", to be sent from {_local(story, survey['send_at'])}"
            text += f" until {_local(story, survey['send_by'])}" if survey["send_by"] else ""
        lines += ["", story.paint(text, "1")]
    for status, names in quiet.items():
        lines += ["", *_listed(story, f"surveys {status}", names)]
    return lines
