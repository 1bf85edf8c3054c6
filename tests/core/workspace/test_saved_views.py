"""Saved views: private means private, shared means the team, and a kept query never outlives what a list allows."""

import pytest

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User
from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.records import kind_of
from apps.core.workspace.domain import saved_views
from apps.core.workspace.models import DefaultView, SavedView
from tests.factories.accounts import TeamFactory, person_with

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/team/"
PEOPLE = "/admin/accounts/user/"
VIEWS = "/admin/workspace/savedview/"


def address(verb, item=""):
    return f"{LIST}kits/views/{verb}/" + (f"{item}/" if item else "")


def kept(by, name="Archived ones", query="archived=yes", team=None):
    return saved_views.save_view(kind_of(Team), name, query, by=by, team=team)


def chips_on(client, url=f"{LIST}?p=1"):
    strips = client.get(url).context_data["kit_strips"]
    return [str(chip["view"]) for strip in strips for chip in strip.get("views", ())]


@pytest.fixture
def colleague(administrator):
    """An administrator of another team."""
    return person_with(Role.ADMINISTRATOR)


@pytest.fixture
def shared_team(administrator, colleague):
    """A team both are in."""
    team = TeamFactory(name="Shared")
    for person in (administrator, colleague):
        Membership.objects.create(team=team, person=person, role=Role.ADMINISTRATOR)
    return team


def test_cleaned_query_keeps_what_the_list_takes():
    def allowed(name, value):
        return name == "state" and value != "secret"

    query = "q=a%20b&o=-1.2&state=new&state=old&p=3&owner__password__startswith=a&_popup=1&archived="
    assert saved_views.cleaned_query(query, allowed) == (
        "q=a+b&o=-1.2&state=new&state=old",
        ["p", "owner__password__startswith", "_popup"],
    )
    assert saved_views.cleaned_query("state=secret", allowed) == ("", ["state"])


@pytest.mark.parametrize(
    ("name", "query", "sentence"),
    [
        ("  ", "q=a", "Give the view a name."),
        ("x" * 61, "q=a", "The name is too long; 60 characters fit."),
        ("archived ONES", "q=a", "You have a view “archived ONES” of this list already; choose another name."),
        ("New", "", "There is nothing to save: filter, search or sort the list first."),
        ("New", "q=" + "a" * 2000, "These filters are too long to save; use fewer at once."),
    ],
)
def test_save_refuses_in_words(administrator, name, query, sentence):
    kept(administrator)
    with pytest.raises(InvalidInput) as refusal:
        kept(administrator, name, query)
    assert str(refusal.value) == sentence


def test_save_refuses_too_many(administrator, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 1)
    kept(administrator)
    with pytest.raises(InvalidInput, match=r"^You have 1 views of this list; remove one that you do not use\.$"):
        kept(administrator, "Another")


def test_save_refuses_teams_of_others_and_people_who_only_look(administrator, auditor):
    with pytest.raises(NotAllowed, match=r"^You can share a view only with a team you are in\.$"):
        kept(administrator, team=TeamFactory())
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you save views\.$"):
        kept(auditor)
    with pytest.raises(NotAllowed, match=r"^Your roles do not let you save views\.$"):
        saved_views.choose_default(kind_of(Team), None, by=auditor)


def test_private_means_private(client, administrator, auditor):
    view = kept(administrator, "My secret search", "q=takeover")
    superuser = person_with(Role.ADMINISTRATOR, is_superuser=True)
    for other in (superuser, auditor, person_with(Role.OPS)):
        assert list(access.visible(other, SavedView)) == []
        client.force_login(other)
        assert chips_on(client) == []
        assert client.get(address("open", view.pk)).status_code == 404
        assert client.post(address("remove", view.pk)).status_code == 404
        assert client.post(address("rename", view.pk), {"name": "x"}).status_code == 404
        assert client.post(address("update", view.pk), {"query": "q=x"}).status_code == 404
        assert client.post(address("default", view.pk)).status_code == 404
        for url in (VIEWS, f"{VIEWS}{view.pk}/change/", "/admin/audit/auditevent/?q=secret"):
            page = client.get(url, follow=True).content.decode()
            assert "My secret search" not in page
            assert "takeover" not in page
    assert not AuditEvent.objects.filter(table_name="workspace_savedview").exists()


def test_shared_views_are_for_the_team_as_it_is_now(client, administrator, colleague, shared_team):
    kept(administrator, "Ours", team=shared_team)
    client.force_login(colleague)
    assert chips_on(client) == ["Ours"]
    Membership.objects.filter(person=colleague, team=shared_team).update(archived_at=clock.now())
    assert chips_on(client) == []
    Membership.objects.filter(person=colleague, team=shared_team).update(archived_at=None)
    Team.objects.filter(pk=shared_team.pk).update(archived_at=clock.now())
    assert chips_on(client) == []


def test_shared_views_are_changed_by_their_owner_alone(client, administrator, colleague, shared_team):
    view = kept(administrator, "Ours", team=shared_team)
    sentence = f"“Ours” belongs to {administrator}, who alone can change it."
    for refused in (
        lambda: saved_views.rename_view(view, "Mine", by=colleague),
        lambda: saved_views.update_view(view, "q=x", by=colleague),
        lambda: saved_views.remove_view(view, by=colleague),
    ):
        with pytest.raises(NotAllowed) as refusal:
            refused()
        assert str(refusal.value) == sentence
    client.force_login(colleague)
    for verb in ("rename", "remove"):
        page = client.post(address(verb, view.pk), {"name": "x"}, follow=True).content.decode()
        assert "who alone can change it." in page
    assert SavedView.objects.get().name == "Ours"


def test_list_saves_and_opens_a_view(client, administrator, shared_team):
    client.force_login(administrator)
    sent = {"name": "Shared ones", "query": "archived=all&q=a", "team": shared_team.pk, "default": "1"}
    answer = client.post(address("save"), sent)
    assert answer.url == f"{LIST}?archived=all&q=a"
    page = client.get(answer.url).content.decode()
    assert "The view “Shared ones” is saved and shared with Shared." in page
    assert 'mops-view mops-view-on" href="' + address("open", SavedView.objects.get().pk) in page
    assert client.get(LIST).url == f"{LIST}?archived=all&q=a"


def test_save_needs_a_team_of_ones_own(client, administrator):
    client.force_login(administrator)
    sent = {"name": "Theirs", "query": "q=a", "team": TeamFactory().pk}
    page = client.post(address("save"), sent, follow=True).content.decode()
    assert "You can share a view only with a team you are in." in page
    assert not SavedView.objects.exists()


def test_forged_queries_are_cleaned_when_saved(client, administrator):
    client.force_login(administrator)
    sent = {"name": "Sly", "query": "members__password__startswith=a&q=b&next=//evil.example"}
    client.post(address("save"), sent)
    assert SavedView.objects.get().query == "q=b"


def test_forged_queries_are_cleaned_again_when_opened(client, administrator):
    view = kept(administrator, "Sly", "members__password__startswith=a&archived=all&tag__gone=1")
    client.force_login(administrator)
    answer = client.get(address("open", view.pk))
    assert answer.url == f"{LIST}?archived=all"
    page = client.get(answer.url).content.decode()
    assert "The view “Sly” uses what this list no longer offers:" in page
    assert "“members__password__startswith”, “tag__gone” was left out." in page
    SavedView.objects.update(query="members__password__startswith=a")
    assert client.get(address("open", view.pk)).url == f"{LIST}?p=1"


def test_views_of_other_lists_are_not_opened_here(client, administrator):
    view = saved_views.save_view(kind_of(User), "People", "q=a", by=administrator)
    client.force_login(administrator)
    assert client.get(address("open", view.pk)).status_code == 404
    assert client.get(address("open", "x")).status_code == 404
    assert client.get(address("open", 10**30)).status_code == 404
    assert chips_on(client) == []
    assert chips_on(client, f"{PEOPLE}?p=1") == ["People"]


def test_default_view_opens_the_list_except_from_itself(client, administrator):
    view = kept(administrator)
    client.force_login(administrator)
    page = client.post(address("default", view.pk), follow=True).content.decode()
    assert "The list of teams opens with “Archived ones” now." in page
    assert client.get(LIST).url == f"{LIST}?archived=yes"
    assert client.get(LIST, headers={"referer": f"http://testserver{LIST}?archived=yes"}).status_code == 200
    assert client.get(f"{LIST}?p=1").status_code == 200
    assert client.get(f"{LIST}?q=x").status_code == 200
    page = client.post(address("default"), follow=True).content.decode()
    assert "The list of teams opens with all rows now." in page
    assert client.get(LIST).status_code == 200


def test_default_view_goes_with_the_right_to_it(client, administrator, colleague, shared_team):
    view = kept(administrator, "Ours", team=shared_team)
    saved_views.choose_default(kind_of(Team), view, by=colleague)
    client.force_login(colleague)
    assert client.get(LIST).status_code == 302
    Membership.objects.filter(person=colleague, team=shared_team).update(archived_at=clock.now())
    assert client.get(LIST).status_code == 200
    saved_views.remove_view(view, by=administrator)
    assert not DefaultView.objects.exists()


def test_rename_update_and_remove(client, administrator):
    view = kept(administrator)
    other = kept(administrator, "Other")
    client.force_login(administrator)
    assert "Archived ones" in client.get(address("rename", view.pk)).content.decode()
    page = client.post(address("rename", view.pk), {"name": "Other"}).content.decode()
    assert "You have a view “Other” of this list already; choose another name." in page
    page = client.post(address("rename", view.pk), {"name": "archived ones"}, follow=True).content.decode()
    assert "The view is called “archived ones” now." in page
    page = client.post(address("update", view.pk), {"query": "q=new"}, follow=True).content.decode()
    assert "The view “archived ones” keeps what the list shows now." in page
    page = client.post(address("update", view.pk), {"query": "nonsense=1"}, follow=True).content.decode()
    assert "There is nothing to save: filter, search or sort the list first." in page
    assert SavedView.objects.get(pk=view.pk).query == "q=new"
    assert "removed for good; the records stay as they are." in client.get(address("remove", view.pk)).content.decode()
    page = client.post(address("remove", view.pk), follow=True).content.decode()
    assert "The view “archived ones” is removed." in page
    assert list(SavedView.objects.all()) == [other]


def test_people_who_only_look_get_no_form(client, auditor):
    client.force_login(auditor)
    page = client.get(f"{LIST}?archived=all").content.decode()
    assert "Save this view" not in page
    page = client.post(address("save"), {"name": "x", "query": "q=a"}, follow=True).content.decode()
    assert "Your roles do not let you save views." in page
    assert not SavedView.objects.exists()


def test_saving_by_get_is_not_possible(client, administrator):
    client.force_login(administrator)
    assert client.get(address("save")).status_code == 405


def test_views_need_the_right_to_the_list(client, stranger):
    client.force_login(stranger)
    assert client.post(address("save"), {"name": "x", "query": "q=a"}).status_code == 403


def test_lists_need_constant_queries(client, administrator, shared_team, queries):
    client.force_login(administrator)
    kept(administrator, "One")
    before = (queries(f"{LIST}?p=1"), queries(VIEWS))
    kept(administrator, "Two", team=shared_team)
    saved_views.save_view(kind_of(User), "Three", "q=a", by=administrator)
    assert (queries(f"{LIST}?p=1"), queries(VIEWS)) == before
    assert "Private" in client.get(VIEWS).content.decode()
