"""Synonyms: what other products and people call the words of the language."""

from __future__ import annotations


def _turned(table: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Word to the words of the language that it may stand for."""
    found: dict[str, tuple[str, ...]] = {}
    for ours, theirs in table.items():
        for word in theirs:
            found[word] = (*found.get(word, ()), ours)
    return found


KEY_OF = _turned({
    "over": ("gt", "greater", "greater_than", "more_than", "above", ">"),
    "at_least": ("gte", "ge", "min", "minimum", "not_less_than", ">="),
    "below": ("lt", "less", "less_than", "under", "<"),
    "at_most": ("lte", "le", "max", "maximum", "not_more_than", "up_to", "<="),
    "not": ("ne", "not_equal", "not_in", "is_not", "!="),
    "exists": ("present", "is_set", "defined"),
    "matches": ("regex", "regexp", "pattern"),
    "when": ("if", "condition", "conditions", "match", "where"),
    "value": ("then", "result", "set"),
    "do": ("then", "actions", "action", "run"),
    "id": ("name", "key"),
    "note": ("description", "comment", "remark"),
    "to": ("assign_to", "target", "queue", "group", "route_to"),
    "within": ("deadline", "limit", "duration", "time"),
    "otherwise": ("else", "default", "fallback"),
    "notify": ("email", "mail", "page", "alert", "tell"),
    "message": ("reply", "sms"),
    "assign": ("transfer", "hand_over"),
})  # fmt: skip
"""Their key to ours."""

WORD_OF = _turned({
    "text": ("string", "str", "varchar", "char"),
    "integer": ("int", "long", "bigint"),
    "number": ("float", "double", "decimal", "numeric", "real"),
    "boolean": ("bool", "flag", "yesno"),
    "instant": ("datetime", "timestamp", "date-time"),
    "duration": ("timedelta", "interval", "period", "timespan"),
    "set": ("list", "array", "tags", "multiselect"),
    "enum": ("choice", "select", "option", "picklist"),
})  # fmt: skip
"""Their names of types to ours."""

UNIT_OF = {
    word: unit
    for unit, words in {
        "s": ("s", "sec", "secs", "second", "seconds", "秒", "秒钟", "秒鐘"),
        "m": ("m", "min", "mins", "minute", "minutes", "分", "分钟", "分鐘"),
        "h": ("h", "hr", "hrs", "hour", "hours", "小时", "小時", "个小时", "個小時"),
        "d": ("d", "day", "days", "天", "日"),
        "w": ("w", "week", "weeks", "周", "週", "星期", "个星期"),
        "wd": ("wd", "bd", "workday", "workdays", "working day", "working days", "business day", "business days",
               "工作日", "个工作日", "個工作日"),
    }.items()
    for word in words
}  # fmt: skip
"""Words for units of time."""

DIGIT_OF = {sign: str(number) for number, sign in enumerate("零一二三四五六七八九十")} | {
    "两": "2",
    "兩": "2",
}
"""Chinese numbers to ten."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_OF = {
    word: day
    for day, long, sign in zip(_DAYS, _LONG_DAYS, "一二三四五六日", strict=True)
    for word in (day, long, long[:4], long[:2], f"周{sign}", f"週{sign}", f"星期{sign}")
} | {"周天": "sun", "星期天": "sun", "tues": "tue", "thurs": "thu"}  # fmt: skip
"""Words for days of the week."""

COUNTRY_OF = {
    "chn": "CN", "china": "CN", "中国": "CN", "中國": "CN", "hkg": "HK", "twn": "TW", "jpn": "JP", "japan": "JP",
    "usa": "US", "deu": "DE", "ger": "DE", "germany": "DE", "gbr": "GB", "uk": "GB", "fra": "FR", "france": "FR",
}  # fmt: skip
"""Other names of some countries."""

LANGUAGE_OF = {
    **dict.fromkeys(("chinese", "中文", "汉语", "简体中文", "cn", "zh_cn"), "zh"),
    **dict.fromkeys(("english", "英文", "英语", "us", "en_us"), "en"),
    **dict.fromkeys(("german", "deutsch"), "de"), **dict.fromkeys(("french", "français"), "fr"),
    **dict.fromkeys(("japanese", "日本語", "jp"), "ja"), **dict.fromkeys(("korean", "kr"), "ko"),
}  # fmt: skip
"""Languages by other names than their codes."""
