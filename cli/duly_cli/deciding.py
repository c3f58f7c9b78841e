"""Deciding: cases in, decisions out, a line at a time. On the path that must start fast: no click here."""

from __future__ import annotations

import gc
import sys

from duly import instants
from duly.cases import Refused, read_case
from duly.decision import PolicySet
from duly.reading import values
from duly_cli.files import Unreadable, complain, open_input
from duly_cli.sources import Choice, Loaded, load
from duly_cli.writing import Writer, awaited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

    from duly.cases import Case
    from duly.machines.state import State

    Given = tuple[int, Any]
    """A line number, and the value there."""

BLOCK = 32
"""At most so many cases are decided together."""


class Asked:
    """What a `decide` was asked for, as its arguments say."""

    __slots__ = ("at", "case", "choice", "explain", "matcher", "policy", "strict")

    def __init__(self) -> None:
        self.policy = "."
        self.case = "-"
        self.at: str | None = None
        self.choice = Choice()
        self.explain = False
        self.matcher: str | None = None
        self.strict = False


def now() -> int:
    """The wall clock, in µs; hosts read it, the core never does."""
    import time

    return time.time_ns() // 1000


def moment(text: str | None, option: str = "--at") -> int:
    """What an option such as `--at` says, or now. Raises Unreadable."""
    if text is None:
        return now()
    try:
        return instants.parse(text)
    except ValueError as error:
        raise Unreadable(f"`{option}`: {error}") from None


def opened(loaded: Loaded, matcher: str | None, sort: Any = PolicySet) -> Any:
    """The policy set with the matcher that the command line, else the configuration, names.

    `sort` is the class to make: a PolicySet decides, an ActingSet also acts.
    """
    kind = matcher or loaded.matcher
    try:
        if sort is PolicySet and loaded.compiled["acts"]:
            from duly.acting import ActingSet

            return ActingSet(loaded.compiled, kind, alone=True)
        return sort(loaded.compiled, kind)
    except ImportError as error:
        raise Unreadable(str(error)) from None
    except ValueError as error:
        if kind == "native":
            raise
        raise Unreadable(f"matcher `{kind}` cannot carry this policy: {error}") from None


def run(asked: Asked) -> int:
    """Decide every case of the input; the exit code. Raises Unreadable and Invalid."""
    at = moment(asked.at)
    stream = open_input(asked.case)
    loaded = load(asked.policy, asked.choice)
    policy = opened(loaded, asked.matcher)
    steady()
    writer = Writer(stream)
    bad = total = 0
    for line, answer in answers(policy, stream, at, loaded if asked.explain else None):
        total += 1
        if isinstance(answer, Refused):
            bad += 1
        writer.write(answer.report(line) if isinstance(answer, Refused) else answer)
        if bad and asked.strict:
            break
    sys.stdout.flush()
    if total == 0:
        raise Unreadable("no case in the input; give one JSON object, or one a line")
    if bad and (total > 1 or sys.stdout.isatty()):
        complain(f"{bad} of {total} cases could not be decided; their lines say why")
    return 1 if bad else 0


def steady() -> None:
    """Make ready for a long stream: what is loaded stays, and what comes holds no circles to look for often."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    gc.enable()


def answers(
    policy: Any, stream: BinaryIO, at: int, explained: Loaded | None
) -> Iterator[tuple[int, dict[str, Any] | Refused]]:
    """The line of each case with its decision, with the trace where asked for, or with the reason why there is none.

    Cases that are there already are taken a step further together: a processor is faster at what it has just done.
    """
    for block in _blocks(values(stream), awaited(stream)):
        known = [_known(policy, case, at) for _, case in block]
        decided = [_decided(policy, each, at, explained) for each in known]
        yield from zip([line for line, _ in block], decided, strict=True)


def _blocks(given: Iterator[Given], ready: Callable[[], bool] | None) -> Iterator[list[Given]]:
    """What is given, as many together as may be without anybody's waiting for the answer to the first."""
    block: list[Given] = []
    for each in given:
        block.append(each)
        if len(block) == BLOCK or (ready is not None and not ready()):
            yield block
            block = []
    if block:
        yield block


def _known(policy: Any, case: Any, at: int) -> tuple[State, dict[str, Any] | None] | Refused:
    """The state of a case, and the decision where the one comes with the other."""
    if isinstance(case, Refused):
        return case
    try:
        read = read_case(case)
        return seen(policy, read, at) if policy.compiled["acts"] else (policy.replay(read, at), None)
    except Refused as refused:
        return refused


def _decided(
    policy: Any, known: tuple[State, dict[str, Any] | None] | Refused, at: int, explained: Loaded | None
) -> dict[str, Any] | Refused:
    if isinstance(known, Refused):
        return known
    state, decision = known
    if decision is None:
        decision = policy.view(state, at)
    if explained is not None:
        from duly.reports.trace import trace

        decision["trace"] = trace(policy, state, explained.places)
    return decision


def seen(policy: Any, case: Case, at: int) -> tuple[State, dict[str, Any]]:
    """The state of a case and its decision; a set that acts is played through, any other just looked up."""
    if policy.compiled["acts"]:
        from duly.replaying import played

        return played(policy, case, at)
    state: State = policy.replay(case, at)
    return state, policy.view(state, at)


_SWITCHES = {"--explain": "explain", "--strict": "strict"}
_OPTIONS = {"--at": "at", "--matcher": "matcher"}


def asked(words: list[str]) -> Asked | None:
    """The plain forms of `duly decide`'s arguments; None for anything else, which click then answers."""
    found = Asked()
    places: list[str] = []
    parameters: list[str] = []
    parameters_file: str | None = None
    rest = iter(words)
    for word in rest:
        name, equals, given = word.partition("=")
        if word in _SWITCHES:
            setattr(found, _SWITCHES[word], True)
        elif name in _OPTIONS or name in ("--param", "--params"):
            value = given if equals else next(rest, None)
            if value is None or (name == "--matcher" and value not in ("native", "durable-rules")):
                return None
            if name == "--param":
                parameters.append(value)
            elif name == "--params":
                parameters_file = value
            else:
                setattr(found, _OPTIONS[name], value)
        elif word.startswith("-") and word != "-":
            return None
        else:
            places.append(word)
    if len(places) > 2:
        return None
    place(found, places)
    found.choice = Choice(parameters, parameters_file)
    return found


def place(found: Asked, places: list[str]) -> None:
    """`[POLICY] [CASE]`: a lone argument is the policy where it is a folder, a bundle or a git revision."""
    from duly_cli.files import is_policy

    if len(places) == 2:
        found.policy, found.case = places
    elif places and places[0] != "-" and is_policy(places[0]):
        found.policy = places[0]
    elif places:
        found.case = places[0]
