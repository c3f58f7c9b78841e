"""Files: where the documents of a policy set are read from; a folder, a bundle or a git revision."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MANIFEST = "duly.yaml"
CONFIG = "duly.config.yaml"
MAPPING = ".mapping.yaml"
BUNDLE_MAGIC = b'{"duly-bundle"'


class Unreadable(Exception):
    """What was asked for cannot be read: wrong use, exit code 2. The message is a whole sentence."""


class Files:
    """The files of one policy set as (name for messages, content), its configuration, or a bundle."""

    __slots__ = ("argument", "bundle", "config", "ignored", "sources")

    def __init__(self, argument: str) -> None:
        self.argument = argument
        self.sources: list[tuple[str, bytes]] = []
        self.config: tuple[str, bytes] | None = None
        self.bundle: bytes | None = None
        self.ignored: list[str] = []

    def add(self, name: str, content: bytes) -> None:
        """Take a file in by what its name says it is."""
        base = name.rsplit("/", 1)[-1]
        if base == CONFIG:
            if self.config is None or len(name) < len(self.config[0]):
                self.config = (name, content)
        elif not is_parameter_file(base) and not base.endswith(MAPPING):
            self.sources.append((name, content))


def is_parameter_file(base: str) -> bool:
    """Whether a file holds values of parameters: `params.yaml`, `params.example.yaml`, …"""
    return base == "params.yaml" or (base.startswith("params.") and base.endswith(".yaml"))


def is_policy(argument: str) -> bool:
    """Whether a lone argument names a policy and not a case: a folder, a bundle, a git revision."""
    if argument.startswith("git:") or os.path.isdir(argument):
        return True
    return os.path.isfile(argument) and read(argument, 64).startswith(BUNDLE_MAGIC)


def read(path: str, limit: int = -1) -> bytes:
    """The content of a file. Raises Unreadable with a sentence for the user."""
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError as error:
        raise Unreadable(f"cannot read `{path}`: {(error.strerror or str(error)).lower()}") from None


def open_input(name: str) -> BinaryIO:
    """Standard input for `-`, else the file. Raises Unreadable."""
    if name == "-":
        return sys.stdin.buffer
    try:
        return open(name, "rb")
    except OSError as error:
        raise Unreadable(f"cannot read `{name}`: {(error.strerror or str(error)).lower()}") from None


def write(path: str, content: str | bytes, *, at_once: bool = False) -> None:
    """Write a file; with `at_once` nobody ever sees half of it. Raises Unreadable with a sentence for the user."""
    special = os.path.exists(path) and not os.path.isfile(
        path
    )  # such as /dev/null, which nothing may replace
    part = f"{path}.{os.getpid()}.part" if at_once and not special else path
    try:
        with open(part, "wb") as file:
            file.write(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
        if part != path:
            os.replace(part, path)
    except OSError as error:
        raise Unreadable(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from None


def find(argument: str) -> Files:
    """The files of the policy set that POLICY names. Raises Unreadable where there is none."""
    if argument.startswith("git:"):
        from duly_cli.git import find_at

        return find_at(argument)
    if not os.path.exists(argument):
        raise Unreadable(f"no policy at `{argument}`: there is no such file or folder")
    files = Files(argument)
    if os.path.isfile(argument):
        files.bundle = read(argument)
        if not files.bundle.startswith(BUNDLE_MAGIC):
            hint = (
                f"; name its folder: `{os.path.dirname(argument) or '.'}`"
                if argument.endswith(".yaml")
                else ""
            )
            raise Unreadable(f"`{argument}` is not a bundle that `duly build` made{hint}")
        return files
    if not os.path.isfile(os.path.join(argument, MANIFEST)):
        within = sets_within(argument)
        hint = f"; there is one in `{within[0]}`" if within else "; `duly init` makes one"
        raise Unreadable(f"no policy set in `{argument}`: it has no {MANIFEST}{hint}")
    for path in _walk(argument):
        if path.endswith(".yaml"):
            files.add(path, read(path))
        else:
            files.ignored.append(path)
    return files


def sets_within(folder: str) -> list[str]:
    """The folders below `folder`, or itself, that hold a policy set; none within another."""
    if os.path.isfile(os.path.join(folder, MANIFEST)):
        return [folder]
    found: list[str] = []
    for path in _walk(folder):
        if path.rsplit("/", 1)[-1] == MANIFEST:
            found.append(os.path.dirname(path))
    return [path for path in found if not any(path.startswith(other + "/") for other in found)]


def _walk(folder: str) -> Iterator[str]:
    """The YAML files below a folder in order of name; folders whose name begins with a dot are left out."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise Unreadable(f"cannot read `{folder}`: {(error.strerror or str(error)).lower()}") from None
    prefix = "" if folder == "." else folder.rstrip("/") + "/"
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(prefix + entry.name)
        elif entry.name.endswith((".yaml", ".yml")):
            yield prefix + entry.name


def complain(message: str) -> None:
    """A message to the person at the terminal."""
    print(f"duly: {message}", file=sys.stderr)
