"""History pages are read-only and follow the rights of the row (traps L1 to L3 of simple-history's own admin)."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.core import access
from apps.core.actors import acting_as
from apps.core.admin_kit.history import Names
from tests.factories.accounts import TeamFactory, person_with

pytestmark = pytest.mark.django_db


def history_url(team):
    return reverse("admin:accounts_team_history", args=(team.pk,))


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPS, Role.ADMINISTRATOR])
def test_history_refuses_post(client, role):
    team = TeamFactory(name="Before")
    client.force_login(person_with(role))
    version = team.history.first().history_id
    data = {"name": "HACKED", "purpose": ""}
    assert client.post(history_url(team), data).status_code == 405
    assert client.post(f"{history_url(team)}{version}/", data).status_code in (302, 404, 405)
    assert Team.objects.get(pk=team.pk).name == "Before"


def test_history_hides_rows_outside_the_scope(client, monkeypatch):
    team, other = TeamFactory(), TeamFactory()
    monkeypatch.setitem(access._scopes, Team, lambda user, rows: rows.exclude(pk=other.pk))
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(history_url(team)).status_code == 200
    assert client.get(history_url(other)).status_code in (302, 404)


def test_history_shows_who_changed_what(client):
    person = person_with(Role.ADMINISTRATOR)
    team = TeamFactory(purpose="old words")
    with acting_as(person, reason="clearer"):
        team.purpose = "new words"
        team.save()
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(history_url(team)).content.decode()
    assert all(text in page for text in ("old words", "new words", str(person), "clearer"))


def test_history_says_days_moments_and_figures_as_people_read_them():
    kept = Names(None, [])
    moment, day = models.DateTimeField(), models.DateField()
    assert kept.show(moment, dt.datetime(2026, 11, 23, 5, 4, 16, 616332, tzinfo=dt.UTC)) == "23 Nov 2026, 05:04:16"
    assert kept.show(day, dt.date(2026, 5, 3)) == "3 May 2026"
    figures = (Decimal("74000.00"), Decimal("128.000"), Decimal("0.50"), Decimal(100))
    assert [kept.show(models.DecimalField(), each) for each in figures] == ["74,000", "128", "0.5", "100"]
    assert kept.show(models.TextField(), "") == "—"


def test_history_of_a_new_record_has_no_column_for_what_was_before(client):
    team = TeamFactory(purpose="first words")
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(history_url(team)).content.decode()
    assert ("Value</th>" in page, "Before</th>" in page) == (True, False)


def test_history_needs_the_same_queries_for_many_versions(client, django_assert_num_queries):
    team = TeamFactory()
    client.force_login(person_with(Role.AUDITOR))

    def write_versions(number):
        for each in range(number):
            team.purpose = f"version {each}"
            team.save()

    write_versions(3)
    client.get(history_url(team))
    with CaptureQueriesContext(connection) as few:
        client.get(history_url(team))
    write_versions(15)
    with django_assert_num_queries(len(few)):
        client.get(history_url(team))


@pytest.mark.parametrize("at", ["9999-12-31T23:59-12:00", "0001-01-01T00:00+12:00", "2026-01-01T00:00+23:59"])
def test_moment_that_no_calendar_reaches_is_no_error_of_the_server(client, at):
    team = TeamFactory()
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(reverse("admin:accounts_team_versions", args=(team.pk,)), {"at": at}).status_code == 302
