"""The durable-rules matcher: the rules of a list run by durable-rules, behind the fence of `fence`.

The C module is called directly: the host of durable-rules starts threads that fire rules on their own.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from duly.conditions.fence import FIRST, RETRACTED, document
from duly.conditions.rulesets import NONE, sections, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from duly.conditions.rulesets import Refusal

_MATCHED, _UNMATCHED = 0, 1
_MOST_TOLD = 10


class Unavailable(ImportError):
    """durable-rules is not installed, or was built so that it cannot be loaded."""


class Unsupported(ValueError):
    """A rule list that durable-rules has no room for; `refusals` tell which rules, and why."""

    def __init__(self, name: str, rules: Sequence[str], refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        told = [f"{_called(each.rule, rules)}: {each.message}" for each in refusals[:_MOST_TOLD]]
        if len(refusals) > _MOST_TOLD:
            told.append(f"and {len(refusals) - _MOST_TOLD:,} more")
        where = f" in `{name}`" if name else ""
        super().__init__(
            f"durable-rules has no room for rules{where}: {'; '.join(told)}; use the native matcher"
        )


def _called(rule: int, rules: Sequence[str]) -> str:
    if rule < 0:
        return "the list"
    return f"`{rules[rule]}`" if rule < len(rules) else f"rule {rule + 1}"


class DurableMatcher:
    """The rules of one list, packed by `packing.pack_rules`, in as many rulesets as they need.

    Answers as `index.Matcher` does, and threads may share it. Rulesets are built when they are first asked.
    `name` of the list and `rules`, an id for each rule, are for messages alone. Raises Unsupported where the
    list has no room in durable-rules and Unavailable where that cannot be loaded.
    """

    __slots__ = ("_sections",)

    def __init__(self, packed: Mapping[str, Any], name: str = "", rules: Sequence[str] = ()) -> None:
        refusals = unsupported(packed)
        if refusals:
            raise Unsupported(name, rules, refusals)
        engine = _engine()
        self._sections = [
            (tuple(section.columns.items()), [_Ruleset(engine, *each) for each in section.rulesets])
            for section in sections(packed)
        ]

    def first(self, facts: Mapping[str, Any]) -> int:
        """The number of the first rule that holds, or -1. `facts` as for `predicates.predicate`."""
        for fired in self._fired(facts):
            if fired:
                return min(fired)
        return -1

    def all(self, facts: Mapping[str, Any]) -> list[int]:
        """The numbers of all rules that hold, in order."""
        return sorted(set[int]().union(*self._fired(facts)))

    def _fired(self, facts: Mapping[str, Any]) -> Iterator[set[int]]:
        """What each ruleset fires, in rule order."""
        for columns, rulesets in self._sections:
            text = document(facts, columns)
            for ruleset in rulesets:
                yield ruleset.fired(text)


class _Ruleset:
    """One ruleset. A call takes a copy of it that no other call is using (or builds one), and puts it back
    when all has gone well. After an error the copy, in whatever state it is, is thrown away."""

    __slots__ = ("_definition", "_engine", "_idle", "_rules")

    def __init__(self, engine: Any, definition: str, rules: list[int]) -> None:
        self._engine = engine
        self._definition = definition
        self._rules = rules
        self._idle: list[int] = []

    def fired(self, text: str) -> set[int]:
        """The rules of which a row holds for a document."""
        try:
            handle = self._idle.pop()
        except IndexError:
            handle = self._opened()
        try:
            fired = self._asserted(handle, text)
        except BaseException:
            self._discard(handle)
            raise
        self._idle.append(handle)
        return fired

    def _opened(self) -> int:
        """A new copy that has run one action: deleting a state that has run none frees memory at random."""
        handle: int = self._engine.create_ruleset("duly", self._definition)
        if self._asserted(handle, FIRST) != {NONE}:
            raise RuntimeError("durable-rules does not answer as it should")
        return handle

    def _asserted(self, handle: int, text: str) -> set[int]:
        """Asserts the document, collects what fires (a rule may do so more than once), takes it back."""
        engine, rules = self._engine, self._rules
        fired: set[int] = set()
        outcome, state = engine.assert_fact(handle, text)
        if outcome == _UNMATCHED:  # of such a document nothing is kept
            return fired
        if outcome != _MATCHED:
            raise RuntimeError(f"durable-rules answered {outcome} to a document")
        try:
            started = engine.start_action_for_state(handle, state)
            action = started[1] if started else None  # {"<row>":{"m":<document>}}
            while action:
                fired.add(rules[int(action[2 : action.index('"', 2)])])
                action = engine.complete_and_start_action(handle, state)
        finally:
            engine.retract_fact(handle, RETRACTED)
        return fired

    def _discard(self, handle: int) -> None:
        """Gives the memory of a copy back; deleting a ruleset leaves that of its state behind."""
        with suppress(self._engine.error):
            self._engine.delete_state(handle, "0")
            self._engine.delete_ruleset(handle)

    def __del__(self) -> None:
        while self._idle:
            self._discard(self._idle.pop())


def _engine() -> Any:
    """The C module of durable-rules."""
    try:
        return import_module("durable_rules_engine")
    except ImportError as error:
        raise Unavailable(
            f"durable-rules cannot be loaded ({error}); install `duly[durable-rules]`, which needs a C compiler, on "
            "Python 3.13 with `CPPFLAGS='-DPyEval_CallObject=PyObject_CallObject' pip install --no-cache-dir "
            "--force-reinstall durable-rules==2.0.28`"
        ) from error
