"""Who sees which requests: those about kinds of things that the person may see."""

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models

from apps.approvals.registry import registered
from apps.core.access import has_model_permission

if TYPE_CHECKING:
    from apps.accounts.models import User


def visible_requests(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Leave out the requests about kinds that `user` may not see: the page shows their content."""
    shown = [model for model in registered() if has_model_permission(user, "view", model)]
    kinds = ContentType.objects.get_for_models(*shown).values()
    return rows.filter(content_type__in=[kind.pk for kind in kinds])
