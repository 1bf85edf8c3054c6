"""Telling people: one row per person in the product, one queued mail per person who wants one, in one transaction."""

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.utils import timezone

from apps.core import clock
from apps.core.actors import current_actor
from apps.core.errors import InvalidInput
from apps.core.notifications.domain.quiet import after_quiet_hours, zone_of
from apps.core.notifications.enums import Importance, MailChannel, Reach
from apps.core.notifications.kinds import Kind, kind_of
from apps.core.notifications.models import Delivery
from apps.core.notifications.queue import ask_to_deliver

TITLE_LENGTH = 200
_INSERT = """
    INSERT INTO notifications_notification
        (recipient_id, in_digest, kind, importance, title, body, url, subject_type_id, subject_id, subject_label,
         by_id, dedupe, created_at)
    SELECT person.id, person.in_digest, %s, %s, %s, %s, %s, %s::int, %s, %s, %s::bigint, %s, %s
    FROM unnest(%s::bigint[], %s::boolean[]) AS person(id, in_digest)
    ON CONFLICT (recipient_id, kind, dedupe) WHERE NOT (dedupe = '') DO NOTHING
    RETURNING id, recipient_id
"""


@dataclass(frozen=True)
class _Recipient:
    """One person to tell: how far, and from when on by mail."""

    pk: int
    reach: Reach
    mail_from: dt.datetime


def notify(
    people: Iterable[Any],
    kind: str,
    *,
    title: str,
    body: str = "",
    subject: models.Model | None = None,
    url: str = "",
    by: Any = None,
    dedupe: str = "",
) -> int:
    """Tell `people`, in the product and by mail as each of them prefers, within the caller's transaction.

    Deactivated people and system principals are left out; people named twice are told once.

    Args:
        people: persons; the one who acts is told too if among them.
        kind: key of a registered kind ("approval.requested").
        title: one sentence; line breaks become blanks, what is longer than 200 characters is cut.
        body: plain text, more of it.
        subject: the record it is about. Whoever may not see it (any more) gets no mail, no body and no link.
        url: a page of mops to open instead of the subject's own ("/admin/…").
        by: whose act it tells of; the current actor when not given.
        dedupe: at most one notification per person, kind and key, for ever: name the thing and the occasion.

    Returns:
        How many people were told now.

    Raises:
        LookupError: nobody registered the kind.
        InvalidInput: the link leads out of mops.
    """
    if url and (not url.startswith("/") or url.startswith(("//", "/\\"))):
        raise InvalidInput("A notification links to a page of mops: the address must start with a single slash.")
    known, now = kind_of(kind), clock.now()
    with transaction.atomic():
        recipients = _recipients(people, known, now)
        told = _write(recipients, known, now, title, body, subject, url, by or current_actor().user, dedupe)
        _queue_mail(recipients, told, now)
    return len(told)


def _recipients(people: Iterable[Any], kind: Kind, now: dt.datetime) -> list[_Recipient]:
    default = zoneinfo.ZoneInfo(timezone.get_default_timezone_name())
    rows = (
        get_user_model()
        ._default_manager.filter(pk__in={person.pk for person in people}, is_active=True, is_system=False)
        .annotate(
            chosen=models.FilteredRelation(
                "notification_preferences", condition=models.Q(notification_preferences__kind=kind.key)
            )
        )
        .order_by("pk")
        .values_list("pk", "time_zone", "chosen__reach", "mail_hours__quiet_from", "mail_hours__quiet_until")
    )
    found = []
    for pk, zone, chosen, quiet_from, quiet_until in rows:
        urgent = kind.importance == Importance.URGENT
        start = now if urgent else after_quiet_hours(now, zone_of(zone, default), quiet_from, quiet_until)
        found.append(_Recipient(pk, kind.reach(chosen), start))
    return [each for each in found if each.reach != Reach.OFF]


def _write(
    recipients: list[_Recipient],
    kind: Kind,
    now: dt.datetime,
    title: str,
    body: str,
    subject: models.Model | None,
    url: str,
    by: Any,
    dedupe: str,
) -> dict[int, int]:
    """Insert the rows; return the new notification of each person who had not been told yet."""
    if not recipients:
        return {}
    line = " ".join(title.split())
    line = line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1]}…"
    subject_type = ContentType.objects.get_for_model(subject).pk if subject is not None else None
    subject_id = str(subject.pk) if subject is not None else ""
    label = str(subject)[:TITLE_LENGTH] if subject is not None else ""
    values: list[Any] = [kind.key, kind.importance.value, line, body, url, subject_type, subject_id, label]
    values += [by.pk if by is not None else None, dedupe, now]
    values += [[each.pk for each in recipients], [each.reach == Reach.DIGEST for each in recipients]]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        return {person: pk for pk, person in cursor.fetchall()}


def _queue_mail(recipients: list[_Recipient], told: dict[int, int], now: dt.datetime) -> None:
    queued = [
        Delivery(
            person_id=each.pk,
            notification_id=told[each.pk],
            channel=MailChannel.MAIL,
            not_before=each.mail_from,
            created_at=now,
        )
        for each in recipients
        if each.reach == Reach.MAIL and each.pk in told
    ]
    if queued:
        Delivery.objects.bulk_create(queued, batch_size=1000)
        ask_to_deliver()
