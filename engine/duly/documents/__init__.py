"""Documents: YAML text to plain data, with the place of every key and value."""

from __future__ import annotations

import gc
from typing import Any

import yaml

from duly.decoding import decoded, foreign
from duly.diagnostics import Diagnostic, Related
from duly.documents.document import Document, span_of
from duly.documents.reader import Unreadable, read

try:
    from yaml import CLoader as _Loader
except ImportError:  # pragma: no cover - wheels without libyaml
    from yaml import Loader as _Loader  # type: ignore[assignment]

__all__ = ["Document", "load"]


def load(content: str | bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    """The YAML 1.2 documents of a file, and what is wrong with it as YAML.

    `file` is the name that diagnostics carry. Documents before the first syntax error are returned too;
    empty documents are skipped, and so are those with keys that YAML reads otherwise than they were meant
    (D011), of which nothing else can be said. Never raises for any input.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _load(content, file)
    finally:
        if collecting:
            gc.enable()


def _load(content: str | bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    documents: list[Document] = []
    faults: list[Diagnostic] = []
    text = decoded(content, file)
    if isinstance(text, Diagnostic):
        return [], [text]
    try:
        events = yaml.parse(text, Loader=_Loader)
        for index, (data, marks) in enumerate(read(events, file, faults)):
            if data is not None:
                documents.append(Document(data, file, index, marks))
    except Unreadable as fault:
        faults.append(fault.diagnostic)
    except yaml.reader.ReaderError as error:
        faults.append(_bad_character(error, text, file))
    except yaml.MarkedYAMLError as error:
        faults.append(_syntax(error, text, file))
    return documents, faults


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    from duly.misreadings import misreading

    begun, mark = _of_mark(error.context_mark), _of_mark(error.problem_mark)
    found = misreading(error.problem or "not readable", mark or begun or (0, 0), error.context, begun, text)
    related: tuple[Related, ...] = ()
    if found.beginning is not None:
        words, line, column = found.beginning
        related = (Related(words, span_of(file, (line, column, line, column))),)
    span = span_of(file, (found.line, found.column, found.line, found.column + 1))
    return Diagnostic(
        "D003", f"not readable as YAML: {found.message}", span, help=found.help, related=related
    )


def _of_mark(mark: Any) -> tuple[int, int] | None:
    return None if mark is None else (mark.line, mark.column)


def _bad_character(error: yaml.reader.ReaderError, text: str, file: str) -> Diagnostic:
    # The C parser counts the bytes of UTF-8, the error's position is the first bad one.
    position = len(text.encode("utf-8")[: error.position].decode("utf-8", "ignore"))
    return foreign(text, position, file)
