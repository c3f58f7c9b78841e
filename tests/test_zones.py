"""Zones: frozen transitions against the standard library's reading of the same data."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import cache
from importlib import resources

import pytest
import tzdata  # type: ignore[import-untyped]

from duly.calendars import zones
from duly.calendars.localtime import Zone, day_text, weekday, year_of, year_start
from duly.instants import HOUR, MINUTE, SECOND, parse

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@cache
def _zone(name: str) -> Zone:
    frozen = zones.frozen(name)
    return Zone(name, frozen["at"], frozen["offsets"])


@cache
def _standard(name: str) -> zoneinfo.ZoneInfo:
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, name)


def _offset(name: str, second: int) -> int:
    offset = (_EPOCH + dt.timedelta(seconds=second)).astimezone(_standard(name)).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


@pytest.mark.parametrize("part", range(8))
def test_every_zone(part: int) -> None:
    """Every zone of the package has the standard library's offset before and at each transition to 2200."""
    wrong = []
    for name in sorted(zones.names())[part::8]:
        frozen = zones.frozen(name)
        zone = _zone(name)
        moments = [
            second - before for second in (*frozen["at"][:40], *frozen["at"][-8:]) for before in (1, 0)
        ]
        for second in (
            *moments,
            -2_000_000_000,
            0,
            1_700_000_000,
            1_720_000_000,
            4_100_000_000,
            7_250_000_000,
        ):
            if zone.offset(second * SECOND) != _offset(name, second) * SECOND:
                wrong.append((name, second))
    assert wrong == []


def test_only_the_package_is_read() -> None:
    """The frozen data carry the release of the tzdata package."""
    assert tzdata.IANA_VERSION == zones.frozen("Europe/Berlin")["version"]


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../../etc/passwd", "", "europe/berlin"])
def test_unknown_zone(name: str) -> None:
    """A name that the package does not list is no zone."""
    with pytest.raises(KeyError):
        zones.frozen(name)


@pytest.mark.parametrize(
    ("zone", "reading", "instant"),
    [
        ("Europe/Berlin", "2024-03-31T01:59:59Z", "2024-03-31T00:59:59Z"),
        ("Europe/Berlin", "2024-03-31T02:00:00Z", "2024-03-31T01:00:00Z"),
        ("Europe/Berlin", "2024-03-31T02:59:59Z", "2024-03-31T01:00:00Z"),
        ("Europe/Berlin", "2024-03-31T03:00:00Z", "2024-03-31T01:00:00Z"),
        ("Europe/Berlin", "2024-10-27T02:30:00Z", "2024-10-27T00:30:00Z"),
        ("Europe/Berlin", "2024-10-27T03:00:00Z", "2024-10-27T02:00:00Z"),
        ("Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31T00:00:00Z", "2011-12-30T10:00:00Z"),
        ("America/St_Johns", "2006-10-29T00:00:00Z", "2006-10-29T02:30:00Z"),
        ("America/St_Johns", "2006-10-29T00:01:00Z", "2006-10-29T03:31:00Z"),
    ],
)
def test_first_reached(zone: str, reading: str, instant: str) -> None:
    """A clock reaches a reading in a gap at the transition, and one in a fold on the first pass."""
    assert parse(instant) == _zone(zone).reach(parse(reading))


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/St_Johns", "Pacific/Kwajalein", "Australia/Lord_Howe"]
)
def test_reached_is_the_inverse(name: str) -> None:
    """The instant at which a reading is first reached shows it, and the minute before does not."""
    zone = _zone(name)
    for reading in range(parse("1969-09-20T00:00:00Z"), parse("1969-11-10T00:00:00Z"), 45 * MINUTE):
        instant = zone.reach(reading)
        assert zone.reached(instant - MINUTE) < reading <= zone.reached(instant)
    assert all(zone.reach(at) <= zone.reach(at + HOUR) for at in range(0, 10_000 * HOUR, HOUR))


def test_dates() -> None:
    """Days since 1970 know their date, weekday and year."""
    start = year_start(2024)
    assert ("2024-02-29", 3, 2024, 2023) == (
        day_text(start + 59),
        weekday(start + 59),
        year_of(start),
        year_of(start - 1),
    )
