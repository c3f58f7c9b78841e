"""Facts: the public holidays and make-up working days of a country, from the `holidays` package.

How far they are confirmed (semantics 1.8), derived from the package itself:

- Where a government moves working days year by year (China's 调休, also Russia, Taiwan, Vietnam, …), the
  package holds those moves for the years already announced, and merely computes later ones. Such a country is
  confirmed through the last year with an announced move.
- Where the package marks a year's dates as estimated (the sighting of a moon), the year before is the last.
- Everywhere else holidays are fixed by statute and computable; they are taken as confirmed through
  STATUTORY_THROUGH. A day that is proclaimed only once belongs into the calendar's `closed`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

FACTS_FROM = 2010
FACTS_THROUGH = 2035
STATUTORY_THROUGH = 2035
_STILL_MOVED_IN = 2023
"""A country that has announced no move since this year is taken to have ended the practice."""


def countries() -> frozenset[str]:
    """The codes of the countries whose holidays are known, such as `CN`."""
    from holidays.registry import COUNTRIES

    return frozenset(code for entry in COUNTRIES.values() for code in entry[1:] if len(code) == 2)


def two_letters(code: str) -> str | None:
    """The code of a country that is written in small or in three letters: `CN` for `CHN` and `cn`."""
    from holidays.registry import COUNTRIES

    return next((min(entry[1:], key=len) for entry in COUNTRIES.values() if code.upper() in entry[1:]), None)


def subdivisions(country: str) -> frozenset[str]:
    """The codes of a country's provinces or states that have holidays of their own."""
    import holidays

    return frozenset(holidays.country_holidays(country).subdivisions)


def holiday_facts(
    country: str, subdivision: str | None = None, first_year: int = FACTS_FROM, last_year: int = FACTS_THROUGH
) -> dict[str, Any]:
    """The facts of one country as JSON. The package takes 60 ms to import, so hosts keep what this gives.

    `holidays`: {date: name in the country's language}; `make_up`: {date: [the weekday whose hours it takes
    (0 Monday) or null, label]}; `confirmed_from`, `confirmed_through`: dates; `source`: package and version.
    Raises KeyError for a country or subdivision that is not known.
    """
    import holidays
    from holidays.version import __version__

    if country not in countries() or (subdivision and subdivision not in subdivisions(country)):
        raise KeyError(subdivision or country)
    plain = holidays.country_holidays(country, subdiv=subdivision)
    known: Any = holidays.country_holidays(
        country, subdiv=subdivision, years=range(first_year, last_year + 1), language=plain.default_language
    )
    names = {day: str(name) for day, name in sorted(known.items()) if first_year <= day.year <= last_year}
    moved = sorted(day for day in known.weekend_workdays if first_year <= day.year <= last_year)
    through = min(_confirmed_through(known, names, moved), last_year)
    return {
        "country": country,
        "subdivision": subdivision,
        "source": f"holidays {__version__}",
        "confirmed_from": f"{first_year}-01-01",
        "confirmed_through": f"{through}-12-31",
        "holidays": {day.isoformat(): name for day, name in names.items()},
        "make_up": _make_up_days(known, names, moved),
    }


def _confirmed_through(known: Any, names: dict[date, str], moved: list[date]) -> int:
    through = STATUTORY_THROUGH
    if moved and moved[-1].year >= _STILL_MOVED_IN:
        through = moved[-1].year
    label = getattr(known, "estimated_label", None)
    if label:
        mark = known.tr(label).replace("%s", "").strip()
        estimated = [day.year for day, name in names.items() if mark in name]
        through = min([through, *(year - 1 for year in estimated)])
    return through


def _make_up_days(known: Any, names: dict[date, str], moved: list[date]) -> dict[str, list[Any]]:
    """Each make-up day with the weekday of the day off that it pays for, where the name of that one says so."""
    paid_for: dict[date, date] = {}
    if label := getattr(known, "substituted_label", None):
        form = known.tr(known.substituted_date_format)
        pattern = re.compile(re.escape(known.tr(label)).replace("%s", "([^;]+?)"))
        for day, name in names.items():
            for found in pattern.finditer(name):
                try:
                    worked = datetime.strptime(found[1], form).replace(tzinfo=UTC).date()
                except ValueError:
                    continue
                paid_for[worked] = day
    facts: dict[str, list[Any]] = {}
    for day in moved:
        off = paid_for.get(day)
        label = "make-up working day" + (f" for {off.isoformat()}" if off else "")
        facts[day.isoformat()] = [off.weekday() if off else None, label]
    return facts
