"""How the first administrator comes in: by who can run commands on the machine, in the name of mops itself."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.accounts.domain.invitations import check_password, invite_person
from apps.accounts.domain.memberships import grant_role
from apps.accounts.domain.principals import system_principal
from apps.accounts.domain.roles import synchronise_roles
from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, WrongState

REASON = "Created by command"


def anybody() -> bool:
    """Whether somebody can come in at all: a person who works in the back office."""
    return User.objects.filter(is_active=True, is_staff=True).exists()


def is_alone(person: User) -> bool:
    """Whether nobody but `person` can come in."""
    return not User.objects.filter(is_active=True, is_staff=True).exclude(pk=person.pk).exists()


def create_administrator(email: str, *, full_name: str, password: str, title: str = "", team: str) -> User:
    """Make a person with the role Administrator; no Django superuser, whose rights no role could describe.

    Raises:
        InvalidInput: no address, no name, or a password that does not do.
        WrongState: somebody signs in with this address already.
    """
    email, full_name = email.strip().lower(), full_name.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(f"{email!r} is no e-mail address.") from error
    if not full_name:
        raise InvalidInput("The administrator needs a name.")
    if found := User.objects.filter(email__iexact=email).first():
        raise WrongState(
            f"{found} signs in with {email} already. Reset the password on the sign-in page, or have another "
            "administrator grant the role."
        )
    check_password(password, User(email=email, full_name=full_name))
    with transaction.atomic(), acting_as(system_principal(), reason=REASON):
        person = User.objects.create_person(email, full_name=full_name, password=password, title=title)
        synchronise_roles()
        grant_role(person, _team(team), Role.ADMINISTRATOR, by=system_principal(), reason=REASON)
    return person


def invite_administrator(email: str, *, full_name: str, title: str = "", team: str) -> str:
    """Invite somebody as administrator without sending a mail; returns the link.

    Raises:
        InvalidInput: no address or no name.
        WrongState: the person is here or invited already.
    """
    with transaction.atomic(), acting_as(system_principal(), reason=REASON):
        synchronise_roles()
        _, link = invite_person(
            email,
            by=system_principal(),
            full_name=full_name,
            title=title,
            team=_team(team),
            role=Role.ADMINISTRATOR,
            send=False,
        )
    return link


def _team(name: str) -> Team:
    team, _ = Team.objects.get_or_create(name=name)
    found: Team = team
    return found
