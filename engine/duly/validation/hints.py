"""Hints: what a text was probably meant to be, where its form is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection

from duly.diagnostics import did_you_mean

_UNITS = {
    "s": ("s", "sec", "secs", "second", "seconds", "秒", "秒钟"),
    "m": ("m", "min", "mins", "minute", "minutes", "分", "分钟", "分鐘"),
    "h": ("h", "hr", "hrs", "hour", "hours", "小时", "小時"),
    "d": ("d", "day", "days", "天", "日"),
    "w": ("w", "week", "weeks", "周", "週"),
    "wd": ("wd", "bd", "workday", "workdays", "working day", "working days", "business day", "business days",
           "工作日", "个工作日", "個工作日"),
}  # fmt: skip
_WEEKDAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}
_AMOUNT = re.compile(r"(\d{1,9})\s*(\D+?)\.?\Z")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z", re.ASCII | re.IGNORECASE)
_TIME = re.compile(r"(\d{1,2})[:：.](\d{2})\Z")
_REFERENCE = re.compile(r"(role|group|person|queue)[:：/ ]\s*(\S+)\Z", re.IGNORECASE)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?(\.\d+)?\Z")
_STEP = re.compile(r"(start|due)\s*([+-])\s*(.+)\Z", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\Z")


_SYNONYMS = {
    "over": ("gt", "greater", "greater_than", "more_than", "above", ">"),
    "at_least": ("gte", "ge", "min", "minimum", "not_less_than", ">="),
    "below": ("lt", "less", "less_than", "under", "<"),
    "at_most": ("lte", "le", "max", "maximum", "not_more_than", "up_to", "<="),
    "not": ("ne", "not_equal", "not_in", "is_not", "!="),
    "exists": ("present", "is_set", "defined"),
    "matches": ("regex", "regexp", "pattern"),
    "when": ("if", "condition", "conditions", "match", "where"),
    "do": ("then", "actions", "action", "run"),
    "id": ("name", "key"),
    "note": ("description", "comment", "remark"),
    "to": ("assign_to", "target", "queue", "group", "route_to"),
    "within": ("deadline", "limit", "duration", "time"),
    "otherwise": ("else", "default", "fallback"),
}
_SYNONYM_OF = {word: key for key, words in _SYNONYMS.items() for word in words}


def key_hint(key: str, known: Collection[str]) -> str | None:
    """The help line for an unknown key: one that is spelt alike, or that other products call so."""
    meant = _SYNONYM_OF.get(key.casefold())
    return _meant(meant) if meant in known else did_you_mean(key, known)


def hint(text: str, wanted: str) -> str | None:
    """The help line for `text` where `wanted`, the words of the schema for what it wants, was expected."""
    found = _hint(text.strip(), wanted)
    return None if found == _meant(text) else found


def _hint(text: str, wanted: str) -> str | None:
    if wanted.startswith("weekdays"):
        days = [day.strip()[:3].casefold() for day in re.split("[-,]", text)]
        return _meant(re.sub(r"\w+", lambda _: days.pop(0), text)) if _WEEKDAYS.issuperset(days) else None
    if wanted.startswith(("a duration", "a span")):
        return _meant(_duration(text)) or ("say the unit: `s`, `m`, `h`, `wd`, `d` or `w`" if text.isdigit() else None)
    if wanted.startswith("a percentage"):
        return _meant(_percentage(text))
    if wanted.startswith("when: "):
        found = _STEP.match(text)
        length = _duration(found[3]) if found else None
        return _meant(f"{found[1].lower()} {found[2]} {length}" if found and length else _percentage(text))
    if wanted.startswith("a time of day") and (found := _TIME.match(text)):
        return _meant(f"{int(found[1]):02d}:{found[2]}")
    if wanted.startswith("an instant"):
        if _LOCAL.match(text):
            return "add the offset from UTC, such as `+08:00`, or `Z`"
        return "add the time and the offset, such as `T09:00:00+08:00`" if _DATE.match(text) else None
    if wanted.startswith("a date") and (found := _DATE.match(text)):
        return _meant(f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}")
    if wanted.startswith("who"):
        found = _REFERENCE.match(text)
        if found:
            return _meant(f"{found[1].lower()}:{found[2]}")
        if re.match(r"[\w-]+\Z", text):
            return f"did you mean `group:{text}`, `role:{text}` or `person:{text}`?"
    return None


def _meant(text: str | None) -> str | None:
    return f"did you mean `{text}`?" if text else None


def _duration(text: str) -> str | None:
    if (found := _AMOUNT.match(text)) and (unit := _UNIT_OF.get(found[2].strip().casefold())):
        return found[1] + unit
    if len(text) > 1 and (found := _ISO.match(text)):
        days, hours, minutes, seconds = found.groups()
        clock = "".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n)
        return None if days and clock else f"{days}d" if days else clock or None
    return None


def _percentage(text: str) -> str | None:
    number = text.replace("％", "").replace("%", "").strip()
    if not re.match(r"\d{1,3}(\.\d{1,6})?\Z", number, re.ASCII):
        return None
    if text == number and "." in number and float(number) <= 1:
        return f"{float(number) * 100:g}%"
    return f"{number}%"
