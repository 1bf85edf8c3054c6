"""The calendar pages: the list, the calendar with its year and try-out, and publishing a version."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core.calendars.domain.publishing import ensure_default_calendar
from apps.core.calendars.models import BusinessCalendar
from tests.factories.accounts import person_with
from tests.factories.calendars import CalendarFactory, published_calendar

pytestmark = pytest.mark.django_db
LIST = reverse("admin:calendars_businesscalendar_changelist")


@pytest.fixture
def keeper(client):
    person = person_with(Role.ADMINISTRATOR)
    client.force_login(person)
    return person


@pytest.fixture
def reader(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


def page_of(calendar, name="change"):
    return reverse(f"admin:calendars_businesscalendar_{name}", args=(calendar.pk,))


def filled(**changed):
    form = {f"{day}": "09:00-17:30" for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
    return {**form, "effective_from": "2099-01-01", "zone": "Europe/Berlin", "country": "DE", **changed}


def test_list_costs_the_same_at_one_and_three_rows(client, keeper) -> None:
    BusinessCalendar.objects.update(is_default=False)
    ensure_default_calendar()
    client.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(LIST)
    published_calendar(keeper, country="DE", subdivision="BY")
    CalendarFactory(name="Empty")
    with CaptureQueriesContext(connection) as three:
        page = client.get(LIST).content.decode()
    assert len(one) == len(three)
    for shown in ("Mon–Fri 09:00–17:30", "DE-BY", "Not published yet"):
        assert shown in page


def test_calendar_page_shows_versions_and_the_year(client, keeper) -> None:
    calendar = published_calendar(keeper, country="DE", note="Opening")
    page = client.get(page_of(calendar), {"year": "2026"}).content.decode()
    for shown in ("in force", "Opening", "Mon–Fri 09:00–17:30", "German Unity Day", "254 × working day", "9 × holiday"):
        assert shown in page
    assert "Publish a new version" in page


@pytest.mark.parametrize("year", ["1066", "next", "²", "99999999999"])
def test_calendar_page_takes_a_year_it_cannot_draw_for_this_one(client, keeper, year) -> None:
    page = client.get(page_of(published_calendar(keeper)), {"year": year})
    assert page.status_code == 200
    assert page.context["picture"].year == dt.datetime.now(dt.UTC).year


def test_calendar_page_has_nothing_inline(client, keeper) -> None:
    calendar = published_calendar(keeper, country="DE")
    own = client.get(page_of(calendar)).content.decode().split('id="calendar-versions"')[1].split("</section>")
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", "".join(own[:3]))


def test_calendar_page_without_hours_says_what_to_do(client, keeper) -> None:
    page = client.get(page_of(CalendarFactory(name="Empty"))).content.decode()
    assert "Empty has no hours yet; publish its first version." in page


def test_reader_sees_the_calendar_and_cannot_publish(client, reader) -> None:
    calendar = published_calendar(person_with(Role.ADMINISTRATOR))
    page = client.get(page_of(calendar)).content.decode()
    assert "Mon–Fri 09:00–17:30" in page
    assert "Publish a new version" not in page
    assert client.get(page_of(calendar, "new_version")).status_code == 403
    assert client.post(page_of(calendar, "new_version"), filled(publish="1")).status_code == 403


def test_try_out_shows_the_due_time_and_the_arithmetic(client, keeper) -> None:
    calendar = published_calendar(keeper, country="DE")
    page = client.get(page_of(calendar), {"start": "2026-12-23T16:30", "hours": "3"}).content.decode()
    assert "Thursday 24 December 2026, 11:00" in page
    assert "Europe/Berlin" in page


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"start": "soon", "hours": "3"}, "Enter a valid date/time."),
        ({"start": "2026-03-29T02:30", "hours": "3"}, "couldn’t be interpreted in time zone Europe/Berlin"),
        ({"start": "1066-10-14T09:00", "hours": "3"}, "Try a moment between 2000 and 2099."),
        ({"start": "2026-12-23T16:30", "hours": "-1"}, "Ensure this value is greater than or equal to 0."),
        ({"start": "2026-12-23T16:30", "hours": "9999"}, "Ensure this value is less than or equal to 2000."),
    ],
)
def test_try_out_refuses_in_words(client, keeper, asked, sentence) -> None:
    assert sentence in client.get(page_of(published_calendar(keeper)), asked).content.decode()


def test_new_version_starts_from_the_last_one(client, keeper) -> None:
    calendar = published_calendar(keeper, country="DE", half_days={"2026-12-24": "09:00-12:00"})
    answer = client.get(page_of(calendar, "new_version"))
    assert re.search(r'name="effective_from" value="\d{4}-\d\d-\d\d"', answer.content.decode())
    form = answer.context["form"]
    assert form["country"].value() == "DE"
    assert form["half_days"].value() == "2026-12-24 09:00-12:00"
    assert form["monday"].value() == "09:00-17:30"


def test_new_version_shows_its_holidays_before_anything_is_published(client, keeper) -> None:
    calendar = published_calendar(keeper)
    answer = client.post(page_of(calendar, "new_version"), filled(preview="1", half_days="2099-12-24 09:00-12:00"))
    page = answer.content.decode()
    assert "German Unity Day" in page
    assert "24 Dec 2099" in page
    assert calendar.versions.count() == 1


def test_new_version_is_published_on_the_word(client, keeper) -> None:
    calendar = published_calendar(keeper)
    answer = client.post(page_of(calendar, "new_version"), filled(publish="1", note="Move"), follow=True)
    assert "Version 2 takes effect on 1 January 2099." in answer.content.decode()
    version = calendar.versions.get(number=2)
    assert (version.country, version.note, version.author) == ("DE", "Move", keeper)


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"monday": "09:00-12:00, 11:00-13:00"}, "monday", "Monday: 09:00–12:00 and 11:00–13:00 overlap."),
        ({"zone": "Mars/Base"}, "zone", "Select a valid choice. Mars/Base is not one of the available choices."),
        ({"country": "XX"}, "country", "Select a valid choice. XX is not one of the available choices."),
        ({"half_days": "2099-12-26 09:00-12:00"}, "half_days", "2099-12-26 is closed (Second Day of Christmas), so it"),
        ({"half_days": "Christmas 09:00-12:00"}, "half_days", '"Christmas" is not a date; write it like 2026-12-24.'),
        ({"extra_holidays": "2099-05-05 A\n2099-05-05 B"}, "extra_holidays", "2099-05-05 is there twice."),
        ({"effective_from": "2026-01-01"}, "effective_from", "The last version takes effect on 2026-01-01; the next"),
        ({"effective_from": ""}, "effective_from", "This field is required."),
    ],
)
def test_new_version_refuses_beside_the_field(client, keeper, changed, field, sentence) -> None:
    calendar = published_calendar(keeper)
    answer = client.post(page_of(calendar, "new_version"), filled(publish="1", **changed))
    assert answer.context["form"].errors[field][0].startswith(sentence)
    assert calendar.versions.count() == 1


def test_make_default_is_a_button(client, keeper) -> None:
    calendar = published_calendar(keeper)
    address = reverse("admin:calendars_businesscalendar_button", args=(calendar.pk, "make-default"))
    client.post(address)
    calendar.refresh_from_db()
    assert calendar.is_default


def test_consistency_check_passes_a_fresh_calendar(client, keeper) -> None:
    calendar = published_calendar(keeper, country="DE")
    answer = client.post(LIST, {"action": "check_consistency", "_selected_action": [calendar.pk]}, follow=True)
    assert "All 1 checks passed on 1 rows." in answer.content.decode()
