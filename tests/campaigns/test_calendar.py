"""The calendar of campaigns: who runs when, moving in time, and what speaks against it."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.campaigns.domain import audiences, calendar
from apps.campaigns.models import Audience, Campaign
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.technology.domain.notice import counting_calendar
from tests.admin_pages import assert_same_queries, button_of, whole_page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, in_state, planned, sent
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db
MAY, JUNE = dt.date(2099, 5, 4), dt.date(2099, 6, 1)


def running(start=MAY, days=10, **fields):
    return planned(starts_on=start, ends_on=start + dt.timedelta(days=days), **fields)


def test_what_runs_in_a_span_is_found_and_the_rest_is_not():
    ops = person_with(Role.OPS)
    inside, across = running(name="A"), running(JUNE - dt.timedelta(days=3), name="B", main_channel="event")
    running(dt.date(2099, 7, 1), name="C")
    in_state("cancelled", starts_on=MAY, ends_on=MAY)
    planned(starts_on=None, ends_on=None)
    assert calendar.in_span(ops, MAY, dt.date(2099, 5, 31)) == [inside, across]
    assert calendar.in_span(ops, JUNE, JUNE) == [across]
    assert calendar.in_span(ops, MAY, JUNE, channel="event") == [across]
    assert calendar.in_span(person_with(), MAY, JUNE) == []


def test_moving_keeps_the_length_and_voids_an_approval():
    ops = person_with(Role.OPS)
    campaign = running(author=ops, name="Spring")
    assert calendar.reschedule(campaign, by=ops, starts_on=JUNE) == "Spring runs from 1 June 2099 to 11 June 2099."
    for changed, kind, sentence in (
        ({"starts_on": JUNE}, WrongState, "Spring runs from 1 June 2099 to 11 June 2099 already"),
        ({"starts_on": JUNE, "ends_on": MAY}, InvalidInput, "A campaign cannot end before it starts"),
        ({"starts_on": dt.date(2020, 1, 1)}, InvalidInput, "1 January 2020 has passed; choose a day to come"),
    ):
        with pytest.raises(kind, match=sentence):
            calendar.reschedule(campaign, by=ops, **changed)
    with pytest.raises(NotAllowed, match="You may not change Spring"):
        calendar.reschedule(campaign, by=person_with(Role.APPROVER), starts_on=MAY)
    other = approved(author=ops, name="Autumn", starts_on=MAY, ends_on=JUNE)
    said = calendar.reschedule(other, by=ops, starts_on=JUNE)
    assert said == "Autumn runs from 1 June 2099 to 29 June 2099. Its approval is void by that; send it again."
    assert Campaign.objects.get(pk=other.pk).state == "planning"
    waiting, _ = sent(name="Winter")
    assert calendar.refuse_reschedule(ops, waiting) == "Winter is in approval; withdraw the request first."
    assert calendar.refuse_reschedule(ops, in_state("live", name="Now")) == "Now is live; its dates stay."
    undated = planned(name="Some day", starts_on=None, ends_on=None)
    assert calendar.refuse_reschedule(ops, undated) == "Some day has no dates yet; give it some on its page."


def test_days_off_and_shared_people_are_warned_of():
    ops = person_with(Role.OPS)
    LeadFactory(territory="DACH", email="a@example.com")
    LeadFactory(territory="DACH", email="b@example.com", country="Austria")
    sunday = dt.date(2099, 5, 3)
    one, other = running(sunday, author=ops, name="One"), running(MAY, author=ops, name="Other")
    for campaign, selection in ((one, {"territory": ["DACH"]}), (other, {"country": ["Austria"]})):
        with acting_as(ops):
            row = Audience.objects.create(campaign=campaign, name="DACH", provider="leads", selection=selection)
        audiences.freeze_audience(row, by=ops)
    assert calendar.warnings_of(one, counting_calendar(), reader=ops) == [
        "Sunday, 3 May 2099 is a day off: nobody is there when it goes live.",
        "Other addresses 1 of “DACH” at the same time.",
    ]
    told = calendar.warnings_of(one, counting_calendar(), reader=person_with())
    assert told[1] == "A campaign elsewhere addresses 1 of “DACH” at the same time."
    calendar.reschedule(other, by=ops, starts_on=dt.date(2099, 8, 3))
    assert len(calendar.warnings_of(one, counting_calendar(), reader=ops)) == 1
    assert calendar.warnings_of(in_state("live"), counting_calendar(), reader=ops) == []


def test_pages(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    page = reverse("campaign-calendar")
    assert "No campaign runs in this time" in client.get(page, {"from": "2099-05"}).content.decode()
    campaign = running(author=ops, name="Spring")
    asked = assert_same_queries(client, f"{page}?from=2099-05", lambda: [running(author=ops) for _ in range(2)])
    assert asked <= 25
    for query in ({"from": "2099-05"}, {"from": "2099-05", "span": "quarter"}, {"from": "2099-05", "channel": "email"}):
        assert "Spring" in client.get(page, query).content.decode()
    assert client.get(page, {"from": "nonsense", "channel": "moon"}).status_code == 200
    move = reverse("campaign-move", args=(campaign.pk,))
    assert client.get(move).status_code == 405
    assert client.post(move, {"days": "3"}).json() == {"said": "Spring runs from 7 May 2099 to 17 May 2099."}
    assert client.post(move, {"days": "x"}).status_code == 409
    given = {"starts_on": "2099-05-10", "ends_on": "", "reason": ""}
    done = client.post(button_of(campaign, "reschedule"), given, follow=True).content.decode()
    assert "Spring runs from 10 May 2099 to 20 May 2099." in done
    assert "is a day off: nobody is there when it goes live." in client.get(whole_page_of(campaign)).content.decode()
    client.force_login(person_with(Role.AUDITOR))
    assert "data-campaigns-move" not in client.get(page, {"from": "2099-05"}).content.decode()
    assert client.post(move, {"days": "3"}).json() == {"said": "You may not change Spring."}
    client.force_login(person_with())
    assert client.get(page).status_code == 403
    assert client.post(move, {"days": "3"}).status_code == 404
