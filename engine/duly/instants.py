"""Instants: RFC 3339 text and whole microseconds since 1970-01-01T00:00:00Z."""

import datetime as _dt

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = _dt.datetime(1970, 1, 1, tzinfo=_dt.UTC)
_EPOCH_ORDINAL = 719_163
_dates: dict[int, str] = {}
_times: dict[int, str] = {}
_recent: dict[int, str] = {}


def parse(text: str) -> int:
    """The instant that RFC 3339 `text` names, in microseconds since the epoch.

    Raises ValueError, with a sentence for the user, where the text is no instant, has no offset,
    or lies outside the years 1 to 9999.
    """
    try:
        moment = _dt.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        text = str(text)
        raise ValueError(
            f"expected an instant such as `2026-03-02T09:00:00+08:00`, found `{text[:80]}`"
        ) from None
    if len(text) < 17 or text[4] != "-" or text[7] != "-" or text[10] not in "Tt ":
        raise ValueError(f"expected an instant such as `2026-03-02T09:00:00+08:00`, found `{text[:80]}`")
    if moment.tzinfo is None:
        raise ValueError(f"instant without an offset: `{text[:80]}`; add `Z` or an offset such as `+08:00`")
    gap = moment - _EPOCH
    return (gap.days * 86_400 + gap.seconds) * SECOND + gap.microseconds


def render(instant: int) -> str:
    """RFC 3339 in UTC with `Z`; six decimals only where the instant has a fraction of a second."""
    text = _recent.get(instant)
    if text is None:
        if len(_recent) > 10_000:
            _recent.clear()
        text = _recent[instant] = _rendered(instant)
    return text


def _rendered(instant: int) -> str:
    day, rest = divmod(instant, DAY)
    second, fraction = divmod(rest, SECOND)
    date = _dates.get(day)
    if date is None:
        if len(_dates) > 20_000:
            _dates.clear()
        date = _dates[day] = _dt.date.fromordinal(day + _EPOCH_ORDINAL).isoformat() + "T"
    time = _times.get(second)
    if time is None:
        time = _times[second] = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    if fraction:
        return f"{date}{time}.{fraction:06d}Z"
    return f"{date}{time}Z"


def seconds(duration: int) -> int | float:
    """A duration in microseconds as seconds: an int where it is whole."""
    whole, fraction = divmod(duration, SECOND)
    return duration / SECOND if fraction else whole
