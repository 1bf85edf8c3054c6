"""Who sees what joins tickets to records and to each other: whoever sees both ends."""

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models

from apps.core import access
from apps.tickets.models import Ticket
from apps.tickets.subjects import SUBJECTS

if TYPE_CHECKING:
    from apps.accounts.models import User


def named_by_tickets(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Leave out what tickets are about and `user` may not see."""
    shown = models.Q(pk__in=[])
    for subject in SUBJECTS.values():
        seen = access.visible(user, subject.model).order_by().values("pk")
        shown |= models.Q(content_type=ContentType.objects.get_for_model(subject.model), object_id__in=seen)
    return rows.filter(shown)


def between_tickets(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Leave out links to tickets that `user`, limited to a territory, does not see."""
    if not access.is_narrowed(user, Ticket):
        return rows
    seen = access.visible(user, Ticket).order_by().values("pk")
    return rows.filter(ticket__in=seen, other__in=seen)
