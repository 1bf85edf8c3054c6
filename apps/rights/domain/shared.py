"""Which records are shared with somebody now: what `apps.core.access` asks on every surface.

Read straight from guardian's tables with foreign keys of their own: guardian's `get_objects_for_user` gives the same
rows (a test holds it to that) but knows no expiry, and with a queryset as `klass` it takes seconds.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_permission_codename
from django.db import models
from django.db.models import Exists, Q

from apps.accounts.enums import Role
from apps.accounts.models import Membership, User
from apps.core import access, clock
from apps.rights.models import SHAREABLE

Shared = Callable[[User, str], "models.QuerySet[Any]"]
IMPLIED = {"view": ("view", "change"), "change": ("change",)}


def shared_keys(model: type[models.Model]) -> Shared:
    """Return the function that names the keys of the rows of `model` shared with a person for a verb."""
    to_people, to_groups = SHAREABLE[model]

    def shared(user: User, verb: str) -> "models.QuerySet[Any]":
        if verb not in IMPLIED:
            nothing: models.QuerySet[Any] = to_people.objects.none().values("content_object_id")
            return nothing
        codes = [get_permission_codename(each, model._meta) for each in IMPLIED[verb]]
        in_force = Q(grant__expires_at__isnull=True) | Q(grant__expires_at__gt=clock.now())
        if verb != "view":
            in_force = in_force & Q(~Exists(_audits(user)))
        narrowed = Q(permission__codename__in=codes) & Q(grant__revoked_at__isnull=True) & in_force
        own: models.QuerySet[Any] = to_people.objects.filter(narrowed, user=user).values("content_object_id")
        groups = to_groups.objects.filter(narrowed, group__in=user.groups.all()).values("content_object_id")
        return own.union(groups, all=True)

    return shared


def _audits(user: User) -> "models.QuerySet[Any]":
    """Who audits only looks, whatever a team they are in was granted."""
    found: models.QuerySet[Any] = Membership.objects.live().filter(person=user.pk, role=Role.AUDITOR)
    return found


def register_shareable() -> None:
    """Make the shared rows of every shareable kind visible; called once, when mops starts."""
    for model in SHAREABLE:
        access.register_sharing(model, shared_keys(model))
