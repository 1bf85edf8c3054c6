"""Who could do what on a date: the tables that hold rights, folded from the ledger up to a moment."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.dateparse import parse_datetime

from apps.accounts.domain.territories import Place, place_then
from apps.accounts.enums import Role
from apps.accounts.models import Membership, OwnedModel, Team, Territory, User
from apps.core import access
from apps.core.errors import InvalidInput
from apps.rights.domain.explaining import VERBS, Explanation, Step
from apps.rights.domain.folding import Row, fold
from apps.rights.domain.shared import IMPLIED
from apps.rights.domain.territories_then import limit_then, place_of
from apps.rights.models import SHAREABLE, AccessGrant


@dataclass(frozen=True)
class RoleThen:
    """A role that was held."""

    role: str
    team: str
    team_id: int
    since: dt.datetime
    granted_by: str
    territory: int | None = None
    where: str = ""

    @property
    def label(self) -> str:
        """The role, as people read it."""
        return str(Role(self.role).label) if self.role in Role.values else self.role


@dataclass(frozen=True)
class GrantThen:
    """A shared record that was open."""

    to: str
    verb: str
    kind: int
    object_id: int
    label: str
    since: dt.datetime
    granted_by: str
    until: dt.datetime | None


@dataclass(frozen=True)
class RightsThen:
    """What one person could do at a moment.

    Attributes:
        existed: whether there was an account at all.
        active: whether it could sign in.
        superuser: whether every right was theirs.
        roles: the roles held, from the memberships.
        rights: the permissions that the groups and direct grants gave, as "app.codename".
        grants: the single records that were shared with them, their teams or roles.
        places: the territories there were, where a role was limited to one.
    """

    person: User
    moment: dt.datetime
    existed: bool
    active: bool
    superuser: bool
    roles: tuple[RoleThen, ...]
    rights: frozenset[str]
    grants: tuple[GrantThen, ...]
    places: tuple[Place, ...] = ()

    def has(self, verb: str, model: type[models.Model]) -> bool:
        """Whether a role or a direct right gave `verb` on the kind; changing implies viewing."""
        if self.person.is_system:
            return True
        if not self.active:
            return False
        codes = {f"{model._meta.app_label}.{each}_{model._meta.model_name}" for each in IMPLIED.get(verb, (verb,))}
        return self.superuser or bool(codes & self.rights)


def rights_on(moment: dt.datetime, person: User) -> RightsThen:
    """Return what `person` could do at `moment`, from the ledger alone.

    The rights come from the same tables that answer today: the person's groups, what the groups could, what was given
    directly, and the grants that were open. Names of teams, groups and permissions are those of today.
    """
    account = fold(User._meta.db_table, moment, "id", [person.pk]).get(str(person.pk))
    roles, there = _roles(moment, person)
    active = bool(account and account.get("is_active"))
    return RightsThen(
        person=person,
        moment=moment,
        existed=account is not None,
        active=active,
        superuser=active and bool(account and account.get("is_superuser")),
        roles=roles,
        rights=_rights(moment, person),
        grants=_grants(moment, person, roles),
        places=there,
    )


def _roles(moment: dt.datetime, person: User) -> tuple[tuple[RoleThen, ...], tuple[Place, ...]]:
    """Return the roles that were held and, where one of them was limited, the territories there were."""
    rows = fold(Membership._meta.db_table, moment, "person_id", [person.pk]).values()
    held = [row for row in rows if row.get("archived_at") is None]
    limited = any(row.get("territory_id") for row in held)
    places = [place_then(row) for row in fold(Territory._meta.db_table, moment).values()] if limited else []
    named = {each.key: each.name for each in places}
    teams = dict(Team.objects.filter(pk__in=[row["team_id"] for row in held]).values_list("pk", "name"))
    roles = tuple(
        RoleThen(
            row["role"], teams.get(row["team_id"], f"#{row['team_id']}"), row["team_id"], row["_at"], row["_by"],
            row.get("territory_id"), named.get(row.get("territory_id") or 0, ""),
        )
        for row in sorted(held, key=lambda each: (each["role"], each["team_id"]))
    )  # fmt: skip
    return roles, tuple(places)


def _rights(moment: dt.datetime, person: User) -> frozenset[str]:
    through: Any = User.groups.through
    direct: Any = User.user_permissions.through
    gives: Any = Group.permissions.through
    groups = {row["group_id"] for row in fold(through._meta.db_table, moment, "user_id", [person.pk]).values()}
    numbers = {row["permission_id"] for row in fold(direct._meta.db_table, moment, "user_id", [person.pk]).values()}
    if groups:
        numbers |= {row["permission_id"] for row in fold(gives._meta.db_table, moment, "group_id", groups).values()}
    known = Permission.objects.filter(pk__in=numbers).values_list("content_type__app_label", "codename")
    return frozenset(f"{app}.{codename}" for app, codename in known)


def _grants(moment: dt.datetime, person: User, roles: tuple[RoleThen, ...]) -> tuple[GrantThen, ...]:
    wanted = (
        ("person_id", [person.pk], str(person)),
        ("team_id", [each.team_id for each in roles], "the team"),
        ("role", [each.role for each in roles], "the role"),
    )
    found: dict[str, GrantThen] = {}
    for column, values, to in wanted:
        for key, row in fold(AccessGrant._meta.db_table, moment, column, values).items() if values else ():
            until = parse_datetime(row["expires_at"]) if row.get("expires_at") else None
            if row.get("revoked_at") is None and (until is None or until > moment):
                found[key] = GrantThen(
                    to, row["verb"], row["content_type_id"], row["object_id"], row["object_label"],
                    row["_at"], row["_by"], until,
                )  # fmt: skip
    return tuple(found.values())


def could(then: RightsThen, verb: str, target: Any) -> Explanation:
    """Say whether the person could `verb` a record, or records of a kind, at the moment, with the chain of grants.

    Raises:
        InvalidInput: a verb that is not kept in the rights, such as approving: requests keep who could decide.
    """
    if verb not in ("view", "add", "change"):
        raise InvalidInput("Ask about seeing, adding or changing; who could approve stands on each request.")
    model, thing = (target, None) if isinstance(target, type) else (type(target), target)
    steps = _account_steps(then)
    if steps and not steps[-1].holds:
        return _told(then, verb, target, False, steps)
    by_role = _role_steps(then, verb, model)
    if thing is None or verb == "add":
        missing = [] if by_role else [Step(False, f"No role gave the right to {VERBS[verb]} {_kind(model)} then.")]
        return _told(then, verb, target, bool(by_role), [*steps, *by_role, *missing])
    return _record(then, verb, thing, [*steps, *by_role], bool(by_role))


def _account_steps(then: RightsThen) -> list[Step]:
    day = f"{then.moment:%-d %B %Y}"
    if not then.existed:
        return [Step(False, f"There was no account of {then.person} on {day}.")]
    return [Step(then.active, f"The account of {then.person} was {'open' if then.active else 'closed'} on {day}.")]


def _role_steps(then: RightsThen, verb: str, model: type[models.Model]) -> list[Step]:
    if not then.has(verb, model):
        return []
    if then.superuser:
        return [Step(True, f"{then.person} was a superuser.")]
    steps = [
        Step(
            True,
            f"{then.person} was {each.label} in {each.team}{f', for {each.where} only' if each.where else ''}, "
            f"granted by {each.granted_by} on {each.since:%-d %B %Y}.",
        )
        for each in then.roles
    ]
    return [*steps, Step(True, f"These roles gave the right to {VERBS[verb]} {_kind(model)} then.")]


def _record(then: RightsThen, verb: str, thing: models.Model, steps: list[Step], by_role: bool) -> Explanation:
    model = type(thing)
    row = fold(model._meta.db_table, then.moment, "id", [thing.pk]).get(str(thing.pk))
    if row is None:
        return _told(then, verb, thing, False, [*steps, Step(False, f"{thing} did not exist then.")])
    if verb != "view" and row.get("archived_at") is not None:
        return _told(then, verb, thing, False, [*steps, Step(False, f"{thing} was archived, and read-only.")])
    shared = [
        Step(
            True,
            f"{each.label} was shared with {each.to} ({each.verb}) by {each.granted_by} on {each.since:%-d %B %Y}.",
        )
        for each in then.grants
        if each.object_id == thing.pk
        and each.kind == ContentType.objects.get_for_model(model).pk
        and each.verb in IMPLIED.get(verb, ())
    ]
    limit = limit_then(then, verb, model) if by_role else None
    where = place_of(then.moment, model, row) if limit is not None else None
    inside = limit is None or where is None or where.inside(limit)
    among = by_role and inside and (not access.has_scope(model) or _in_scope_then(then, model, row))
    if by_role and access.has_scope(model) and inside:
        steps.append(_scope_step(thing, row, among))
    if limit is not None and where is not None:
        steps.append(Step(inside, f"These roles held in {limit.words} only; {thing} {where.words}."))
    if not among and not shared and (inside or model in SHAREABLE):
        missing = "" if by_role else f"No role gave the right to {VERBS[verb]} {_kind(model)} then"
        sentence = missing or f"{thing} was outside the scope of {then.person} then"
        extra = ", and it was not shared with them." if model in SHAREABLE else "."
        steps.append(Step(False, sentence + extra))
    return _told(then, verb, thing, among or bool(shared), [*steps, *shared])


def _in_scope_then(then: RightsThen, model: type[models.Model], row: Row) -> bool:
    """Whether a narrowed kind showed this row: to its owner, the owner's team, or who oversaw the kind."""
    if then.superuser or f"{model._meta.app_label}.oversee_{model._meta.model_name}" in then.rights:
        limit = limit_then(then, "oversee", model)
        if limit is None or place_of(then.moment, model, row).inside(limit):
            return True
    teams = {each.team_id for each in then.roles}
    return row.get("owner_person_id") == then.person.pk or (
        row.get("owner_person_id") is None and row.get("owner_team_id") in teams
    )


def _scope_step(thing: models.Model, row: Row, among: bool) -> Step:
    if not isinstance(thing, OwnedModel):
        return Step(among, f"Records of this kind are narrowed for each person; {thing} has no owner to judge it by.")
    owner = User.objects.filter(pk=row.get("owner_person_id") or 0).first()
    team = Team.objects.filter(pk=row.get("owner_team_id") or 0).first()
    return Step(
        among, f"Records of this kind are narrowed to their owners; {thing} belonged to {owner or team or 'nobody'}."
    )


def _kind(model: type[models.Model]) -> str:
    return str(model._meta.verbose_name_plural)


def _told(then: RightsThen, verb: str, target: Any, allowed: bool, steps: list[Step]) -> Explanation:
    what = _kind(target) if isinstance(target, type) else str(target)
    could_not = "could" if allowed else "could not"
    return Explanation(
        allowed, f"On {then.moment:%-d %B %Y} {then.person} {could_not} {VERBS[verb]} {what}.", tuple(steps)
    )


def by_area(then: RightsThen) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the rights by area and kind of record, each with the most it allowed, for reading."""
    best: dict[tuple[str, str], str] = {}
    for right in then.rights:
        app, _, codename = right.partition(".")
        verb, _, name = codename.partition("_")
        if name not in apps.all_models.get(app, {}) or verb not in ("view", "add", "change"):
            continue
        key = (app, str(apps.get_model(app, name)._meta.verbose_name_plural))
        ranks = {"": 0, "view": 1, "change": 2, "add": 3}
        best[key] = max(best.get(key, ""), verb, key=lambda each: ranks[each])
    areas: dict[str, list[tuple[str, str]]] = defaultdict(list)
    words = {"view": "saw", "change": "saw and changed", "add": "saw, changed and created"}
    for (app, kind), verb in sorted(best.items()):
        areas[str(apps.get_app_config(app).verbose_name)].append((kind, words[verb]))
    return sorted(areas.items())
