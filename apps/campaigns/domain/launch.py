"""The launch: every condition is checked at the moment it happens, and the page lists those not met."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.campaigns.domain.approval import is_approved_as_it_is, missing_for_approval
from apps.campaigns.domain.audiences import audience_finding, has_frozen, size_finding
from apps.campaigns.domain.blackouts import blackout_finding
from apps.campaigns.domain.budget import budget_finding
from apps.campaigns.domain.checklist import checklist_finding
from apps.campaigns.domain.moves import locked, move, raise_refusal, refuse_move
from apps.campaigns.domain.performance import threshold_finding
from apps.campaigns.domain.utm_plan import utm_finding
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign, LaunchAttempt
from apps.content.domain.linking import read_once, shown_by
from apps.content.domain.linking import unmet as unmet_content
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.conformity import unmet_rules
from apps.core.gates import Checked, Condition, Finding, check_gate, register_condition
from apps.processes.domain.triggers import start_for

if TYPE_CHECKING:
    from apps.accounts.models import User

LAUNCHED = "campaigns.launched"
GATE = "campaigns.launch"
# what its conditions read of a campaign
READ = ("checklist", "audiences", "utm_links", "thresholds", "budget_entries")


def plan_complete(campaign: Campaign, today: dt.date) -> Finding:
    """Say whether the plan has everything a decision needs."""
    missing = missing_for_approval(campaign)
    return Finding(not missing, f"still missing: {', '.join(missing)}" if missing else "nothing is missing")


def approved_as_it_is(campaign: Campaign, today: dt.date) -> Finding:
    """Say whether the newest approval covers what the plan says now, by its digest."""
    approved = is_approved_as_it_is(campaign)
    return Finding(approved, "the approval covers it as it stands" if approved else "send it for approval")


def first_day(campaign: Campaign, today: dt.date) -> Finding:
    """Say whether the first day has come."""
    start = f"{campaign.starts_on:%-d %B %Y}" if campaign.starts_on else "not set"
    return Finding(campaign.starts_on is not None and campaign.starts_on <= today, f"the start is {start}")


def rules_met(campaign: Campaign, today: dt.date) -> Finding:
    """Say which compliance rules the campaign breaks without a waiver."""
    broken = unmet_rules(campaign)
    told = f"{' '.join(broken)} Mend it, or ask for a waiver of the rule"
    return Finding(not broken, told if broken else "none is broken")


def last_day(campaign: Campaign, today: dt.date) -> Finding:
    """Say whether there is time left."""
    is_over = campaign.ends_on is not None and campaign.ends_on < today
    return Finding(not is_over, "its last day has passed; plan new dates" if is_over else "there is time left")


def content_usable(campaign: Campaign, today: dt.date) -> Finding | None:
    """Say which content it shows may not be seen; None where it shows none that mops knows."""
    if not shown_by(campaign):
        return None
    broken = unmet_content(campaign, today)
    return Finding(not broken, " ".join(broken).rstrip(".") if broken else "all of it is")


def launch_conditions(campaign: Campaign, today: dt.date) -> list[Checked]:
    """Return everything that must hold before `campaign` goes live on `today`, from whoever registered it."""
    with read_once(campaign):
        return check_gate(GATE, campaign, today)


def refuse_going_live(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot even try to launch `campaign`; what the gate says is not asked, it takes long."""
    if refused := refuse_move(user, campaign, CampaignState.LIVE):
        return refused
    return f"{campaign} is paused; resume it." if campaign.state == CampaignState.PAUSED else None


def refuse_launch(user: "User", campaign: Campaign, *, today: dt.date | None = None) -> str | None:
    """Return why `user` cannot launch `campaign` now, None when it works."""
    if refused := refuse_going_live(user, campaign):
        return refused
    return unmet_sentence(launch_conditions(campaign, today or clock.today()))


def unmet_sentence(conditions: list[Checked]) -> str | None:
    """Return what is not met, in one sentence each; None when everything is."""
    unmet = [each for each in conditions if not each.is_met]
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
        raise_refusal(by, row, refuse_going_live(by, row))
        conditions = launch_conditions(row, moment.date())
        raise_refusal(by, row, unmet_sentence(conditions))
        started = go_live(row, conditions, by=by, at=moment, by_clock=False)
    return " ".join((f"{row} is live.", *started))


def go_live(row: Campaign, conditions: list[Checked], *, by: "User", at: dt.datetime, by_clock: bool) -> list[str]:
    """Take a locked campaign live whose conditions are met, and write the attempt down; returns what was started."""
    write_attempt(row, conditions, by=by, at=at, by_clock=by_clock, succeeded=True)
    move(row, CampaignState.LIVE, at=at, launched_at=row.launched_at or at)
    return start_for(LAUNCHED, row, by=by, at=at)


def write_attempt(
    row: Campaign, conditions: list[Checked], *, by: "User", at: dt.datetime, by_clock: bool, succeeded: bool
) -> LaunchAttempt:
    """Write down an attempt to launch, with what every condition said."""
    said = [{"key": each.key, "title": each.title, "met": each.is_met, "says": each.says} for each in conditions]
    attempt: LaunchAttempt = LaunchAttempt.objects.create(
        campaign=row, at=at, by_label=by.get_username(), by_clock=by_clock, succeeded=succeeded, conditions=said
    )
    return attempt


def register_conditions() -> None:
    """Register the conditions campaigns know of themselves; other apps add theirs to `GATE`."""
    plan, approval = "The plan is complete", "The plan is approved as it is now"
    register_condition(GATE, Condition("plan", plan, plan_complete, place=10))
    register_condition(GATE, Condition("approval", approval, approved_as_it_is, who="its approvers", place=20))
    register_condition(
        GATE,
        Condition(
            "checklist",
            "The launch checklist is done",
            checklist_finding,
            who="whoever checks each line",
            place=30,
        ),
    )
    register_condition(GATE, Condition("audience", "The audience is frozen", audience_finding, place=40))
    as_large = "The audience is still as large as it was frozen"
    register_condition(
        GATE, Condition("audience_size", as_large, size_finding, place=41, heavy=True, applies=has_frozen)
    )
    register_condition(
        GATE, Condition("budget", "What is planned and ordered fits the budget", budget_finding, place=50)
    )
    content = "Every content it shows is approved and unexpired"
    register_condition(GATE, Condition("content", content, content_usable, who="who approves content", place=45))
    register_condition(GATE, Condition("utm", "Its links are planned, with valid UTM tags", utm_finding, place=47))
    register_condition(GATE, Condition("monitoring", "Monitoring thresholds are agreed", threshold_finding, place=60))
    register_condition(GATE, Condition("rules", "Compliance rules are met", rules_met, place=70, heavy=True))
    register_condition(GATE, Condition("first_day", "The first day has come", first_day, place=90))
    free = "The day is not kept free of launches"
    register_condition(GATE, Condition("blackout", free, blackout_finding, who="whoever keeps the blackouts", place=92))
    register_condition(GATE, Condition("last_day", "The last day is not over", last_day, place=91))
