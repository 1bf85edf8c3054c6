"""The launch gate, its checklist, and launches by the clock: at most once, and only if the gate holds."""

import datetime as dt
import zoneinfo
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from apps.accounts.domain.memberships import revoke_role
from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.campaigns.domain import checklist, scheduling, working
from apps.campaigns.domain.launch import GATE, launch_campaign, launch_conditions, refuse_launch
from apps.campaigns.models import Campaign, ChecklistItem, LaunchAttempt
from apps.content.domain.linking import link_content
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.gates import Condition, Finding, _gates, register_condition
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, whole_page_of
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for
from tests.factories.campaigns import approved, planned
from tests.factories.content import asset

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def scheduled(ops, **fields):
    campaign = approved(author=ops, **fields)
    scheduling.schedule_launch(campaign, by=ops, launch_at=NOON + HOUR, now=NOON)
    campaign.refresh_from_db()
    return campaign


def state_of(campaign):
    return Campaign.objects.get(pk=campaign.pk).state


def test_an_open_line_of_the_checklist_stops_the_launch():
    ops, other = person_with(Role.OPS), person_with(Role.OPS)
    campaign = approved(author=ops, ready=False, name="Spring")
    unmet = [(each.key, each.says, each.who) for each in launch_conditions(campaign, NOON.date()) if not each.is_met]
    assert unmet == [
        (
            "checklist",
            "still open: Creative review, Legal compliance, UTM tagging, Audience verification, Post-launch monitoring",
            "whoever checks each line",
        )
    ]
    with pytest.raises(WrongState, match="The launch checklist is done: no, still open: Creative review"):
        launch_campaign(campaign, by=ops, at=NOON)
    first, *rest = ChecklistItem.objects.order_by("position")
    with pytest.raises(InvalidInput, match="Say what was looked at and where it is kept"):
        checklist.settle(first, by=other, evidence=" ")
    with pytest.raises(InvalidInput, match="Say why it is not needed"):
        checklist.settle_not_needed(first, by=other, reason="")
    with pytest.raises(NotAllowed, match="You may not settle lines of checklists"):
        checklist.settle(first, by=person_with(Role.AUDITOR), evidence="x")
    assert checklist.settle(first, by=other, evidence="Proofs, folder 7.").endswith("is done.")
    with pytest.raises(WrongState, match="is settled already; open it again first"):
        checklist.settle(first, by=other, evidence="Again.")
    for each in rest:
        checklist.settle_not_needed(each, by=other, reason="An internal test.")
    assert refuse_launch(ops, campaign, today=NOON.date()) is None
    assert checklist.reopen(first, by=ops, reason="New pictures.").endswith("is open again.")
    with pytest.raises(WrongState, match="is open"):
        checklist.reopen(first, by=ops, reason="Once more.")
    assert "still open: Creative review." in refuse_launch(ops, campaign, today=NOON.date())
    checklist.settle(first, by=other, evidence="New proofs.")
    launch_campaign(campaign, by=ops, at=NOON)
    first.refresh_from_db()
    said = "Spring has been live; its checklist stays as it is."
    assert (checklist.refuse_reopening(ops, first), checklist.refuse_adding(ops, first.campaign)) == (said, said)
    attempt = LaunchAttempt.objects.get()
    assert (attempt.succeeded, attempt.by_clock, {each["met"] for each in attempt.conditions}) == (True, False, {True})


def test_missing_lines_are_named_and_added():
    ops = person_with(Role.OPS)
    campaign = planned(author=ops)
    found = checklist.checklist_finding(campaign, NOON.date())
    assert found.says.startswith("these lines are missing: Creative review, Legal compliance")
    assert checklist.add_standard(campaign, by=ops) == f"5 lines added to the checklist of {campaign}."
    with pytest.raises(WrongState, match="The standard lines are all there"):
        checklist.add_standard(campaign, by=ops)


def test_another_app_adds_a_condition_and_one_that_does_not_apply_is_left_out():
    before = dict(_gates[GATE])
    try:
        register_condition(GATE, Condition("moon", "The moon is full", lambda *_: Finding(False, "wait for it")))
        register_condition(GATE, Condition("rain", "It rains", lambda *_: None))
        campaign = approved()
        assert refuse_launch(person_with(Role.OPS), campaign, today=NOON.date()) == (
            "It cannot go live yet. The moon is full: no, wait for it."
        )
    finally:
        _gates[GATE] = before


def test_content_that_is_not_approved_stops_the_launch():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops)
    brief = asset(by=ops)
    link_content(brief, campaign, by=ops)
    gate = {each.key: each for each in launch_conditions(campaign, NOON.date())}
    assert (gate["content"].is_met, gate["content"].says) == (False, f"{brief} is brief, not approved")
    with pytest.raises(WrongState, match="Every content it shows is approved and unexpired: no"):
        launch_campaign(campaign, by=ops, at=NOON)


def test_a_moment_is_chosen_within_the_plan_and_in_the_future():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops, ready=False, name="Spring", ends_on=dt.date(2026, 12, 31))
    with pytest.raises(InvalidInput, match="This moment has passed; launch the campaign now, or choose a later one"):
        scheduling.schedule_launch(campaign, by=ops, launch_at=NOON, now=NOON)
    with pytest.raises(InvalidInput, match="The plan runs from 1 January 2026 to 31 December 2026; 2 January 2027"):
        scheduling.schedule_launch(campaign, by=ops, launch_at=dt.datetime(2027, 1, 2, 9), now=NOON)
    with pytest.raises(NotAllowed, match="You may not change Spring"):
        scheduling.schedule_launch(campaign, by=person_with(Role.SALES), launch_at=NOON + HOUR, now=NOON)
    said = scheduling.schedule_launch(campaign, by=ops, launch_at=NOON + HOUR, now=NOON)
    assert said == (
        "Spring goes live on 1 June 2026 at 13:00 (UTC) if the gate holds then. "
        "Until then must be met: The launch checklist is done."
    )
    with pytest.raises(InvalidInput, match="Say why it is not to go live then"):
        scheduling.unschedule(campaign, by=ops, reason=" ")
    assert scheduling.unschedule(campaign, by=ops, reason="Holiday.") == (
        "Spring is not scheduled any more; it is approved."
    )
    with pytest.raises(WrongState, match="Spring is not scheduled"):
        scheduling.unschedule(campaign, by=ops, reason="Again.")


@pytest.mark.parametrize(
    ("wall", "sentence"),
    [
        (dt.datetime(2026, 3, 29, 2, 30), "clocks in Europe/Berlin go forward: 02:30 does not come"),
        (dt.datetime(2026, 10, 25, 2, 30), "clocks in Europe/Berlin go back: 02:30 comes twice"),
    ],
)
def test_a_wall_clock_that_lies_is_refused(wall, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        scheduling.exact_moment(wall, BERLIN)
    hours = [scheduling.exact_moment(wall.replace(hour=hour), BERLIN).astimezone(dt.UTC) for hour in (1, 3)]
    assert hours[1] - hours[0] in (HOUR, 3 * HOUR)


def test_a_launch_on_the_day_clocks_change_comes_once_at_the_hour_of_the_wall(settings):
    settings.TIME_ZONE = BERLIN.key
    ops = person_with(Role.OPS)
    present = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)

    def launches(first_day, wall, moments):
        campaign = approved(author=ops, starts_on=first_day)
        scheduling.schedule_launch(campaign, by=ops, launch_at=wall, now=present)
        due = [(at, campaign.pk in scheduling.due_launches(at)) for at in moments]
        return [(is_due, scheduling.launch_due(campaign.pk, at=at)) for at, is_due in due]

    def utc(*moment):
        return dt.datetime(2026, *moment, tzinfo=dt.UTC)

    # the hour after 01:59 is 03:00 in spring; 03:00 in autumn is the end of the hour that came twice
    spring = launches(
        dt.date(2026, 3, 29), dt.datetime(2026, 3, 29, 3), [utc(3, 29, 0, 59), utc(3, 29, 1), utc(3, 29, 1)]
    )
    autumn = launches(
        dt.date(2026, 10, 25), dt.datetime(2026, 10, 25, 3), [utc(10, 25, 0, 30), utc(10, 25, 1, 30), utc(10, 25, 2)]
    )
    assert spring == [(False, "gone"), (True, "launched"), (True, "gone")]
    assert autumn == [(False, "gone"), (False, "gone"), (True, "launched")]
    # the first half hour of that day: it has begun on the wall, and in UTC it is still the day before
    midnight = launches(
        dt.date(2026, 10, 25), dt.datetime(2026, 10, 25, 0, 30), [utc(10, 24, 22, 29), utc(10, 24, 22, 30)]
    )
    assert midnight == [(False, "gone"), (True, "launched")]


def test_the_clock_launches_once_and_writes_down_what_held():
    ops = person_with(Role.OPS)
    campaign = scheduled(ops, name="Spring")
    assert scheduling.due_launches(NOON) == []
    assert scheduling.launch_due(campaign.pk, at=NOON) == "gone"
    assert [scheduling.launch_due(campaign.pk, at=NOON + HOUR) for _ in range(2)] == ["launched", "gone"]
    campaign.refresh_from_db()
    assert (campaign.state, campaign.launch_at, campaign.launched_at) == ("live", None, NOON + HOUR)
    assert LaunchAttempt.objects.get().by_clock is True


def test_what_does_not_hold_at_the_moment_is_held_with_an_alert():
    ops = person_with(Role.OPS)
    campaign = scheduled(ops, name="Spring", owner_person=ops)
    first = campaign.checklist.order_by("position").first()
    checklist.reopen(first, by=ops, reason="New pictures.")
    assert scheduling.launch_due(campaign.pk, at=NOON + HOUR) == "held"
    assert state_of(campaign) == "approved"
    alert = Alert.objects.get()
    assert (alert.title, alert.owner_person) == ("Spring did not go live as scheduled", ops)
    assert alert.detail == "It cannot go live yet. The launch checklist is done: no, still open: Creative review."
    assert LaunchAttempt.objects.get().succeeded is False
    checklist.settle(first, by=ops, evidence="Looked at.")
    scheduling.schedule_launch(campaign, by=ops, launch_at=NOON + 3 * HOUR, now=NOON + 2 * HOUR)
    assert scheduling.launch_due(campaign.pk, at=NOON + 3 * HOUR) == "launched"
    assert Alert.objects.get().state == "resolved"


def test_an_approval_that_is_gone_meanwhile_launches_nothing():
    ops = person_with(Role.OPS)
    taken_back, changed, archived = (scheduled(ops) for _ in range(3))
    working.return_to_plan(taken_back, by=ops, reason="The approver asked for it.")
    Campaign.objects.filter(pk=changed.pk).update(budget=99)
    Campaign.objects.filter(pk=archived.pk).update(archived_at=NOON)
    for each in (taken_back, changed, archived):
        assert scheduling.launch_due(each.pk, at=NOON + HOUR) == "gone"
    assert LaunchAttempt.objects.count() == 0


def test_who_lost_the_right_launches_nothing_by_the_clock():
    ops = person_with(Role.OPS)
    campaign = scheduled(ops, name="Spring")
    revoke_role(Membership.objects.get(person=ops), by=person_with(Role.ADMINISTRATOR), reason="Left.")
    assert scheduling.launch_due(campaign.pk, at=NOON + HOUR) == "held"
    assert f"{ops} may not change Spring any more; somebody who may launches it." in Alert.objects.get().detail


@pytest.mark.django_db(transaction=True)
def test_two_workers_launch_at_most_once_and_nothing_whose_approval_is_being_taken_back():
    policy_for("campaigns.campaign")  # tests that commit empty what migrations ship
    ops = person_with(Role.OPS)
    campaign, taken_back = scheduled(ops), scheduled(ops)

    def work(key):
        try:
            return scheduling.launch_due(key, at=NOON + HOUR)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, [campaign.pk] * 2)) == ["gone", "launched"]
        with transaction.atomic():
            working.return_to_plan(taken_back, by=ops, reason="The approver asked for it.")
            assert pool.submit(work, taken_back.pk).result() == "gone"  # while the other has not committed yet
        assert pool.submit(work, taken_back.pk).result() == "gone"
    assert [each.campaign for each in LaunchAttempt.objects.filter(succeeded=True)] == [campaign]
    assert state_of(taken_back) == "planning"


def test_pages_of_checklists_and_the_gate(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    campaign = approved(author=ops, ready=False)
    assert_same_queries(client, list_of(ChecklistItem), lambda: approved(author=ops, ready=False))
    page = client.get(whole_page_of(campaign)).content.decode()
    assert "3 of 11 conditions are open." in page  # two of them nobody has looked at
    assert client.post(button_of(campaign, "check"), follow=True).redirect_chain[-1][0] == page_of(campaign)
    page = client.get(whole_page_of(campaign)).content.decode()
    assert "1 of 11 conditions are open." in page
    assert "Can be met by whoever checks each line" in page
    item = campaign.checklist.first()
    done = client.post(button_of(item, "done"), {"evidence": "Folder 7."}, follow=True)
    assert done.redirect_chain[-1][0] == page_of(campaign)
    moment = {"launch_at_0": "2030-05-01", "launch_at_1": "09:30", "note": ""}
    said = client.post(button_of(campaign, "schedule"), moment, follow=True).content.decode()
    assert "goes live on 1 May 2030 at 09:30 (UTC) if the gate holds then." in said
    page = client.get(whole_page_of(campaign)).content.decode()
    assert "Goes live by itself on Wed 1 May 2030, 09:30" in page
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(page_of(item)).status_code == 200
    client.post(button_of(item, "reopen"), {"reason": "x"})
    item.refresh_from_db()
    assert item.state == "done"


def test_the_job_launches_what_is_due():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops)
    scheduling.schedule_launch(campaign, by=ops, launch_at=NOON + HOUR, now=NOON)
    enqueue("campaigns.launch_due", by=None)
    run_queued_jobs()
    assert state_of(campaign) == "live"
