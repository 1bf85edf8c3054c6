"""Owner duties: given to every tool in use, reminded of, done with evidence, late ones at home on the owner's page."""

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from apps.accounts.domain.ownership import owned_by
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.notifications.domain.notifying import notify
from apps.core.overdue import LateRows
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.technology.domain.notice import months_before
from apps.technology.enums import DUTY_MONTHS, IN_USE, Duty, Lifecycle
from apps.technology.models import DutyDone, OwnerDuty, Tool

if TYPE_CHECKING:
    from apps.accounts.models import User

DUTY_KIND = "technology.duty"
REMIND_DAYS = (14, 3, 0)
WORDS: dict[str, str] = {
    Duty.HEALTH: "Errors, integrations, limits, open tickets at the vendor: what you looked at and found.",
    Duty.TRAINING: "Who was trained in what, when, and where the material is.",
    Duty.VENDOR: "What was talked about with the vendor: roadmap, support, price, risks.",
    Duty.BACKUP: "What was backed up, and what was restored from it as a trial.",
    Duty.PERMISSIONS: "Whose access was looked at, and what was taken away.",
}
_GIVE = """
    INSERT INTO technology_ownerduty (uuid, created_at, updated_at, row_version, tool_id, kind, every_months, due_on)
    SELECT gen_random_uuid(), now(), now(), 1, t.id, duty.kind, duty.months, %(due)s
    FROM technology_tool t, unnest(%(kinds)s::text[], %(months)s::int[]) duty(kind, months)
    WHERE t.archived_at IS NULL AND t.lifecycle IN ('active', 'sunsetting') AND NOT EXISTS (
        SELECT 1 FROM technology_ownerduty d WHERE d.tool_id = t.id AND d.kind = duty.kind)
"""


def give_duties(today: dt.date, *, by: "User") -> int:
    """Give every tool in use the duties it never had, due in a month; safe to run twice.

    Returns:
        How many were given.
    """
    asked: dict[str, Any] = {
        "due": today + dt.timedelta(days=30),
        "kinds": list(DUTY_MONTHS),
        "months": list(DUTY_MONTHS.values()),
    }
    with transaction.atomic(), acting_as(by), connection.cursor() as cursor:
        cursor.execute(_GIVE, asked)
        return int(cursor.rowcount)


def answers_for(duty: OwnerDuty, person: "User") -> bool:
    """Whether `person` is who does this duty: named for it, else whoever answers for its tool."""
    if duty.person_id is not None:
        return bool(duty.person_id == person.pk)
    if duty.tool.technical_owner_id == person.pk:
        return True
    return bool(Tool.objects.filter(owned_by(person), pk=duty.tool_id).exists())


def refuse_done(user: "User", duty: OwnerDuty) -> str | None:
    """Return why `user` cannot do this duty now, None when it works."""
    if not access.can(user, "view", duty):
        return "You may not see this duty."
    if not access.can(user, "change", duty) and not answers_for(duty, user):
        return "Only who answers for the tool, or who may change duties, does one."
    if duty.is_archived:
        return f"{duty} is archived; restore it first."
    if duty.tool.lifecycle == Lifecycle.RETIRED:
        return f"{duty.tool} is retired; there is nothing to do for it any more."
    return None


def do_duty(duty: OwnerDuty, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Record that a duty was done, with evidence; the next is due as many months later as the duty says.

    Raises:
        NotAllowed, WrongState: as `refuse_done` says.
        InvalidInput: without evidence.
    """
    evidence = reason_given(reason, "Say what shows it: a duty is done with evidence.")
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=evidence):
        rows = OwnerDuty.objects.select_for_update(of=("self",)).select_related("tool")
        row: OwnerDuty = rows.get(pk=duty.pk)
        if refused := refuse_done(by, row):
            allowed = access.may(by, "change", row) or answers_for(row, by)
            kind: type[DomainError] = WrongState if allowed else NotAllowed
            raise kind(refused)
        DutyDone.objects.create(duty=row, by=by, at=moment, was_due_on=row.due_on, evidence=evidence)
        row.last_done_on = moment.date()
        row.due_on = months_before(moment.date(), -row.every_months)
        with transition(OwnerDuty):
            row.save(update_fields=["last_done_on", "due_on"])
        publish("duty.done", duty_id=row.pk)
    return f"{row} is done; next by {row.due_on:%-d %B %Y}."


def _standing() -> "QuerySet[Any]":
    return OwnerDuty.objects.filter(
        archived_at__isnull=True, tool__archived_at__isnull=True, tool__lifecycle__in=IN_USE
    )


def remind_duties(today: dt.date) -> dict[str, int]:
    """Tell who answers for a tool what is due in 14 and in 3 days and today; safe to run twice a day."""
    days = [today + dt.timedelta(days=ahead) for ahead in REMIND_DAYS]
    rows = _standing().filter(due_on__in=days).select_related("tool__owner_person", "tool__technical_owner", "person")
    told: dict[Any, list[OwnerDuty]] = defaultdict(list)
    for duty in rows.order_by("due_on", "pk"):
        told[duty.person or duty.tool.technical_owner or duty.tool.owner_person].append(duty)
    number = 0
    for person, duties in told.items():
        if person is None:
            continue
        for duty in duties:
            title = f"{duty} is due on {duty.due_on:%-d %B %Y}."
            key = f"{duty.pk}:{duty.due_on}:{(duty.due_on - today).days}"
            number += notify([person], DUTY_KIND, title=title, subject=duty, dedupe=key)
    return {"reminded": number}


def overdue_duties(person: "User", today: dt.date) -> LateRows:
    """Return the duties of `person` that are late."""
    tools = Tool.objects.filter(owned_by(person) | Q(technical_owner=person))
    mine = Q(person=person) | Q(person__isnull=True, tool__in=tools)
    rows = access.visible(person, OwnerDuty) & _standing().filter(mine, due_on__lt=today)
    rows = rows.select_related("tool").order_by("due_on")
    return LateRows(rows, "do it, and say what shows it")
