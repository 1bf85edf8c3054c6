"""Renewals: told in time and once, decided through approval, seen in a calendar."""

import datetime as dt
import re

import icalendar
import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.errors import WrongState
from apps.technology.domain.feeds import calendar_named, feed_of, newest_feed, open_feed, revoke_feed, token_of
from apps.technology.domain.renewals import refuse_submission, submit_decision, watch_renewals
from apps.technology.enums import CaseState, Renewal
from apps.technology.models import CalendarFeed, Contract, RenewalAlert
from tests.admin_pages import page_of
from tests.factories.accounts import person_with
from tests.factories.technology import ContractFactory, RenewalDecisionFactory, ToolFactory

pytestmark = pytest.mark.django_db
RENEWALS = calendar_named("renewals")


@pytest.fixture(autouse=True)
def _somebody_decides():
    ensure_default_policies()
    person_with(Role.APPROVER)


def contract_ending(days, **changed):
    end = clock.today() + dt.timedelta(days=days)
    return ContractFactory(starts_on=end - dt.timedelta(days=364), ends_on=end, **changed)


def test_each_rung_is_told_once_and_who_comes_late_hears_the_most_urgent():
    owner = person_with(Role.OPS)
    contract = contract_ending(140, tool=ToolFactory(name="CRM", active=True, owner_person=owner), notice_length=90)
    today = clock.today()
    assert watch_renewals(today) == {"told": 1, "passed": 0}
    assert watch_renewals(today) == {"told": 0, "passed": 0}
    assert sorted(RenewalAlert.objects.values_list("days_before", flat=True)) == [60, 90, 180]
    alert = Alert.objects.get(fingerprint=f"technology.renewal:{contract.pk}")
    assert (alert.severity, alert.owner_person) == ("warning", owner)
    assert alert.title.startswith("CRM, Subscription: cancel it by ")
    assert watch_renewals(today + dt.timedelta(days=30)) == {"told": 1, "passed": 0}
    assert watch_renewals(today + dt.timedelta(days=60)) == {"told": 0, "passed": 1}
    alert.refresh_from_db()
    assert "passed on" in alert.title


def test_what_is_decided_is_silent():
    decision = RenewalDecisionFactory(
        contract=contract_ending(100, tool__owner_person=person_with(Role.OPS)), verdict=Renewal.DROP
    )
    ops = person_with(Role.OPS)
    watch_renewals(clock.today())
    submit_decision(decision, by=ops)
    approve(ApprovalRequest.objects.get(object_id=decision.pk), by=person_with(Role.APPROVER))
    assert Alert.objects.get().state == "resolved"
    assert watch_renewals(clock.today() + dt.timedelta(days=5)) == {"told": 0, "passed": 0}


def test_a_renewal_opens_the_next_term():
    ops, owner = person_with(Role.OPS), person_with(Role.OPS)
    contract = ContractFactory(
        tool=ToolFactory(active=True, owner_person=owner),
        starts_on=dt.date(2031, 3, 1),
        ends_on=dt.date(2032, 2, 29),
        auto_renew=True,
    )
    decision = RenewalDecisionFactory(contract=contract)
    submit_decision(decision, by=ops)
    approve(ApprovalRequest.objects.get(object_id=decision.pk), by=person_with(Role.APPROVER))
    decision.refresh_from_db()
    made = decision.next_contract
    assert (decision.state, made.starts_on, made.ends_on) == (
        CaseState.APPROVED,
        dt.date(2032, 3, 1),
        dt.date(2033, 2, 28),
    )


def test_dropping_ends_the_renewing_by_itself():
    contract = contract_ending(200, auto_renew=True)
    decision = RenewalDecisionFactory(contract=contract, verdict=Renewal.DROP)
    submit_decision(decision, by=person_with(Role.OPS))
    approve(ApprovalRequest.objects.get(object_id=decision.pk), by=person_with(Role.APPROVER))
    assert Contract.objects.get().auto_renew is False


def test_what_nobody_owns_is_not_renewed():
    ops = person_with(Role.OPS)
    decision = RenewalDecisionFactory(contract=contract_ending(100, tool=ToolFactory(name="CRM", active=True)))
    with pytest.raises(WrongState, match="Nobody answers for CRM; name an owner first"):
        submit_decision(decision, by=ops)


def test_refusals_of_a_decision():
    ops, owner = person_with(Role.OPS), person_with(Role.OPS)
    ended = RenewalDecisionFactory(contract=contract_ending(-3, tool__owner_person=owner))
    assert refuse_submission(ops, ended).startswith("The term ended on ")
    leaving = ToolFactory(name="Fax", lifecycle="sunsetting", owner_person=owner)
    sunset = RenewalDecisionFactory(contract=contract_ending(50, tool=leaving))
    assert refuse_submission(ops, sunset) == "Fax is sunsetting; it can only be dropped."
    assert refuse_submission(person_with(Role.AUDITOR), sunset) == "You may not change renewal decisions."


def test_the_calendar_is_personal_signed_and_ends():
    ops = person_with(Role.OPS)
    ends = contract_ending(140, tool=ToolFactory(name="CRM, the big; one", active=True))
    feed = open_feed(by=ops)
    assert feed_of(token_of(feed), RENEWALS) == feed
    assert feed_of(token_of(feed)[:-1] + "x", RENEWALS) is None
    text = RENEWALS.text(ops, clock.today(), clock.now(), lambda path: f"https://mops.example{path}")
    first, second = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert first["summary"] == "Last day to cancel CRM, the big; one, Subscription"
    assert second.decoded("dtstart") == ends.ends_on
    assert second.decoded("dtend") == ends.ends_on + dt.timedelta(days=1)
    assert first["url"] == f"https://mops.example/admin/technology/contract/{ends.pk}/change/"
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT12H" in text
    assert "SUMMARY:Last day to cancel CRM\\, the big\\; one\\, Subscription" in text.replace("\r\n ", "")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    revoke_feed(feed, by=ops)
    assert feed_of(token_of(feed), RENEWALS) is None
    with pytest.raises(WrongState, match="has ended already"):
        revoke_feed(feed, by=ops)


def test_who_has_left_gets_no_calendar():
    ops = person_with(Role.OPS)
    feed = open_feed(by=ops)
    ops.is_active = False
    ops.save()
    assert feed_of(token_of(feed), RENEWALS) is None


def test_the_address_answers_without_a_session_and_made_up_ones_do_not(client):
    feed = open_feed(by=person_with(Role.OPS))
    answer = client.get(reverse("technology-feed", args=(token_of(feed),)))
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert client.get(reverse("technology-feed", args=("made-up",))).status_code == 404
    assert client.get(reverse("calendar-feed", args=(token_of(feed), "unheard-of"))).status_code == 404


def test_the_page_offers_no_address_that_does_not_answer(client):
    """An archived address answers nothing any more, so the page shows the one before it, or none."""
    ops = person_with(Role.OPS)
    older, archived = open_feed(by=ops, label="Phone"), open_feed(by=ops, label="Desk")
    CalendarFeed.objects.filter(pk=archived.pk).update(archived_at=clock.now())
    assert newest_feed(ops) == older
    client.force_login(ops)
    page = client.get("/admin/technology/renewals/").content.decode()
    address = re.search(r'value="http://testserver([^"]+renewals\.ics)"', page)[1]
    assert client.get(address).content.startswith(b"BEGIN:VCALENDAR")
    CalendarFeed.objects.filter(pk=older.pk).update(archived_at=clock.now())
    assert "renewals.ics" not in client.get("/admin/technology/renewals/").content.decode()


def test_the_page_shows_month_agenda_and_preview(client):
    client.force_login(person_with(Role.OPS))
    contract = contract_ending(40, tool=ToolFactory(name="CRM", active=True), notice_length=10)
    page = client.get(f"/admin/technology/renewals/?month={contract.ends_on:%Y-%m}").content.decode()
    assert "Ends: CRM" in page
    assert "last day to cancel" in page
    assert "30 days" in page
    assert client.get("/admin/technology/renewals/?month=nonsense&start=x&end=y").status_code == 200
    page = client.get(page_of(contract)).content.decode()
    for words in ("is the last day to cancel", "nobody was told", "Nobody has decided yet"):
        assert words in page
    assert f"/admin/technology/renewaldecision/add/?contract={contract.pk}" in page
    client.force_login(person_with(Role.SALES))
    assert client.get("/admin/technology/renewals/").status_code == 403
