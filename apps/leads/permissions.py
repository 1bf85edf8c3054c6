"""Who sees which leads, and with them what hangs on them: sales their own and their teams', others see all."""

from typing import TYPE_CHECKING, Any

from django.db import models

from apps.accounts.domain.ownership import owned_by
from apps.core import access
from apps.leads.models import Lead

if TYPE_CHECKING:
    from apps.accounts.models import User


def visible_leads(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Narrow `rows` to the leads of `user` and of their teams, unless a role oversees all, or those of a territory."""
    if not user.has_perm("leads.oversee_lead"):
        return rows.filter(owned_by_team_too(user))
    limit = access.limit_of(user, "oversee", Lead)
    return rows if limit is None else rows.filter(owned_by_team_too(user) | access.within(Lead, limit))


def owned_by_team_too(user: "User") -> models.Q:
    """Return the condition: the lead is the person's, or belongs to one of their teams, whoever holds it there."""
    teams = user.team_keys()
    return owned_by(user) | models.Q(owner_team__in=teams)


def by_both(*names: str) -> Any:
    """Return the scope of rows about two leads: who sees both of them, wherever each of the two is."""

    def narrowed(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        """Narrow rows to those whose leads `user` sees."""
        place = access.limit_of(user, "view", Lead)
        if place is None and user.has_perm("leads.oversee_lead") and access.limit_of(user, "oversee", Lead) is None:
            return rows
        seen = visible_leads(user, Lead._default_manager.all())
        seen = seen if place is None else seen.filter(access.within(Lead, place))
        return rows.filter(**{f"{name}__in": seen.values("pk") for name in names})

    return narrowed


def by_handoff(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Narrow handoffs to those of the leads that `user` sees, and to those that ask them or one of their teams."""
    if user.has_perm("leads.oversee_lead") and access.limit_of(user, "oversee", Lead) is None:
        return rows
    seen = visible_leads(user, Lead._default_manager.all()).values("pk")
    teams = user.team_keys()
    return rows.filter(models.Q(lead__in=seen) | models.Q(to_person=user) | models.Q(to_team__in=teams))


def by_lead(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Narrow rows about leads to those of the leads that `user` sees; what belongs to no lead is for who oversees."""
    if user.has_perm("leads.oversee_lead") and access.limit_of(user, "oversee", Lead) is None:
        return rows
    return rows.filter(lead__in=visible_leads(user, Lead._default_manager.all()).values("pk"))
