"""Reviews of SOPs: when the next one is due, and recording that one found nothing to change."""

import calendar
import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.processes.models import Process

if TYPE_CHECKING:
    from apps.accounts.models import User


def next_review(last: dt.date, months: int) -> dt.date:
    """Return the day `months` months after `last`; the last day of the month where that day does not exist."""
    year, month = divmod(last.year * 12 + last.month - 1 + months, 12)
    return dt.date(year, month + 1, min(last.day, calendar.monthrange(year, month + 1)[1]))


def refuse_review(user: "User", process: Process) -> str | None:
    """Return why `user` cannot record a review of `process` now, None when it works."""
    if not access.may(user, "change", process):
        return f"You may not change {process}."
    if process.is_archived:
        return f"{process} is archived; restore it first."
    if process.effective_version_id is None:
        return f"{process} has no version in force yet; there is nothing to review."
    return None


def confirm_unchanged(process: Process, *, by: "User", reason: str, today: dt.date | None = None) -> str:
    """Record that a review found nothing to change; the ledger keeps who said so and why.

    Raises:
        NotAllowed: `by` may not change the SOP.
        WrongState: nothing is in force.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row: Process = Process.objects.select_for_update(of=("self",)).get(pk=process.pk)
        if refused := refuse_review(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        row.next_review_on = next_review(today or clock.today(), row.review_every)
        with transition(Process):
            row.save(update_fields=["next_review_on"])
        publish("sop.reviewed", process_id=row.pk)
    return f"{row} is reviewed; the next review is due on {row.next_review_on:%-d %B %Y}."
