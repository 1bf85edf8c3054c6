"""Audiences: selected, frozen with count, digest and sample, and counted again at the launch."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.campaigns.domain import audiences
from apps.campaigns.domain.launch import launch_conditions, refuse_launch
from apps.campaigns.models import Audience
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.domain.consent import record_consent
from apps.leads.models import Lead
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, whole_page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, planned
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 6, 1)


def selecting(campaign, name="DACH", by=None, **selection):
    with acting_as(by or person_with(Role.OPS)):
        return Audience.objects.create(campaign=campaign, name=name, provider="leads", selection=selection)


def leads(number, **fields):
    return [
        LeadFactory(territory="DACH", email=f"dach{Lead.objects.count() + n}@example.com", **fields)
        for n in range(number)
    ]


def test_a_selection_is_read_line_by_line():
    read = audiences.read_selection("territory = DACH, UK\n\nstage=mql")
    assert read == {"territory": ["DACH", "UK"], "stage": ["mql"]}
    assert audiences.read_selection(audiences.written(read)) == read
    for text, sentence in (
        ("everybody", "Line 1 selects nothing; write for instance “territory = DACH, UK”."),
        ("stage = mql\nstage = sql", "Line 2 names stage a second time; put all its values on one line."),
    ):
        with pytest.raises(InvalidInput) as caught:
            audiences.read_selection(text)
        assert caught.value.message == sentence
    assert audiences.refuse_selection("moon", {}).startswith("There is no source “moon”; there is ")
    assert audiences.refuse_selection("leads", {"password": ["x"]}).startswith("Leads are not selected by password;")
    assert audiences.refuse_selection("leads", {}) == "Select by at least one field; everybody at once is no audience."
    assert audiences.refuse_selection("leads", {"stage": ["x"]}).startswith("There is no stage “x”; there are ")
    assert audiences.refuse_selection("segments", {}) == "Name a segment: “segment = dach-qualified”."
    assert (
        audiences.refuse_selection("segments", {"segment": ["x"]}) == "There is no segment “x” in use; there is none."
    )


def test_freezing_counts_leaves_out_and_samples():
    ops = person_with(Role.OPS)
    audience = selecting(planned(author=ops), territory=["dach"])
    with pytest.raises(InvalidInput, match="Nobody is in “DACH”; select otherwise"):
        audiences.freeze_audience(audience, by=ops)
    people = leads(12)
    LeadFactory(territory="DACH", email=None)
    LeadFactory(territory="UK")
    gone = LeadFactory(territory="DACH", email="gone@example.com")
    for given in (True, False):
        record_consent(gone, purpose="marketing_email", is_given=given, evidence="Letter.", by=ops)
    record_consent(people[0], purpose="marketing_email", is_given=True, evidence="Form.", by=ops)
    assert audiences.freeze_audience(audience, by=ops) == (
        "“DACH” is frozen with 12 people; 1 left out: without an e-mail address; 1 left out: took their consent back."
    )
    audience.refresh_from_db()
    keys = [each.pk for each in people]
    assert (audience.frozen_digest, audience.sample) == (audiences.digest_of(keys), keys[:10])
    with pytest.raises(WrongState, match="is frozen already; thaw it to freeze it anew"):
        audiences.freeze_audience(audience, by=ops)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Audience.objects.update(selection={"territory": ["UK"]})
    assert sentence_of(caught.value) == "This audience is frozen; thaw it before you select other people."
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Audience.objects.update(frozen_count=99)
    assert sentence_of(caught.value) == "An audience is frozen by the button on its page."
    with pytest.raises(InvalidInput, match="Say why other people are to be selected"):
        audiences.thaw_audience(audience, by=ops, reason=" ")
    with pytest.raises(NotAllowed, match="You may not change audiences"):
        audiences.thaw_audience(audience, by=person_with(Role.AUDITOR), reason="x")
    audiences.thaw_audience(audience, by=ops, reason="UK comes in.")
    with pytest.raises(WrongState, match="“DACH” is not frozen"):
        audiences.thaw_audience(audience, by=ops, reason="Again.")


@pytest.mark.parametrize(
    ("frozen", "now", "percent", "fits"),
    [
        (100, 105, 5, True),
        (100, 106, 5, False),
        (100, 95, 5, True),
        (100, 94, 5, False),
        (3, 3, 0, True),
        (3, 2, 0, False),
    ],
)
def test_within_is_inclusive_and_exact(frozen, now, percent, fits):
    assert audiences.within(frozen, now, percent) is fits


def test_the_gate_counts_again():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops, ready=True)
    assert refuse_launch(ops, campaign, today=TODAY) is None
    campaign.audiences.update(archived_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    audience = selecting(campaign, by=ops, territory=["DACH"])
    people = leads(20)
    gate = {each.key: each for each in launch_conditions(campaign, TODAY)}
    assert gate["audience"].says == "“DACH” is not frozen"
    assert audiences.refuse_freezing(ops, audience) == (
        f"{campaign} was sent for approval with this audience; take it back to planning to change it."
    )
    other = planned(author=ops, name="Spring")
    frozen = selecting(other, by=ops, territory=["DACH"])
    audiences.freeze_audience(frozen, by=ops)
    assert audiences.audience_finding(other, TODAY).says == "frozen: “DACH” with 20 people"
    Lead.objects.filter(pk__in=[each.pk for each in people[:2]]).update(territory="UK")
    assert audiences.size_finding(other, TODAY).says == (
        "“DACH” was frozen with 20 people and has 18 now, more than ±5 %"
    )
    assert audiences.audience_finding(planned(main_channel="email"), TODAY).says == "none is selected; add one"
    assert audiences.audience_finding(planned(main_channel="event"), TODAY) is None


def test_pages(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    campaign = planned(author=ops)
    leads(3)
    add = f"/admin/campaigns/audience/add/?campaign={campaign.pk}"
    assert "One field a line" in client.get(add).content.decode()
    given = {"campaign": campaign.pk, "name": "DACH", "provider": "leads", "tolerance": 5, "selected": "shoe = 42"}
    assert "Leads are not selected by shoe" in client.post(add, given).content.decode()
    client.post(add, given | {"selected": "territory = DACH"})
    audience = Audience.objects.get()
    assert audience.selection == {"territory": ["DACH"]}
    page = client.post(button_of(audience, "freeze"), follow=True).content.decode()
    assert "“DACH” is frozen with 3 people." in page
    assert str(Lead.objects.order_by("pk").first()) in page
    assert "3 people on" in client.get(whole_page_of(campaign)).content.decode()
    assert_same_queries(client, list_of(Audience), lambda: [selecting(campaign, name=str(n), by=ops) for n in range(2)])
    client.force_login(person_with(Role.APPROVER))
    page = client.get(page_of(audience)).content.decode()
    assert ("A sample was taken; you may not see these people." in page, "Territory" in page) == (True, True)
    assert client.post(page_of(audience), given | {"name": "Mine"}).status_code == 403
