"""Why somebody can or cannot see, change or approve something: the chain that allows it, or the first thing missing."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import models

from apps.accounts.domain.rights import is_administrator
from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.accounts.models import Membership, User
from apps.approvals.domain.eligibility import case_of, eligible_in, whom
from apps.approvals.models import ApprovalRequest
from apps.core import access
from apps.core.errors import InvalidInput
from apps.rights.domain.queries import grants_of
from apps.rights.domain.shared import IMPLIED
from apps.rights.models import SHAREABLE, AccessGrant

VERBS = {"view": "see", "add": "add", "change": "change", "approve": "approve"}


@dataclass(frozen=True)
class Step:
    """One link of the chain, or what is missing."""

    holds: bool
    sentence: str


@dataclass(frozen=True)
class Explanation:
    """The answer, in a sentence and step by step; in a refusal the last step is what is missing."""

    allowed: bool
    answer: str
    steps: tuple[Step, ...]


def refuse_explanation(by: User, person: User) -> str | None:
    """Return why `by` is not told about the rights of `person`, None when they are."""
    if by.pk == person.pk or is_administrator(by) or Role.AUDITOR in roles_of(by):
        return None
    return "You can ask about yourself; administrators and auditors can ask about everybody."


def explain(person: User, verb: str, target: Any) -> Explanation:
    """Say why `person` can or cannot `verb` a record, or records of a kind.

    Args:
        person: who is asked about.
        verb: one of `VERBS`.
        target: a record, or a model for records of the kind in general.

    Raises:
        InvalidInput: an unknown verb, or "approve" of what is not approved.
    """
    if verb not in VERBS:
        raise InvalidInput(f"Ask about one of {', '.join(VERBS)}.")
    if not person.is_active:
        return _told(person, verb, target, False, [Step(False, f"The account of {person} is deactivated.")])
    if verb == "approve":
        return _explain_approval(person, target)
    model, thing = (target, None) if isinstance(target, type) else (type(target), target)
    by_role = _by_role(person, verb, model)
    if thing is None or verb == "add":
        missing = [] if by_role else [_no_role(person, verb, model)]
        return _told(person, verb, target, bool(by_role), [*by_role, *missing])
    return _explain_record(person, verb, thing, by_role)


def _explain_record(person: User, verb: str, thing: models.Model, by_role: list[Step]) -> Explanation:
    model, steps = type(thing), list(by_role)
    allowed = bool(access.may(person, verb, thing))
    by_grant = _by_grant(person, verb, thing)
    if allowed and by_role and access.is_narrowed(person, model, verb=verb):
        among = access.in_scope(person, verb, thing)
        steps = [*steps, *_scope_steps(person, verb, thing, holds=among)] if among else []
    if allowed:
        steps += by_grant
        steps += [] if steps else [Step(True, f"{_kinds(model)} are open to whom they belong to; this one is theirs.")]
    else:
        steps += _scope_steps(person, verb, thing, holds=False) if by_role else [_no_role(person, verb, model)]
        if model in SHAREABLE:
            steps.append(Step(False, f"No grant lets {person} {VERBS[verb]} {thing}."))
    if allowed and verb != "view" and getattr(thing, "archived_at", None) is not None:
        return _told(
            person, verb, thing, False, [*steps, Step(False, f"{thing} is archived, and read-only until restored.")]
        )
    return _told(person, verb, thing, allowed, steps)


def _by_role(person: User, verb: str, model: type[models.Model]) -> list[Step]:
    """The memberships whose role gives the right, each with the permission that does."""
    if person.is_system:
        return [Step(True, "mops itself may, in its own jobs.")]
    if person.is_superuser:
        return [Step(True, f"{person} is a superuser.")]
    steps = []
    codes = [get_permission_codename(each, model._meta) for each in IMPLIED.get(verb, (verb,))]
    giving = {
        group.name: group
        for group in Group.objects.filter(
            permissions__codename__in=codes,
            permissions__content_type__app_label=model._meta.app_label,
            user=person,
        ).distinct()
    }
    held_roles = Membership.objects.live().filter(person=person, role__in=giving)
    for held in held_roles.select_related("team", "territory"):
        first = held.history.order_by("history_id").values("actor_label").first()
        who = f", granted by {first['actor_label']}" if first else ""
        role = Role(held.role).label
        where = f", for {held.territory} only" if held.territory else ""
        steps.append(Step(True, f"{person} is {role} in {held.team} since {held.created_at:%-d %B %Y}{who}{where}."))
        steps.append(Step(True, f"The role {role} gives the right to {VERBS[verb]} {model._meta.verbose_name_plural}."))
    if not steps and access.has_model_permission(person, verb, model):
        steps.append(Step(True, f"{person} has the right to {VERBS[verb]} {model._meta.verbose_name_plural} directly."))
    return steps


def _no_role(person: User, verb: str, model: type[models.Model]) -> Step:
    held = ", ".join(sorted(role.label for role in roles_of(person))) or "no role"
    return Step(
        False, f"No role of {person} gives the right to {VERBS[verb]} {model._meta.verbose_name_plural} ({held})."
    )


def _scope_steps(person: User, verb: str, thing: models.Model, *, holds: bool) -> list[Step]:
    """Say what narrows the kind for this person, territory last; where it does not hold, the first that fails."""
    model, steps = type(thing), []
    limit = access.limit_of(person, verb, model)
    inside = limit is None or model._default_manager.filter(access.within(model, limit), pk=thing.pk).exists()
    if access.has_scope(model) and (holds or inside):
        among = "is" if holds else "is not"
        words = f"{_kinds(model)} are narrowed for each person to those in their scope; {thing} {among} among them."
        steps.append(Step(holds, words))
    if limit is not None and (holds or not inside):
        where = access.where_is(thing, inside=inside)
        steps.append(Step(inside, f"These roles of {person} hold in {limit.words} only; {where}."))
    return steps


def _by_grant(person: User, verb: str, thing: models.Model) -> list[Step]:
    if type(thing) not in SHAREABLE:
        return []
    rows = grants_of(person).filter(
        pk__in=AccessGrant.objects.about(thing).values("pk"), verb__in=IMPLIED.get(verb, ())
    )
    return [Step(True, _grant_in_words(each)) for each in rows.select_related("person", "team", "granted_by")]


def _grant_in_words(grant: AccessGrant) -> str:
    until = f" until {grant.expires_at:%-d %B %Y}" if grant.expires_at else ""
    return (
        f"Shared with {grant.principal_label} ({grant.get_verb_display().lower()}) by {grant.granted_by} on "
        f"{grant.created_at:%-d %B %Y}{until}: {grant.reason}"
    )


def _explain_approval(person: User, target: Any) -> Explanation:
    request = target if isinstance(target, ApprovalRequest) else _open_request(target)
    case = case_of(request)
    named = Step(True, f"Approvers of this request are {whom(case)}.")
    seat = eligible_in(case, person)
    if seat.refusal is not None:
        return _told(person, "approve", target, False, [named, Step(False, seat.refusal.message)])
    among = f"stands in for {seat.delegation.from_person}, who is one of them" if seat.delegation else "is one of them"
    last = Step(True, f"{person} {among}, neither sent it nor worked on it, and has not decided yet.")
    return _told(person, "approve", target, True, [named, last])


def _open_request(target: Any) -> ApprovalRequest:
    """Return the request that waits for a decision about a record."""
    if not isinstance(target, type):
        kind = ContentType.objects.get_for_model(type(target))
        about: models.QuerySet[ApprovalRequest] = ApprovalRequest.objects.filter(content_type=kind, object_id=target.pk)
        waiting = next((row for row in about.order_by("-pk") if row.is_open), None)
        if waiting is not None:
            return waiting
    raise InvalidInput("Nothing waits for approval here; ask about a request that does.")


def _kinds(model: type[models.Model]) -> str:
    words = str(model._meta.verbose_name_plural)
    return words[:1].upper() + words[1:]


def _told(person: User, verb: str, target: Any, allowed: bool, steps: list[Step]) -> Explanation:
    what = _words(target)
    return Explanation(allowed, f"{person} can{'' if allowed else 'not'} {VERBS[verb]} {what}.", tuple(steps))


def _words(target: Any) -> str:
    """What is asked about: the kind's plural for a model, the record's name for a record."""
    model: Any = target
    return str(model._meta.verbose_name_plural) if isinstance(target, type) else str(target)
