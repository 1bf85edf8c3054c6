"""Looking at the gate ahead of a launch: a job or a button finds what is heavy, and pages show what was found."""

import datetime as dt
from typing import TYPE_CHECKING

from apps.campaigns.domain.launch import GATE, READ, launch_conditions
from apps.campaigns.domain.moves import refuse_work
from apps.campaigns.enums import NOT_YET_LIVE
from apps.campaigns.models import Campaign, LaunchLook
from apps.content.domain.linking import read_once
from apps.core import access, clock
from apps.core.errors import NotAllowed, WrongState
from apps.core.gates import Checked, Finding, check_gate
from apps.core.parts import load_parts

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_AT_ONCE = 500
LOOK_AGAIN = dt.timedelta(minutes=50)


def last_look(campaign: Campaign) -> LaunchLook | None:
    """Return the last look at the heavy conditions, None before the first."""
    return getattr(campaign, "look", None)


def known_conditions(campaign: Campaign, today: dt.date) -> list[Checked]:
    """Return the conditions of a launch for a page: light ones as they are, heavy ones as they were found last."""
    look = last_look(campaign)
    found = {key: Finding(*said) for key, said in look.found.items()} if look is not None else {}
    load_parts(campaign, READ)
    with read_once(campaign):
        return check_gate(GATE, campaign, today, found=found)


def look_at(campaign: Campaign, *, at: dt.datetime | None = None) -> list[Checked]:
    """Look at every condition now, and keep what the heavy ones say; returns all of them."""
    moment = at or clock.now()
    conditions = launch_conditions(campaign, moment.date())
    found = {each.key: (each.is_met, each.says) for each in conditions if each.is_heavy}
    LaunchLook.objects.update_or_create(campaign=campaign, defaults={"at": moment, "found": found})
    return conditions


def refuse_look(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot have the gate of `campaign` looked at now, None when they can."""
    if refused := refuse_work(user, campaign):
        return refused
    return None if campaign.state in NOT_YET_LIVE else f"{campaign} has been live; nothing is checked any more."


def look_now(campaign: Campaign, *, by: "User") -> str:
    """Look at every condition of the launch now: what the button on the page calls.

    Raises:
        NotAllowed, WrongState: as `refuse_look` says.
    """
    if refused := refuse_look(by, campaign):
        raise (WrongState if access.may(by, "change", campaign) else NotAllowed)(refused)
    conditions = look_at(campaign)
    unmet = sum(not each.is_met for each in conditions)
    return f"{unmet} of {len(conditions)} conditions are open." if unmet else "Every condition of the launch is met."


def due_looks(now: dt.datetime) -> list[int]:
    """Return the campaigns to look at: not over, not yet live, longest not looked at first."""
    rows = Campaign.objects.live().filter(state__in=NOT_YET_LIVE, ends_on__gte=now.date())
    old = rows.filter(look__at__lt=now - LOOK_AGAIN) | rows.filter(look=None)
    return list(old.order_by("look__at", "starts_on", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE])


def look_by_key(campaign_id: int, *, at: dt.datetime) -> bool:
    """Look at the gate of one campaign; False where it has been live meanwhile."""
    campaign = Campaign.objects.filter(pk=campaign_id, state__in=NOT_YET_LIVE).first()
    if campaign is None:
        return False
    look_at(campaign, at=at)
    return True
