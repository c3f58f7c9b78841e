"""Templates: the texts that people get of an action, with `{name}` placeholders and no logic."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from duly.calendars.localtime import UTC, Zone, day_text
from duly.diagnostics import did_you_mean
from duly.instants import DAY, HOUR, MINUTE, parse
from duly.sinks.base import Escape, Misconfigured
from duly.sinks.texts import ANY, TEXTS

Localized = str | Mapping[str, str]
"""A text, or a map of languages to texts."""

_PLACEHOLDER = re.compile(r"\{([^\W\d][\w.-]*)\}")
_DOUBLED = re.compile(r"\{\{|\}\}|" + _PLACEHOLDER.pattern)
_BRACED: tuple[Escape, ...] = ("html", "json")
"""The markups in which braces mean something already, so that a doubled one is two."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d\S*([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
# Everything that could end a line, move the cursor or turn the direction of a text, but for tab and line feed.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#~|!&])")
_MARKUPS: dict[str, Escape] = {"txt": "plain", "html": "html", "md": "markdown", "json": "json"}
_ACTION = frozenset(
    ("id", "type", "at", "case", "customer", "person", "group", "due_by", "reason", "late_by_seconds", "clock", "cycle",
     "ladder", "step", "loop", "survey", "duty", "occurrence", "rule", "policy", "data", "source"),
)  # fmt: skip
MISSING = "—"
"""What stands in the place of a value that is not there."""


@dataclass(frozen=True, slots=True)
class Template:
    """A title and a text with placeholders.

    What is `plain` suits every sink, which has it escaped as a whole; in another markup it suits the sinks
    that want that one, and only its values are escaped. Where `title` is empty, the default one is taken.
    """

    text: str
    title: str = ""
    markup: Escape = "plain"


def read(content: str, file: str) -> Template:
    """The template of a file: `.txt`, `.html`, `.md` or `.json` says what it is written in.

    A first line followed by an empty one is the title; the rest is the text. A `.json` has no title. Raises
    Misconfigured, with file and line.
    """
    markup = _MARKUPS.get(file.rpartition(".")[2].lower())
    if markup is None:
        endings = ", ".join(f"`.{ending}`" for ending in _MARKUPS)
        raise Misconfigured(f"{file}: a template is a file that ends in one of {endings}")
    content = content.removeprefix("\ufeff").replace("\r\n", "\n")
    if not content.strip():
        raise Misconfigured(f"{file}:1: the template is empty")
    for number, line in enumerate(content.split("\n"), 1):
        _check(line, f"{file}:{number}", markup)
    title, empty, text = content.partition("\n\n")
    if markup == "json" or not empty or "\n" in title:
        return Template(content.rstrip("\n"), "", markup)
    return Template(text.rstrip("\n"), title.strip(), markup)


def of_policy(text: Localized, lang: str) -> Template:
    """A template that a policy gives, in the language asked for as far as it has it."""
    return Template(localized(text, lang))


def default(type: str, lang: str) -> Template:
    """The template of an action's type that is used where none is given, in English or Chinese."""
    title, text = localized_pair(TEXTS.get(type, ANY), lang)
    return Template(text, title)


def render(
    action: Mapping[str, Any],
    template: Template | None,
    lang: str,
    escape: Escape,
    fields: Mapping[str, Any] | None = None,
    zone: Zone = UTC,
) -> tuple[str, str]:
    """The title, as one line of plain text, and the text, escaped for the sink, that an action has.

    `{name}` is looked for in what goes with the action (`data`), then in the case's `fields`, then in the
    action itself, of which `{action.name}` speaks alone. Instants are shown in `zone`. A line none of whose
    placeholders has a value is left out; a value missing elsewhere shows as a dash. Raises Misconfigured where
    the template is in a markup that the sink does not want.
    """
    usual = default(action["type"], lang)
    template = usual if template is None else template
    if template.markup not in ("plain", escape):
        raise Misconfigured(f"a template in {template.markup} does not suit a sink that wants {escape}")
    values = _Values(action, fields or {}, lang, zone)
    title = _filled(template.title or usual.title, values, _DOUBLED, str, str)
    # A plain text is escaped as a whole, any other has only its values escaped.
    literal = _ESCAPES[escape] if template.markup == "plain" else str
    pattern = _PLACEHOLDER if template.markup in _BRACED else _DOUBLED
    text = _filled(template.text, values, pattern, literal, _ESCAPES[escape])
    if template.markup == "plain":
        text = _LINES[escape](text)
    return " ".join(_CONTROL.sub(" ", title).split()), text


def localized(text: Localized, lang: str) -> str:
    """A text in a language: else in the same language of another region, in English, in the first there is."""
    return text if isinstance(text, str) else localized_pair(text, lang)


def localized_pair(texts: Mapping[str, Any], lang: str) -> Any:
    """The entry of a map by languages that `localized` speaks of."""
    short = lang.partition("-")[0]
    for name in (lang, short):
        if name in texts:
            return texts[name]
    for name in texts:
        if name.partition("-")[0] == short:
            return texts[name]
    return texts["en"] if "en" in texts else next(iter(texts.values()))


class _Values:
    """What placeholders stand for, as text."""

    def __init__(self, action: Mapping[str, Any], fields: Mapping[str, Any], lang: str, zone: Zone) -> None:
        self.rooms = (action.get("data") or {}, fields, action)
        self.action = action
        self.chinese = lang.partition("-")[0] == "zh"
        self.lang, self.zone = lang, zone

    def of(self, name: str) -> str | None:
        """The value of a placeholder, None where there is none."""
        if name.startswith("action."):
            return self.shown(_at(self.action, name.removeprefix("action.")))
        for room in self.rooms:
            found = _at(room, name)
            if found is not None:
                return self.shown(found)
        return None

    def shown(self, value: Any) -> str | None:
        if value is None or value in ("", [], {}):
            return None
        separator = "、" if self.chinese else ", "
        if isinstance(value, bool):
            return ("否", "是")[value] if self.chinese else ("no", "yes")[value]
        if isinstance(value, str):
            if value[4:5] == "-" and _INSTANT.fullmatch(value):
                return self.moment(value)
            return value if value.isalnum() else _CONTROL.sub("", value)
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        if isinstance(value, list):
            return separator.join(self.shown(each) or MISSING for each in value)
        if isinstance(value, Mapping):
            if value and all(
                _LANGUAGE.fullmatch(key) and isinstance(text, str) for key, text in value.items()
            ):
                return self.shown(localized(value, self.lang))
            return separator.join(f"{key}: {self.shown(each) or MISSING}" for key, each in value.items())
        return str(value)

    def moment(self, text: str) -> str:
        """An instant as the zone's clocks show it, to the minute."""
        try:
            local = self.zone.local(parse(text))
        except ValueError:
            return text
        day, rest = divmod(local, DAY)
        shown = f"{day_text(day)} {rest // HOUR:02d}:{rest % HOUR // MINUTE:02d}"
        return f"{shown} UTC" if self.zone is UTC else shown


def _at(room: Mapping[str, Any], name: str) -> Any:
    """The value of a name, or of a path of names parted by dots."""
    if name in room:
        return room[name]
    head, dot, rest = name.partition(".")
    within = room.get(head)
    return _at(within, rest) if dot and isinstance(within, Mapping) else None


def _filled(
    text: str,
    values: _Values,
    pattern: re.Pattern[str],
    literal: Callable[[str], str],
    escape: Callable[[str], str],
) -> str:
    """A text with its placeholders filled in; lines that would say nothing are left out."""
    read = _read(text, pattern)
    lines = []
    for line in read:
        found, asked, known = "", False, False
        for words, name in line:
            found += literal(words)
            if name is not None:
                value = values.of(name)
                asked, known = True, known or value is not None
                found += MISSING if value is None else escape(value)
        if known or not asked or len(read) == 1:
            lines.append(found)
    return "\n".join(lines).strip("\n")


@lru_cache(1024)
def _read(text: str, pattern: re.Pattern[str]) -> list[list[tuple[str, str | None]]]:
    """The lines of a text, each as words and the name of the placeholder that follows them, if one does."""
    lines = []
    for line in text.split("\n"):
        parts: list[tuple[str, str | None]] = []
        words, last = "", 0
        for match in pattern.finditer(line):
            words += line[last : match.start()]
            last = match.end()
            if match[1] is None:
                words += match[0][0]
            else:
                parts.append((words, match[1]))
                words = ""
        lines.append([*parts, (words + line[last:], None)])
    return lines


def _check(line: str, place: str, markup: Escape) -> None:
    """Refuse braces that were meant as a placeholder and are none."""
    rest = _DOUBLED.sub("", line)
    if markup not in _BRACED and ("{" in rest or "}" in rest):
        raise Misconfigured(
            f"{place}: expected a placeholder such as `{{case}}`, found `{line.strip()[:60]}`; "
            "a brace that is meant as one is written twice"
        )
    for match in _PLACEHOLDER.finditer(line):
        name = (match[1] or "").removeprefix("action.")
        if (match[1] or "").startswith("action.") and name.partition(".")[0] not in _ACTION:
            near = did_you_mean(name, _ACTION) or "its keys are those of the schema `action`"
            raise Misconfigured(f"{place}: an action has no `{name}`; {near}")


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


_ESCAPES: dict[Escape, Callable[[str], str]] = {
    "plain": str, "html": html.escape, "markdown": _markdown, "json": _json,
}  # fmt: skip
_LINES: dict[Escape, Callable[[str], str]] = {
    "plain": str,
    "html": lambda text: text.replace("\n", "<br>\n"),
    "markdown": lambda text: text.replace("\n", "  \n"),
    "json": lambda text: text.replace("\n", "\\n"),
}
