"""Roles: granted by administrators, to others, with effect at once; every refusal in its sentence."""

import threading

import pytest
from django.db import connection

from apps.accounts.domain.memberships import archive_team, grant_role, refuse_archive_team, revoke_role
from apps.accounts.domain.people import deactivate_person
from apps.accounts.enums import Role
from apps.accounts.models import Membership, User
from apps.audit.models import AuditEvent
from apps.core.errors import DomainError, NotAllowed, WrongState
from tests.factories.accounts import TeamFactory, UserFactory, administrator, person_with

pytestmark = pytest.mark.django_db


def fresh(person):
    return User.objects.get(pk=person.pk)


def test_granting_opens_and_revoking_closes_at_once():
    admin, person = administrator(), UserFactory()
    assert not fresh(person).has_perm("technology.view_tool")
    assert not fresh(person).has_perm("accounts.view_team")
    membership = grant_role(person, TeamFactory(), Role.OPS, by=admin, reason="joins")
    assert fresh(person).has_perm("accounts.view_team")
    said = revoke_role(membership, by=admin, reason="moves on")
    assert not fresh(person).has_perm("accounts.view_team")
    assert said == f"{person} is no longer Ops staff in {membership.team}."


def test_the_ledger_names_who_granted_and_why():
    admin = administrator()
    membership = grant_role(UserFactory(), TeamFactory(), Role.SALES, by=admin, reason="joins sales")
    event = AuditEvent.objects.of_object(membership).get()
    assert (event.actor_id, event.reason, event.action) == (admin.pk, "joins sales", "insert")


def test_granting_again_after_revoking_restores_the_same_row():
    admin, person, team = administrator(), UserFactory(), TeamFactory()
    first = grant_role(person, team, Role.OPS, by=admin)
    revoke_role(first, by=admin, reason="")
    assert grant_role(person, team, Role.OPS, by=admin) == first
    assert Membership.objects.filter(person=person).count() == 1


def test_nobody_but_an_administrator_grants():
    with pytest.raises(NotAllowed, match="Only an administrator can do this"):
        grant_role(UserFactory(), TeamFactory(), Role.OPS, by=person_with(Role.EXECUTIVE))


def test_a_superuser_without_the_role_grants_nothing():
    with pytest.raises(NotAllowed, match="Only an administrator"):
        grant_role(UserFactory(), TeamFactory(), Role.OPS, by=UserFactory(is_superuser=True))


def test_nobody_grants_to_themselves():
    admin = administrator()
    with pytest.raises(NotAllowed, match="Nobody grants roles to themselves"):
        grant_role(admin, TeamFactory(), Role.APPROVER, by=admin)


def test_a_deactivated_person_gets_no_role():
    with pytest.raises(WrongState, match="is deactivated; reactivate the account first"):
        grant_role(UserFactory(is_active=False), TeamFactory(), Role.OPS, by=administrator())


def test_a_role_is_not_granted_twice():
    admin, person, team = administrator(), UserFactory(full_name="Ada"), TeamFactory(name="Ops")
    grant_role(person, team, Role.OPS, by=admin)
    with pytest.raises(WrongState, match="Ada is Ops staff in Ops already"):
        grant_role(person, team, Role.OPS, by=admin)


def test_an_archived_team_takes_nobody():
    admin, team = administrator(), TeamFactory(name="Old")
    archive_team(team, by=admin)
    with pytest.raises(WrongState, match="Old is archived; restore it first"):
        grant_role(UserFactory(), team, Role.OPS, by=admin)


def test_who_audits_only_looks():
    admin, person = administrator(), person_with(Role.OPS, full_name="Ada")
    with pytest.raises(WrongState, match="and Ada is Ops staff; revoke that first"):
        grant_role(person, TeamFactory(), Role.AUDITOR, by=admin)
    auditor = person_with(Role.AUDITOR)
    with pytest.raises(WrongState, match="is an auditor and must not change"):
        grant_role(auditor, TeamFactory(), Role.OPS, by=admin)


def test_nobody_changes_their_own_roles():
    admin = administrator()
    administrator()
    with pytest.raises(NotAllowed, match="Nobody changes their own roles"):
        revoke_role(admin.memberships.get(), by=admin, reason="")


def test_a_role_is_not_revoked_twice():
    admin = administrator()
    membership = grant_role(UserFactory(), TeamFactory(), Role.OPS, by=admin)
    revoke_role(membership, by=admin, reason="")
    with pytest.raises(WrongState, match="revoked already"):
        revoke_role(membership, by=admin, reason="")


def test_the_last_administrator_stays():
    from apps.accounts.domain.principals import system_principal

    only = administrator(full_name="Ada")
    with pytest.raises(WrongState, match="Ada is the last active administrator"):
        revoke_role(only.memberships.get(), by=system_principal(), reason="")
    elsewhere = grant_role(only, TeamFactory(), Role.ADMINISTRATOR, by=system_principal())
    revoke_role(elsewhere, by=system_principal(), reason="")  # one of two is fine


def test_a_team_with_people_is_not_archived():
    admin, team = administrator(), TeamFactory(name="Ops")
    membership = grant_role(UserFactory(), team, Role.OPS, by=admin)
    assert refuse_archive_team(admin, team) == "One person still plays a role in Ops; revoke these roles first."
    with pytest.raises(WrongState, match="still plays a role"):
        archive_team(team, by=admin)
    revoke_role(membership, by=admin, reason="")
    archive_team(team, by=admin)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other():
    first, second = administrator(), administrator()
    said, ready = [], threading.Barrier(2)

    def attempt(by, person):
        try:
            ready.wait()
            deactivate_person(person, by=by, reason="race")
            said.append("done")
        except DomainError as refusal:
            said.append(refusal.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said)[1] == "done"
    assert User.objects.filter(is_active=True, pk__in=[first.pk, second.pk]).count() == 1
