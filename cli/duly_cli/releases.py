"""Releases: where a running service gets its policy from, and whether there is a newer one.

`policy` names a folder, a bundle or a git revision, as everywhere; `releases` a folder of bundles, of which the
one with the highest version counts that is whole, of this set, and signed by one who is trusted.
"""

from __future__ import annotations

import os
import re

from duly_cli import bundles, files, signing, sources
from duly_cli.files import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from duly_cli.sources import Choice, Loaded

    Mark = tuple[tuple[str, int, int], ...]
    """What tells one state of the files from another: their names, sizes and times."""

SUFFIX = ".duly"


class Releases:
    """A place that policies come from. `trust` are public keys; where there are any, only bundles signed by
    one of them count. `own` is a configuration, its name and content, that counts instead of the one beside it.
    """

    def __init__(
        self, place: str, choice: Choice, trust: Sequence[str] = (), *, folder: bool = False,
        own: tuple[str, bytes] | None = None,
    ) -> None:  # fmt: skip
        self.place = place
        self.choice = choice
        self.own = own
        self.trust = signing.read_trust(trust, "`trust`")
        self.folder = folder
        self.passed_over: list[str] = []

    def mark(self) -> Mark:
        """What the place looks like now; another answer means that it is worth loading again.

        A git revision is looked at when asked to load, not before.
        """
        if self.place.startswith("git:"):
            return ()
        found = []
        try:
            names = self._names() if os.path.isdir(self.place) else [self.place]
            for name in names:
                status = os.stat(name)
                found.append((name, status.st_size, status.st_mtime_ns))
        except (OSError, Unreadable):
            return ()
        return tuple(found)

    def load(self, set_name: str | None = None) -> Loaded:
        """The policy that counts now, of the set `set_name` where one is named.

        Raises Unreadable or Invalid where there is none; `passed_over` says why newer bundles did not count.
        """
        self.passed_over = []
        if not self.folder:
            loaded = self._one(self.place)
            _same_set(loaded, set_name, self.place)
            return loaded
        heads = []
        for name in self._names():
            try:
                heads.append((_version(bundles.head(files.read(name), name)["version"]), name))
            except (Unreadable, KeyError) as error:
                self.passed_over.append(str(error))
        for _, name in sorted(heads, reverse=True):
            try:
                loaded = self._one(name)
                _same_set(loaded, set_name, name)
                return loaded
            except Unreadable as error:
                self.passed_over.append(str(error))
        reasons = "; ".join(self.passed_over) or f"there is no file `*{SUFFIX}`; `duly build -o` makes one"
        raise Unreadable(f"no release to run in `{self.place}`: {reasons}")

    def _one(self, place: str) -> Loaded:
        if self.trust:
            if not files.is_policy(place) or os.path.isdir(place) or place.startswith("git:"):
                raise Unreadable(f"`{place}` is not a signed bundle, and `trust` asks for one")
            signing.trusted(bundles.head(files.read(place), place), place, self.trust)
        return sources.load(place, self.choice, self.own)

    def _names(self) -> list[str]:
        if self.folder:
            try:
                listed = sorted(os.listdir(self.place))
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise Unreadable(f"cannot read the releases in `{self.place}`: {reason}") from None
            return [os.path.join(self.place, name) for name in listed if name.endswith(SUFFIX)]
        found = files.find(self.place)
        names = [name for name, _ in found.sources]
        return names if found.config is None else [*names, found.config[0]]


def _same_set(loaded: Loaded, name: str | None, place: str) -> None:
    found = loaded.compiled["set"]["name"]
    if name is not None and found != name:
        reason = f"is the set `{found}`; the state kept here belongs to `{name}`"
        raise Unreadable(f"`{place}` {reason}; run another set with a store of its own")


def _version(text: str) -> list[tuple[int, int, str]]:
    """A key that puts versions in order: 1.10 after 1.9, and 2.0 after 2.0-rc1."""
    found = [
        (1, int(part), "") if part.isdigit() else (0, 0, part)
        for part in re.findall(r"\d+|[a-z]+", text.lower())
    ]
    return [*found, (0, 1, "")]
