"""Asking for a role: with a reason, decided through approval, granted by the administrator who approved."""

import datetime as dt
from typing import Any

from django.db import models, transaction
from django.db.models import Q

from apps.accounts.domain.memberships import grant_role, refuse_combination
from apps.accounts.domain.rights import is_administrator
from apps.accounts.domain.territories import check_territory
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, Territory, User
from apps.approvals.domain.asking import request_approval
from apps.approvals.domain.definition import Definition
from apps.approvals.domain.policies import one_stage
from apps.approvals.enums import Verdict
from apps.approvals.models import Decision
from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.rights.domain.duties import check_role
from apps.rights.enums import Asked
from apps.rights.models import AccessReview, RoleRequest
from apps.rights.models.requests import OPEN

MATERIAL = ("person", "team", "role", "territory", "reason")


def administrators_decide() -> Definition:
    """Return the policy that requests for access start with: one administrator, who neither asked nor gets it."""
    return one_stage(Role.ADMINISTRATOR, name="Administration")


def requests_seen_by(person: User, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Return the requests: all to those who read access reviews, to others what they asked for or are to have."""
    if access.has_model_permission(person, "view", AccessReview):
        return rows
    return rows.filter(Q(person=person) | Q(asked_by=person))


def refuse_ask(by: User) -> str | None:
    """Return why `by` cannot ask for roles, None when they can."""
    return None if access.has_model_permission(by, "add", RoleRequest) else "You may not ask for roles."


def people_to_ask_for(by: User) -> "models.QuerySet[User]":
    """Return for whom `by` may ask: themselves and whom they manage; for administrators everybody who works here."""
    people = User.objects.working()
    return people if is_administrator(by) else people.filter(Q(pk=by.pk) | Q(manager=by))


def ask_role(
    person: User, team: Team, role: Role | str, *, by: User, reason: str, territory: Territory | None = None
) -> RoleRequest:
    """Ask that `person` may play `role` in `team`; it holds once whom the policy names has approved.

    Raises:
        NotAllowed: `by` may not ask, or not for this person.
        InvalidInput: no reason, or the territory does not go with the role.
        WrongState: it is held or asked for already, does not go with another role, or nobody could decide.
    """
    role, said = Role(role), reason_given(reason, "Say what the role is for.")
    if refused := refuse_ask(by):
        raise NotAllowed(refused)
    if not people_to_ask_for(by).filter(pk=person.pk).exists():
        raise NotAllowed(f"You ask for yourself and for people you manage; {person} or their manager asks for this.")
    if team.is_archived:
        raise WrongState(f"{team} is archived; restore it first.")
    check_territory(role, territory)
    if refused := refuse_combination(person, role) or _refuse_twice(person, team, role):
        raise WrongState(refused)
    with transaction.atomic(), acting_as(by, reason=said):
        check_role(person, team, role)
        row = RoleRequest.objects.create(
            person=person, team=team, role=role, territory=territory, reason=said, asked_by=by
        )
        _write(row, state=Asked.IN_REVIEW)
        request_approval(row, by=by, note=said)
    return row


def _refuse_twice(person: User, team: Team, role: Role) -> str | None:
    if Membership.objects.live().filter(person=person, team=team, role=role).exists():
        return f"{person} is {role.label} in {team} already."
    if RoleRequest.objects.filter(OPEN, person=person, team=team, role=role).exists():
        return "This role has been asked for already and waits for a decision."
    return None


def keeps_out(row: RoleRequest, person: User) -> str | None:
    """Say why somebody whom the policy names may not decide about this request."""
    return "The role is for you: somebody else decides." if row.person_id == person.pk else None


def grant(row: RoleRequest, request: Any, *, by: User, at: dt.datetime | None = None) -> None:
    """Grant what was asked for: the effect of the approval. The administrator among those who approved grants it.

    Raises:
        InvalidInput, NotAllowed, WrongState: as `grant_role` says, or no administrator approved.
    """
    granting = administrator_among(request, by)
    if granting is None:
        raise WrongState("Roles are granted by administrators: let the policy name one among those who approve.")
    with acting_as(granting, reason=row.reason):
        held = grant_role(row.person, row.team, row.role, by=granting, reason=row.reason, territory=row.territory)
        _write(row, state=Asked.GRANTED, membership=held)


def administrator_among(request: Any, by: User) -> User | None:
    """Return the first administrator among those who approved a request, `by` before the others; None without one."""
    return next((each for each in approvers_of(request, by) if is_administrator(each)), None)


def approvers_of(request: Any, by: User) -> list[User]:
    """Return the people who approved a request, `by` before the others."""
    said = Decision.objects.filter(request=request, verdict=Verdict.APPROVE).select_related("principal").order_by("pk")
    return [person for person in (by, *(each.principal for each in said)) if not person.is_system]


def drop(row: RoleRequest, request: Any, *, by: User) -> None:
    """Note that the role is not granted: the request was refused or withdrawn."""
    _write(row, state=Asked.REFUSED)


def _write(row: RoleRequest, **changed: Any) -> None:
    for name, value in changed.items():
        setattr(row, name, value)
    with transition(RoleRequest):
        row.save(update_fields=list(changed))
