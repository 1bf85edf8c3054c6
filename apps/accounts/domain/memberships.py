"""Roles are granted and revoked here, by an administrator, for somebody else, with a reason; rights follow at once."""

from collections.abc import Callable

from django.db import transaction

from apps.accounts.domain.rights import (
    ONLY_ADMINISTRATORS,
    is_administrator,
    is_last_administrator,
    lock_administrators,
)
from apps.accounts.domain.roles import roles_of, synchronise_groups_of
from apps.accounts.domain.territories import check_territory
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, Territory, User
from apps.core import access, clock, events
from apps.core.actors import acting_as
from apps.core.admin_kit.archive import archive, refuse_archive
from apps.core.errors import DomainError, NotAllowed, WrongState

RoleCheck = Callable[[User, Team, Role], None]
_role_checks: list[RoleCheck] = []


def register_role_check(check: RoleCheck) -> None:
    """Let `check(person, team, role)` refuse (by raising) every role before it is granted; from `AppConfig.ready`."""
    _role_checks.append(check)


def refuse_grant(by: User, person: User) -> str | None:
    """Return why `by` cannot grant `person` any role now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if by.pk == person.pk:
        return "Nobody grants roles to themselves; ask another administrator."
    if person.is_system:
        return "mops itself plays no role."
    return None if person.is_active else f"{person} is deactivated; reactivate the account first."


def refuse_grant_in(by: User, team: Team) -> str | None:
    """Return why `by` cannot grant roles in `team` now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    return f"{team} is archived; restore it first." if team.is_archived else None


def refuse_combination(person: User, role: Role) -> str | None:
    """Return why `role` does not go with the roles `person` plays already: who audits only looks."""
    held = roles_of(person)
    if role == Role.AUDITOR and held - {Role.AUDITOR}:
        names = ", ".join(sorted(each.label for each in held))
        return f"An auditor must not change what is audited, and {person} is {names}; revoke that first."
    if role != Role.AUDITOR and Role.AUDITOR in held:
        return f"{person} is an auditor and must not change what is audited; revoke that role first."
    return None


def grant_role(
    person: User, team: Team, role: Role | str, *, by: User, reason: str = "", territory: Territory | None = None
) -> Membership:
    """Let `person` play `role` in `team`; the rights hold from the next request on.

    Args:
        person: who plays it.
        team: where.
        role: what.
        by: an administrator, never the person.
        reason: why, for whoever reviews it later.
        territory: the role opens only what is in it and in its parts; None: everything.

    Raises:
        InvalidInput: the role is for the whole of mops, or the territory archived.
        NotAllowed: `by` is no administrator, or grants to themselves.
        WrongState: the person is deactivated, the team archived, the role is held or does not go with another, or a
            registered check (separation of duties) refuses it.
    """
    role = Role(role)
    with transaction.atomic(), acting_as(by, reason=reason):
        lock_administrators()
        person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
        team = Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
        if refused := refuse_grant(by, person) or refuse_grant_in(by, team):
            raise _kind(by, person)(refused)
        if refused := refuse_combination(person, role):
            raise WrongState(refused)
        check_territory(role, territory)
        for check in _role_checks:
            check(person, team, role)
        membership = Membership.objects.filter(person=person, team=team, role=role).first()
        if membership is None:
            membership = Membership.objects.create(person=person, team=team, role=role, territory=territory)
        elif membership.is_archived:
            membership.archived_at, membership.territory = None, territory
            membership.save(update_fields=["archived_at", "territory"])
        else:
            raise WrongState(f"{person} is {role.label} in {team} already.")
        synchronise_groups_of(person)
        events.publish("role.granted", person_id=person.pk, team_id=team.pk, role=role.value)
    return membership


def refuse_revoke(by: User, membership: Membership) -> str | None:
    """Return why `by` cannot revoke this role now, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if by.pk == membership.person_id:
        return "Nobody changes their own roles; ask another administrator."
    if membership.is_archived:
        return "This role has been revoked already."
    return _refuse_losing_last(membership)


def _refuse_losing_last(membership: Membership) -> str | None:
    if membership.role != Role.ADMINISTRATOR or not is_last_administrator(membership.person):
        return None
    elsewhere = Membership.objects.live().filter(person=membership.person_id, role=Role.ADMINISTRATOR)
    if elsewhere.exclude(pk=membership.pk).exists():
        return None
    return f"{membership.person} is the last active administrator; grant the role to somebody else first."


def revoke_role(membership: Membership, *, by: User, reason: str) -> str:
    """End a role; what it allowed is refused from the next request on.

    Raises:
        NotAllowed: `by` is no administrator, or it is their own role.
        WrongState: it is revoked already, or nobody could administer any more.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        lock_administrators()
        membership = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
        person = membership.person
        if refused := refuse_revoke(by, membership):
            raise _kind(by, person)(refused)
        membership.archived_at = clock.now()
        membership.save(update_fields=["archived_at"])
        synchronise_groups_of(person)
        events.publish("role.revoked", person_id=person.pk, team_id=membership.team_id, role=membership.role)
    return f"{person} is no longer {membership.get_role_display()} in {membership.team}."


def _kind(by: User, person: User) -> type[DomainError]:
    return WrongState if is_administrator(by) and by.pk != person.pk else NotAllowed


def refuse_archive_team(by: User, team: Team) -> str | None:
    """Return why `by` cannot archive a team now, for instance because people still play roles in it."""
    if refused := refuse_archive(by, team):
        return refused
    number = Membership.objects.live().filter(team=team, person__is_active=True).values("person").distinct().count()
    if number:
        people = "One person still plays a role" if number == 1 else f"{number} people still play roles"
        return f"{people} in {team}; revoke these roles first."
    return None


def archive_team(team: Team, *, by: User) -> str:
    """Put a team away in which nobody plays a role any more.

    Raises:
        WrongState: people still play roles in it, or it is archived already.
        NotAllowed: `by` may not change teams.
    """
    with transaction.atomic():
        team = Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
        if access.may(by, "change", team) and (refused := refuse_archive_team(by, team)):
            raise WrongState(refused)
        return archive(team, by=by)
