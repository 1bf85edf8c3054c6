"""Who stands behind a person, a team or a role: the people to tell."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import models


def people_of(owner: Any) -> "models.QuerySet[Any]":
    """Return the active people behind `owner`.

    Args:
        owner: a person, a team, or the name of a role ("administrator").
    """
    people = get_user_model()._default_manager.filter(is_active=True, is_system=False)
    if isinstance(owner, get_user_model()):
        return people.filter(pk=owner.pk)
    if isinstance(owner, str):
        return people.filter(groups__name=owner).distinct()
    return people.filter(memberships__team=owner.pk, memberships__archived_at__isnull=True).distinct()
