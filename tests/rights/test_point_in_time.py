"""Who could do what on a date: the ledger folded equals what was so at the time, step by step."""

import datetime as dt
import random

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from apps.accounts.domain.memberships import grant_role, revoke_role
from apps.accounts.domain.people import deactivate_person, reactivate_person
from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.core import access, clock
from apps.core.admin_kit.archive import archive
from apps.core.errors import InvalidInput
from apps.leads.models import Lead
from apps.rights.domain.granting import grant_access, revoke_access
from apps.rights.domain.point_in_time import by_area, could, rights_on
from apps.rights.domain.queries import grants_of
from apps.rights.models import AccessGrant
from apps.technology.models import Tool
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in
from tests.factories.leads import LeadFactory
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return administrator(full_name="Bea Boss")


def as_it_is(person):
    """What the tables say now, read as every request reads it."""
    fresh = User.objects.get(pk=person.pk)
    rights = frozenset(fresh.get_all_permissions()) if fresh.is_active else None
    shared = {(each.object_id, each.verb) for each in grants_of(fresh)}
    return fresh.is_active, {each.value for each in roles_of(fresh)}, rights, shared


def as_it_was(moment, person):
    then = rights_on(moment, person)
    rights = then.rights if then.active else None
    return (
        then.active,
        {each.role for each in then.roles},
        rights,
        {(each.object_id, each.verb) for each in then.grants},
    )


@pytest.mark.parametrize("seed", range(3))
def test_every_moment_of_a_busy_life_is_folded_as_it_was(boss, proof, seed):
    luck, team = random.Random(seed), TeamFactory()
    person = person_with(full_name="Nils")
    tools = [ToolFactory() for _ in range(3)]
    moments = []
    for _ in range(40 if proof else 12):
        _one_deed(luck, person, team, tools, boss)
        moments.append((clock.now(), as_it_is(person)))
    for moment, expected in moments:
        assert as_it_was(moment, person) == expected


def _one_deed(luck, person, team, tools, boss):
    deed = luck.randrange(5)
    held = list(person.memberships.filter(archived_at=None))
    open_ones = list(AccessGrant.objects.open())
    roles = [role for role in (Role.OPS, Role.SALES, Role.EXECUTIVE) if role.value not in {each.role for each in held}]
    person.refresh_from_db()
    if not person.is_active:
        reactivate_person(person, by=boss, reason="Back")
    elif deed == 0 and roles:
        grant_role(person, team, luck.choice(roles), by=boss)
    elif deed == 1 and held:
        revoke_role(luck.choice(held), by=boss, reason="Over")
    elif deed == 2 and open_ones:
        revoke_access(luck.choice(open_ones), by=boss, reason="Over")
    elif deed == 3 and luck.random() < 0.3:
        deactivate_person(person, by=boss, reason="Leave")
    else:
        _share(luck.choice(tools), luck.choice([person, team, Role.SALES]), boss)


def _share(tool, to, boss):
    from apps.core.errors import WrongState

    try:
        grant_access(tool, to=to, verb="view", by=boss, reason="Help")
    except WrongState:
        return


def test_before_the_account_there_was_nothing(boss):
    before = clock.now()
    person = person_with(Role.OPS, full_name="Nils")
    answer = could(rights_on(before, person), "view", Tool)
    assert not answer.allowed
    assert answer.steps[-1].sentence == f"There was no account of Nils on {before:%-d %B %Y}."


def test_the_chain_names_role_team_and_grantor(boss):
    person, team = person_with(full_name="Nils"), TeamFactory(name="Web")
    membership = grant_role(person, team, Role.OPS, by=boss)
    during = clock.now()
    revoke_role(membership, by=boss, reason="Over")
    then, now = rights_on(during, person), rights_on(clock.now(), person)
    answer = could(then, "change", Tool)
    assert answer.answer == f"On {during:%-d %B %Y} Nils could change tools."
    assert f"Nils was Ops staff in Web, granted by {boss.email} on" in answer.steps[1].sentence
    assert not could(now, "change", Tool).allowed
    assert could(now, "change", Tool).steps[-1].sentence == "No role gave the right to change tools then."
    assert dict(by_area(then))["Technology"]


def test_direct_rights_and_superusers_count(boss):
    person = person_with()
    person.user_permissions.add(Permission.objects.get(codename="change_tool"))
    during = clock.now()
    person.user_permissions.clear()
    assert rights_on(during, person).has("view", Tool)
    assert not rights_on(clock.now(), person).has("view", Tool)
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    assert could(rights_on(clock.now(), person), "change", Tool).steps[-1].sentence.endswith("was a superuser.")


def test_what_a_group_could_then_counts_not_what_it_can_now(boss):
    person = person_with(Role.SALES)
    during = clock.now()
    Group.objects.get(name="sales").permissions.clear()
    assert rights_on(during, person).has("change", Lead)
    assert not rights_on(clock.now(), person).has("change", Lead)


def test_records_by_scope_sharing_and_archive(boss):
    person = person_with(Role.SALES, full_name="Sal")
    lead = LeadFactory(owner_person=person)
    owned = clock.now()
    Lead.objects.filter(pk=lead.pk).update(owner_person=boss)
    assert could(rights_on(owned, person), "change", lead).allowed
    lost = could(rights_on(clock.now(), person), "change", lead)
    assert lost.steps[-1].sentence.startswith(f"{lead} was outside the scope of Sal then")
    tool = ToolFactory(name="Marketo", owner_person=person_with(Role.OPS))
    absent = could(rights_on(owned, person), "view", tool)
    assert absent.steps[-1].sentence == "Marketo did not exist then."
    grant = grant_access(tool, to=person, verb="change", by=tool.owner_person, reason="Help")
    shared = clock.now()
    revoke_access(grant, by=tool.owner_person, reason="Over")
    assert could(rights_on(shared, person), "change", tool).allowed
    assert not could(rights_on(clock.now(), person), "change", tool).allowed
    archive(tool, by=tool.owner_person)
    assert could(rights_on(clock.now(), tool.owner_person), "change", tool).steps[-1].sentence == (
        "Marketo was archived, and read-only."
    )


def test_a_grant_that_had_run_out_opened_nothing(boss):
    tool, guest = ToolFactory(owner_person=person_with(Role.OPS)), person_with()
    end = clock.now() + dt.timedelta(days=2)
    grant_access(tool, to=guest, verb="view", by=tool.owner_person, reason="Help", expires_at=end)
    assert rights_on(end - dt.timedelta(hours=1), guest).grants
    assert not rights_on(end + dt.timedelta(hours=1), guest).grants


def test_approving_is_asked_elsewhere(boss):
    with pytest.raises(InvalidInput, match="who could approve stands on each request"):
        could(rights_on(clock.now(), boss), "approve", Tool)


def test_page_answers_and_refuses(boss):
    url, today = reverse("rights-then"), clock.today()
    tool, person = ToolFactory(), person_with(Role.OPS, full_name="Olga Ops")
    client = sign_in(Client(), boss)
    assert client.get(url).status_code == 200
    asked = {"person": person.pk, "day": today.isoformat(), "verb": "change", "kind": "technology.tool"}
    page = client.get(url, {**asked, "record": tool.pk}).content.decode()
    assert "Olga Ops could change" in page
    assert "was Ops staff in" in page
    past = client.get(url, {**asked, "day": "2020-01-01"}).content.decode()
    assert "There was no account of Olga Ops on 1 January 2020." in past
    future = (today + dt.timedelta(days=2)).isoformat()
    assert "That day is still to come" in client.get(url, {**asked, "day": future}).content.decode()
    hidden = client.get(url, {**asked, "record": 999999}).content.decode()
    assert "No record of this number is among the tools that you see." in hidden
    assert client.post(url).status_code == 405
    mine = sign_in(Client(), person)
    assert mine.get(url, {**asked, "person": boss.pk}).status_code == 200
    assert "Bea Boss" not in mine.get(url, {**asked, "person": boss.pk}).content.decode()
    assert access.can(person, "view", tool)
