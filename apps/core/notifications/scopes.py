"""Who sees which notification, which mail and which line of the mail log."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q, QuerySet

from apps.core import access
from apps.core.notifications.models import Delivery, MailHours, Notification, Preference, StoredMail

if TYPE_CHECKING:
    from apps.accounts.models import User


def register() -> None:
    """Narrow the kinds of row of this app for everybody."""
    access.register_scope(Notification, lambda user, rows: rows.filter(recipient=user))
    access.register_scope(Preference, lambda user, rows: rows.filter(person=user))
    access.register_scope(MailHours, lambda user, rows: rows.filter(person=user))
    access.register_scope(Delivery, _deliveries)
    access.register_scope(StoredMail, _stored_mail)


def _deliveries(user: "User", rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows if user.has_perm("notifications.oversee_delivery") else rows.filter(person=user)


def _stored_mail(user: "User", rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """One's own mail; administrators everybody's, what opens an account only in a demo."""
    own = Q(recipients__contains=[user.email.lower()])
    if not user.has_perm("notifications.oversee_storedmail"):
        return rows.filter(own)
    return rows if settings.DEBUG else rows.filter(own | Q(is_sensitive=False))
