"""Hints: what a key or a text was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from duly.diagnostics import did_you_mean
from duly.validation.synonyms import COUNTRY_OF, DAY_OF, DIGIT_OF, KEY_OF, LANGUAGE_OF, UNIT_OF, WORD_OF

_AMOUNT = re.compile(r"(\d{1,9}|[一二两兩三四五六七八九十])\s*(\D+?)\.?\Z")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z", re.ASCII | re.IGNORECASE)
_BLANKS = re.compile(r"(\d+[hms]\s+)+\d+[hms]\Z|(\d+w\s+)\d+d\Z", re.ASCII)
_TIME = re.compile(r"(\d{1,2})[:：.](\d{2})\Z")
_NOON = re.compile(r"(\d{1,2})\s*(am|pm)\Z", re.IGNORECASE)
_REFERENCE = re.compile(r"(role|group|person|queue)[:：/ ]\s*(\S+)\Z", re.IGNORECASE)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?(\.\d+)?\Z")
_STEP = re.compile(r"(start|due)\s*([+-])\s*(.+)\Z", re.IGNORECASE)
_STEP_IN_WORDS = re.compile(r"(.+?)\s+(after|before)\s+(start|due)\Z", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\Z")
_PLACEHOLDER = re.compile(
    r"(?:\{\{|\$\{?|<|%)\s*(?:param[.:]\s*)?([A-Za-z_]\w*)\s*(?:\}\}?|>|%)?\Z", re.ASCII
)
_SUBJECTS = {"customer": "`customer`", "event": "the `fields` of the event", "case": "`fields`"}
_BOOLEANS = {"yes": "true", "on": "true", "no": "false", "off": "false", "是": "true", "否": "false"}
_WORD = re.compile(r"[\w-]+\Z")


def meant_key(key: str, known: Collection[str]) -> str | None:
    """The known key that other products call `key`."""
    return next((each for each in KEY_OF.get(key.casefold(), ()) if each in known), None)


def key_hint(key: str, known: Collection[str]) -> str | None:
    """The help line for an unknown key: what it is called here, or a key that is spelt alike."""
    return _meant(meant_key(key, known)) or did_you_mean(key, known)


def word_hint(word: str, words: Collection[str]) -> str | None:
    """The help line for a word that is not one of `words`, where other products say it for one of them."""
    return _meant(next((each for each in WORD_OF.get(word.casefold(), ()) if each in words), None))


def hint(text: str, wanted: str) -> str | None:
    """The help line for `text` where `wanted`, the words of the schema for what it wants, was expected."""
    if placeholder := _PLACEHOLDER.match(text.strip()):
        return f"a parameter is written `{{param: {placeholder[1]}}}`"
    for beginning, guess in _GUESSES.items():
        if wanted.startswith(beginning):
            found = guess(text.strip())
            return None if found == _meant(text) else found
    return None


def _meant(text: str | None) -> str | None:
    return f"did you mean `{text}`?" if text else None


def _duration_hint(text: str) -> str | None:
    return _meant(_duration(text)) or (
        "say the unit: `s`, `m`, `h`, `wd`, `d` or `w`" if text.isdigit() else None
    )


def _duration(text: str) -> str | None:
    if _BLANKS.match(text):
        return re.sub(r"\s", "", text)
    if (found := _AMOUNT.match(text)) and (unit := UNIT_OF.get(found[2].strip().casefold())):
        return DIGIT_OF.get(found[1], found[1]) + unit
    if len(text) > 1 and (found := _ISO.match(text)):
        days, hours, minutes, seconds = found.groups()
        clock = "".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n)
        return None if days and clock else f"{days}d" if days else clock or None
    return None


def _percentage_hint(text: str) -> str | None:
    number = re.sub(r"\s*(%|％|percent|per cent)\Z", "", text)
    if not re.match(r"\d{1,3}(\.\d{1,6})?\Z", number, re.ASCII) or float(number) > 100:
        return None
    whole = text == number and "." in number and float(number) <= 1
    return _meant(f"{float(number) * 100:g}%" if whole else f"{number}%")


def _step_hint(text: str) -> str | None:
    if found := _STEP_IN_WORDS.match(text):
        sign = "+" if found[2].casefold() == "after" else "-"
        base, length = found[3].casefold(), _duration(found[1]) or found[1]
        return _meant(f"{base} {sign} {length}") if re.match(r"\d+(wd|[smhdw])\Z", length) else None
    if found := _STEP.match(text):
        length = _duration(found[3]) or ""
        if found[1].casefold() == "start" and found[2] == "-":
            return f"before its start a clock does not run; write `start + {length or '10m'}`"
        return _meant(f"{found[1].casefold()} {found[2]} {length}" if length else None)
    return _percentage_hint(text)


def _time_hint(text: str) -> str | None:
    if found := _NOON.match(text):
        hour = int(found[1]) % 12 + (12 if found[2].casefold() == "pm" else 0)
        return _meant(f"{hour:02d}:00") if int(found[1]) <= 12 else None
    found = _TIME.match(text)
    return (
        _meant(f"{int(found[1]):02d}:{found[2]}")
        if found and int(found[1]) < 24 and int(found[2]) < 60
        else None
    )


def _instant_hint(text: str) -> str | None:
    if _LOCAL.match(text):
        return "add the offset from UTC, such as `+08:00`, or `Z`"
    return "add the time and the offset, such as `T09:00:00+08:00`" if _DATE.match(text) else None


def _date_hint(text: str) -> str | None:
    found = _DATE.match(text)
    return _meant(f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}") if found else None


def _weekday_hint(text: str) -> str | None:
    days = [DAY_OF.get(day.strip().casefold()) for day in re.split("[-,]", text)]
    return _meant(re.sub(r"[^-, ]+", lambda _: days.pop(0) or "", text)) if all(days) else None


def _reference_hint(text: str) -> str | None:
    if found := _REFERENCE.match(text):
        return _meant(f"{found[1].casefold()}:{found[2]}")
    return f"did you mean `group:{text}`, `role:{text}` or `person:{text}`?" if _WORD.match(text) else None


def _name_hint(text: str) -> str | None:
    subject, dot, name = text.partition(".")
    if dot and subject in _SUBJECTS:
        return f"declare it as `{name}` under {_SUBJECTS[subject]}"
    joined = re.sub(r"[\s./:]+", "-", text)
    return _meant(joined) if re.match(r"[\w-]+\Z", joined) else None


def _small_name_hint(text: str) -> str | None:
    joined = re.sub(r"[\s_.]+|(?<=[a-z])(?=[A-Z])", "-", text).lower()
    return _meant(joined) if re.match(r"[a-z0-9-]+\Z", joined) else None


def _cron_hint(text: str) -> str | None:
    fields = text.split()
    return "leave the seconds out: " + f"`{' '.join(fields[1:])}`" if len(fields) == 6 else None


def _language_hint(text: str) -> str | None:
    if " " in text:
        return "quote a text that has a comma in it"
    return _meant(LANGUAGE_OF.get(text.casefold()))


_GUESSES: dict[str, Callable[[str], str | None]] = {
    "a duration": _duration_hint,
    "a span": _duration_hint,
    "a percentage": _percentage_hint,
    "when: ": _step_hint,
    "a time of day": _time_hint,
    "an instant": _instant_hint,
    "a date": _date_hint,
    "weekdays": _weekday_hint,
    "who": _reference_hint,
    "a person": lambda text: _meant(f"person:{text}") if _WORD.match(text) else None,
    "a name of lower-case": _small_name_hint,
    "a name of letters": _name_hint,
    "five cron": _cron_hint,
    "a language": _language_hint,
    "a version": lambda text: _meant(f"{text}.0") if re.match(r"\d+\.\d+\Z", text, re.ASCII) else None,
    "a two-letter": lambda text: _meant(COUNTRY_OF.get(text.casefold())),
    "`true` or `false`": lambda text: _meant(_BOOLEANS.get(text.casefold())),
}  # fmt: skip
