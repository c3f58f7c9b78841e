"""A suite: the tests that a file of tests holds, each row of a table one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from duly import documents, validation
from duly.diagnostics import Diagnostic, Path, Span, did_you_mean, render_path
from duly.documents import Document

_LAID_BEHIND = ("events", "surveys")
"""Lists of `given` of which those of the whole file and those of the test count both."""


@dataclass(frozen=True, slots=True)
class Test:
    """One test: what is given, when it is looked at, what is expected; the values of its row in their place.

    `name` is its id, with a row `id[row]`. `faults` are the columns that could not be found, each with its
    place; a test that has some cannot be run.
    """

    document: Document
    path: Path
    row: int | None
    name: str
    given: Mapping[str, Any]
    at: Any
    until: Any
    expect: Mapping[str, Any]
    source: tuple[str, ...] = ()
    faults: tuple[tuple[Path, str], ...] = ()

    @property
    def file(self) -> str:
        """The file that it stands in."""
        return self.document.file

    @property
    def line(self) -> int:
        """The line of its id, or of that of its row."""
        path = self.path if self.row is None else (*self.path, "each", self.row)
        return self.document.span((*path, "id")).line

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The values of parameters that it gives."""
        found: Mapping[str, Any] = self.given.get("parameters", {})
        return found

    def span(self, path: Path) -> Span:
        """Where a part of the expectation stands, such as `("clocks", "resolution", "due_at")`; where that is
        a column of a table, the value in the test's row."""
        data: Any = self._raw()
        whole: Path = (*self.path, "expect")
        for part in path:
            if not _has(data, part):
                break
            data = data[part]
            whole = (*whole, part)
        column = _column(data)
        if column is not None and self.row is not None:
            return self.document.span((*self.path, "each", self.row, column))
        return self.document.span(whole, key=isinstance(data, (Mapping, list)) and isinstance(whole[-1], str))

    def _raw(self) -> Any:
        data = self.document.data
        for part in (*self.path, "expect"):
            data = data[part]
        return data


def read(content: str | bytes, file: str) -> tuple[list[Test], list[Diagnostic]]:
    """The tests of a file in their order, and everything that is wrong with its shape."""
    found, faults = documents.load(content, file)
    tests: list[Test] = []
    for document in found:
        checked, more = validation.validate(document, kind="test", thorough=True)
        faults += more
        if not any(fault.severity == "error" for fault in more):
            tests += _tests(checked)
    return tests, faults


def _tests(document: Document) -> list[Test]:
    spec = document.data["spec"]
    tests: list[Test] = []
    for number, entry in enumerate(spec["tests"]):
        path: Path = ("spec", "tests", number)
        given = _laid_over(spec.get("given", {}), entry.get("given", {}))
        if "each" not in entry:
            tests.append(_test(document, path, None, entry, given, {}))
            continue
        tests += [_test(document, path, place, entry, given, row) for place, row in enumerate(entry["each"])]
    return tests


def _test(
    document: Document, path: Path, place: int | None, entry: Mapping[str, Any], given: Mapping[str, Any],
    row: Mapping[str, Any],
) -> Test:  # fmt: skip
    faults: list[tuple[Path, str]] = []
    read = {
        key: _filled(data, row, (*path, key), faults)
        for key, data in (("given", given), *((key, entry.get(key)) for key in ("at", "until", "expect")))
    }
    name = entry["id"] if place is None else f"{entry['id']}[{row['id']}]"
    source = tuple(str(clause) for clause in entry.get("source", ()))
    return Test(document, path, place, name, **read, source=source, faults=tuple(faults))


def _laid_over(common: Any, own: Any) -> Any:
    """`own` over `common`, key by key; events and answers of both count, those of `common` first."""
    if not (isinstance(common, Mapping) and isinstance(own, Mapping)):
        return own
    merged = {**common, **own}
    for key in common.keys() & own.keys():
        both = (common[key], own[key])
        merged[key] = [*both[0], *both[1]] if key in _LAID_BEHIND else _laid_over(*both)
    return merged


def _has(data: Any, part: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, Mapping) and part in data


def _column(data: Any) -> str | None:
    """The column that `{each: column}` names; None for anything else."""
    if isinstance(data, Mapping) and len(data) == 1 and isinstance(data.get("each"), str):
        name: str = data["each"]
        return name
    return None


def _filled(data: Any, row: Mapping[str, Any], path: Path, faults: list[tuple[Path, str]]) -> Any:
    """The data with the row's values in place of `{each: column}`."""
    name = _column(data)
    if name is not None:
        if name in row:
            return row[name]
        hint = did_you_mean(name, row) or "the test has no table `each`"
        faults.append((path, f"no column `{name}` for `{render_path(path)}`; {hint}"))
        return None
    if isinstance(data, Mapping):
        return {key: _filled(value, row, (*path, key), faults) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled(value, row, (*path, number), faults) for number, value in enumerate(data)]
    return data
