"""Git: the files of a policy set as a revision of a repository has them."""

from __future__ import annotations

import posixpath
import subprocess

from duly_cli.files import MANIFEST, Files, Unreadable


def find_at(argument: str) -> Files:
    """The files that `git:REV[:PATH]` names; PATH counts from the repository's root. Raises Unreadable."""
    revision, _, path = argument.removeprefix("git:").partition(":")
    path = "" if path.strip("/") in ("", ".") else posixpath.normpath(path.strip("/")) + "/"
    if not revision or revision.startswith("-"):
        example = "`git:REV` or `git:REV:PATH`, such as `git:main:policy`"
        raise Unreadable(f"`{argument}` names no revision; write {example}")
    _git(
        argument,
        "rev-parse",
        "--verify",
        "--quiet",
        f"{revision}^{{commit}}",
        missing=f"no revision `{revision}`",
    )
    listing = _git(argument, "ls-tree", "-r", "-z", "--full-tree", revision, *([path] if path else []))
    files = Files(argument)
    for row in listing.decode("utf-8", "surrogateescape").split("\0"):
        head, _, name = row.partition("\t")
        if not name.endswith(".yaml") or any(part.startswith(".") for part in name.split("/")):
            continue
        content = _git(argument, "cat-file", "blob", head.split()[2])
        files.add(f"git:{revision}:{name}", content)
    if not any(name == f"git:{revision}:{path}{MANIFEST}" for name, _ in files.sources):
        raise Unreadable(f"no policy set in `{argument}`: there is no {path}{MANIFEST} in that revision")
    return files


def _git(argument: str, *words: str, missing: str | None = None) -> bytes:
    try:
        done = subprocess.run(["git", *words], capture_output=True, check=False)
    except OSError:
        raise Unreadable(f"`{argument}` needs git, which is not installed") from None
    if done.returncode:
        reason = missing or done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        said = reason if isinstance(reason, str) else (reason[0] if reason else "git failed")
        raise Unreadable(f"cannot read `{argument}`: {said.removeprefix('fatal: ')}")
    return done.stdout
