"""Who sees which grants."""

from typing import Any

from django.db import models
from django.db.models import Q

from apps.accounts.models import Membership, User
from apps.core import access, clock
from apps.rights.domain.granting import owns, refuse_share
from apps.rights.models import AccessGrant, AccessReview


def grants_of(person: User) -> "models.QuerySet[Any]":
    """Return the grants in force that `person` has, directly, by a team or by a role."""
    held = Membership.objects.live().filter(person=person)
    mine = Q(person=person) | Q(team__in=held.values("team")) | Q(role__in=held.values("role"))
    return AccessGrant.objects.in_force(clock.now()).filter(mine)


def grants_on(thing: Any, *, seen_by: User) -> "models.QuerySet[Any]":
    """Return the grants in force on a record: all to those who share it or read grants, else one's own."""
    rows = AccessGrant.objects.in_force(clock.now()).about(thing).select_related("person", "team", "granted_by")
    everything = (
        access.has_model_permission(seen_by, "view", AccessGrant)
        or owns(seen_by, thing)
        or refuse_share(seen_by, thing) is None
    )
    return rows if everything else rows.filter(pk__in=grants_of(seen_by).values("pk"))


def lines_seen_by(person: User, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Return the lines of reviews: all to those who read reviews, to others the ones they decide about."""
    if access.has_model_permission(person, "view", AccessReview):
        return rows
    mine = Q(reviewer=person) | Q(review__reviewer=person) | Q(review__second_reviewer=person)
    return rows.filter(mine, ~Q(person=person) | Q(person__isnull=True))
