"""Roles are asked for with a reason and granted by approval: never to oneself, once, as they were asked for."""

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.domain.memberships import grant_role
from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.approvals.domain.asking import withdraw
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.domain.policies import ensure_policy
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.rights.domain.asking import ask_role
from apps.rights.models import RoleRequest
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in

pytestmark = pytest.mark.django_db
WHY = "Reads what campaigns cost"


@pytest.fixture
def boss():
    ensure_policy("rights.rolerequest", "Roles asked for")
    return administrator()


def request_about(row):
    return ApprovalRequest.objects.filter(object_id=row.pk, content_type__model="rolerequest").latest("pk")


def test_a_role_is_granted_by_the_administrator_who_approves_and_the_trail_says_why(boss):
    person, team = person_with(Role.SALES), TeamFactory(name="Board")
    row = ask_role(person, team, Role.EXECUTIVE, by=person, reason=WHY)
    assert roles_of(person) == {Role.SALES}
    with pytest.raises(DomainError):
        approve(request_about(row), by=person)
    approve(request_about(row), by=boss)
    row.refresh_from_db()
    assert (row.state, row.membership.role, row.membership.team) == ("granted", Role.EXECUTIVE, team)
    assert roles_of(person) == {Role.SALES, Role.EXECUTIVE}
    newest = row.membership.history.first()
    assert (newest.history_change_reason, newest.actor_label) == (WHY, boss.email)


def test_nobody_decides_about_a_role_for_themselves_whoever_asked(boss):
    other, third = administrator(), administrator()
    row = ask_role(other, TeamFactory(), Role.OPS, by=boss, reason=WHY)
    with pytest.raises(NotAllowed, match="The role is for you: somebody else decides"):
        approve(request_about(row), by=other)
    approve(request_about(row), by=third)
    row.refresh_from_db()
    assert row.state == "granted"


@pytest.mark.parametrize("deed", ["reject", "withdraw"])
def test_what_is_not_approved_grants_nothing_and_can_be_asked_again(boss, deed):
    person, team = person_with(Role.SALES), TeamFactory()
    row = ask_role(person, team, Role.OPS, by=person, reason=WHY)
    if deed == "reject":
        reject(request_about(row), by=boss, reason="Ask for the campaign alone")
    else:
        withdraw(request_about(row), by=person)
    row.refresh_from_db()
    assert (row.state, row.membership, roles_of(person)) == ("refused", None, {Role.SALES})
    ask_role(person, team, Role.OPS, by=person, reason=WHY)


def test_what_cannot_be_asked_is_refused_in_words(boss):
    person, team, other = person_with(Role.SALES), TeamFactory(name="Board"), person_with(Role.SALES)
    asked = {"by": person, "reason": WHY}
    with pytest.raises(InvalidInput, match="Say what the role is for"):
        ask_role(person, team, Role.OPS, by=person, reason="  ")
    with pytest.raises(NotAllowed, match="You ask for yourself and for people you manage"):
        ask_role(other, team, Role.OPS, **asked)
    with pytest.raises(NotAllowed, match="You may not ask for roles"):
        ask_role(person, team, Role.OPS, by=person_with(Role.AUDITOR), reason=WHY)
    with pytest.raises(WrongState, match="An auditor must not change what is audited"):
        ask_role(person, team, Role.AUDITOR, **asked)
    with pytest.raises(WrongState, match="is archived; restore it first"):
        ask_role(person, TeamFactory(archived_at="2026-01-01T00:00Z"), Role.OPS, **asked)
    held = person.memberships.get()
    with pytest.raises(WrongState, match=r"is Sales in .* already"):
        ask_role(person, held.team, Role.SALES, **asked)
    row = ask_role(person, team, Role.OPS, **asked)
    with pytest.raises(WrongState, match="asked for already and waits for a decision"):
        ask_role(person, team, Role.OPS, **asked)
    with pytest.raises(DatabaseError, match="decided by its approval, not by an edit"), transaction.atomic():
        RoleRequest.objects.filter(pk=row.pk).update(state="granted")
    with pytest.raises(DatabaseError, match="withdraw the request and ask anew"), transaction.atomic():
        RoleRequest.objects.filter(pk=row.pk).update(role=Role.ADMINISTRATOR)


def test_what_was_granted_meanwhile_is_not_granted_twice(boss):
    person, team = person_with(Role.SALES), TeamFactory(name="Board")
    row = ask_role(person, team, Role.OPS, by=person, reason=WHY)
    grant_role(person, team, Role.OPS, by=boss)
    with pytest.raises(WrongState, match="in Board already"):
        approve(request_about(row), by=boss)
    assert request_about(row).state == RequestState.IN_REVIEW


def test_one_asks_on_a_page_and_sees_ones_own(client, boss):
    person, team = person_with(Role.SALES), TeamFactory(name="Board")
    sign_in(client, person)
    page = client.get(f"{list_of(RoleRequest)}add/").content.decode()
    assert "Whom the policy names decides" in page
    given = {"person": person.pk, "role": Role.OPS, "team": team.pk, "reason": WHY}
    answer = client.post(f"{list_of(RoleRequest)}add/", given, follow=True)
    assert "Asked for: " in answer.content.decode()
    assert "This role has been asked for already" in client.post(f"{list_of(RoleRequest)}add/", given).content.decode()
    row = RoleRequest.objects.get()
    sign_in(client, person_with(Role.SALES))
    assert str(team) not in client.get(list_of(RoleRequest)).content.decode()
    assert client.get(page_of(row)).status_code in (302, 403, 404)
    sign_in(client, person_with(Role.AUDITOR))
    assert client.get(page_of(row)).status_code == 200
    assert client.get(f"{list_of(RoleRequest)}add/").status_code == 403


def test_the_list_costs_the_same_at_one_and_three_rows(client, boss):
    def more():
        for _ in range(2):
            person = person_with(Role.SALES)
            ask_role(person, TeamFactory(), Role.OPS, by=person, reason=WHY)

    person = person_with(Role.OPS)
    ask_role(person, TeamFactory(), Role.SALES, by=person, reason=WHY)
    sign_in(client, boss)
    assert_same_queries(client, list_of(RoleRequest), more)
