"""What staff type becomes a definition, or a sentence beside the field."""

import datetime as dt

import pytest

from apps.core.calendars.domain.definition import (
    check_definition,
    day_text,
    read_day,
    read_definition,
    read_week,
    week_in_words,
)
from apps.core.calendars.domain.schedule import CalendarError, Hours

WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-17:30")


def test_day_is_read_with_any_dash_and_written_back_in_order() -> None:
    read = read_day("13:00 – 17:30, 09:00-12:00", on="Monday")
    assert read == (Hours(540, 720), Hours(780, 1050))
    assert day_text(read) == "09:00-12:00, 13:00-17:30"


def test_week_in_words_puts_equal_neighbours_together() -> None:
    assert week_in_words(read_week({**WEEK, "friday": "09:00-15:00"})) == "Mon–Thu 09:00–17:30; Fri 09:00–15:00"


def test_definition_reads_every_part() -> None:
    said = read_definition(
        zone="Europe/Berlin",
        weekly_hours=WEEK,
        country="DE",
        subdivision="BY",
        extra_holidays={"2026-12-31": "Company day"},
        removed_holidays=["2026-01-06"],
        half_days={"2026-12-24": "09:00-12:00"},
    )
    assert said.extra_holidays == {dt.date(2026, 12, 31): "Company day"}
    assert said.removed_holidays == frozenset({dt.date(2026, 1, 6)})
    assert said.half_days == {dt.date(2026, 12, 24): (Hours(540, 720),)}
    check_definition(said, first_year=2026)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        (
            {"zone": "Mars/Base"},
            {"zone": 'There is no time zone called "Mars/Base"; write one like Europe/Berlin.'},
        ),
        (
            {"weekly_hours": {"monday": "09:00-12:00, 11:00-13:00"}},
            {"weekly_hours": "Monday: 09:00–12:00 and 11:00–13:00 overlap."},
        ),
        (
            {"weekly_hours": {"monday": "17:00-09:00"}},
            {
                "weekly_hours": "Monday: 17:00 to 09:00 ends before it starts. For a night shift write 17:00 to 24:00 "
                "on that day and 00:00 to 09:00 on the next."
            },
        ),
        (
            {"weekly_hours": {"monday": "nine to five"}},
            {"weekly_hours": 'Monday: "nine to five" is no stretch of hours; write it like 09:00-17:30.'},
        ),
        (
            {"weekly_hours": {"moonday": "09:00-17:00"}},
            {
                "weekly_hours": '"moonday" is no weekday; they are written monday, tuesday, wednesday, thursday, '
                "friday, saturday, sunday."
            },
        ),
        ({"weekly_hours": {"monday": 9}}, {"weekly_hours": "Monday: hours are written like 09:00-17:30."}),
        ({"weekly_hours": []}, {"weekly_hours": "Weekly hours are written by weekday, from monday to sunday."}),
        (
            {"country": "XX"},
            {"country": 'No holidays are known for a country "XX"; write a two-letter code like DE or US.'},
        ),
        ({"subdivision": "BY"}, {"country": '"BY" needs its country beside it.'}),
        (
            {"extra_holidays": {"31.12.2026": "Company day"}},
            {"extra_holidays": '"31.12.2026" is not a date; write it like 2026-12-24.'},
        ),
        (
            {"removed_holidays": ["2026-02-30"]},
            {"removed_holidays": '"2026-02-30" is not a date; write it like 2026-12-24.'},
        ),
        (
            {"half_days": {"2026-12-24": ""}},
            {"half_days": "2026-12-24 has no hours; a day without any is a holiday, not a half day."},
        ),
    ],
)
def test_definition_refuses_what_makes_no_sense(wrong: dict, fields: dict) -> None:
    with pytest.raises(CalendarError) as refused:
        read_definition(**{"zone": "UTC", "weekly_hours": WEEK, **wrong})
    assert refused.value.fields == fields


def test_definition_refuses_an_unknown_subdivision_and_lists_the_known() -> None:
    with pytest.raises(
        CalendarError, match=r'^DE has no subdivision "XX" with holidays of its own; there are: BB, BE,'
    ):
        read_definition(zone="UTC", weekly_hours=WEEK, country="DE", subdivision="XX")


def test_definition_says_everything_wrong_at_once() -> None:
    with pytest.raises(CalendarError) as refused:
        read_definition(zone="Nowhere/At_All", weekly_hours={"monday": "x"}, country="XX")
    assert set(refused.value.fields) == {"zone", "weekly_hours", "country"}


@pytest.mark.parametrize(
    ("parts", "field", "sentence"),
    [
        ({"weekly_hours": {}}, "weekly_hours", "A calendar needs working time on at least one day of the week."),
        (
            {"half_days": {"2026-12-26": "09:00-12:00"}},
            "half_days",
            "2026-12-26 is a Saturday, which is closed, so it cannot be a half day.",
        ),
        (
            {"country": "DE", "half_days": {"2026-12-25": "09:00-12:00"}},
            "half_days",
            "2026-12-25 is closed (Christmas Day), so it cannot be a half day; take the holiday out first.",
        ),
        (
            {"country": "DE", "removed_holidays": ["2026-07-04"]},
            "removed_holidays",
            "2026-07-04 is no public holiday in DE, so it cannot be taken out.",
        ),
        (
            {"removed_holidays": ["2026-07-04"]},
            "removed_holidays",
            "2026-07-04 is no public holiday, for no country was chosen, so it cannot be taken out.",
        ),
    ],
)
def test_definition_refuses_parts_that_contradict_each_other(parts: dict, field: str, sentence: str) -> None:
    with pytest.raises(CalendarError) as refused:
        check_definition(read_definition(**{"zone": "UTC", "weekly_hours": WEEK, **parts}), first_year=2026)
    assert refused.value.fields == {field: sentence}


def test_a_half_day_is_fine_once_its_holiday_is_taken_out() -> None:
    parts = {"removed_holidays": ["2026-12-25"], "half_days": {"2026-12-25": "09:00-12:00"}}
    check_definition(read_definition(zone="UTC", weekly_hours=WEEK, country="DE", **parts), first_year=2026)
