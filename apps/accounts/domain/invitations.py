"""People are asked in by mail, and come in once: with a password of their own, or through single sign-on."""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.accounts.domain import mail
from apps.accounts.domain.memberships import grant_role
from apps.accounts.domain.principals import system_principal
from apps.accounts.domain.rights import ONLY_ADMINISTRATORS, is_administrator
from apps.accounts.enums import InvitationState, Role
from apps.accounts.models import Invitation, Team, User
from apps.core import clock, events
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState

NOT_VALID = (
    "This invitation is not valid: it was used, revoked, replaced by a newer mail, or has expired. Ask for another."
)


def hash_of(token: str) -> str:
    """Return what is stored of a token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_of(token: str) -> str:
    """Return the address the mail carries."""
    return f"{settings.PUBLIC_URL}/accounts/invitation/{token}/"


def refuse_invite(by: User, thing: Invitation | None = None) -> str | None:
    """Return why `by` cannot invite anybody, None when it works."""
    return None if is_administrator(by) else ONLY_ADMINISTRATORS


def invite_person(
    email: str, *, by: User, full_name: str, team: Team, role: Role | str, title: str = "", send: bool = True
) -> tuple[Invitation, str]:
    """Ask somebody in.

    Args:
        email: where the invitation goes and what the person signs in with.
        by: the administrator.
        full_name: as colleagues know the person.
        team: in which the role is played.
        role: granted on acceptance.
        title: the job title.
        send: send the mail; False for a link that is handed over otherwise.

    Returns:
        The invitation, and the link that opens it; the link is kept nowhere.

    Raises:
        NotAllowed: `by` is no administrator.
        InvalidInput: no address, no name, or an archived team.
        WrongState: the person is here or invited already, or the mail server refused the mail.
    """
    email, full_name = email.strip().lower(), full_name.strip()
    with transaction.atomic(), acting_as(by, reason="Invitation"):
        if refused := refuse_invite(by):
            raise NotAllowed(refused)
        _check(email, full_name, team)
        token = secrets.token_urlsafe(32)
        now = clock.now()
        invitation = Invitation.objects.create(
            email=email,
            full_name=full_name,
            title=title.strip(),
            team=team,
            role=Role(role),
            invited_by=by,
            sent_at=now,
            expires_at=now + dt.timedelta(days=settings.INVITATION_DAYS),
            token_hash=hash_of(token),
        )
        if send:
            _send(invitation, token)
        events.publish("person.invited", invitation_id=invitation.pk)
    return invitation, link_of(token)


def _check(email: str, full_name: str, team: Team) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(
            f"{email!r} is no e-mail address.", fields={"email": "This is no e-mail address."}
        ) from error
    if not full_name:
        raise InvalidInput("The invitation needs the person's name.", fields={"full_name": "Fill in the name."})
    if team.is_archived:
        raise InvalidInput(f"{team} is archived; choose another team.", fields={"team": "This team is archived."})
    if found := User.objects.filter(email__iexact=email).first():
        state = "has an account" if found.is_active else "has a deactivated account; reactivate it instead"
        raise WrongState(f"{found} ({email}) {state}.")
    if found_invitation := Invitation.objects.filter(email__iexact=email, accepted_at=None, revoked_at=None).first():
        raise WrongState(f"{found_invitation.full_name} ({email}) is invited already; send that invitation again.")


def _send(invitation: Invitation, token: str) -> None:
    context = {"invitation": invitation, "link": link_of(token), "days": settings.INVITATION_DAYS}
    mail.send(invitation.email, f"{invitation.invited_by} invites you to mops", "invitation", context)


def refuse_resend(by: User, invitation: Invitation) -> str | None:
    """Return why `by` cannot send this invitation again, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if invitation.state == InvitationState.ACCEPTED:
        return f"{invitation.full_name} has accepted."
    return "This invitation was revoked; write a new one." if invitation.state == InvitationState.REVOKED else None


def resend_invitation(invitation: Invitation, *, by: User) -> str:
    """Send a fresh link, valid anew; the link of the earlier mail dies.

    Raises:
        NotAllowed: `by` is no administrator.
        WrongState: it was accepted or revoked, or the mail server refused the mail.
    """
    with transaction.atomic(), acting_as(by, reason="Invitation sent again"):
        invitation = _locked(invitation)
        if refused := refuse_resend(by, invitation):
            raise (WrongState if is_administrator(by) else NotAllowed)(refused)
        token = secrets.token_urlsafe(32)
        invitation.sent_at = clock.now()
        invitation.expires_at = invitation.sent_at + dt.timedelta(days=settings.INVITATION_DAYS)
        invitation.token_hash = hash_of(token)
        invitation.save(update_fields=["sent_at", "expires_at", "token_hash"])
        _send(invitation, token)
    return f"A new link is on its way to {invitation.email}; the earlier one no longer works."


def refuse_revoke_invitation(by: User, invitation: Invitation) -> str | None:
    """Return why `by` cannot revoke this invitation, None when it works."""
    return refuse_resend(by, invitation)


def revoke_invitation(invitation: Invitation, *, by: User, reason: str = "") -> str:
    """Take an invitation back; its link is dead at once.

    Raises:
        NotAllowed: `by` is no administrator.
        WrongState: it was accepted or revoked already.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        invitation = _locked(invitation)
        if refused := refuse_revoke_invitation(by, invitation):
            raise (WrongState if is_administrator(by) else NotAllowed)(refused)
        invitation.revoked_at = clock.now()
        invitation.save(update_fields=["revoked_at"])
    return f"The invitation of {invitation.full_name} is revoked."


def open_invitation(token: str) -> Invitation | None:
    """Return the invitation that `token` opens now; None when it opens none."""
    found = Invitation.objects.select_related("team", "invited_by").filter(token_hash=hash_of(token)).first()
    return found if found is not None and _opens(found) else None


def _opens(invitation: Invitation) -> bool:
    """An invitation lives no longer than the right of who wrote it."""
    return invitation.state == InvitationState.OPEN and is_administrator(invitation.invited_by)


def invitation_for(email: str) -> Invitation | None:
    """Return the open invitation of an address that somebody else has proven; None when there is none."""
    found = Invitation.objects.filter(email__iexact=email, accepted_at=None, revoked_at=None).first()
    return found if found is not None and _opens(found) else None


def accept_invitation(invitation: Invitation, *, password: str | None) -> User:
    """Let the invited person in: makes the account and grants the role, in the name of who invited.

    Args:
        invitation: opened by its token, or by a proven address.
        password: the person's choice; None for who signs in through single sign-on only.

    Raises:
        WrongState: it is no longer open, the role can no longer be granted, or somebody has the address meanwhile.
        InvalidInput: the password does not do; the message says why.
    """
    with transaction.atomic(), acting_as(system_principal(), reason=f"Invitation by {invitation.invited_by}"):
        invitation = _locked(invitation)
        if not _opens(invitation):
            raise WrongState(NOT_VALID)
        if User.objects.filter(email__iexact=invitation.email).exists():
            raise WrongState(f"{invitation.email} has an account already; sign in, or reset the password.")
        fields = {"full_name": invitation.full_name, "title": invitation.title}
        if password is not None:
            check_password(password, User(email=invitation.email, **fields))
        person = User.objects.create_person(invitation.email, password=password, **fields)
        grant_role(person, invitation.team, invitation.role, by=system_principal(), reason="Invitation accepted")
        invitation.accepted_at, invitation.person = clock.now(), person
        invitation.save(update_fields=["accepted_at", "person"])
        events.publish("invitation.accepted", invitation_id=invitation.pk, person_id=person.pk)
    return person


def check_password(password: str, person: User) -> None:
    """Refuse a password that is short, common or close to the person's name.

    Raises:
        InvalidInput: with the validators' sentences.
    """
    try:
        validate_password(password, person)
    except ValidationError as error:
        sentences = " ".join(error.messages)
        raise InvalidInput(sentences, fields={"password": sentences}) from error


def _locked(invitation: Invitation) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("team", "invited_by")
    found: Invitation = rows.get(pk=invitation.pk)
    return found
