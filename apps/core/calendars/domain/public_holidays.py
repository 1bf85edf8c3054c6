"""Public holidays by country: which there are in a year, and a book of them that a calendar can carry."""

import datetime as dt
import re
from collections.abc import Mapping, Set
from functools import lru_cache

import holidays

from apps.core.calendars.domain.schedule import CalendarError

LANGUAGE = "en_US"
YEARS_AHEAD = 10


@lru_cache(maxsize=1)
def countries() -> Mapping[str, tuple[str, ...]]:
    """Return the two-letter codes of the countries whose holidays are known, each with its subdivisions."""
    listed = holidays.list_supported_countries(include_aliases=False)
    return {code: tuple(subdivisions) for code, subdivisions in sorted(listed.items()) if len(code) == 2}


def check_country(country: str, subdivision: str) -> None:
    """Refuse a country or a subdivision whose holidays nobody has listed."""
    if not country:
        if subdivision:
            raise CalendarError(f'"{subdivision}" needs its country beside it.')
        return
    if country not in countries():
        raise CalendarError(f'No holidays are known for a country "{country}"; write a two-letter code like DE or US.')
    if subdivision and subdivision not in countries()[country]:
        known = ", ".join(countries()[country]) or "none"
        raise CalendarError(
            f'{country} has no subdivision "{subdivision}" with holidays of its own; there are: {known}.'
        )


@lru_cache(maxsize=2048)
def public_holidays(country: str, subdivision: str, year: int) -> Mapping[dt.date, str]:
    """Return a year's public holidays with their English names; none without a country."""
    if not country:
        return {}
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year, language=LANGUAGE))


def public_holidays_of_years(country: str, subdivision: str, first: int, last: int) -> dict[dt.date, str]:
    """Return the public holidays from one year to another, both included, in order."""
    found = {
        day: name
        for year in range(first, last + 1)
        for day, name in public_holidays(country, subdivision, year).items()
    }
    return {day: found[day] for day in sorted(found) if first <= day.year <= last}


class HolidayBook:
    """The closed dates of one version: public holidays as known on publication, plus extra ones, less removed ones.

    Within the years written down it never changes, so that a clock counted again gives the same answer after the
    library has learnt better. For years outside, it asks the library.
    """

    def __init__(
        self,
        *,
        country: str,
        subdivision: str,
        written: Mapping[dt.date, str],
        years: range,
        extra: Mapping[dt.date, str],
        removed: Set[dt.date],
    ) -> None:
        """Hold what was written down for `years` and where to ask for others."""
        self._country, self._subdivision = country, subdivision
        self._written, self._years = written, years
        self._extra, self._removed = extra, removed

    def __contains__(self, day: object) -> bool:
        return isinstance(day, dt.date) and bool(self.name_of(day))

    def name_of(self, day: dt.date) -> str:
        """Return the name of the holiday on `day`, or nothing on any other day."""
        if day in self._extra:
            return self._extra[day] or "Holiday"
        if day in self._removed:
            return ""
        if day.year in self._years:
            return self._written.get(day, "")
        return public_holidays(self._country, self._subdivision, day.year).get(day, "")


def country_name(code: str) -> str:
    """Return a country's name in English, from the library's own spelling: "UnitedStates" is United States."""
    names = {entry[1]: entry[0] for entry in holidays.registry.COUNTRIES.values()}
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", names.get(code, code))
