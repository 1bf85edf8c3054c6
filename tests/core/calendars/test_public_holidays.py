"""The holiday book: what was written down stays, the library answers for other years."""

import datetime as dt

from apps.core.calendars.domain.public_holidays import (
    HolidayBook,
    countries,
    country_name,
    public_holidays,
    public_holidays_of_years,
)


def book(**changed) -> HolidayBook:
    said = {
        "country": "DE",
        "subdivision": "",
        "written": {},
        "years": range(2026, 2027),
        "extra": {},
        "removed": set(),
    }
    return HolidayBook(**{**said, **changed})


def test_holidays_of_a_country_have_english_names() -> None:
    assert public_holidays("DE", "", 2026)[dt.date(2026, 10, 3)] == "German Unity Day"
    assert country_name("US") == "United States"
    assert "BY" in countries()["DE"]


def test_holidays_of_a_subdivision_add_to_the_country() -> None:
    epiphany = dt.date(2026, 1, 6)
    assert epiphany in public_holidays("DE", "BY", 2026)
    assert epiphany not in public_holidays("DE", "", 2026)


def test_no_country_has_no_holidays() -> None:
    assert public_holidays_of_years("", "", 2026, 2030) == {}


def test_book_keeps_to_what_was_written_within_its_years() -> None:
    kept = book(written={dt.date(2026, 5, 4): "As known then"})
    assert kept.name_of(dt.date(2026, 5, 4)) == "As known then"
    assert dt.date(2026, 12, 25) not in kept
    assert kept.name_of(dt.date(2027, 12, 25)) == "Christmas Day"


def test_book_adds_extra_and_leaves_out_removed_days() -> None:
    kept = book(extra={dt.date(2027, 5, 4): ""}, removed={dt.date(2027, 12, 25)})
    assert kept.name_of(dt.date(2027, 5, 4)) == "Holiday"
    assert dt.date(2027, 12, 25) not in kept
    assert "2027-12-25" not in kept
