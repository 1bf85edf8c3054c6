"""The demo's people: all there, each with the rights of the role, and never in production."""

import pytest

from apps.accounts import demo
from apps.accounts.domain.principals import system_principal
from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User
from apps.audit.models import AuditEvent
from apps.core.errors import WrongState

pytestmark = pytest.mark.django_db


def test_loading_the_people_twice_changes_nothing(settings):
    settings.DEMO = True
    people = demo.load_people()
    written = AuditEvent.objects.count()
    assert demo.load_people() == people
    assert AuditEvent.objects.count() == written
    assert User.objects.filter(is_system=False).count() == len(demo.PEOPLE)
    assert set(Team.objects.values_list("name", flat=True)) == set(demo.TEAMS)


def test_every_sign_in_opens_with_its_password(settings):
    settings.DEMO = True
    demo.load_people()
    for _, email, password in demo.SIGN_INS:
        assert User.objects.get(email=email).check_password(password)


def test_every_role_is_played_by_somebody(settings):
    settings.DEMO = True
    people = demo.load_people()
    assert set(Membership.objects.values_list("role", flat=True)) == set(Role.values)
    assert roles_of(people["auditor"]) == {Role.AUDITOR}
    assert [group.name for group in people["auditor"].groups.all()] == ["auditor"]


def test_no_write_of_the_demo_is_unsigned(settings):
    settings.DEMO = True
    demo.load_people()
    assert set(AuditEvent.objects.filter(table_name="accounts_membership").values_list("actor", flat=True)) == {
        system_principal().pk
    }


def test_a_real_installation_refuses_the_demo(settings):
    settings.DEMO = False
    with pytest.raises(WrongState, match="published password"):
        demo.load_people()
    assert not User.objects.exists()


def test_the_system_principal_cannot_sign_in(client):
    mops = system_principal()
    assert (mops.is_system, mops.is_active, mops.is_staff, mops.has_usable_password()) == (True, False, False, False)
    assert system_principal() == mops
