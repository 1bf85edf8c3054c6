"""Out of office: who decides for whom. Time-boxed, about something, never passed on, shown as "B for A"."""

import datetime as dt

from django.db import transaction

from apps.accounts.models import User
from apps.approvals.models import Delegation
from apps.approvals.registry import kinds
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish

LONGEST = dt.timedelta(days=180)


def refuse_delegation(
    by: User, from_person: User, to_person: User, subject_kind: str, starts_at: dt.datetime, ends_at: dt.datetime
) -> str | None:
    """Return why `by` cannot let `to_person` stand in for `from_person` in that time, None when they can."""
    if by.pk != from_person.pk and not may_delegate_for_others(by):
        return "You can name who stands in for you; for somebody else an administrator does it."
    if from_person.pk == to_person.pk:
        return "Nobody stands in for themselves."
    if ends_at <= starts_at:
        return "A delegation ends after it starts."
    if ends_at - starts_at > LONGEST:
        return f"A delegation lasts {LONGEST.days} days at most; give another one after it."
    if not to_person.is_active or to_person.is_system:
        return f"{to_person} has no active account and cannot stand in."
    if subject_kind and subject_kind not in dict(kinds()):
        return "Nothing of that kind can be approved; choose one of the kinds offered, or everything."
    return _refused_overlap(from_person, to_person, subject_kind, starts_at, ends_at)


def _refused_overlap(
    from_person: User, to_person: User, subject_kind: str, starts_at: dt.datetime, ends_at: dt.datetime
) -> str | None:
    """No two people stand in for one person at a time, and nobody passes on what they were given."""
    others = Delegation.objects.overlapping(starts_at, ends_at).select_related("from_person", "to_person")
    for each in others.filter(from_person__in=[from_person, to_person]):
        if each.from_person_id == to_person.pk:
            return (
                f"{to_person} is away in that time too: {each.to_person} stands in for them. A delegation is not "
                "passed on; name somebody who is there."
            )
        if not each.subject_kind or not subject_kind or each.subject_kind == subject_kind:
            return f"{each.to_person} stands in for {from_person} in that time already; end that delegation first."
    passed_on = others.filter(to_person=from_person).first()
    if passed_on is not None:
        return (
            f"{from_person} stands in for {passed_on.from_person} in that time; a delegation is not passed on. End "
            "that one first, or choose another time."
        )
    return None


def may_delegate_for_others(person: User) -> bool:
    """Whether `person` may name who stands in for somebody else: administrators, when somebody falls ill."""
    return access.has_model_permission(person, "change", Delegation)


def delegate(
    from_person: User,
    *,
    to_person: User,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: User,
    subject_kind: str = "",
    reason: str = "",
) -> Delegation:
    """Let somebody decide for somebody else for a time; announces `delegation.given`.

    Args:
        from_person: who is away.
        to_person: who stands in; what keeps either of them from deciding keeps both.
        starts_at: from when on.
        ends_at: until when, excluded.
        by: who says so.
        subject_kind: about what, "" for everything.
        reason: why, for instance leave.

    Raises:
        NotAllowed: `by` is neither who is away nor an administrator.
        InvalidInput: see `refuse_delegation`.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        list(User.objects.select_for_update(of=("self",)).filter(pk__in=[from_person.pk, to_person.pk]).order_by("pk"))
        if refused := refuse_delegation(by, from_person, to_person, subject_kind, starts_at, ends_at):
            own = by.pk == from_person.pk or may_delegate_for_others(by)
            raise (InvalidInput if own else NotAllowed)(refused)
        given = Delegation.objects.create(
            from_person=from_person,
            to_person=to_person,
            subject_kind=subject_kind,
            starts_at=starts_at,
            ends_at=ends_at,
            reason=reason,
        )
        publish("delegation.given", delegation_id=given.pk)
    return given


def refuse_ending(user: User, delegation: Delegation) -> str | None:
    """Return why `user` cannot end `delegation` now, None when they can."""
    if delegation.revoked_at is not None:
        return "This delegation was ended already."
    if delegation.ends_at <= clock.now():
        return "This delegation is over."
    if user.pk not in (delegation.from_person_id, delegation.to_person_id) and not may_delegate_for_others(user):
        return "Who is away, who stands in, or an administrator ends a delegation."
    return None


def end_delegation(delegation: Delegation, *, by: User) -> str:
    """End a delegation before its time; decisions made by it stay.

    Raises:
        NotAllowed: `by` has nothing to do with it.
        WrongState: it is over.
    """
    with transaction.atomic(), acting_as(by):
        row: Delegation = Delegation.objects.select_for_update(of=("self",)).get(pk=delegation.pk)
        if refused := refuse_ending(by, row):
            over = row.revoked_at is not None or row.ends_at <= clock.now()
            raise (WrongState if over else NotAllowed)(refused)
        row.revoked_at, row.revoked_by = clock.now(), by
        row.save(update_fields=["revoked_at", "revoked_by"])
        publish("delegation.ended", delegation_id=row.pk)
    return f"{row.to_person} no longer stands in for {row.from_person}."
