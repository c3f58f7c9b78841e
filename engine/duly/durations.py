"""Durations as policies write them: open time, working days, or plain days."""

import re

from duly.instants import DAY, HOUR, MINUTE, SECOND

OPEN = "open"
WORKING_DAYS = "working_days"
PLAIN = "plain"

_OPEN = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?\Z", re.ASCII)
_WORKING_DAYS = re.compile(r"(\d{1,5})wd\Z", re.ASCII)
_PLAIN = re.compile(r"(?:(\d{1,5})w)?(?:(\d{1,5})d)?\Z", re.ASCII)


class Duration:
    """A length of time as written.

    `unit` is `open` (hours, minutes, seconds of a calendar's open time; plain elapsed time on `always`),
    `working_days`, or `plain` (24-hour days). `amount` is microseconds, or a count of working days.
    """

    __slots__ = ("amount", "text", "unit")

    def __init__(self, unit: str, amount: int, text: str) -> None:
        self.unit = unit
        self.amount = amount
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and (self.unit, self.amount) == (other.unit, other.amount)

    def __hash__(self) -> int:
        return hash((self.unit, self.amount))

    def __repr__(self) -> str:
        return f"Duration({self.text})"


def parse(text: str) -> Duration:
    """The duration that `text` writes: `90s`, `5m`, `1h30m`, `2wd`, `3d`, `2w`.

    Raises ValueError, with a sentence for the user, for anything else.
    """
    if isinstance(text, str) and text:
        if found := _OPEN.match(text):
            hours, minutes, seconds = (int(part or 0) for part in found.groups())
            return Duration(OPEN, hours * HOUR + minutes * MINUTE + seconds * SECOND, text)
        if found := _WORKING_DAYS.match(text):
            return Duration(WORKING_DAYS, int(found.group(1)), text)
        if found := _PLAIN.match(text):
            weeks, days = (int(part or 0) for part in found.groups())
            return Duration(PLAIN, (weeks * 7 + days) * DAY, text)
    raise ValueError(f"expected a duration such as `30m`, `1h30m`, `2wd` or `3d`, found `{text}`")


def render(amount: int) -> str:
    """Microseconds as a person reads them: `1h30m`, `45s`, `0s`; whole days above two days as `3d4h`."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, fraction = divmod(amount, SECOND)
    if not whole and fraction:
        return f"{sign}{fraction / SECOND:.6f}".rstrip("0") + "s"
    days, whole = divmod(whole, 86_400) if whole >= 172_800 else (0, whole)
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    text = "".join(
        f"{n}{unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")) if n
    )
    return sign + (text or "0s")
