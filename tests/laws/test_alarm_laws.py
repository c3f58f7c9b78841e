"""Alarms beside a plain list that is searched for its least entry."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from duly.alarms import Alarms

ENTRIES = st.tuples(st.integers(-3, 12), st.sampled_from(["case:A", "case:B", "customer:甲", "desk", "set"]))


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.one_of(st.none(), ENTRIES), max_size=40))
def test_the_least_comes_first(steps: list[tuple[int, str] | None]) -> None:
    """Whatever is set and taken in between, the earliest comes next, and of one instant the least key."""
    alarms, listed = Alarms(), list[tuple[int, str]]()
    for step in steps:
        if step is not None:
            alarms.set(*step)
            listed.append(step)
        elif listed:
            least = min(listed)
            listed.remove(least)
            assert least == alarms.take()
        assert (min(listed)[0] if listed else None, len(listed), bool(listed)) == (
            alarms.first,
            len(alarms),
            bool(alarms),
        )
    assert sorted(listed) == [alarms.take() for _ in range(len(alarms))]
