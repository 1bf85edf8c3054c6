"""Approval of a campaign's plan: complete before it is sent, fixed while it is decided, void when it is changed."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.content import live_digest
from apps.approvals.domain.decisions import request_approval
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain.moves import locked, move, raise_refusal, refuse_move
from apps.campaigns.domain.working import begin_work
from apps.campaigns.enums import VOIDABLE, CampaignState, Channel
from apps.campaigns.models import Campaign
from apps.core.actors import acting_as
from apps.core.errors import WrongState
from apps.core.money import money
from apps.core.rules.predicates import Choice, Field, Number

if TYPE_CHECKING:
    from django.db import models

    from apps.accounts.models import User


def missing_for_approval(campaign: Campaign) -> list[str]:
    """Return what a plan still lacks before anybody can decide about it, in the words of its form."""
    needed = {
        "objective": campaign.objective.strip(),
        "audience": campaign.audience.strip(),
        "start": campaign.starts_on,
        "end": campaign.ends_on,
        "budget": campaign.budget is not None,
        "success metrics": campaign.success_metrics.strip(),
        "owner": campaign.owner,
    }
    return [name for name, given in needed.items() if not given]


def refuse_submission(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot send `campaign` for approval now, None when it works."""
    if refused := refuse_move(user, campaign, CampaignState.IN_APPROVAL):
        return refused
    missing = missing_for_approval(campaign)
    return f"The plan is not complete; still missing: {', '.join(missing)}." if missing else None


def only_lacks_content(user: "User", campaign: Campaign) -> bool:
    """Whether nothing but what is still missing in the plan keeps `user` from sending it."""
    return refuse_move(user, campaign, CampaignState.IN_APPROVAL) is None


def submit_campaign(campaign: Campaign, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send the plan for approval; it is fixed until that is decided or withdrawn.

    Raises:
        NotAllowed: `by` may not change it.
        WrongState: it is not in planning, incomplete, or nobody could decide.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(campaign)
        raise_refusal(by, row, refuse_submission(by, row))
        move(row, CampaignState.IN_APPROVAL, at=at)
        started = begin_work(row, by=by, at=at)
        request = request_approval(row, by=by, note=note, at=at)
    said = f"{row} is in approval; {request.required} approval{'s' if request.required > 1 else ''} must come in."
    return " ".join((said, *started))


def carry_out_approval(
    campaign: Campaign, request: ApprovalRequest, *, by: "User", at: dt.datetime | None = None
) -> None:
    """Make the campaign approved: the effect of its approval, in the transaction of the decision.

    Raises:
        WrongState: it is not in approval any more.
    """
    if campaign.state != CampaignState.IN_APPROVAL:
        raise WrongState(f"{campaign} is not in approval any more; nothing was approved.")
    move(campaign, CampaignState.APPROVED, at=at)


def return_to_planning(campaign: Campaign, request: ApprovalRequest, *, by: "User") -> None:
    """Bring a refused or withdrawn plan back to planning."""
    move(campaign, CampaignState.PLANNING)


def facts_to_decide_on(campaign: Campaign) -> dict[str, Any]:
    """Return what a decision table may look at besides the plan itself."""
    first, last = campaign.starts_on, campaign.ends_on
    days = (last - first).days + 1 if first is not None and last is not None else None
    return {"amount": campaign.budget, "channel": campaign.main_channel, "days": days}


def fact_fields() -> tuple[Field, ...]:
    """Return what `facts_to_decide_on` tells, as fields of conditions."""
    return (
        Field("amount", "Amount", Number(), help="The budget, in the currency of the campaign."),
        Field("channel", "Channel", Choice(Channel.choices), help="The main channel."),
        Field("days", "Length in days", Number(whole=True), help="From the first to the last day."),
    )


def cost_impact(campaign: Campaign) -> str:
    """Say what the campaign would cost."""
    return money(campaign.budget, campaign.currency) if campaign.budget is not None else ""


def requests_of(campaign: Campaign) -> "models.QuerySet[ApprovalRequest]":
    """Return the approval requests of a campaign, newest first."""
    kind = {"content_type__app_label": "campaigns", "content_type__model": "campaign"}
    return ApprovalRequest.objects.filter(object_id=campaign.pk, **kind).order_by("-pk")


def is_approved_as_it_is(campaign: Campaign) -> bool:
    """Whether the newest approval covers exactly what the plan says now."""
    if campaign.state not in VOIDABLE:
        return False
    approved = requests_of(campaign).filter(state=RequestState.APPROVED).values_list("digest", flat=True).first()
    return bool(approved == live_digest(campaign))
