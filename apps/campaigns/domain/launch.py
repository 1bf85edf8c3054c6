"""The launch: every condition is checked at the moment it happens, and the page lists those not met."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from apps.campaigns.domain.approval import is_approved_as_it_is, missing_for_approval
from apps.campaigns.domain.moves import locked, move, raise_refusal, refuse_move
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.conformity import unmet_rules
from apps.processes.domain.triggers import start_for

if TYPE_CHECKING:
    from apps.accounts.models import User

LAUNCHED = "campaigns.launched"


@dataclass(frozen=True)
class Condition:
    """One thing that must hold before a launch: whether it does, and what to do when it does not."""

    title: str
    is_met: bool
    way_out: str


def launch_conditions(campaign: Campaign, today: dt.date) -> list[Condition]:
    """Return everything that must hold before `campaign` goes live on `today`."""
    missing = missing_for_approval(campaign)
    has_begun = campaign.starts_on is not None and campaign.starts_on <= today
    is_over = campaign.ends_on is not None and campaign.ends_on < today
    start = f"{campaign.starts_on:%-d %B %Y}" if campaign.starts_on else "not set"
    broken = unmet_rules(campaign)
    return [
        Condition("The plan is complete", not missing, f"still missing: {', '.join(missing)}"),
        Condition("The plan is approved as it is now", is_approved_as_it_is(campaign), "send it for approval"),
        Condition("The first day has come", has_begun, f"the start is {start}"),
        Condition("The last day is not over", not is_over, "its last day has passed; plan new dates"),
        Condition(
            "Compliance rules are met", not broken, f"{' '.join(broken)} Mend it, or ask for a waiver of the rule"
        ),
    ]


def refuse_launch(user: "User", campaign: Campaign, *, today: dt.date | None = None) -> str | None:
    """Return why `user` cannot launch `campaign` now, None when it works."""
    if refused := refuse_move(user, campaign, CampaignState.LIVE):
        return refused
    unmet = [each for each in launch_conditions(campaign, today or clock.today()) if not each.is_met]
    if not unmet:
        return None
    return "It cannot go live yet. " + " ".join(f"{each.title}: no, {each.way_out}." for each in unmet)


def launch_campaign(campaign: Campaign, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Take an approved campaign live, and start the processes that a launch starts; announces `campaign.live`.

    Raises:
        NotAllowed: `by` may not change it.
        WrongState: a condition is not met; the sentence names each.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(campaign)
        raise_refusal(by, row, refuse_launch(by, row, today=moment.date()))
        move(row, CampaignState.LIVE, launched_at=moment)
        started = start_for(LAUNCHED, row, by=by, at=moment)
    return " ".join((f"{row} is live.", *started))
