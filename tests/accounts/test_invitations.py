"""Invitations: the only way in; used once, by whom they went to, for as long as the inviter may invite."""

import datetime as dt

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache

from apps.accounts.domain import invitations
from apps.accounts.domain.people import deactivate_person
from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import InvitationState, Role
from apps.accounts.models import Invitation, User
from apps.audit.models import AuditEvent
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from tests.factories.accounts import TeamFactory, UserFactory, administrator, person_with

pytestmark = pytest.mark.django_db
WORDS = "purple wagon climbs slowly"


@pytest.fixture
def admin():
    return administrator(full_name="Ada Admin")


def invite(admin, **changes):
    told = {"email": "Nora@Example.com", "full_name": "Nora Neu", "role": Role.OPS}
    return invitations.invite_person(by=admin, team=TeamFactory(), **{**told, **changes})


def token_of(link):
    return link.rstrip("/").rsplit("/", 1)[1]


def test_an_invited_person_comes_in_and_has_the_role(client, admin):
    invitation, link = invite(admin, title="Data Analyst")
    assert link in mail.outbox[0].body
    assert mail.outbox[0].subject == "Ada Admin invites you to mops"
    page = client.get(f"/accounts/invitation/{token_of(link)}/", follow=True)
    assert "Ada Admin invites you as" in page.content.decode()
    answer = client.post("/accounts/invitation/", {"password": WORDS, "again": WORDS})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    person = User.objects.get(email="nora@example.com")
    assert (person.full_name, person.title, person.is_superuser) == ("Nora Neu", "Data Analyst", False)
    assert roles_of(person) == {Role.OPS}
    assert client.get("/admin/").status_code == 200
    invitation.refresh_from_db()
    assert (invitation.person, invitation.state) == (person, InvitationState.ACCEPTED)


def test_links_are_not_guessed_by_looking(client):
    cache.clear()
    with time_machine.travel("2026-06-15T10:00:10Z", tick=False):  # one minute, however slow the machine
        looked = [client.get(f"/accounts/invitation/guess-{number}/").status_code for number in range(21)]
    assert (looked[0], looked[19], looked[20]) == (302, 302, 429)


def test_an_invitation_works_once(client, admin):
    _, link = invite(admin)
    invitations.accept_invitation(invitations.open_invitation(token_of(link)), password=WORDS)
    page = client.get(f"/accounts/invitation/{token_of(link)}/", follow=True)
    assert page.status_code == 410
    assert "This invitation is not valid" in page.content.decode()


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "at least 12 characters"),
        ("qwerty123456", "too common"),
        ("123456789012345", "entirely numeric"),
        ("nora.neu@example", "too similar to the"),
    ],
)
def test_a_weak_password_is_refused_in_the_validators_words(client, admin, password, sentence):
    _, link = invite(admin)
    client.get(f"/accounts/invitation/{token_of(link)}/")
    page = client.post("/accounts/invitation/", {"password": password, "again": password})
    assert sentence in page.content.decode()
    assert not User.objects.filter(email="nora@example.com").exists()


def test_two_different_entries_are_refused(client, admin):
    _, link = invite(admin)
    client.get(f"/accounts/invitation/{token_of(link)}/")
    page = client.post("/accounts/invitation/", {"password": WORDS, "again": WORDS + "!"})
    assert "The two entries differ." in page.content.decode()


def test_the_token_is_stored_nowhere(admin):
    invitation, link = invite(admin)
    token = token_of(link)
    assert Invitation.objects.filter(token_hash=token).count() == 0
    (event,) = AuditEvent.objects.of_object(invitation)
    assert not {token, invitation.token_hash} & {value for _, value in event.changes.values()}
    assert "token_hash" not in [field.name for field in Invitation.history.model._meta.fields]


def test_an_expired_invitation_opens_nothing_until_sent_again(admin):
    invitation, link = invite(admin)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=7, minutes=1)):
        assert invitations.open_invitation(token_of(link)) is None
        with pytest.raises(WrongState, match="This invitation is not valid"):
            invitations.accept_invitation(invitation, password=WORDS)
        assert "A new link is on its way to nora@example.com" in invitations.resend_invitation(invitation, by=admin)
        assert invitations.open_invitation(token_of(link)) is None  # only the newest mail
        fresh = mail.outbox[-1].body.split("/accounts/invitation/")[1].split("/")[0]
        assert invitations.open_invitation(fresh) == invitation


def test_an_invitation_dies_with_the_right_of_who_wrote_it(admin):
    _, link = invite(admin)
    other = administrator()
    deactivate_person(admin, by=other, reason="leaves")
    assert invitations.open_invitation(token_of(link)) is None


def test_a_revoked_invitation_opens_nothing(admin):
    invitation, link = invite(admin)
    assert invitations.revoke_invitation(invitation, by=admin) == "The invitation of Nora Neu is revoked."
    assert invitations.open_invitation(token_of(link)) is None
    with pytest.raises(WrongState, match="This invitation was revoked; write a new one"):
        invitations.resend_invitation(invitation, by=admin)
    invite(admin)  # and a new one is possible


def test_who_may_not_invite_whom(admin):
    ops = person_with(Role.OPS)
    with pytest.raises(NotAllowed, match="Only an administrator"):
        invite(ops)
    with pytest.raises(InvalidInput, match="is no e-mail address"):
        invite(admin, email="nonsense")
    with pytest.raises(InvalidInput, match="needs the person's name"):
        invite(admin, full_name=" ")
    UserFactory(email="here@example.com", full_name="Hera")
    with pytest.raises(WrongState, match=r"Hera \(here@example.com\) has an account"):
        invite(admin, email="HERE@example.com")
    UserFactory(email="gone@example.com", full_name="Gero", is_active=False)
    with pytest.raises(WrongState, match="has a deactivated account; reactivate it instead"):
        invite(admin, email="gone@example.com")
    invitation, _ = invite(admin)
    with pytest.raises(WrongState, match="is invited already; send that invitation again"):
        invite(admin)
    with pytest.raises(NotAllowed, match="Only an administrator"):
        invitations.revoke_invitation(invitation, by=ops)
    invitations.accept_invitation(invitation, password=WORDS)
    with pytest.raises(WrongState, match="Nora Neu has accepted"):
        invitations.resend_invitation(invitation, by=admin)


def test_a_failing_mail_server_leaves_no_invitation(admin, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(WrongState, match="The mail server did not take the mail"):
        invite(admin)
    assert not Invitation.objects.exists()


def test_accepting_is_written_in_the_name_of_mops_and_names_the_inviter(admin):
    invitation, _ = invite(admin)
    person = invitations.accept_invitation(invitation, password=WORDS)
    event = AuditEvent.objects.of_object(person).get(action="insert")
    assert (event.actor_label, event.reason) == ("system@mops.invalid", "Invitation by Ada Admin")
