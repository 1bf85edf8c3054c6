"""Segments in use: members compared with what changed, freshness said, the page for who may."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.errors import NotAllowed
from apps.core.records import kind_of
from apps.core.rules.domain.versions import retire, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument
from apps.core.workspace.domain.tagging import tag_record
from apps.core.workspace.models import CustomField
from apps.leads.domain.segmenting import moves_with_time, refresh, refresh_all, refresh_by_button
from apps.leads.domain.touches import Touch, take_touches
from apps.leads.models import Company, Lead, SegmentMember, SegmentState
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory
from tests.factories.rules import SPAIN, active, segment
from tests.factories.workspace import CustomFieldFactory, TagFactory

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def figures(state):
    return state.members, state.came, state.went, state.looked_at


def test_what_changed_is_compared_and_once_a_day_everything(ops):
    version = active(segment(owner=ops), by=ops)
    spain, italy = LeadFactory(country="Spain"), LeadFactory(country="Italy")
    old, now = LeadFactory(country="Spain"), clock.now()
    assert figures(refresh(version, at=now + HOUR)) == (2, 2, 0, 3)
    assert figures(refresh(version, at=now + 1.5 * HOUR)) == (2, 0, 0, 0)
    Lead.objects.filter(pk=italy.pk).update(country="Spain", updated_at=now + 1.6 * HOUR)
    Lead.objects.filter(pk=spain.pk).update(country="France", updated_at=now + 1.6 * HOUR)
    assert figures(refresh(version, at=now + 2 * HOUR)) == (2, 1, 1, 2)
    since = dict(SegmentMember.objects.values_list("lead", "since"))
    assert since == {italy.pk: now + 2 * HOUR, old.pk: now + HOUR}
    Lead.objects.filter(pk=old.pk).update(archived_at=now, updated_at=now)  # as if it had been missed
    assert refresh(version, at=now + 3 * HOUR).members == 2
    state = refresh(version, at=now + 27 * HOUR)
    assert (figures(state), state.whole_at) == ((1, 0, 1, 2), now + 27 * HOUR)
    retire(version, by=ops, reason="Over")
    assert refresh_all(at=now)["segments"] == SegmentMember.objects.count() == SegmentState.objects.count() == 0


def test_a_segment_that_broke_under_it_stays_as_it_was_and_can_be_mended(ops):
    field = CustomFieldFactory(content_type=kind_of(Lead), label="Plan", key="plan", type="text")
    asks = {"predicate": {"field": "custom.plan", "op": "empty"}}
    broken = active(segment(owner=ops, key="a-plan", title="A plan"), by=ops, body=asks)
    whole, lead = active(segment(owner=ops), by=ops), LeadFactory(country="Spain")
    assert refresh_all()["segments"] == 2
    CustomField.objects.filter(pk=field.pk).update(archived_at=clock.now())
    assert refresh_all()["segments"] == 1  # one that is broken holds none of the others up
    kept = SegmentMember.objects.filter(document__in=(broken.document_id, whole.document_id))
    assert list(kept.values_list("lead", flat=True)) == [lead.pk] * 2
    alert = Alert.objects.get()
    assert alert.title == f"{broken} cannot be read any more: the segment stays as it was."
    draft = write_rules(start_draft(broken.document, by=ops), SPAIN, by=ops)
    assert simulate(draft, by=ops).is_simulated
    CustomField.objects.filter(pk=field.pk).update(archived_at=None)
    assert refresh_all()["segments"] == 2
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_companies_tags_and_touches_are_changes_too_and_time_alone_is_asked_each_hour(ops):
    acme, tag = Company.objects.create(name="Acme", employees=5), TagFactory(name="Hot")
    leads = [LeadFactory(account=acme), LeadFactory(), LeadFactory(), LeadFactory()]
    bodies = {
        "large": {"field": "employees", "op": "gte", "value": 100},
        "hot": {"field": "tags", "op": "has_any", "value": [tag.pk]},
        "seen": {"has": "touches", "count": {"gte": 1}, "within": {"days": 30}},
    }
    versions = {
        key: active(segment(owner=ops, key=key, title=key), by=ops, body={"predicate": body})
        for key, body in bodies.items()
    }
    assert [moves_with_time(version) for version in versions.values()] == [False, False, True]
    now = clock.now()
    Lead.objects.update(updated_at=now - dt.timedelta(days=2))
    Company.objects.update(updated_at=now - dt.timedelta(days=2))
    refresh_all(at=now)
    acme.employees = 500
    acme.save()
    tag_record(leads[1], ["Hot"], by=ops)
    take_touches([Touch(leads[2].pk, "visit", now, "site", "1")], by=ops)
    Lead.objects.update(updated_at=now - dt.timedelta(days=2))
    later = clock.now()
    told = {key: figures(refresh(version, at=later)) for key, version in versions.items()}
    assert told == dict.fromkeys(bodies, (1, 1, 0, 3))
    assert refresh(versions["seen"], at=later + 2 * HOUR).looked_at == 4
    assert refresh(versions["large"], at=later + 2 * HOUR).looked_at < 4
    assert refresh(versions["seen"], at=later + dt.timedelta(days=31)).members == 0


def test_the_page_says_how_fresh_and_the_list_of_leads_asks_what_is_stored(client, ops):
    version = active(segment(owner=ops), by=ops)
    lead = LeadFactory(name="Ann", country="Spain")
    auditor = person_with(Role.AUDITOR)
    address = f"{list_of(Lead)}?segment=spain"
    client.force_login(ops)
    assert "Ann" in client.get(address).content.decode()  # not compared yet: by the rules, now
    state = refresh(version)
    LeadFactory(name="Newer", country="Spain")
    page = client.get(address).content.decode()
    assert ("Ann" in page, "Newer" in page, "Leads in Spain, as of" in page) == (True, False, True)
    sign_in(client, ops)
    answer = client.post(button_of(state, "refresh"), {}, follow=True).content.decode()
    assert "2 leads are in it; 1 came in, 0 dropped out." in answer
    assert client.get(page_of(state)).status_code == 200
    assert_same_queries(
        client,
        list_of(SegmentState),
        lambda: [refresh(active(segment(owner=ops, key=key, title=key), by=ops)) for key in ("one", "two")],
    )
    client.force_login(auditor)
    assert client.get(page_of(state)).status_code == 200
    assert client.post(button_of(state, "refresh"), {}).status_code in (403, 404, 302)
    with pytest.raises(NotAllowed, match="You may not change leads"):
        refresh_by_button(state, by=auditor)
    assert lead.segments.count() == 3


def test_a_segment_is_begun_at_the_list_by_who_may_write_rules(client, ops):
    address, button = list_of(SegmentState), "?kind=leads.segment"
    client.force_login(ops)
    page = client.get(address).content.decode()
    assert "A segment is a condition on leads" in page
    assert f'{list_of(RuleDocument)}add/{button}">Add segment</a>' in page
    form = client.get(f"{list_of(RuleDocument)}add/{button}").content.decode()
    assert '<option value="leads.segment" selected' in form
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(address).content.decode()
    assert "A segment is a condition on leads" in page
    assert "Add segment" not in page
