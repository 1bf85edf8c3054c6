"""Archived rows leave the lists, are marked where they show, and stay as they are until restored."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.core import clock
from tests.factories.accounts import TeamFactory, person_with

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/team/"


@pytest.fixture
def administrator(client):
    person = person_with(Role.ADMINISTRATOR)
    client.force_login(person)
    return person


@pytest.fixture
def archived():
    return TeamFactory(name="Put away", archived_at=clock.now())


def names_on(client, query=""):
    answer = client.get(LIST + query)
    assert answer.status_code == 200
    return {row.name for row in answer.context_data["cl"].result_list}


def test_list_shows_rows_in_use_only(client, administrator, archived):
    TeamFactory(name="In use")
    assert "In use" in names_on(client)
    assert "Put away" not in names_on(client)


def test_filter_shows_archived_rows_or_all(client, administrator, archived):
    TeamFactory(name="In use")
    assert names_on(client, "?archived=yes") == {"Put away"}
    assert {"In use", "Put away"} <= names_on(client, "?archived=all")


def test_archived_rows_carry_a_chip(client, administrator, archived):
    assert "Archived 2" not in client.get(LIST).content.decode()
    page = client.get(LIST + "?archived=all").content.decode()
    assert page.count('class="mops-chip mops-chip-warn">Archived ') == 1


def test_unknown_answer_shows_rows_in_use(client, administrator, archived):
    assert "Put away" not in names_on(client, "?archived=perhaps")


def test_empty_list_tells_of_archived_rows(client, administrator):
    Team.objects.update(archived_at=clock.now())
    TeamFactory(name="Last one", archived_at=clock.now())
    hidden = Team.objects.count()
    page = client.get(LIST).content.decode()
    assert f"{hidden} archived rows not shown here." in page
    assert "?archived=all" in page


def test_archived_record_says_so_and_has_no_form(client, administrator, archived):
    answer = client.get(reverse("admin:accounts_team_change", args=(archived.pk,)))
    page = answer.content.decode()
    assert "It is left out of the lists and read-only; restore it to change anything." in page
    assert 'name="purpose"' not in page
    assert [shown.button.name for shown in answer.context_data["shown_buttons"]] == ["restore"]


def test_what_nobody_can_restore_does_not_ask_for_it(client, administrator):
    role = person_with(Role.SALES).memberships.get()
    type(role).objects.filter(pk=role.pk).update(archived_at=clock.now())
    page = client.get(reverse("admin:accounts_membership_change", args=(role.pk,))).content.decode()
    assert "It is left out of the lists and read-only." in page
    assert "restore it" not in page


def test_archived_record_refuses_a_forged_save(client, administrator, archived):
    url = reverse("admin:accounts_team_change", args=(archived.pk,))
    empty = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    page = client.post(url, {"name": "Changed", "purpose": "", **empty}, follow=True).content.decode()
    assert "Put away is archived and read-only; restore it first." in page
    assert Team.objects.get(pk=archived.pk).name == "Put away"


def test_archived_record_can_be_restored(client, administrator, archived):
    url = reverse("admin:accounts_team_button", kwargs={"object_id": archived.pk, "name": "restore"})
    assert "Put away is back." in client.post(url, follow=True).content.decode()
    assert not Team.objects.get(pk=archived.pk).is_archived


def test_buttons_refuse_on_an_archived_row(client, administrator, archived):
    url = reverse("admin:accounts_team_button", kwargs={"object_id": archived.pk, "name": "archive"})
    assert "Put away is archived already." in client.post(url, follow=True).content.decode()


def test_archived_rows_are_not_proposed_in_forms(client, administrator, archived):
    TeamFactory(name="Put to use")
    query = {"app_label": "technology", "model_name": "tool", "field_name": "owner_team", "term": "Put"}
    from django.contrib.admin import site
    from django.test import RequestFactory
    from django.urls import resolve

    request = RequestFactory().get("/admin/autocomplete/", query)
    request.user, request.resolver_match = administrator, resolve("/admin/autocomplete/")
    team_admin = site.get_model_admin(Team)
    rows, _ = team_admin.get_search_results(request, team_admin.get_queryset(request), "Put")
    assert [row.name for row in rows] == ["Put to use"]


def test_archived_list_needs_the_same_queries_at_one_and_three_rows(client, administrator, archived):
    url = LIST + "?archived=yes"
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    TeamFactory.create_batch(2, archived_at=clock.now())
    with CaptureQueriesContext(connection) as three:
        client.get(url)
    assert len(one) == len(three)
