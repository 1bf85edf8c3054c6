"""A lead is archived: what waited for it ends at once, not with the next step of a clock or the next comparison."""

from typing import TYPE_CHECKING

from django.db.models import F

from apps.leads.domain import answer_clocks
from apps.leads.domain.handoff import withdraw
from apps.leads.models import SegmentMember, SegmentState, WaitingLead

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.leads.models import Lead

WHY = "The lead was archived."


def leave(lead: "Lead", *, by: "User") -> None:
    """End the clocks and the offers of a lead that is archived; it leaves segments and the queues of pools."""
    answer_clocks.cancel(lead, by=by)
    withdraw(lead, by=by, answer=WHY)
    WaitingLead.objects.filter(pk=lead.pk).delete()
    held = SegmentMember.objects.filter(lead=lead)
    SegmentState.objects.filter(document__in=held.values("document")).update(members=F("members") - 1)
    held.delete()
