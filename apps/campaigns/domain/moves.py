"""How a campaign moves from state to state: one way for all of them."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from apps.campaigns.enums import MOVES, CampaignState
from apps.campaigns.models import Campaign
from apps.core import access
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_move(user: "User", campaign: Campaign, to: CampaignState) -> str | None:
    """Return why `user` cannot bring `campaign` to `to` from where it is, None when the way is open."""
    if not access.may(user, "change", campaign):
        return f"You may not change {campaign}."
    if campaign.is_archived:
        return f"{campaign} is archived; restore it first."
    if to not in MOVES[CampaignState(campaign.state)]:
        return f"{campaign} is {CampaignState(campaign.state).label.lower()}; it cannot become {to.label.lower()} now."
    return None


def locked(campaign: Campaign) -> Campaign:
    """Return the campaign's row, locked until the transaction ends."""
    row: Campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    return row


def raise_refusal(user: "User", campaign: Campaign, sentence: str | None) -> None:
    """Raise `sentence`, if there is one, as the kind of refusal it is."""
    if sentence is None:
        return
    kind: type[DomainError] = WrongState if access.may(user, "change", campaign) else NotAllowed
    raise kind(sentence)


def move(campaign: Campaign, to: CampaignState, **changed: dt.datetime | str | Any) -> None:
    """Write the new state and what belongs to it; announces `campaign.<state>`. The row must be locked."""
    campaign.state = to
    for name, value in changed.items():
        setattr(campaign, name, value)
    with transition(Campaign):
        campaign.save(update_fields=["state", *changed])
    publish(f"campaign.{to.value}", campaign_id=campaign.pk)
