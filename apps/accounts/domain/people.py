"""People come and go: deactivated, never deleted; what they held is handed over or kept on record as vacant."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.accounts.domain import mail
from apps.accounts.domain.rights import (
    ONLY_ADMINISTRATORS,
    is_administrator,
    is_last_administrator,
    lock_administrators,
)
from apps.accounts.domain.roles import synchronise_groups_of
from apps.accounts.domain.vacancies import hand_over, record_vacancies
from apps.accounts.models import Membership, User
from apps.core import events
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState


def refuse_deactivate(by: User, person: User) -> str | None:
    """Return why `by` cannot deactivate `person` now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if person.is_system:
        return "mops itself cannot be deactivated."
    if by.pk == person.pk:
        return "Nobody deactivates themselves; ask another administrator."
    if not person.is_active:
        return f"{person} is deactivated already."
    if is_last_administrator(person):
        return f"{person} is the last active administrator; grant the role to somebody else first."
    return None


def deactivate_person(person: User, *, by: User, reason: str, successor: User | None = None) -> str:
    """Close an account: sessions and rights end at once, the name stays in the evidence.

    Args:
        person: who leaves.
        by: the administrator.
        reason: kept with the change.
        successor: takes over everything `person` answered for; without one each thing becomes a recorded vacancy.

    Raises:
        NotAllowed: `by` is no administrator, or it is their own account.
        WrongState: deactivated already, or the last administrator.
        InvalidInput: the successor cannot take over.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        lock_administrators()
        person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
        if refused := refuse_deactivate(by, person):
            raise (WrongState if is_administrator(by) and by.pk != person.pk else NotAllowed)(refused)
        if successor is not None and (successor.pk == person.pk or not successor.is_active or successor.is_system):
            raise InvalidInput(f"{successor} cannot take over; choose an active colleague.")
        handed = hand_over(person, successor) if successor else 0
        vacant = 0 if successor else record_vacancies(person)
        person.is_active = False
        _end_sessions(person)
        person.save(update_fields=["is_active", "session_epoch"])
        events.publish("person.deactivated", person_id=person.pk, vacancies=vacant)
    return f"{person} is deactivated and signed out everywhere. {_outcome(handed, vacant, successor)}"


def _outcome(handed: int, vacant: int, successor: User | None) -> str:
    if handed:
        return f"{successor} took over {handed} {'thing' if handed == 1 else 'things'}."
    if vacant:
        return f"{vacant} {'vacancy is' if vacant == 1 else 'vacancies are'} on record until somebody fills them."
    return "Nothing was left without an owner."


def withdraw_superuser(person: User, *, by: User, reason: str) -> str:
    """Let `person` do only what their roles open; nothing in mops makes a superuser again.

    Raises:
        NotAllowed: `by` is no administrator, or it is their own account.
        WrongState: the person is none.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
        if not is_administrator(by):
            raise NotAllowed(ONLY_ADMINISTRATORS)
        if by.pk == person.pk:
            raise NotAllowed("Nobody changes their own rights; ask another administrator.")
        if not person.is_superuser:
            raise WrongState(f"{person} is no superuser.")
        person.is_superuser = False
        _end_sessions(person)
        person.save(update_fields=["is_superuser", "session_epoch"])
    return f"{person} is no superuser any more; their roles stay as they are."


def refuse_reactivate(by: User, person: User) -> str | None:
    """Return why `by` cannot reactivate `person` now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if person.is_system:
        return "mops itself never signs in."
    return f"{person} is active." if person.is_active else None


def reactivate_person(person: User, *, by: User, reason: str) -> str:
    """Open a closed account again, with the roles it still has; the person signs in as before.

    Raises:
        NotAllowed: `by` is no administrator.
        WrongState: the person is active.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
        if refused := refuse_reactivate(by, person):
            raise (WrongState if is_administrator(by) else NotAllowed)(refused)
        person.is_active = True
        person.save(update_fields=["is_active"])
        synchronise_groups_of(person)
        events.publish("person.reactivated", person_id=person.pk)
    roles = [str(each) for each in Membership.objects.live().filter(person=person).select_related("team", "person")]
    return f"{person} can sign in again" + (f", with {len(roles)} role(s) as before." if roles else ", without a role.")


def refuse_sign_out(by: User, person: User) -> str | None:
    """Return why `by` cannot end the sessions of `person` now, None when it works."""
    if by.pk != person.pk and not is_administrator(by):
        return ONLY_ADMINISTRATORS
    return "mops itself has no sessions." if person.is_system else None


def sign_out_everywhere(person: User, *, by: User) -> str:
    """End every session of `person`; the next request of each asks to sign in.

    Raises:
        NotAllowed: `by` is neither the person nor an administrator.
    """
    with transaction.atomic(), acting_as(by):
        person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
        if refused := refuse_sign_out(by, person):
            raise NotAllowed(refused)
        _end_sessions(person)
        person.save(update_fields=["session_epoch"])
    return f"Every session of {person} has ended."


def _end_sessions(person: User) -> None:
    person.session_epoch += 1
    for session in UserSession.objects.filter(user=person):
        session.end()


def refuse_change_email(by: User, person: User) -> str | None:
    """Return why `by` cannot change the sign-in address of `person`, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if by.pk == person.pk:
        return "Nobody changes their own sign-in address; ask another administrator."
    return "mops itself has no address." if person.is_system else None


def change_email(person: User, *, email: str, by: User, reason: str) -> str:
    """Let `person` sign in with another address; the old one learns of it, and open reset links die.

    Raises:
        NotAllowed: `by` is no administrator, or it is their own address.
        InvalidInput: no address, or somebody else's.
        WrongState: the mail server refused the notice.
    """
    email = email.strip().lower()
    with transaction.atomic(), acting_as(by, reason=reason):
        person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
        if refused := refuse_change_email(by, person):
            raise NotAllowed(refused)
        _check_address(email, person)
        old = person.email
        person.email = email
        _end_sessions(person)
        person.save(update_fields=["email", "username", "session_epoch"])
        EmailAddress.objects.filter(user=person).delete()  # an old address would still open a password reset
        mail.send(old, "Your sign-in address in mops was changed", "email_changed", {"person": person, "by": by})
    return f"{person} signs in with {email} from now on."


def _check_address(email: str, person: User) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(f"{email!r} is no e-mail address.") from error
    if User.objects.filter(email__iexact=email).exclude(pk=person.pk).exists():
        raise InvalidInput(f"Somebody else signs in with {email}.")


def refuse_reset_second_factors(by: User, person: User) -> str | None:
    """Return why `by` cannot take away the second factors of `person`, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if by.pk == person.pk:
        return "Your own second factors are under My account."
    if not Authenticator.objects.filter(user=person).exists():
        return f"{person} has no second factor."
    return None


def reset_second_factors(person: User, *, by: User, reason: str) -> str:
    """Take away authenticator app, passkeys and recovery codes of somebody who lost them; they enrol again.

    Raises:
        NotAllowed: `by` is no administrator, or it is their own account.
        WrongState: there is none, or the mail server refused the notice.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
        if refused := refuse_reset_second_factors(by, person):
            raise (WrongState if is_administrator(by) and by.pk != person.pk else NotAllowed)(refused)
        Authenticator.objects.filter(user=person).delete()
        _end_sessions(person)
        person.save(update_fields=["session_epoch"])
        mail.send(
            person.email, "Your second factor in mops was reset", "second_factor_reset", {"person": person, "by": by}
        )
    return f"{person} signs in with the password alone until a new second factor is set up."
