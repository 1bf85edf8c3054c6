"""Versions compared, looked at as of a moment, and brought back through rules and rights."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.core import access
from apps.core.actors import acting_as
from apps.core.admin_kit.archive import archive
from apps.core.admin_kit.restore import restore_version
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.technology.domain.lifecycle import move_tool
from apps.technology.enums import Lifecycle
from apps.technology.models import Tool
from tests.factories.accounts import TeamFactory, UserFactory, person_with
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator():
    return person_with(Role.ADMINISTRATOR)


@pytest.fixture
def team():
    team = TeamFactory(name="Content", purpose="first words")
    Team.objects.filter(pk=team.pk).update(purpose="second words")
    Team.objects.filter(pk=team.pk).update(purpose="third words")
    team.refresh_from_db()
    return team


def versions(thing):
    return list(thing.history.order_by("history_id"))


def url(thing, page, *more):
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_{page}", args=(thing.pk, *more))


def test_restoring_makes_a_new_version(team, administrator):
    said = restore_version(team, versions(team)[0], by=administrator, reason="the old one was right")
    team.refresh_from_db()
    assert team.purpose == "first words"
    newest = versions(team)[-1]
    assert (newest.purpose, newest.history_user) == ("first words", administrator)
    assert newest.history_change_reason == "the old one was right"
    assert said.startswith("Content is as it was on ")
    assert said.endswith(": Purpose.")
    assert len(versions(team)) == 4


def test_restoring_is_refused_in_words(team, administrator):
    first, newest = versions(team)[0], versions(team)[-1]
    with pytest.raises(NotAllowed, match="You may not change Content"):
        restore_version(team, first, by=UserFactory(), reason="x")
    with pytest.raises(InvalidInput, match="Bringing back a version needs a reason"):
        restore_version(team, first, by=administrator, reason=" ")
    with pytest.raises(WrongState, match="holds what the record holds now"):
        restore_version(team, newest, by=administrator, reason="x")
    with pytest.raises(WrongState, match="This is no version of Content"):
        restore_version(team, versions(TeamFactory())[0], by=administrator, reason="x")
    archive(team, by=administrator)
    with pytest.raises(WrongState, match="Content is archived and read-only; restore it first"):
        restore_version(team, first, by=administrator, reason="x")


def test_old_values_meet_todays_rules(team, administrator):
    with acting_as(administrator):
        Team.objects.filter(pk=team.pk).update(name="Renamed")
        TeamFactory(name="Content")
    with pytest.raises(InvalidInput, match=r"The old values break today's rules\. Team with this Name already exists"):
        restore_version(team, versions(team)[0], by=administrator, reason="x")


def test_states_stay_as_they_are():
    ops = person_with(Role.OPS)
    tool = ToolFactory(notes="before")
    Tool.objects.filter(pk=tool.pk).update(notes="after", owner_person=ops)
    first = versions(tool)[0]
    move_tool(Tool.objects.get(pk=tool.pk), to=Lifecycle.EVALUATING, by=ops, reason="need")
    restore_version(Tool.objects.get(pk=tool.pk), first, by=ops, reason="x", hidden=("owner_person",))
    tool.refresh_from_db()
    assert (tool.notes, tool.lifecycle, tool.owner_person) == ("before", "evaluating", ops)


def test_page_shows_what_will_change_and_then_changes_it(client, team, administrator):
    client.force_login(administrator)
    address = url(team, "restore", versions(team)[0].history_id)
    page = client.get(address).content.decode()
    assert all(text in page for text in ("first words", "third words", "Will be"))
    assert "Bring back" in client.get(url(team, "history")).content.decode()
    assert client.post(address, {}).status_code == 200
    assert client.post(address, {"reason": "back"}).status_code == 302
    team.refresh_from_db()
    assert team.purpose == "first words"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPS])
def test_who_may_only_look_brings_nothing_back(client, team, role):
    client.force_login(person_with(role))
    address = url(team, "restore", versions(team)[0].history_id)
    assert client.post(address, {"reason": "mine"}).status_code == 302
    team.refresh_from_db()
    assert team.purpose == "third words"
    assert "Bring back" not in client.get(url(team, "history")).content.decode()


def test_versions_of_other_rows_and_rows_out_of_scope_are_not_found(client, team, administrator, monkeypatch):
    client.force_login(administrator)
    other = TeamFactory()
    foreign = versions(other)[0].history_id
    assert client.get(url(team, "restore", foreign)).status_code == 404
    assert client.get(url(team, "versions"), {"a": foreign, "b": foreign}).status_code == 404
    assert client.get(url(team, "versions"), {"a": "x", "b": "-1"}).status_code == 404
    monkeypatch.setitem(access._scopes, Team, lambda user, rows: rows.exclude(pk=other.pk))
    assert client.get(url(other, "restore", foreign)).status_code == 404
    assert client.get(url(other, "versions"), {"at": "2026-01-01T00:00"}).status_code == 404


def test_any_two_versions_are_compared(client, team):
    client.force_login(person_with(Role.AUDITOR))
    first, _, third = versions(team)
    page = client.get(url(team, "versions"), {"a": third.history_id, "b": first.history_id}).content.decode()
    assert page.index("first words") < page.index("third words")
    assert "second words" not in page
    same = client.get(url(team, "versions"), {"a": first.history_id, "b": first.history_id}).content.decode()
    assert "The two versions hold the same." in same
    assert client.post(url(team, "versions")).status_code == 405


def test_record_as_of_a_moment(client, team):
    client.force_login(person_with(Role.AUDITOR))
    now = timezone.localtime() + dt.timedelta(minutes=1)
    page = client.get(url(team, "versions"), {"at": now.strftime("%Y-%m-%dT%H:%M")}).content.decode()
    assert "third words" in page
    before = client.get(url(team, "versions"), {"at": "2020-01-01T00:00"}, follow=True).content.decode()
    assert "On 01 January 2020 at 00:00 there was no team like this." in before
    wrong = client.get(url(team, "versions"), {"at": "yesterday"}, follow=True).content.decode()
    assert "Give the moment as a date and a time" in wrong
