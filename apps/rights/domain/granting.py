"""The one way a single record is shared, and the one way sharing ends; guardian's tables follow in the same moment."""

import datetime as dt
from typing import Any

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.accounts.domain.rights import is_administrator
from apps.accounts.domain.roles import roles_of, team_group_name
from apps.accounts.enums import Role
from apps.accounts.models import Membership, OwnedModel, Team, User
from apps.core import access, clock, events
from apps.core.actors import acting_as
from apps.core.asking import once
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.words import reason_given
from apps.rights.domain.duties import check_grant
from apps.rights.enums import Verb
from apps.rights.models import SHAREABLE, AccessGrant

Principal = User | Team | Role


def owns(user: User, thing: models.Model) -> bool:
    """Whether `user`, or a team they are in, answers for `thing`."""
    if not isinstance(thing, OwnedModel):
        return False
    if thing.owner_person_id == user.pk:
        return True
    return thing.owner_team_id is not None and _is_member(user, thing.owner_team_id)


def _is_member(user: User, team_id: int) -> bool:
    held = Membership.objects.live().filter(person=user.pk, team=team_id)
    return once(("member", user.pk, team_id), held.exists)


def refuse_share(by: User, thing: Any) -> str | None:
    """Return why `by` shares `thing` with nobody now, None when they may."""
    kind = str(thing._meta.verbose_name_plural)
    if type(thing) not in SHAREABLE:
        return f"Single {kind} are not shared; a role opens them."
    if getattr(thing, "archived_at", None) is not None:
        return f"{thing} is archived; restore it first."
    if not access.can(by, "view", thing):
        return f"You do not see this one of the {kind}, so you cannot share it."
    if is_administrator(by) or (owns(by, thing) and access.can(by, "change", thing)):
        return None
    belongs = f"it belongs to {thing.owner}" if thing.owner else "nobody owns it yet"
    return f"{thing} is shared by its owner, where the owner may change it, or by an administrator; {belongs}."


def refuse_grant(by: User, thing: Any, to: Principal, verb: str) -> str | None:
    """Return why `by` cannot let `to` do this with `thing` now, None when it works."""
    if refused := refuse_share(by, thing):
        return refused
    if refused := _refuse_oneself(by, to):
        return refused
    if not access.can(by, verb, thing):
        return f"You may not {verb} {thing} yourself, and nobody passes on more than they have."
    return _refuse_principal(to, verb)


def _refuse_oneself(by: User, to: Principal) -> str | None:
    ask = "ask another owner or an administrator"
    if isinstance(to, User):
        return f"Nobody grants rights to themselves; {ask}." if to.pk == by.pk else None
    if isinstance(to, Team):
        own = _is_member(by, to.pk)
        return f"You are in {to}, and nobody grants rights to a team of their own; {ask}." if own else None
    own = to in roles_of(by)
    return f"You are {to.label} yourself, and nobody grants rights to a role of their own; {ask}." if own else None


def _refuse_principal(to: Principal, verb: str) -> str | None:
    if isinstance(to, Team):
        return f"{to} is archived; restore it first." if to.is_archived else None
    auditor = to == Role.AUDITOR if isinstance(to, Role) else Role.AUDITOR in roles_of(to)
    if auditor and verb != Verb.VIEW:
        return "Who audits only looks; share it for viewing."
    if isinstance(to, User) and (to.is_system or not to.is_active):
        return "mops itself needs no grant." if to.is_system else f"{to} is deactivated; reactivate the account first."
    return None


def grant_access(
    thing: Any, *, to: Principal, verb: str, by: User, reason: str, expires_at: dt.datetime | None = None
) -> AccessGrant:
    """Let a person, a team or a role view or change one record, besides what their roles open.

    Args:
        thing: a record of a shareable kind.
        to: who gets it.
        verb: one of `Verb`; changing implies viewing.
        by: who grants it: an owner who may change the record, or an administrator; never for themselves.
        reason: why, for whoever reviews it later.
        expires_at: when it ends by itself; None until somebody revokes it.

    Raises:
        NotAllowed: `by` may not share this, or not with these.
        InvalidInput: no reason, an unknown verb, or an end in the past.
        WrongState: the same is granted already, or it would bring together two duties that a rule keeps apart.
    """
    reason, now = reason.strip(), clock.now()
    if verb not in Verb.values:
        raise InvalidInput("A grant lets somebody view or change; there is nothing else to grant.")
    if not reason:
        raise InvalidInput(
            "Say why: whoever reviews the grant later must understand it.", fields={"reason": "Say why."}
        )
    if expires_at is not None and expires_at <= now:
        raise InvalidInput(
            "The grant would have ended already; choose a later day.", fields={"until": "Choose a later day."}
        )
    with transaction.atomic(), acting_as(by, reason=reason):
        thing = type(thing)._base_manager.select_for_update(of=("self",)).get(pk=thing.pk)
        if refused := refuse_grant(by, thing, to, verb):
            raise NotAllowed(refused)
        whom = _columns_of(to)
        _refuse_twice(thing, whom, verb, now)
        check_grant(thing, to, verb)
        grant = AccessGrant.objects.create(
            **whom,
            verb=verb,
            content_type=ContentType.objects.get_for_model(type(thing)),
            object_id=thing.pk,
            object_label=str(thing)[:250],
            granted_by=by,
            reason=reason[:500],
            expires_at=expires_at,
        )
        _mirror(grant, thing, to)
        events.publish("access.granted", grant_id=grant.pk)
    return grant


def _columns_of(to: Principal) -> dict[str, Any]:
    if isinstance(to, User):
        return {"person": to, "team": None, "role": ""}
    return (
        {"person": None, "team": to, "role": ""} if isinstance(to, Team) else {"person": None, "team": None, "role": to}
    )


def _refuse_twice(thing: Any, whom: dict[str, Any], verb: str, now: dt.datetime) -> None:
    """Refuse what is granted already; what has expired makes room."""
    same = AccessGrant.objects.open().about(thing).filter(verb=verb, **whom).first()
    if same is None:
        return
    if same.state_at(now) == "in force":
        raise WrongState(f"{same.granted_by} granted the same on {same.created_at:%-d %B %Y}; revoke that grant first.")
    _end(same, by=same.granted_by, why="It had expired and was granted anew.")


def _mirror(grant: AccessGrant, thing: models.Model, to: Principal) -> None:
    """Write guardian's row for a grant."""
    to_people, to_groups = SHAREABLE[type(thing)]
    codename = get_permission_codename(grant.verb, thing._meta)
    permission = Permission.objects.get(content_type=grant.content_type, codename=codename)
    given = {"grant": grant, "permission": permission, "content_object": thing}
    if isinstance(to, User):
        to_people.objects.create(user=to, **given)
    else:
        to_groups.objects.create(group=_group_of(to), **given)


def _group_of(to: Team | Role) -> Group:
    """Return the group that stands for a role or a team; a team's is made with its members when it is first needed."""
    name = to.value if isinstance(to, Role) else team_group_name(to.pk)
    group, made = Group.objects.get_or_create(name=name)
    if made and isinstance(to, Team):
        members = Membership.objects.live().filter(team=to).values("person")
        group.user_set.set(User.objects.filter(pk__in=members))
    return group


def refuse_revoke(by: User, grant: AccessGrant) -> str | None:
    """Return why `by` cannot end this grant now, None when it works."""
    if grant.revoked_at is not None:
        return f"This grant ended on {grant.revoked_at:%-d %B %Y}."
    if by.is_active and by.pk == grant.granted_by_id:
        return None
    if is_administrator(by):
        return None
    thing = grant.thing
    if thing is not None and owns(by, thing) and access.may(by, "change", thing):
        return None
    return f"A grant is revoked by {grant.granted_by}, who gave it, by the record's owner or by an administrator."


def revoke_access(grant: AccessGrant, *, by: User, reason: str) -> str:
    """End a grant; what it opened is refused from the next request on.

    Raises:
        NotAllowed: `by` neither gave it, nor owns the record, nor administers mops.
        WrongState: it has ended already.
        InvalidInput: no reason.
    """
    reason = reason_given(reason, "Say why the grant ends.")
    with transaction.atomic(), acting_as(by, reason=reason):
        grant = AccessGrant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
        if refused := refuse_revoke(by, grant):
            raise (WrongState if grant.revoked_at is not None else NotAllowed)(refused)
        _end(grant, by=by, why=reason.strip())
        events.publish("access.revoked", grant_id=grant.pk)
    return f"{grant.object_label} is no longer shared with {grant.principal_label}."


def _end(grant: AccessGrant, *, by: User, why: str) -> None:
    grant.revoked_at, grant.revoked_by, grant.revoked_why = clock.now(), by, why[:500]
    grant.save(update_fields=["revoked_at", "revoked_by", "revoked_why"])
    for mirrors in SHAREABLE.values():
        for mirror in mirrors:
            mirror.objects.filter(grant=grant).delete()


def sweep_grants(*, by: User) -> dict[str, int]:
    """End what has expired, what points to a record that is gone, and what people have whose account is closed.

    Returns:
        How many grants ended for each of these reasons.
    """
    counts = {"expired": 0, "orphaned": 0, "account_closed": 0}
    for grant in AccessGrant.objects.open().select_related("person", "content_type"):
        why = _why_over(grant, clock.now())
        if why is None:
            continue
        with transaction.atomic(), acting_as(by, reason=why[1]):
            still = AccessGrant.objects.open().select_for_update(of=("self",)).filter(pk=grant.pk).first()
            if still is not None:
                _end(still, by=by, why=why[1])
                counts[why[0]] += 1
    return counts


def _why_over(grant: AccessGrant, now: dt.datetime) -> tuple[str, str] | None:
    if grant.state_at(now) == "expired":
        return "expired", f"It was granted until {grant.expires_at:%-d %B %Y}."
    if grant.person is not None and not grant.person.is_active:
        return "account_closed", f"The account of {grant.person} is closed."
    return ("orphaned", "What was shared no longer exists.") if grant.thing is None else None
