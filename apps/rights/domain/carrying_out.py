"""Carrying out what a review decided: through the operations that grant and revoke, and read back afterwards."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from apps.accounts.domain.memberships import grant_role, revoke_role
from apps.accounts.domain.ownership import post_of
from apps.accounts.domain.people import deactivate_person, withdraw_superuser
from apps.accounts.domain.roles import roles_of
from apps.accounts.domain.vacancies import refuse_vacate, vacate
from apps.accounts.enums import Role
from apps.accounts.models import Membership, User
from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import Severity
from apps.rights.domain.granting import grant_access, revoke_access
from apps.rights.enums import ReviewDecision, Source, Verb
from apps.rights.models import SHAREABLE, AccessGrant, AccessReviewEntry

LOOKS_ON = Role.EXECUTIVE


def refuse_carrying_out(entry: AccessReviewEntry, decision: str) -> str | None:
    """Return why a decision cannot be carried out for this kind of grant, None when it can."""
    if decision == ReviewDecision.KEEP:
        return None
    if entry.source == Source.SERVICE:
        return "mops itself needs this account for its jobs; it cannot sign in."
    if decision == ReviewDecision.REDUCE:
        return _refuse_reduce(entry)
    if entry.source == Source.OWNER:
        post, thing = _post_and_thing(entry)
        return refuse_vacate(post, thing) if post is not None and thing is not None else None
    return None


def _refuse_reduce(entry: AccessReviewEntry) -> str | None:
    if entry.grant is not None:
        return None if entry.grant.verb == Verb.CHANGE else "It only lets them look already; keep or revoke it."
    if entry.membership is not None and reducible(entry.membership.role):
        return None
    return "There is less to reduce it to; keep or revoke it."


def reducible(role: str) -> bool:
    """Whether the role that looks on opens only what `role` opens as well."""

    def opened(name: str) -> set[int]:
        return set(Permission.objects.filter(group__name=name).values_list("pk", flat=True))

    return role != LOOKS_ON and opened(LOOKS_ON) < opened(role)


def carry_out(entry: AccessReviewEntry, *, by: User) -> str:
    """Take away or reduce what a line is about, on behalf of whoever decided; returns what was done, in a sentence.

    The operations are those that people use; what they refuse (the last administrator) is refused here, too.

    Raises:
        DomainError: an operation refuses.
    """
    mops, why = system_principal(), f"{entry.review}: {entry.note}"[:500]
    with transaction.atomic(), acting_as(mops, on_behalf_of=by, reason=why):
        if entry.source == Source.ROLE:
            return _role(entry, mops, why)
        if entry.source == Source.SHARED:
            return _shared(entry, mops, why)
        if entry.source == Source.OWNER:
            post, thing = _post_and_thing(entry)
            return vacate(post, thing, by=mops, reason=why) if post and thing else "It is gone already."
        if entry.person is None:
            return "It is gone already."
        if entry.source == Source.SUPERUSER:
            return withdraw_superuser(entry.person, by=mops, reason=why)
        if entry.source == Source.DIRECT:
            return _direct(entry, entry.person)
        return deactivate_person(entry.person, by=mops, reason=why) if entry.person.is_active else "Closed already."


def _role(entry: AccessReviewEntry, mops: User, why: str) -> str:
    held = entry.membership
    if held is None or Membership.objects.get(pk=held.pk).is_archived:
        return "The role was revoked already."
    said = revoke_role(held, by=mops, reason=why)
    if entry.decision != ReviewDecision.REDUCE:
        return said
    if not Membership.objects.live().filter(person=held.person, team=held.team, role=LOOKS_ON).exists():
        grant_role(held.person, held.team, LOOKS_ON, by=mops, reason=why, territory=held.territory)
    return f"{said} {held.person} still looks on as {LOOKS_ON.label}."


def _shared(entry: AccessReviewEntry, mops: User, why: str) -> str:
    grant = AccessGrant.objects.get(pk=entry.grant.pk) if entry.grant else None
    if grant is None or grant.revoked_at is not None:
        return "The grant had ended already."
    said = revoke_access(grant, by=mops, reason=why)
    over = grant.expires_at is not None and grant.expires_at <= clock.now()
    if entry.decision != ReviewDecision.REDUCE or grant.thing is None or over:
        return said
    views = {"person": grant.person, "team": grant.team, "role": grant.role, "verb": Verb.VIEW}
    if not AccessGrant.objects.in_force(clock.now()).about(grant.thing).filter(**views).exists():
        grant_access(grant.thing, to=grant.principal, verb=Verb.VIEW, by=mops, reason=why, expires_at=grant.expires_at)
    return f"{grant.object_label} is shared with {grant.principal_label} for viewing only."


def _direct(entry: AccessReviewEntry, person: User) -> str:
    if entry.model.startswith("group:"):
        person.groups.remove(*Group.objects.filter(pk=entry.model.removeprefix("group:")))
    else:
        person.user_permissions.remove(*_permissions(entry))
    return f"{person} no longer has: {entry.what}."


def _permissions(entry: AccessReviewEntry) -> list[Permission]:
    app, _, codename = entry.model.partition(".")
    return list(Permission.objects.filter(content_type__app_label=app, codename=codename))


def _post_and_thing(entry: AccessReviewEntry) -> tuple[Any, Any]:
    kind, _, name = entry.model.partition(":")
    post = post_of(kind, name)
    return post, post.model._base_manager.filter(pk=entry.object_id).first() if post else None


def still_there(entry: AccessReviewEntry) -> bool:
    """Whether what a line took away is in the database all the same, read anew from the tables that open things."""
    person = User.objects.filter(pk=entry.person.pk).first() if entry.person else None
    if entry.source == Source.ROLE and entry.membership_id:
        held = Membership.objects.get(pk=entry.membership_id)
        person = held.person
        by_group = person.groups.filter(name=held.role).exists() and Role(held.role) not in roles_of(person)
        return not held.is_archived or by_group
    if entry.source == Source.SHARED:
        mirrors = (mirror for pair in SHAREABLE.values() for mirror in pair)
        left = any(mirror._default_manager.filter(grant=entry.grant_id).exists() for mirror in mirrors)
        return left or AccessGrant.objects.open().filter(pk=entry.grant_id).exists()
    if entry.source == Source.OWNER:
        post, thing = _post_and_thing(entry)
        return thing is not None and getattr(thing, f"{post.field}_id") == entry.person_id
    if person is None:
        return False
    if entry.source == Source.SUPERUSER:
        return person.is_superuser
    if entry.source == Source.DIRECT:
        if entry.model.startswith("group:"):
            return person.groups.filter(pk=entry.model.removeprefix("group:")).exists()
        return person.user_permissions.filter(pk__in=[each.pk for each in _permissions(entry)]).exists()
    return person.is_active


def verify(entry: AccessReviewEntry) -> bool:
    """Read back what was carried out; what is still there raises an alert. Returns whether it took."""
    fingerprint = f"review.entry:{entry.pk}"
    if still_there(entry):
        raise_alert(
            fingerprint,
            title=f"{entry.review}: what was revoked is still there: {entry.principal_label}, {entry.what}.",
            detail=f"{entry.decided_by} decided “{entry.get_decision_display()}”: {entry.note}",
            severity=Severity.CRITICAL,
            subject=entry,
            runbook="Somebody gave it back past the operations, or the revocation failed: look at the ledger of the "
            "person, take it away again, then resolve this alert.",
        )
        return False
    resolve_alert(fingerprint, why="It was read back and is gone.")
    if entry.verified_at is None and not entry.review.is_finished:
        entry.verified_at = clock.now()
        entry.save(update_fields=["verified_at"])
    return True
