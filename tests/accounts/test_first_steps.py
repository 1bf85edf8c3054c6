"""A new installation: the sign-in page says how the first person comes in, the home page how the others do."""

import pytest

from apps.accounts.enums import Role
from apps.accounts.models import User
from tests.factories.accounts import person_with

pytestmark = pytest.mark.django_db
NOBODY = "Nobody can sign in yet"


def test_the_sign_in_page_names_the_command_until_somebody_can_come_in(client):
    User.objects.filter(is_staff=True).update(is_staff=False)
    page = client.get("/accounts/login/").content.decode()
    assert NOBODY in page
    assert "manage.py create_admin" in page
    person_with(Role.OPS)
    assert NOBODY not in client.get("/accounts/login/").content.decode()


def test_who_administers_alone_sees_the_first_steps(client):
    User.objects.filter(is_staff=True).update(is_staff=False)
    alone = person_with(Role.ADMINISTRATOR)
    client.force_login(alone)
    page = client.get("/admin/").content.decode()
    assert "You are the only one here so far." in page
    assert 'href="/admin/accounts/invitation/add/"' in page
    second = person_with(Role.OPS)
    assert "First steps" not in client.get("/admin/").content.decode()
    User.objects.filter(pk=alone.pk).update(is_staff=False)
    client.force_login(second)
    assert "First steps" not in client.get("/admin/").content.decode()
