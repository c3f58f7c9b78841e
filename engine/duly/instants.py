"""Instants: RFC 3339 text and whole microseconds since 1970-01-01T00:00:00Z."""

import datetime as _dt

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = _dt.datetime(1970, 1, 1, tzinfo=_dt.UTC)
_EPOCH_ORDINAL = 719_163


class _Minutes(dict[int, str]):
    """Date, hour and minute as `render` writes them; kept, because the instants of cases crowd."""

    def __missing__(self, instant: int) -> str:
        if len(self) > 20_000:
            self.clear()
        day, rest = divmod(instant, DAY)
        hour, minute = divmod(rest // MINUTE, 60)
        date = _dt.date.fromordinal(day + _EPOCH_ORDINAL).isoformat()
        text = self[instant] = f"{date}T{hour:02d}:{minute:02d}:"
        return text


class _Endings(dict[int, str]):
    """What follows the minute: whole seconds are kept."""

    def __missing__(self, rest: int) -> str:
        return f"{rest // SECOND:02d}.{rest % SECOND:06d}Z"


_minutes = _Minutes()
_endings = _Endings({second * SECOND: f"{second:02d}Z" for second in range(60)})


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
    rest = instant % MINUTE
    return _minutes[instant - rest] + _endings[rest]


def seconds(duration: int) -> int | float:
    """A duration in microseconds as seconds: an int where it is whole."""
    whole, fraction = divmod(duration, SECOND)
    return duration / SECOND if fraction else whole
