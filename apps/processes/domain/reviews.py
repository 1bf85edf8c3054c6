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
from apps.processes.models import SOP

if TYPE_CHECKING:
    from apps.accounts.models import User


def next_review(last: dt.date, months: int) -> dt.date:
    """Return the day `months` months after `last`; the last day of the month where that day does not exist."""
    year, month = divmod(last.year * 12 + last.month - 1 + months, 12)
    return dt.date(year, month + 1, min(last.day, calendar.monthrange(year, month + 1)[1]))


def refuse_review(user: "User", sop: SOP) -> str | None:
    """Return why `user` cannot record a review of `sop` now, None when it works."""
    if not access.can(user, "change", sop):
        return f"You may not change {sop}."
    if sop.is_archived:
        return f"{sop} is archived; restore it first."
    if sop.effective_version_id is None:
        return f"{sop} has no version in force yet; there is nothing to review."
    return None


def confirm_unchanged(sop: SOP, *, by: "User", reason: str, today: dt.date | None = None) -> str:
    """Record that a review found nothing to change; the ledger keeps who said so and why.

    Raises:
        NotAllowed: `by` may not change the SOP.
        WrongState: nothing is in force.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row: SOP = SOP.objects.select_for_update(of=("self",)).get(pk=sop.pk)
        if refused := refuse_review(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        row.next_review_on = next_review(today or clock.today(), row.review_every)
        with transition(SOP):
            row.save(update_fields=["next_review_on"])
        publish("sop.reviewed", sop_id=row.pk)
    return f"{row} is reviewed; the next review is due on {row.next_review_on:%-d %B %Y}."
