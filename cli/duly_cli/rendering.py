"""Rendering: diagnostics for a person, for programs, for code scanning and for pull requests."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import duly
from duly.diagnostics import Diagnostic, Span
from duly_cli.files import write
from duly_cli.widths import fitted, width

if TYPE_CHECKING:
    from duly_cli.sources import Invalid

FORMATS = ["text", "json", "sarif", "github", "gitlab"]
_COLOURS = {"error": "31;1", "warning": "33;1", "info": "36"}
_MOST_ANNOTATIONS = 10
_MOST_RESULTS = 5_000
_WIDEST = 110
"""Columns of an excerpt or a path."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Signs that would move the cursor, change colours or turn the reading direction of a terminal."""


def show(
    diagnostics: Sequence[Diagnostic], texts: Mapping[str, bytes], form: str, output: str | None = None
) -> None:
    """Print a report, or write it to a file. Raises Unreadable where the file cannot be written."""
    colour = output is None and form == "text" and coloured(sys.stdout)
    report = _RENDERERS[form](diagnostics, texts, colour)
    if output is None:
        sys.stdout.write(report)
    else:
        write(output, report)


def show_invalid(error: Invalid) -> None:
    """What a command that needs a sound policy says of one that is not: on standard error."""
    sys.stderr.write(_text(error.diagnostics, error.texts, coloured(sys.stderr)))
    print(f"duly: the {error.what} cannot be used: {_counts(error.diagnostics)}", file=sys.stderr)


def coloured(stream: Any) -> bool:
    """Whether a stream takes colour: a terminal, and `NO_COLOR` not set."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """The closing line of `duly validate`."""
    checked = f"{files} file{'' if files == 1 else 's'} checked"
    return f"{checked}: {_counts(diagnostics) or 'no faults'}"


def _counts(diagnostics: Sequence[Diagnostic]) -> str:
    found = Counter[str](each.severity for each in diagnostics)
    words = (("error", "errors"), ("warning", "warnings"), ("info", "remarks"))
    return ", ".join(
        f"{found[key]} {many if found[key] != 1 else many[:-1]}" for key, many in words if found[key]
    )


def _text(diagnostics: Sequence[Diagnostic], texts: Mapping[str, bytes], colour: bool) -> str:
    named = {each.span.file for each in diagnostics}
    rows = {name: _rows(content) for name, content in texts.items() if name in named}
    return "".join(_one(each, rows.get(each.span.file, []), colour) for each in diagnostics)


def _rows(content: bytes) -> list[str]:
    """The lines of a file as the engine counts them."""
    return re.split("\r\n|\r|\n", content.decode("utf-8-sig", "replace"))


def _one(diagnostic: Diagnostic, rows: list[str], colour: bool) -> str:
    paint = _painter(colour)
    span = diagnostic.span
    head = paint(f"{seen(span.file)}:{span.line}:{span.column}: ", "1")
    severity = paint(f"{diagnostic.severity} {diagnostic.code}", _COLOURS[diagnostic.severity])
    lines = [f"{head}{severity}: {seen(diagnostic.message)}"]
    lines += _excerpt(span, rows, paint, _COLOURS[diagnostic.severity])
    if diagnostic.path:
        lines.append(paint(f"  at: {fitted(seen(diagnostic.path), _WIDEST)}", "2"))
    for related in diagnostic.related:
        lines.append(
            f"  {related.span.file}:{related.span.line}:{related.span.column}: {seen(related.message)}"
        )
    if diagnostic.help:
        lines.append(f"  help: {seen(diagnostic.help)}")
    return "\n".join(lines) + "\n\n"


def seen(text: str) -> str:
    """`text` with a stand-in of one column for each sign that a terminal would obey or hide."""
    return _UNSEEN.sub("\ufffd", text)


def _excerpt(span: Span, rows: list[str], paint: Any, colour: str) -> list[str]:
    """The line and a caret under what is meant, wide characters counted as two columns."""
    if not 0 < span.line <= len(rows):
        return []
    row = seen(rows[span.line - 1].replace("\t", " "))
    start = span.column - 1
    end = max(span.end_column - 1 if span.end_line == span.line else len(row), start + 1)
    cut = start
    while cut and width(row[cut - 1 : start]) <= _WIDEST // 2:
        cut -= 1
    if cut and width(row) > _WIDEST:
        row, start, end = "…" + row[cut + 1 :], start - cut, end - cut
    shown = fitted(row, _WIDEST)
    caret = " " * width(shown[:start]) + "^" * max(1, width(shown[start:end]))
    return [
        f"  {span.line} | {shown}",
        f"  {' ' * len(str(span.line))} | {paint(caret, colour)}",
    ]


def _painter(colour: bool) -> Any:
    return (lambda text, code: f"\x1b[{code}m{text}\x1b[0m") if colour else (lambda text, code: text)


def _json(diagnostics: Sequence[Diagnostic], texts: Mapping[str, bytes], colour: bool) -> str:
    del texts, colour
    report = {
        "ok": not any(each.severity == "error" for each in diagnostics),
        "errors": sum(each.severity == "error" for each in diagnostics),
        "warnings": sum(each.severity == "warning" for each in diagnostics),
        "diagnostics": [_plain(each) for each in diagnostics],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **_place(diagnostic.span),
        "path": diagnostic.path,
        "found": diagnostic.found,
        "expected": diagnostic.expected,
        "help": diagnostic.help,
        "related": [{"message": each.message, **_place(each.span)} for each in diagnostic.related],
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _worst_first(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    return sorted(diagnostics, key=lambda each: list(_COLOURS).index(each.severity))


def _sarif(diagnostics: Sequence[Diagnostic], texts: Mapping[str, bytes], colour: bool) -> str:
    """SARIF 2.1.0, as code scanning reads it; the worst first, since readers stop at 5,000 results."""
    del texts, colour
    worst = _worst_first(diagnostics)[:_MOST_RESULTS]
    driver = {
        "name": "duly",
        "version": duly.__version__,
        "rules": [_rule(code) for code in sorted({each.code for each in worst})],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each) for each in worst],
    }
    report = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    """What the catalogue says of a code."""
    from duly.codes import CATALOGUE

    entry = CATALOGUE[code]
    return {
        "id": code,
        "name": entry.name,
        "shortDescription": {"text": entry.name.replace("-", " ")},
        "fullDescription": {"text": entry.meaning},
        "help": {"text": entry.remedy},
    }


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    text = diagnostic.message + (f" ({diagnostic.help})" if diagnostic.help else "")
    return {
        "ruleId": diagnostic.code,
        "level": {"info": "note"}.get(diagnostic.severity, diagnostic.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": _location(diagnostic.span)}],
        "relatedLocations": [
            {"id": number, "message": {"text": each.message}, "physicalLocation": _location(each.span)}
            for number, each in enumerate(diagnostic.related)
        ],
    }


def _location(span: Span) -> dict[str, Any]:
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    return {"artifactLocation": {"uri": quote(os.fsencode(span.file.replace(os.sep, "/")))}, "region": region}


def _github(diagnostics: Sequence[Diagnostic], texts: Mapping[str, bytes], colour: bool) -> str:
    """Workflow commands; ten of a kind are shown on a page, so the last of them says how many there are."""
    del texts, colour
    lines = []
    for severity, command in (("error", "error"), ("warning", "warning"), ("info", "notice")):
        own = [each for each in diagnostics if each.severity == severity]
        few = own if len(own) <= _MOST_ANNOTATIONS else own[: _MOST_ANNOTATIONS - 1]
        for each in few:
            span = each.span
            place = f"file={_escaped(span.file, True)},line={span.line},col={span.column}"
            place += f",endLine={span.end_line},endColumn={span.end_column},title={_escaped('duly ' + each.code, True)}"
            text = seen(each.message) + (f"\n{seen(each.help)}" if each.help else "")
            lines.append(f"::{command} {place}::{_escaped(text)}")
        if len(few) < len(own):
            more = f"{len(own) - len(few)} more like these; `duly validate` lists them all"
            lines.append(f"::{command} title=duly::{more}")
    return "".join(line + "\n" for line in lines)


def _escaped(text: str, attribute: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if attribute else text


def _gitlab(diagnostics: Sequence[Diagnostic], texts: Mapping[str, bytes], colour: bool) -> str:
    """A Code Quality report; a fault keeps its fingerprint where only lines have moved."""
    del texts, colour
    seen_before: Counter[tuple[str, ...]] = Counter()
    report = []
    for each in diagnostics:
        identity = (each.code, each.span.file, str(each.path), each.message)
        seen_before[identity] += 1
        print_of = json.dumps([*identity, seen_before[identity]])
        report.append({
            "description": each.message + (f" ({each.help})" if each.help else ""),
            "check_name": each.code,
            "fingerprint": hashlib.sha256(print_of.encode()).hexdigest(),
            "severity": {"error": "major", "warning": "minor"}.get(each.severity, "info"),
            "location": {"path": each.span.file.replace(os.sep, "/"), "lines": {"begin": each.span.line}},
        })  # fmt: skip
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


_RENDERERS = {"text": _text, "json": _json, "sarif": _sarif, "github": _github, "gitlab": _gitlab}
