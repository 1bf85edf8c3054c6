"""The demo's approvals: a policy in stages, requests in several states, a stand-in, an emergency, one that is stuck."""

import datetime as dt
from decimal import Decimal
from typing import Any

from apps.accounts.domain.people import deactivate_person
from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.domain.decisions import approve, approve_with_conditions, reject
from apps.approvals.domain.delegations import delegate
from apps.approvals.domain.emergencies import approve_in_emergency
from apps.approvals.domain.policies import draft_version, submit_version
from apps.approvals.domain.watching import watch_stages
from apps.approvals.enums import Mode, Via
from apps.approvals.models import (
    ApprovalPolicy,
    ApprovalRequest,
    Decision,
    Opening,
    PolicyRule,
    PolicyStage,
    StageApprover,
)
from apps.campaigns.domain.approval import submit_campaign
from apps.campaigns.enums import Channel
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.actors import acting_as

TWO_WEEKS = dt.timedelta(days=14)


def fill_decisions(company: Any) -> None:
    """Give campaigns a policy in two stages, and send some through it."""
    _policy(company)
    _draft(company)
    for title, budget, days_ago in (
        ("Partner summit Lisbon", 48000, 9),
        ("Retargeting autumn", 6500, 4),
        ("Product launch film", 32000, 6),
        ("Newsletter relaunch", 2500, 3),
        ("Security notice to customers", 400, 2),
    ):
        _send(company, title, budget, days_ago)
    _send(company, "Trade fair Madrid", 9000, 12, channel=Channel.EVENT)
    _decide(company)
    _who_decides_leaves(company)
    _openings()
    people = company.people
    delegate(
        people["approver"],
        to_person=people["creative_lead"],
        subject_kind="processes.sopversion",
        starts_at=clock.now(),
        ends_at=clock.now() + TWO_WEEKS,
        reason="Parental leave",
        by=people["approver"],
    )


def _policy(company: Any) -> None:
    administrator, approver = company.people["administrator"], company.people["approver"]
    policy = ApprovalPolicy.objects.live().get(subject_kind="campaigns.campaign")
    version = draft_version(policy, by=administrator)
    with acting_as(administrator):
        PolicyStage.objects.filter(version=version).update(name="Plan", due_hours=16, escalate_role=Role.ADMINISTRATOR)
        PolicyStage.objects.create(version=version, number=2, name="Budget", due_hours=24, mode=Mode.ANY)
        StageApprover.objects.create(version=version, stage_number=2, via=Via.ROLE, role=Role.EXECUTIVE)
        PolicyStage.objects.create(version=version, number=3, name="Events", due_hours=24, mode=Mode.ANY)
        StageApprover.objects.create(
            version=version, stage_number=3, via=Via.PERSON, person=company.people["events_lead"]
        )
        PolicyRule.objects.filter(version=version).update(position=3, name="All other campaigns")
        large = {"all": [{"field": "budget", "op": "gte", "value": 20000}]}
        PolicyRule.objects.create(version=version, position=1, name="Large budgets", when=large, stage_numbers=[1, 2])
        event = {"all": [{"field": "channel", "op": "eq", "value": Channel.EVENT}]}
        PolicyRule.objects.create(version=version, position=2, name="Events", when=event, stage_numbers=[3])
        version.change_log = (
            "Budgets of 20,000 and more are decided by an executive too, smaller events by the head of events."
        )
        version.save()
    submit_version(version, by=administrator, note="As agreed in the budget round.")
    approve(_open(version), by=approver, note="That is what we agreed.")


def _draft(company: Any) -> None:
    administrator = company.people["administrator"]
    version = draft_version(ApprovalPolicy.objects.live().get(subject_kind="processes.sopversion"), by=administrator)
    with acting_as(administrator):
        version.change_log, version.expires_after_days = "Requests expire after a quarter.", 90
        version.save()


def _send(company: Any, title: str, budget: int, days_ago: int, *, channel: str = Channel.EMAIL) -> None:
    author: User = company.people["campaign_manager"]
    with acting_as(author):
        campaign = Campaign.objects.create(
            name=title,
            main_channel=channel,
            objective=f"{title}: more qualified interest from companies we know.",
            audience="Marketing managers in Europe; no customers.",
            success_metrics="120 registrations, 25 MQL.",
            budget=Decimal(budget),
            currency="EUR",
            starts_on=company.today + dt.timedelta(days=40),
            ends_on=company.today + dt.timedelta(days=70),
            owner_person=author,
            owner_team=company.teams["Demand Generation"],
        )
    submit_campaign(campaign, by=author, note="The dates are agreed.", at=company.at(days_ago))


def _decide(company: Any) -> None:
    people = company.people
    approver, executive = people["approver"], people["executive"]
    approve(_of("Partner summit Lisbon"), by=approver, note="Good plan.", at=company.at(8, 14))
    approve(_of("Product launch film"), by=approver, at=company.at(5, 11))
    reject(_of("Product launch film"), by=executive, reason="Not this quarter.", at=company.at(4, 16))
    conditions = ["Legal has read the new consent text."]
    approve_with_conditions(_of("Newsletter relaunch"), by=approver, conditions=conditions, at=company.at(2, 15))
    reason = "Customers must be told of the incident today, and no approver can be reached."
    approve_in_emergency(
        _of("Security notice to customers"), by=people["administrator"], reason=reason, at=company.at(1, 19)
    )


def _who_decides_leaves(company: Any) -> None:
    """Let the one person leave whom a request asks: an alert says so, and its page has the way out."""
    people = company.people
    deactivate_person(people["events_lead"], by=people["administrator"], reason="Left the company on Friday.")
    watch_stages()


def _openings() -> None:
    """Let approvers have opened what they decided some time before, as their pages would have noted it."""
    made = []
    for each in Decision.objects.select_related("stage").order_by("pk"):
        begun = each.stage.activated_at or each.at
        made.append(
            Opening(
                request_id=each.request_id,
                stage=each.stage,
                person_id=each.approver_id,
                at=begun + (each.at - begun) * 0.7,
            )
        )
    Opening.objects.bulk_create(made, ignore_conflicts=True)


def _of(title: str) -> ApprovalRequest:
    return _open(Campaign.objects.get(name=title))


def _open(thing: Any) -> ApprovalRequest:
    kind = {"content_type__app_label": thing._meta.app_label, "content_type__model": thing._meta.model_name}
    found: ApprovalRequest = ApprovalRequest.objects.open().get(object_id=thing.pk, **kind)
    return found
