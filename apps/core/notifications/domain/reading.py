"""Reading: what a person has been told and not yet read, and marking it as read."""

from typing import Any

from apps.core import access, clock
from apps.core.errors import NotAllowed
from apps.core.notifications.models import Notification, NotificationQuerySet


def unread_of(person: Any) -> NotificationQuerySet:
    """Return what waits to be read; nothing for people who cannot mark it as read."""
    if not access.has_model_permission(person, "change", Notification):
        return Notification.objects.none()
    return Notification.objects.of(person).unread()


def unread_count(person: Any) -> int:
    """Return the number for the badge: one query on a partial index."""
    return unread_of(person).count()


def refuse_mark(user: Any, notification: Notification) -> str | None:
    """Return why `user` cannot mark the notification, None when it works."""
    if notification.recipient_id != user.pk:
        return "Only the person who was told can mark it as read."
    return refuse_mark_all(user)


def refuse_mark_all(user: Any) -> str | None:
    """Return why `user` cannot mark notifications at all, None when it works."""
    if not access.has_model_permission(user, "change", Notification):
        return "Your role reads everything and changes nothing, read marks included."
    return None


def mark_read(notification: Notification, *, by: Any) -> str:
    """Mark one notification as read; a second time changes nothing.

    Raises:
        NotAllowed: it was told to somebody else, or the role changes nothing.
    """
    if refused := refuse_mark(by, notification):
        raise NotAllowed(refused)
    _set_read(Notification.objects.filter(pk=notification.pk))
    return "Marked as read."


def mark_unread(notification: Notification, *, by: Any) -> str:
    """Put one notification back among the unread.

    Raises:
        NotAllowed: it was told to somebody else, or the role changes nothing.
    """
    if refused := refuse_mark(by, notification):
        raise NotAllowed(refused)
    Notification.objects.filter(pk=notification.pk).update(read_at=None)
    return "Marked as unread."


def mark_all_read(person: Any, *, by: Any) -> str:
    """Mark everything that `person` was told as read.

    Raises:
        NotAllowed: it is somebody else's, or the role changes nothing.
    """
    if by.pk != person.pk:
        raise NotAllowed("Only the person who was told can mark it as read.")
    if refused := refuse_mark_all(by):
        raise NotAllowed(refused)
    number = _set_read(Notification.objects.of(person))
    return "Nothing was unread." if not number else f"{number} marked as read."


def _set_read(rows: NotificationQuerySet) -> int:
    return rows.unread().update(read_at=clock.now(), in_digest=False)
