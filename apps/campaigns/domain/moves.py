"""How a campaign moves from state to state: one way for all of them."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import models

from apps.campaigns.enums import MOVES, CampaignState
from apps.campaigns.models import Campaign
from apps.core import access, clock
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_work(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot change anything about `campaign`, None when they can."""
    if not access.may(user, "change", campaign):
        return f"You may not change {campaign}."
    return f"{campaign} is archived; restore it first." if campaign.is_archived else None


def refuse_move(user: "User", campaign: Campaign, to: CampaignState) -> str | None:
    """Return why `user` cannot bring `campaign` to `to` from where it is, None when the way is open."""
    if refused := refuse_work(user, campaign):
        return refused
    if to not in MOVES[CampaignState(campaign.state)]:
        return f"{campaign} is {CampaignState(campaign.state).label.lower()}; it cannot become {to.label.lower()} now."
    return None


def locked(campaign: Campaign) -> Campaign:
    """Return the campaign's row, locked until the transaction ends."""
    row: Campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    return row


def raise_refusal(user: "User", row: models.Model, sentence: str | None) -> None:
    """Raise `sentence`, if there is one, as the kind of refusal it is."""
    if sentence is None:
        return
    kind: type[DomainError] = WrongState if access.may(user, "change", row) else NotAllowed
    raise kind(sentence)


def move(campaign: Campaign, to: CampaignState, *, at: dt.datetime | None = None, **changed: Any) -> None:
    """Write the new state and what belongs to it; announces `campaign.<state>`. The row must be locked.

    Args:
        campaign: its row, locked.
        to: the state it comes into.
        at: since when; now when not given.
        changed: further columns to write with it.
    """
    changed = {"state": to, "state_since": at or clock.now(), **changed}
    if to != CampaignState.SCHEDULED and campaign.launch_at is not None:
        changed["launch_at"] = None
    for name, value in changed.items():
        setattr(campaign, name, value)
    with transition(Campaign):
        campaign.save(update_fields=[*changed])
    publish(f"campaign.{to.value}", campaign_id=campaign.pk)
