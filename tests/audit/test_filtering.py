"""The filters of the ledger narrow it as they say; what they cannot read is said, and nothing is shown as narrowed."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils.timezone import localtime

from apps.accounts.enums import Role
from apps.audit.domain.sealing import seal_ledger
from apps.audit.models import AuditEvent
from apps.core import clock
from tests.admin_pages import list_of
from tests.audit.seals import sealing  # noqa: F401  # a fixture
from tests.factories.accounts import person_with, sign_in
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
LEDGER, EVIDENCE = list_of(AuditEvent), reverse("admin:audit_auditevent_evidence")
UNREAD = "A filter in that address could not be read, so this list is not filtered."


@pytest.fixture
def auditor(client):
    sign_in(client, person_with(Role.AUDITOR))
    ToolFactory()
    return client


def period(since="", since_time="", until="", until_time=""):
    return {"at_from_0": since, "at_from_1": since_time, "at_to_0": until, "at_to_1": until_time}


def shown(auditor, asked):
    return auditor.get(LEDGER, asked).context["cl"].queryset.count()


def test_a_period_narrows_and_a_day_alone_is_meant_whole(auditor):
    now = localtime(clock.now())
    today, tomorrow = now.date().isoformat(), (now + dt.timedelta(days=1)).date().isoformat()
    earlier, all_of_them = (now - dt.timedelta(hours=1)).strftime("%H:%M:%S"), AuditEvent.objects.count()
    for asked, number in (
        (period(), all_of_them),
        (period(since=today), all_of_them),
        (period(until=today), all_of_them),
        (period(since=today, until=tomorrow), all_of_them),
        (period(since=tomorrow), 0),
        (period(until="2020-01-01"), 0),
        (period(until=(now - dt.timedelta(hours=1)).date().isoformat(), until_time=earlier), 0),
    ):
        assert shown(auditor, asked) == number, asked


@pytest.mark.parametrize(
    "asked",
    [
        period(since="yesterday"),
        period(since="2026-02-31"),
        period(since_time="12:00"),
        period(until="2026-01-01", until_time="noon"),
        {"txid": "x"},
        {"actor__id__exact": "x"},
        {"p": "999"},
    ],
)
def test_what_cannot_be_read_is_said(auditor, asked):
    answer = auditor.get(LEDGER, asked, follow=True)
    assert answer.redirect_chain
    assert UNREAD in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sealing")
def test_no_evidence_is_taken_by_a_filter_that_cannot_be_read(auditor):
    seal_ledger()
    answer = auditor.get(EVIDENCE, period(since="yesterday"), follow=True)
    assert "A filter in this address cannot be read, so there is nothing to take out by it." in answer.content.decode()
    page = auditor.get(EVIDENCE, period(since="2020-01-01")).content.decode()
    assert "from 2020-01-01" in page


@pytest.mark.parametrize("who", ["0", "9" * 30, "²", "x", "-1"])
def test_a_person_who_is_not_there_has_no_entries(auditor, who):
    assert shown(auditor, {"person": who}) == 0
    assert auditor.get(reverse("admin:audit_auditevent_timeline"), {"person": who}).status_code == 404


@pytest.mark.parametrize("query", ["object_id=%00", "q=%00", "reason__icontains=a%00b", "%00=1"])
def test_a_character_that_no_text_has_is_refused(auditor, query):
    assert auditor.get(f"{LEDGER}?{query}").status_code == 400


@pytest.mark.parametrize("query", ["kind=technology_tool&record=²", "kind=technology_tool&record=1&before=²"])
def test_a_timeline_of_no_number_is_not_an_error(auditor, query):
    assert auditor.get(f"{reverse('admin:audit_auditevent_timeline')}?{query}&parts=1").status_code == 404


@pytest.mark.parametrize("kind", ["technology_tool", "leads_lead", "no_such_table", "django_session", "%27"])
@pytest.mark.parametrize("record", ["987654", "9" * 30, "x"])
def test_the_timeline_of_what_is_not_there_says_so(auditor, kind, record):
    address = f"{reverse('admin:audit_auditevent_timeline')}?kind={kind}&record={record}"
    answer = auditor.get(address)
    assert answer.status_code == 404
    assert "the record is gone, or your roles do not show it" in answer.content.decode()
