"""The gate as one table: each condition alone stops a launch, by hand and by the clock, and says who can meet it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction

from apps.accounts.enums import Role
from apps.campaigns.domain import budget, checklist, scheduling
from apps.campaigns.domain.launch import GATE, launch_campaign, launch_conditions
from apps.campaigns.models import Audience, Blackout, Campaign, LaunchAttempt, UtmLink
from apps.content.domain.linking import link_content
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import WrongState
from apps.core.gates import _gates
from apps.core.transitions import transition
from tests.factories.accounts import person_with
from tests.factories.campaigns import CampaignFactory, agree, approved, bring, freeze, link, settle_all
from tests.factories.content import approved_version, asset
from tests.factories.processes import ComplianceRuleFactory

pytestmark = pytest.mark.django_db
NOON, HOUR = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC), dt.timedelta(hours=1)


def nobody_answers(campaign, ops):
    with acting_as(ops):
        Campaign.objects.filter(pk=campaign.pk).update(owner_team=None, owner_person=None)


def a_line_is_open(campaign, ops):
    checklist.reopen(campaign.checklist.first(), by=ops, reason="New pictures.")


def a_line_is_missing(campaign, ops):
    with acting_as(ops):
        campaign.checklist.filter(kind="legal").update(archived_at=clock.now())


def not_frozen(campaign, ops):
    with acting_as(ops), transition(Audience):
        campaign.audiences.update(frozen_at=None, frozen_by=None, frozen_count=None, frozen_digest="")


def has_grown(campaign, ops):
    with acting_as(ops), transition(Audience):
        campaign.audiences.update(frozen_count=2)


def still_a_brief(campaign, ops):
    link_content(asset(by=ops), campaign, by=ops)


def expired(campaign, ops):
    version = approved_version(by=ops, expires_on=clock.today() + dt.timedelta(days=2))
    link_content(version.asset, campaign, by=ops)


def no_link(campaign, ops):
    with acting_as(ops):
        UtmLink.objects.filter(campaign=campaign).update(archived_at=clock.now())


def tags_not_planned(campaign, ops):
    body = '<html lang="en"><body><p><a href="https://www.example.com/?utm_source=x&utm_medium=y&utm_campaign=z">Go</a>'
    version = approved_version(by=ops, body=f'{body} <a href="{{{{ unsubscribe_link }}}}">Leave</a></p></body></html>')
    link_content(version.asset, campaign, by=ops)


def overspent(campaign, ops):
    given = {"channel": "email", "month": NOON.date(), "amount": Decimal(12001), "reference": "PO-1"}
    budget.enter(campaign, by=ops, kind="actual", **given)


def a_rule_is_broken(campaign, ops):
    ComplianceRuleFactory(title="Retention", check_key="campaigns.retention")


def kept_free(campaign, ops):
    with acting_as(ops):
        Blackout.objects.create(name="Fair", first_day=LATER.date(), last_day=LATER.date(), reason="All are away.")


LATER = clock.now() + dt.timedelta(days=9)
BEFORE, AFTER = dt.datetime(2025, 12, 31, 12, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, 12, tzinfo=dt.UTC)
# what alone is wrong, which condition says so, in which words, and who can meet it
TABLE = (
    (nobody_answers, "plan", "still missing: owner", "its owner", LATER),
    (a_line_is_open, "checklist", "still open: Creative review", "whoever checks each line", LATER),
    (a_line_is_missing, "checklist", "these lines are missing: Legal compliance", "whoever checks each line", LATER),
    (not_frozen, "audience", "“Everybody” is not frozen", "its owner", LATER),
    (has_grown, "audience_size", "frozen with 2 people and has 3 now, more than ±", "its owner", LATER),
    (still_a_brief, "content", "is brief, not approved", "who approves content", LATER),
    (expired, "content", "is valid until", "who approves content", LATER),
    (no_link, "utm", "no link is planned", "its owner", LATER),
    (tags_not_planned, "utm", "links with tags that are not planned: x / y / z", "its owner", LATER),
    (overspent, "budget", "1.00 EUR more is used up than was approved", "its owner", LATER),
    (a_rule_is_broken, "rules", "No settled line “Retention: …”", "its owner", LATER),
    (kept_free, "blackout", "Fair (until", "whoever keeps the blackouts", LATER),
    (lambda *_: None, "first_day", "the start is 1 January 2026", "its owner", BEFORE),
    (lambda *_: None, "last_day", "its last day has passed", "its owner", AFTER),
)


def unmet(campaign, day):
    fresh = Campaign.objects.get(pk=campaign.pk)
    return [(each.key, each.says, each.who) for each in launch_conditions(fresh, day) if not each.is_met]


def test_each_condition_alone_stops_the_launch_by_hand_and_by_the_clock():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops, name="Spring")
    assert unmet(campaign, LATER.date()) == []
    stopped = set()
    for break_it, key, says, who, moment in TABLE:
        before = transaction.savepoint()
        scheduling.schedule_launch(campaign, by=ops, launch_at=LATER - HOUR)
        break_it(campaign, ops)
        ((found, said, whose),) = unmet(campaign, moment.date())
        assert (found, says in said, whose) == (key, True, who), (found, said, whose)
        with pytest.raises(WrongState, match="It cannot go live yet"), transaction.atomic():
            launch_campaign(campaign, by=ops, at=moment)
        if moment > clock.now():  # a moment before the first day cannot be chosen
            assert scheduling.launch_due(campaign.pk, at=moment) == "held", key
            assert Campaign.objects.get(pk=campaign.pk).state == "approved"
        assert not LaunchAttempt.objects.filter(succeeded=True).exists()
        stopped.add(key)
        transaction.savepoint_rollback(before)
    assert stopped | {"approval", "monitoring"} == set(_gates[GATE])
    assert unmet(campaign, LATER.date()) == []


def test_without_an_approval_or_a_threshold_everything_else_launches_nothing():
    ops = person_with(Role.OPS)
    unwatched = approved(author=ops, watched=False)
    assert [each[:2] for each in unmet(unwatched, NOON.date())] == [
        ("monitoring", "no threshold is set; take it back to planning and say which figure must stay where")
    ]
    undecided = CampaignFactory()
    agree(undecided, by=ops)
    freeze(undecided, by=ops)
    link(undecided, by=ops)
    checklist.ensure_checklist(undecided)
    settle_all(undecided, by=ops)
    bring(undecided, "approved")  # by whoever writes into the database
    assert unmet(undecided, NOON.date()) == [("approval", "send it for approval", "its approvers")]
    for each in (unwatched, undecided):
        with pytest.raises(WrongState, match="It cannot go live yet"):
            launch_campaign(each, by=ops, at=NOON)
