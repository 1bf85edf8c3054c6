"""The first administrator: by password or by link, refused in words."""

import io

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.domain.invitations import open_invitation
from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.accounts.models import Invitation, User
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
WORDS = "purple wagon climbs slowly"


def create(*options, password=WORDS, monkeypatch=None):
    out = io.StringIO()
    monkeypatch.setenv("MOPS_ADMIN_PASSWORD", password)
    call_command("create_admin", "--email=Ada@example.com", "--name=Ada", *options, stdout=out)
    return out.getvalue()


def test_an_administrator_by_password(monkeypatch):
    said = create(monkeypatch=monkeypatch)
    ada = User.objects.get(email="ada@example.com")
    assert said == "Ada can sign in with ada@example.com at http://localhost:8000/.\n"
    assert (roles_of(ada), ada.is_superuser, ada.is_staff) == ({Role.ADMINISTRATOR}, False, True)
    assert ada.check_password(WORDS)
    assert ada.has_perm("accounts.add_invitation")


def test_the_password_comes_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(WORDS + "\n"))
    call_command("create_admin", "--email=ada@example.com", "--name=Ada", "--password-stdin", stdout=io.StringIO())
    assert User.objects.get(email="ada@example.com").check_password(WORDS)


def test_an_invitation_link_instead():
    out = io.StringIO()
    call_command("create_admin", "--email=ada@example.com", "--name=Ada", "--invite", stdout=out)
    link = out.getvalue().splitlines()[1]
    assert open_invitation(link.rstrip("/").rsplit("/", 1)[1]) == Invitation.objects.get()
    with pytest.raises(CommandError, match="is invited already"):
        call_command("create_admin", "--email=ada@example.com", "--name=Ada", "--invite", stdout=out)


def test_who_is_there_already_is_refused(monkeypatch):
    UserFactory(email="ada@example.com", full_name="Ada")
    with pytest.raises(CommandError, match=r"Ada signs in with ada@example\.com already\. Reset the password"):
        create(monkeypatch=monkeypatch)


def test_a_weak_password_creates_nobody(monkeypatch):
    with pytest.raises(CommandError, match="at least 12 characters"):
        create(password="short", monkeypatch=monkeypatch)
    assert not User.objects.filter(email="ada@example.com").exists()


def test_without_a_terminal_it_says_what_to_give(monkeypatch):
    monkeypatch.delenv("MOPS_ADMIN_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="no terminal to ask for the password: use --password-stdin"):
        call_command("create_admin", "--email=ada@example.com", "--name=Ada")
    with pytest.raises(CommandError, match="Give --email"):
        call_command("create_admin", "--name=Ada")


def test_a_wrong_address_is_refused(monkeypatch):
    monkeypatch.setenv("MOPS_ADMIN_PASSWORD", WORDS)
    with pytest.raises(CommandError, match="'nonsense' is no e-mail address"):
        call_command("create_admin", "--email=nonsense", "--name=Ada")
    with pytest.raises(CommandError, match="needs a name"):
        call_command("create_admin", "--email=a@example.com", "--name= ")
