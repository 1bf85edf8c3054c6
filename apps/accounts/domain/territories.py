"""Territories that roles are limited to: which names of territories a person sees, by which role."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db import models, transaction

from apps.accounts.domain.rights import ONLY_ADMINISTRATORS, is_administrator
from apps.accounts.enums import PRIVILEGED_ROLES, Role
from apps.accounts.models import Membership, Territory, User
from apps.accounts.models.territories import spelled
from apps.core import access, events
from apps.core.actors import acting_as
from apps.core.admin_kit.archive import archive, refuse_archive
from apps.core.errors import InvalidInput, NotAllowed, WrongState


@dataclass(frozen=True)
class Place:
    """One territory as a node of the tree."""

    key: int
    name: str
    names: frozenset[str]
    parent: int | None


def tree_of(places: Iterable[Place], roots: Iterable[int]) -> list[Place]:
    """Return the territories at and below `roots`; a circle ends where it began."""
    known = {each.key: each for each in places}
    below: dict[int, list[int]] = {}
    for each in known.values():
        if each.parent is not None:
            below.setdefault(each.parent, []).append(each.key)
    waiting, found = [key for key in roots if key in known], {}
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = known[key]
            waiting += below.get(key, [])
    return list(found.values())


def limit_to(places: Iterable[Place], roots: Iterable[int]) -> access.Limit:
    """Return what rows may be called inside the trees at `roots`, and the roots in words."""
    every, given = list(places), set(roots)
    inside = tree_of(every, given)
    words = " and ".join(sorted(each.name for each in inside if each.key in given))
    return access.Limit(frozenset().union(*(each.names for each in inside)), words or "no territory")


def places() -> list[Place]:
    """Return every territory there is; an archived one still limits, so that putting it away opens nothing."""
    rows = Territory._default_manager.all()
    return [Place(each.pk, each.name, each.names, each.parent_id) for each in rows]


def limits_of(user: User, verb: str, model: type[models.Model]) -> access.Limit | None:
    """Return the territories in which the roles of `user` give `verb` on `model`; None where nothing limits them.

    One role that gives the right without a limit opens all; several limited ones open what any of them opens.
    """
    if user.is_superuser or not _limited(user):
        return None
    if user.known_limits is None:
        user.known_limits = {}
    asked = (verb, model._meta.label)
    if asked not in user.known_limits:
        user.known_limits[asked] = _limit(user, verb, model)
    return user.known_limits[asked]


def _limited(user: User) -> bool:
    """Whether any role is limited: known with the session already, asked once for everybody else."""
    if user.is_limited is None:
        user.is_limited = Membership.objects.live().filter(person=user.pk, territory__isnull=False).exists()
    return user.is_limited


def _limit(user: User, verb: str, model: type[models.Model]) -> access.Limit | None:
    codes = {access.permission(verb, model).partition(".")[2]}
    if verb == "view":
        codes.add(access.permission("change", model).partition(".")[2])
    giving = Group.objects.filter(
        permissions__codename__in=codes, permissions__content_type__app_label=model._meta.app_label, user=user.pk
    )
    direct = user.user_permissions.filter(codename__in=codes, content_type__app_label=model._meta.app_label)
    names = set(giving.values_list("name", flat=True))
    if names - set(Role.values) or direct.exists():  # given past the roles: nothing limits that
        return None
    held = list(Membership.objects.live().filter(person=user.pk, role__in=names).values_list("territory", flat=True))
    if not held or None in held:
        return None
    return limit_to(places(), held)


def refuse_limit(by: User, membership: Membership) -> str | None:
    """Return why `by` cannot say now where this role holds, None when it works."""
    if not is_administrator(by):
        return ONLY_ADMINISTRATORS
    if by.pk == membership.person_id:
        return "Nobody changes their own roles; ask another administrator."
    if membership.is_archived:
        return "This role has been revoked; grant it anew."
    return refuse_territory(Role(membership.role))


def refuse_territory(role: Role) -> str | None:
    """Return why `role` is never limited to a territory, None when it may be."""
    if role in PRIVILEGED_ROLES:
        return f"{role.label} is a role for the whole of mops; it is not limited to a territory."
    return None


def check_territory(role: Role, territory: Territory | None) -> None:
    """Refuse a limit that a role cannot have.

    Raises:
        InvalidInput: the role is for the whole of mops, or the territory is archived.
    """
    if territory is None:
        return
    refused = refuse_territory(role)
    if refused is None and territory.is_archived:
        refused = f"{territory} is archived; restore it first."
    if refused:
        raise InvalidInput(refused, fields={"territory": refused})


def limit_role(membership: Membership, *, territory: Territory | None, by: User, reason: str) -> str:
    """Let a role hold in one territory and what is part of it, or everywhere again.

    Raises:
        NotAllowed: `by` is no administrator, or it is their own role.
        WrongState: the role is revoked, for the whole of mops, or limited like this already.
        InvalidInput: the territory is archived.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        membership = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
        if refused := refuse_limit(by, membership):
            own = not is_administrator(by) or by.pk == membership.person_id
            raise (NotAllowed if own else WrongState)(refused)
        check_territory(Role(membership.role), territory)
        if membership.territory_id == (territory.pk if territory else None):
            raise WrongState(f"{membership} {_holds(membership)} already.")
        membership.territory = territory
        membership.save(update_fields=["territory"])
        events.publish("role.limited", person_id=membership.person_id, team_id=membership.team_id, role=membership.role)
    return f"{membership} {_holds(membership)} from the next request on."


def _holds(membership: Membership) -> str:
    return f"holds in {membership.territory} only" if membership.territory else "holds everywhere"


def limited_now(territory: Territory) -> "models.QuerySet[Membership]":
    """Return the roles that are limited to this territory."""
    return Membership.objects.live().filter(territory=territory).select_related("person", "team")


def refuse_archive_territory(by: User, territory: Territory) -> str | None:
    """Return why `by` cannot put this territory away now, None when it works."""
    if refused := refuse_archive(by, territory):
        return refused
    if number := limited_now(territory).count():
        roles = "One role is" if number == 1 else f"{number} roles are"
        return f"{roles} limited to {territory}; limit them to another one, or revoke them, first."
    below = Territory._default_manager.filter(parent=territory, archived_at=None).first()
    return f"{below} is part of {territory}; put it elsewhere first." if below else None


def archive_territory(territory: Territory, *, by: User) -> str:
    """Put a territory away to which no role is limited.

    Raises:
        WrongState: a role is limited to it, another one is part of it, or it is archived already.
        NotAllowed: `by` may not change territories.
    """
    with transaction.atomic():
        territory = Territory._default_manager.select_for_update(of=("self",)).get(pk=territory.pk)
        if access.may(by, "change", territory) and (refused := refuse_archive_territory(by, territory)):
            raise WrongState(refused)
        return archive(territory, by=by)


@dataclass(frozen=True)
class Carried:
    """How many records of one kind are in a territory, or carry a name that no territory has."""

    kind: str
    number: int
    name: str = ""


def records_in(territory: Territory, seen_by: User) -> list[Carried]:
    """Return how many records of each kind the whole tree of a territory holds, of those `seen_by` sees."""
    limit = limit_to(places(), [territory.pk])
    return [
        Carried(str(model._meta.verbose_name_plural), access.visible(seen_by, model).filter(within).count())
        for model in access.territorial_kinds()
        if (within := access.within(model, limit))
    ]


def unknown_names(seen_by: User) -> list[Carried]:
    """Return the names that records carry and no territory has: nobody whose role is limited sees these records."""
    known = frozenset().union(*(each.names for each in places()))
    found = []
    for model, field in access.territorial_kinds().items():
        rows = access.visible(seen_by, model).order_by().values_list(field).annotate(number=models.Count("pk"))
        kind = str(model._meta.verbose_name_plural)
        found += [Carried(kind, number, name) for name, number in rows if name and spelled(name) not in known]
    return sorted(found, key=lambda each: (-each.number, each.kind, each.name))


def place_then(row: dict[str, Any]) -> Place:
    """Return a territory as the ledger tells it for a moment in the past."""
    names = Territory(name=row["name"], also_called=row.get("also_called") or "").names
    return Place(int(row["id"]), row["name"], names, row.get("parent_id"))
