"""What a calendar version says, read from the text that staff type and refused in words when it makes no sense."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from apps.core.calendars.domain.public_holidays import (
    YEARS_AHEAD,
    HolidayBook,
    check_country,
    public_holidays_of_years,
)
from apps.core.calendars.domain.schedule import (
    WEEKDAYS,
    CalendarError,
    DayHours,
    Schedule,
    check_zone,
    day_hours,
    hours,
)

T = TypeVar("T")
DAY_KEYS = tuple(name.lower() for name in WEEKDAYS)


@dataclass(frozen=True)
class Definition:
    """One version's zone, week, holidays and half days, checked each for itself."""

    zone: str
    weekly: tuple[DayHours, ...]
    country: str
    subdivision: str
    extra_holidays: Mapping[dt.date, str]
    removed_holidays: frozenset[dt.date]
    half_days: Mapping[dt.date, DayHours]

    def book(self, written: Mapping[dt.date, str], years: range) -> HolidayBook:
        """Return its holidays, given the public ones `written` down for `years`."""
        return HolidayBook(
            country=self.country,
            subdivision=self.subdivision,
            written=written,
            years=years,
            extra=self.extra_holidays,
            removed=self.removed_holidays,
        )

    def schedule(self, book: HolidayBook) -> Schedule:
        """Return the schedule that time is counted in."""
        return Schedule(self.zone, self.weekly, book, self.half_days)


def read_definition(
    *,
    zone: str,
    weekly_hours: Mapping[str, str],
    country: str = "",
    subdivision: str = "",
    extra_holidays: Mapping[str, str] | None = None,
    removed_holidays: Sequence[str] = (),
    half_days: Mapping[str, str] | None = None,
) -> Definition:
    """Read a version from its stored or typed form; everything wrong is refused at once, by field."""
    wrong: dict[str, str] = {}

    def attempt(field: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except CalendarError as refusal:
            wrong[field] = str(refusal)
            return otherwise

    attempt("zone", lambda: check_zone(zone), None)
    attempt("country", lambda: check_country(country, subdivision), None)
    definition = Definition(
        zone=zone,
        weekly=attempt("weekly_hours", lambda: read_week(weekly_hours), ((),) * 7),
        country=country,
        subdivision=subdivision,
        extra_holidays=attempt("extra_holidays", lambda: read_named_dates(extra_holidays or {}), {}),
        removed_holidays=attempt("removed_holidays", lambda: frozenset(map(read_date, removed_holidays)), frozenset()),
        half_days=attempt("half_days", lambda: read_half_days(half_days or {}), {}),
    )
    if wrong:
        raise CalendarError(" ".join(dict.fromkeys(wrong.values())), fields=wrong)
    return definition


def check_definition(definition: Definition, *, first_year: int) -> None:
    """Refuse a version whose parts contradict each other: see the sentences.

    Args:
        definition: what would be published.
        first_year: the year it takes effect in; holidays are looked up from the year before.
    """
    if not any(definition.weekly):
        sentence = "A calendar needs working time on at least one day of the week."
        raise CalendarError(sentence, fields={"weekly_hours": sentence})
    known = public_holidays_of_years(
        definition.country, definition.subdivision, first_year - 1, first_year + YEARS_AHEAD
    )
    for day in sorted(definition.removed_holidays):
        if first_year - 1 <= day.year <= first_year + YEARS_AHEAD and day not in known:
            sentence = f"{day} is no public holiday{_where(definition)}, so it cannot be taken out."
            raise CalendarError(sentence, fields={"removed_holidays": sentence})
    book = definition.book(known, range(first_year - 1, first_year + YEARS_AHEAD + 1))
    for day in sorted(definition.half_days):
        if holiday := book.name_of(day):
            sentence = f"{day} is closed ({holiday}), so it cannot be a half day; take the holiday out first."
            raise CalendarError(sentence, fields={"half_days": sentence})
        if not definition.weekly[day.weekday()]:
            sentence = f"{day} is a {WEEKDAYS[day.weekday()]}, which is closed, so it cannot be a half day."
            raise CalendarError(sentence, fields={"half_days": sentence})


def read_week(weekly_hours: Mapping[str, str]) -> tuple[DayHours, ...]:
    """Read {"monday": "09:00-17:30", …}; a weekday left out is closed."""
    if not isinstance(weekly_hours, Mapping):
        raise CalendarError("Weekly hours are written by weekday, from monday to sunday.")
    for key in weekly_hours:
        if key not in DAY_KEYS:
            raise CalendarError(f'"{key}" is no weekday; they are written {", ".join(DAY_KEYS)}.')
    return tuple(read_day(weekly_hours.get(key, ""), on=name) for key, name in zip(DAY_KEYS, WEEKDAYS, strict=True))


def read_day(text: str, *, on: str) -> DayHours:
    """Read "09:00-12:00, 13:00-17:30" (a dash of any length); nothing at all is a closed day."""
    if not isinstance(text, str):
        raise CalendarError(f"{on}: hours are written like 09:00-17:30.")
    stretches = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        opens, dash, closes = part.replace("–", "-").replace("—", "-").partition("-")
        if not dash:
            raise CalendarError(f'{on}: "{part}" is no stretch of hours; write it like 09:00-17:30.')
        try:
            stretches.append(hours(opens.strip(), closes.strip()))
        except CalendarError as refusal:
            raise CalendarError(f"{on}: {refusal}") from refusal
    return day_hours(stretches, on=on)


def read_half_days(half_days: Mapping[str, str]) -> dict[dt.date, DayHours]:
    """Read {"2026-12-24": "09:00-12:00"}; a half day without hours is a holiday, and refused here."""
    if not isinstance(half_days, Mapping):
        raise CalendarError("Half days are written by date, like 2026-12-24 09:00-12:00.")
    read = {read_date(key): read_day(text, on=str(key)) for key, text in half_days.items()}
    for day, stretches in read.items():
        if not stretches:
            raise CalendarError(f"{day} has no hours; a day without any is a holiday, not a half day.")
    return read


def read_named_dates(dates: Mapping[str, str]) -> dict[dt.date, str]:
    """Read {"2026-12-31": "Company day"}."""
    if not isinstance(dates, Mapping):
        raise CalendarError("Extra holidays are written by date, like 2026-12-31 Company day.")
    return {read_date(key): str(name).strip() for key, name in dates.items()}


def read_date(text: str) -> dt.date:
    """Read "2026-12-24"."""
    try:
        return dt.datetime.strptime(str(text).strip(), "%Y-%m-%d").date()  # noqa: DTZ007  # a date has no zone
    except ValueError as problem:
        raise CalendarError(f'"{text}" is not a date; write it like 2026-12-24.') from problem


def day_text(stretches: DayHours) -> str:
    """Write a day's hours the way `read_day` reads them."""
    return ", ".join(str(stretch).replace("–", "-") for stretch in stretches)


def week_in_words(weekly: tuple[DayHours, ...]) -> str:
    """Write a week in one line, equal neighbours together: "Mon–Fri 09:00–17:30"."""
    runs: list[tuple[str, str, DayHours]] = []
    for name, stretches in zip(WEEKDAYS, weekly, strict=True):
        if runs and runs[-1][2] == stretches:
            runs[-1] = (runs[-1][0], name[:3], stretches)
        else:
            runs.append((name[:3], name[:3], stretches))
    return "; ".join(
        f"{first if first == last else f'{first}–{last}'} {', '.join(map(str, stretches))}"
        for first, last, stretches in runs
        if stretches
    )


def _where(definition: Definition) -> str:
    place = "-".join(filter(None, (definition.country, definition.subdivision)))
    return f" in {place}" if place else ", for no country was chosen"
