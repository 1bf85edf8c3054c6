"""The look at a gate ahead of its launch: pages show what was found, launches look themselves."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.campaigns.domain import audiences, checklist, looking
from apps.campaigns.domain.launch import READ, launch_campaign
from apps.campaigns.models import Audience, Campaign, LaunchLook
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from apps.core.parts import load_parts
from apps.core.transitions import transition
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, in_state, planned
from tests.factories.processes import ComplianceRuleFactory

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def told(campaign):
    fresh = Campaign.objects.select_related("look").get(pk=campaign.pk)
    known = looking.known_conditions(fresh, NOON.date())
    return {each.key: (each.is_met, each.says) for each in known if each.is_heavy}


def test_a_page_tells_what_was_found_last_and_a_launch_looks_again():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops)
    unknown = (False, "nobody has looked yet")
    LaunchLook.objects.all().delete()
    assert told(campaign) == {"audience_size": unknown, "rules": unknown}
    assert looking.look_now(campaign, by=ops) == "Every condition of the launch is met."
    before = {"audience_size": (True, "it is, within what it may differ by"), "rules": (True, "none is broken")}
    assert told(campaign) == before
    with acting_as(ops), transition(Audience):
        campaign.audiences.update(frozen_count=2)
    assert told(campaign) == before
    with pytest.raises(WrongState, match="frozen with 2 people and has 3 now"):
        launch_campaign(Campaign.objects.get(pk=campaign.pk), by=ops, at=NOON)
    assert looking.look_now(campaign, by=ops) == "1 of 11 conditions are open."
    assert told(campaign)["audience_size"] == (
        False,
        "“Everybody” was frozen with 2 people and has 3 now, more than ±5 %",
    )


def test_what_changes_it_has_it_looked_at_at_once():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops)
    ComplianceRuleFactory(title="Retention", check_key="campaigns.retention")
    checklist.reopen(campaign.checklist.first(), by=ops, reason="New pictures.")
    run_queued_jobs()
    assert told(campaign)["rules"][0] is False
    other = planned(author=ops, main_channel="event")
    with acting_as(ops):
        people = Audience.objects.create(campaign=other, name="All", provider="tests")
    audiences.freeze_audience(people, by=ops)
    run_queued_jobs()
    assert told(other)["audience_size"][0] is True


def test_the_job_looks_at_what_was_not_looked_at_for_a_while():
    ops = person_with(Role.OPS)
    first, second = planned(author=ops), planned(author=ops)
    over = planned(author=ops, starts_on=dt.date(2020, 1, 1), ends_on=dt.date(2020, 2, 1))
    live = in_state("live")
    LaunchLook.objects.all().delete()
    LaunchLook.objects.create(campaign=first, at=clock.now(), found={})
    assert looking.due_looks(clock.now()) == [second.pk]
    enqueue("campaigns.look_at_gates", args={}, by=ops)
    run_queued_jobs()
    assert looking.due_looks(clock.now()) == []
    assert looking.due_looks(clock.now() + dt.timedelta(hours=1)) == [first.pk, second.pk]
    assert set(LaunchLook.objects.values_list("campaign", flat=True)).isdisjoint({over.pk, live.pk})
    assert looking.look_by_key(live.pk, at=NOON) is False


def test_looking_is_refused_in_words():
    ops = person_with(Role.OPS)
    live = in_state("live", name="Spring")
    with pytest.raises(WrongState, match="Spring has been live; nothing is checked"):
        looking.look_now(live, by=ops)
    with pytest.raises(NotAllowed, match="You may not change Summer"):
        looking.look_now(planned(name="Summer"), by=person_with())


def test_parts_read_in_one_question_are_those_read_one_by_one():
    campaign = approved(author=person_with(Role.OPS))
    with acting_as(campaign.owner_person or person_with(Role.OPS)):
        campaign.budget_entries.create(
            kind="planned", spent_on="email", month=dt.date(2026, 3, 1), amount=Decimal("0.1"), currency="EUR"
        )
    fresh = Campaign.objects.get(pk=campaign.pk)
    with CaptureQueriesContext(connection) as asked:
        load_parts(fresh, READ)
        load_parts(fresh, READ)
    assert len(asked) == 1
    for name in READ:
        one_by_one = list(getattr(campaign, name).all())
        with CaptureQueriesContext(connection) as asked:
            found = list(getattr(fresh, name).all())
            assert [each.campaign.pk for each in found] == [campaign.pk] * len(found)
        assert (len(asked), len(found) > 0) == (0, True)
        fields = [each.attname for each in found[0]._meta.concrete_fields]
        assert [[getattr(each, n) for n in fields] for each in found] == [
            [getattr(each, n) for n in fields] for each in one_by_one
        ]
