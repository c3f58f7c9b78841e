"""Calendars: the resolved calendars of a policy set, by name."""

from __future__ import annotations

from duly.calendars.calendar import Always, Calendar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

ALWAYS = "always"
_ROUND_THE_CLOCK: dict[str, Any] = {
    "timezone": "UTC",
    "zone": {"at": [], "offsets": [0]},
    "eras": [{"from": None, "week": [[[0, 86_400]]] * 7}],
}


class Calendars:
    """Name to Calendar; `always` is built in. Each is built when first asked for, and kept."""

    __slots__ = ("_built", "_specs")

    def __init__(self, specs: Mapping[str, dict[str, Any]]) -> None:
        """`specs` is what resolution.resolve makes: a name to the resolved JSON of one calendar."""
        self._specs = specs
        self._built: dict[str, Calendar] = {}

    def __getitem__(self, name: str) -> Calendar:
        """The calendar called `name`; KeyError where there is none."""
        calendar = self._built.get(name)
        if calendar is None:
            calendar = self._built[name] = self._build(name)
        return calendar

    def __contains__(self, name: object) -> bool:
        return name == ALWAYS or name in self._specs

    def __iter__(self) -> Iterator[str]:
        yield ALWAYS
        yield from self._specs

    def _build(self, name: str) -> Calendar:
        if name == ALWAYS:
            return Always(ALWAYS, _ROUND_THE_CLOCK)
        spec = self._specs[name]
        names = spec.get("all_of") or spec.get("any_of") or ()
        return Calendar(name, spec, [self[part] for part in names])


def digest(specs: Mapping[str, Any]) -> str:
    """`sha256:…` of resolved calendars: equal for equal facts, whatever the order of keys."""
    import hashlib
    import json

    text = json.dumps(specs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
