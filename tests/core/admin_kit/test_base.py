"""What every admin page of mops does the same way."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils.formats import date_format

from apps.accounts.enums import Role
from apps.accounts.models import Team
from tests.factories.accounts import TeamFactory, UserFactory, person_with

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/team/"


def change_url(team):
    return reverse("admin:accounts_team_change", args=(team.pk,))


def form_of(team, **changes):
    empty = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    return {"name": team.name, "purpose": team.purpose, "opened_version": team.row_version, **empty, **changes}


def test_second_editor_sees_what_changed_and_loses_nothing(client):
    team = TeamFactory(purpose="first")
    opened = team.row_version
    team.purpose = "by somebody else"
    team.save()
    client.force_login(person_with(Role.ADMINISTRATOR))
    answer = client.post(change_url(team), form_of(team, purpose="mine", opened_version=opened))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "saved a newer version while you were editing" in page
    assert "mine" in page
    assert 'role="toolbar"' not in page  # what stands above the form would push the message out of sight
    assert Team.objects.get(pk=team.pk).purpose == "by somebody else"


def test_what_does_not_conflict_is_merged(client):
    team = TeamFactory(name="Web", purpose="first\nlines")
    opened = team.row_version
    team.name = "Web and apps"
    team.save()
    client.force_login(person_with(Role.ADMINISTRATOR))
    given = form_of(team, name="Web", purpose="mine", opened_version=opened)
    assert client.post(change_url(team), given).status_code == 302
    team.refresh_from_db()
    assert (team.name, team.purpose) == ("Web and apps", "mine")


def test_a_conflict_shows_both_values_and_the_second_save_keeps_what_others_changed(client):
    team = TeamFactory(name="Web", purpose="first")
    opened = team.row_version
    team.name, team.purpose = "Web and apps", "theirs"
    team.save()
    client.force_login(person_with(Role.ADMINISTRATOR))
    given = form_of(team, name="Web", purpose="mine", opened_version=opened)
    answer = client.post(change_url(team), given)
    page = answer.content.decode()
    assert "You both changed: Purpose." in page
    assert "It now holds “theirs”." in page
    form = answer.context["adminform"].form
    again = {**given, **{name: form.data[name] for name in ("name", "purpose", "opened_version")}}
    assert client.post(change_url(team), again).status_code == 302
    team.refresh_from_db()
    assert (team.name, team.purpose) == ("Web and apps", "mine")


def test_saving_the_newest_version_works(client):
    team = TeamFactory()
    client.force_login(person_with(Role.ADMINISTRATOR))
    assert client.post(change_url(team), form_of(team, purpose="mine")).status_code == 302
    assert Team.objects.get(pk=team.pk).purpose == "mine"


def test_governed_rows_have_no_delete(client):
    team = TeamFactory()
    client.force_login(person_with(Role.ADMINISTRATOR, is_superuser=True))
    assert client.post(f"/admin/accounts/team/{team.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [team.pk], "post": "yes"})
    assert Team.objects.filter(pk=team.pk).exists()


def test_archive_button_asks_then_archives(client):
    team = TeamFactory(name="Old team")
    client.force_login(person_with(Role.ADMINISTRATOR))
    url = reverse("admin:accounts_team_button", kwargs={"object_id": team.pk, "name": "archive"})
    assert "nothing is deleted" in client.get(url).content.decode()
    assert Team.objects.get(pk=team.pk).archived_at is None
    page = client.post(url, follow=True).content.decode()
    assert "Old team is archived." in page
    assert Team.objects.get(pk=team.pk).is_archived


def test_button_refuses_who_may_only_view(client):
    team = TeamFactory(name="Kept")
    client.force_login(person_with(Role.AUDITOR))
    url = reverse("admin:accounts_team_button", kwargs={"object_id": team.pk, "name": "archive"})
    assert "You may not change Kept." in client.post(url, follow=True).content.decode()
    assert Team.objects.get(pk=team.pk).archived_at is None


def test_button_of_an_unknown_name_is_not_found(client):
    client.force_login(person_with(Role.ADMINISTRATOR))
    assert client.get(f"/admin/accounts/team/{TeamFactory().pk}/do/launder/").status_code == 404


@pytest.mark.parametrize("lookup", ["members__password__startswith=a", "memberships__person__email__startswith=a"])
def test_undeclared_lookups_tell_nothing(client, lookup):
    client.force_login(person_with(Role.AUDITOR))
    answer = client.get(f"{LIST}?{lookup}")
    assert answer.status_code in (302, 400)


def test_a_list_is_titled_with_its_name_and_writes_moments_by_the_clock_of_24_hours(client):
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(LIST).content.decode()
    assert " ".join(page.split("<title>")[1].split("</title>")[0].split()) == "Teams | mops"
    assert date_format(dt.datetime(2026, 11, 23, 13, 5), "DATETIME_FORMAT") == "23 Nov 2026, 13:05"


def test_list_needs_the_same_queries_at_one_and_three_rows(client, django_assert_num_queries):
    client.force_login(person_with(Role.AUDITOR))
    Team.objects.update(archived_at="2026-01-01T00:00Z")
    TeamFactory()
    client.get(LIST)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    TeamFactory.create_batch(2)
    with django_assert_num_queries(len(one)):
        client.get(LIST)


def test_palette_shows_only_what_the_person_sees(client):
    UserFactory(full_name="Grace Palette")
    client.force_login(person_with(Role.SALES))
    assert "Grace Palette" not in client.get("/admin/search/?s=Palette&extended=1").content.decode()
    client.force_login(person_with(Role.OPS))
    assert "Grace Palette" in client.get("/admin/search/?s=Palette&extended=1").content.decode()


def test_database_refusal_is_a_sentence_not_a_server_error(client):
    TeamFactory(name="Twice")
    client.force_login(person_with(Role.ADMINISTRATOR))
    empty = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    answer = client.post(f"{LIST}add/", {"name": "Twice", "purpose": "", **empty})
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()


def test_pages_of_packages_are_not_served():
    from django.contrib import admin

    foreign = {model._meta.label for model in admin.site._registry if not model.__module__.startswith("apps.")}
    assert foreign == set()
