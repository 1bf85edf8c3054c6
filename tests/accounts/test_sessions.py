"""Sessions: idle and absolute limits, noted without a write per request, ended by their owner."""

import datetime as dt

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from tests.factories.accounts import person_with, sign_in

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def person():
    return person_with(Role.OPS)


def test_an_idle_session_ends_after_thirty_minutes(client, person):
    with time_machine.travel(START, tick=False) as clock:
        client.force_login(person)
        assert client.get("/admin/").status_code == 200
        clock.shift(dt.timedelta(minutes=29))
        assert client.get("/admin/").status_code == 200
        clock.shift(dt.timedelta(minutes=31))
        answer = client.get("/admin/?x=1")
        assert answer["Location"] == "/accounts/login/?next=%2Fadmin%2F%3Fx%3D1"
        page = client.get(answer["Location"]).content.decode()
        assert "You were signed out after 30 minutes without activity." in page


def test_a_session_ends_after_twelve_hours_however_busy(client, person):
    with time_machine.travel(START, tick=False) as clock:
        client.force_login(person)
        for _ in range(35):
            assert client.get("/admin/").status_code == 200
            clock.shift(dt.timedelta(minutes=20))
        clock.shift(dt.timedelta(minutes=20))
        answer = client.get("/admin/", follow=True)
        assert "A session lasts 12 hours at most; please sign in again." in answer.content.decode()


def test_a_page_that_polls_by_itself_keeps_no_session_alive(client, person):
    with time_machine.travel(START, tick=False) as clock:
        client.force_login(person)
        client.get("/admin/")
        for _ in range(3):
            clock.shift(dt.timedelta(minutes=11))
            answer = client.get("/admin/", headers={"X-Requested-With": "fetch"})
        assert answer.status_code == 401


def test_activity_is_noted_at_most_once_a_minute(client, person):
    with time_machine.travel(START, tick=False) as clock:
        client.force_login(person)
        client.get("/admin/")
        clock.shift(dt.timedelta(seconds=59))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get("/admin/")
        assert not [each for each in asked if each["sql"].startswith(("UPDATE", "INSERT"))]
        clock.shift(dt.timedelta(seconds=2))
        client.get("/admin/")
        assert UserSession.objects.get(user=person).last_seen_at == START + dt.timedelta(seconds=61)


def test_ending_the_other_sessions(client, person, django_client):
    django_client.force_login(person)
    django_client.get("/admin/")
    client.force_login(person)
    client.get("/admin/")
    page = client.get("/accounts/sessions/").content.decode()
    assert page.count("<tr>") == 3
    client.post("/accounts/sessions/")
    assert client.get("/admin/").status_code == 200
    assert django_client.get("/admin/").status_code == 302


def test_sign_out_everywhere_includes_this_one_and_sessions_nobody_listed(client, person, django_client):
    django_client.force_login(person)  # not in any list yet: it has made no request
    sign_in(client, person)
    answer = client.post("/accounts/sessions/end-all/")
    assert answer["Location"] == "/accounts/login/"
    assert client.get("/admin/").status_code == 302
    assert django_client.get("/admin/").status_code == 302


def test_sign_out_everywhere_is_a_post(client, person):
    client.force_login(person)
    assert client.get("/accounts/sessions/end-all/").status_code == 405
    assert Session.objects.count() == 1


def test_my_account_saves_name_and_zone_and_nothing_else(client, person):
    client.force_login(person)
    told = {
        "full_name": "New Name",
        "time_zone": "Europe/Oslo",
        "is_superuser": "on",
        "email": "x@example.com",
        "is_staff": "",
        "groups": "1",
    }
    assert client.post("/accounts/", told)["Location"] == "/accounts/"
    before = (person.email, person.is_staff, person.is_superuser)
    person.refresh_from_db()
    assert (person.full_name, person.time_zone) == ("New Name", "Europe/Oslo")
    assert (person.email, person.is_staff, person.is_superuser) == before


def test_my_account_refuses_a_zone_that_does_not_exist(client, person):
    client.force_login(person)
    page = client.post("/accounts/", {"full_name": "A", "time_zone": "Mars/Base"}).content.decode()
    assert "is no time zone; use a name such as Europe/Berlin" in page
