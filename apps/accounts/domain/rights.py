"""Who administers people, who needs a second factor, and who may not be lost."""

from django.conf import settings
from django.db.models import QuerySet

from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import PRIVILEGED_ROLES, Role
from apps.accounts.models import Membership, User
from apps.core.asking import once

ONLY_ADMINISTRATORS = "Only an administrator can do this; the People page shows who is one."


def administrators() -> QuerySet[User]:
    """Return the people who can administer now: active, with the role in a team."""
    held = Membership.objects.live().filter(role=Role.ADMINISTRATOR)
    return User.objects.filter(is_active=True, pk__in=held.values("person"))


def is_administrator(person: User) -> bool:
    """Whether `person` may administer people now, read from the database; mops itself may too."""
    if person.is_system:
        return True
    return once(("administrator", person.pk), lambda: administrators().filter(pk=person.pk).exists())


def is_last_administrator(person: User) -> bool:
    """Whether nobody could administer people any more without `person`."""
    others = administrators().exclude(pk=person.pk)
    return administrators().filter(pk=person.pk).exists() and not others.exists()


def lock_administrators() -> None:
    """Hold every administrator's membership until the transaction ends, so that two cannot remove each other.

    Call it inside a transaction, before the refusals are asked.
    """
    held = Membership.objects.live().filter(role=Role.ADMINISTRATOR).order_by("pk")
    list(held.select_for_update(of=("self",)).values_list("pk", flat=True))


def needs_mfa(person: User) -> bool:
    """Whether `person` must have a second factor before anything else opens."""
    if not settings.REQUIRE_MFA:
        return False
    return person.is_superuser or bool(roles_of(person) & PRIVILEGED_ROLES)
