"""Tagged links: what is refused and why, collisions, the gate, and what turns up that nobody planned."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.campaigns.domain import utm_drift, utm_plan
from apps.campaigns.domain.launch import launch_conditions
from apps.campaigns.domain.utm import personal_data, problems_of, suggestion, tags_in
from apps.campaigns.models import UtmLink
from apps.content.domain.linking import link_content
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.domain.touches import take_touches
from apps.technology.models import NamingRule
from tests.admin_pages import asked_by, assert_same_queries, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, in_state, link, planned
from tests.factories.content import GOOD as GOOD_TEXT
from tests.factories.content import approved_version, asset
from tests.factories.leads import LeadFactory
from tests.factories.scoring import touch

pytestmark = pytest.mark.django_db
GOOD = {
    "landing_url": "https://www.example.com/report?lang=de#top",
    "source": "newsletter",
    "medium": "email",
    "campaign_tag": "spring-2027",
    "term": "",
    "content": "button-top",
}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("source", "", "A link needs its source."),
        ("source", "News Letter", "Write “news-letter”."),
        ("medium", "E-Mail", "without spaces: spring-2027. Write “e-mail”."),
        ("campaign_tag", "frühling", "Write “fruehling”."),
        ("content", "jane.doe@example.com", "holds an e-mail address; personal data never stands in an address"),
        ("content", "jane.doe%40example.com", "holds an e-mail address"),
        ("term", "+49 170 1234567", "holds a telephone number"),
        ("term", "x" * 101, "It has 101 characters, at most 100 fit."),
        ("landing_url", "", "A link needs its landing page."),
        ("landing_url", "http://www.example.com/", "is not encrypted: use https://"),
        ("landing_url", "ftp://www.example.com/", "does not begin with https://"),
        ("landing_url", "https://www.example.com/?utm_source=x", "Leave utm_source away"),
        ("landing_url", "https://www.example.com/?to=a.b@example.com", "The address holds an e-mail address"),
        ("landing_url", "https://www.example.com/" + "x" * 1000, "at most 1,000 fit"),
        ("landing_url", "#top", "Write the whole address"),
    ],
)
def test_what_is_wrong_with_a_link_is_said_beside_its_field(name, value, sentence):
    wrong = problems_of({**GOOD, name: value})
    assert list(wrong) == [name]
    assert sentence in wrong[name]


def test_words_between_hyphens_are_no_e_mail_address():
    assert problems_of({**GOOD, "landing_url": "https://www.example.com/meet-us-at-hannover.html"}) == {}
    assert personal_data("jane(at)example.com") == "an e-mail address"


def test_dates_are_no_telephone_numbers_and_suggestions_are_right():
    for harmless in ("20270501-20270531", "2027-05-01", "id-12345678", "spring-2027"):
        assert personal_data(harmless) is None, harmless
    for bad in ("0170 123 45 67", "4917012345678", "a_at_b@c.de"):
        assert personal_data(bad), bad
    assert suggestion("  Große Aktion: Frühling!  ") == "grosse-aktion-fruehling"
    assert problems_of({**GOOD, "campaign_tag": suggestion("Search: reporting software")}) == {}
    assert tags_in("https://[broken") is None
    assert tags_in("https://a.example/?x=1") is None


def test_a_link_is_planned_once_and_told_apart():
    ops = person_with(Role.OPS)
    campaign, other = planned(author=ops, name="Spring"), planned(author=ops, name="Autumn")
    made = utm_plan.plan_link(campaign, by=ops, **GOOD)
    assert made.address == (
        "https://www.example.com/report?lang=de&utm_source=newsletter&utm_medium=email"
        "&utm_campaign=spring-2027&utm_content=button-top#top"
    )
    assert tags_in(made.address) == made.tags
    with pytest.raises(InvalidInput, match="A link with these five tags is planned already"):
        utm_plan.plan_link(campaign, by=ops, **GOOD)
    with pytest.raises(InvalidInput, match="Spring has the campaign tag “spring-2027”; visits of both"):
        utm_plan.plan_link(other, by=ops, **{**GOOD, "content": "other"})
    with pytest.raises(InvalidInput) as caught:
        utm_plan.plan_link(campaign, by=ops, **{**GOOD, "source": "A B", "medium": ""})
    assert set(caught.value.fields) == {"source", "medium"}
    with pytest.raises(NotAllowed, match="You may not plan links"):
        utm_plan.plan_link(campaign, by=person_with(Role.AUDITOR), **GOOD)
    with pytest.raises(WrongState, match="is cancelled; no more links are planned for it"):
        utm_plan.plan_link(in_state("cancelled"), by=ops, **GOOD)
    for changed in ({"source": "A B"}, {"landing_url": "http://x"}, {"campaign": other, "content": "new"}, {}):
        with pytest.raises(DatabaseError), transaction.atomic(), acting_as(ops):
            UtmLink.objects.create(**{"campaign": campaign, **GOOD, **changed})


def test_names_follow_the_rules_of_technology():
    ops = person_with(Role.OPS)
    with acting_as(ops):
        NamingRule.objects.create(
            name="Tags of campaigns",
            applies_to="utm_campaign",
            pattern="{region}-{name}-{month}",
            tokens={
                "region": {"kind": "choice", "values": ["dach", "uk"]},
                "month": {"kind": "date", "form": "YYYYMM"},
            },
            lower_case=True,
        )
    wrong = problems_of(GOOD)["campaign_tag"]
    assert wrong.startswith("It does not follow Tags of campaigns, {region}-{name}-{month}:")
    assert problems_of({**GOOD, "campaign_tag": "dach-spring-202705"}) == {}
    campaign = approved(author=ops)
    gate = {each.key: each for each in launch_conditions(campaign, clock.today())}
    assert not gate["utm"].is_met
    assert "It does not follow Tags of campaigns" in gate["utm"].says


def test_the_launch_asks_for_planned_links_and_for_texts_that_carry_them():
    ops = person_with(Role.OPS)
    campaign = planned(author=ops)
    found = utm_plan.utm_finding(campaign, clock.today())
    assert (found.is_met, found.says) == (False, "no link is planned; plan one in the UTM builder")
    assert utm_plan.utm_finding(planned(main_channel="event"), clock.today()) is None
    made = link(campaign, by=ops)
    assert utm_plan.utm_finding(campaign, clock.today()).says == "1 link planned, and no other in its texts"
    bad = made.address.replace("utm_medium=email", "utm_medium=mail").replace("&", "&amp;")
    brief, body = asset(by=ops, title="May mail"), GOOD_TEXT.replace("Read more.", f'<a href="{bad}">Read</a>')
    text = approved_version(of=brief, by=ops, body=body)
    link_content(text.asset, campaign, by=ops)
    found = utm_plan.utm_finding(campaign, clock.today())
    assert not found.is_met
    assert found.says.startswith("“May mail” links with tags that are not planned: newsletter / mail / campaign-")
    seen = utm_drift.drift_of(ops, clock.today()).drifted
    assert [(each.witness, each.verdict, each.meant) for each in seen] == [
        ("Texts of campaigns", "not among the links of its campaign", made)
    ]


def test_tags_stay_once_the_campaign_was_launched():
    ops = person_with(Role.OPS)
    campaign = in_state("live")
    made = link(campaign, by=ops)
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), acting_as(ops):
        UtmLink.objects.filter(pk=made.pk).update(source="other")
    assert sentence_of(caught.value) == "The campaign was launched with this link; archive it and plan another one."
    early = link(planned(author=ops), by=ops)
    with acting_as(ops):
        assert UtmLink.objects.filter(pk=early.pk).update(source="other") == 1


def test_what_turns_up_and_is_in_no_plan_is_reported():
    ops, today = person_with(Role.OPS), clock.today()
    campaign = in_state("live", name="Spring")
    made, never = link(campaign, by=ops), link(campaign, by=ops, content="never")
    UtmLink.objects.filter(pk=made.pk).update(note="Mail")
    person = LeadFactory()
    right = {"utm_source": "newsletter", "utm_medium": "email", "utm_campaign": made.campaign_tag}
    given = [
        right,
        {**right, "utm_source": "Newsletter"},
        {**right, "utm_medium": "sms"},
        {"source": "google", "medium": "cpc", "campaign": "nobody-knows"},
        {**right, "utm_content": "jane@example.com"},
    ]
    take_touches([touch(person, utm=utm) for utm in given], by=ops)
    report = utm_drift.drift_of(ops, today)
    told = {(each.verdict, each.meant) for each in report.drifted}
    assert told == {
        ("written otherwise than planned", made),
        ("not among the links of its campaign", never),
        ("no campaign has this tag", None),
        ("carries personal data", None),
    }
    assert not any("jane" in each.words for each in report.drifted)
    assert report.unseen == []  # live for less than three days
    assert utm_drift.drift_of(ops, today + dt.timedelta(days=4)).unseen == [never]
    assert utm_drift.drift_of(person_with(), today).drifted == []


def test_pages(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    campaign = planned(author=ops, name="Spring offer")
    page = reverse("campaign-utm")
    assert 'value="spring-offer"' in client.get(page, {"campaign": campaign.pk}).content.decode()
    shown = client.post(page, {**GOOD, "campaign": campaign.pk, "preview": "1"}).content.decode()
    assert "Right as it stands" in shown
    assert UtmLink.objects.count() == 0
    refused = client.post(page, {**GOOD, "source": "A b", "campaign": campaign.pk, "add": "1"}).content.decode()
    assert "Write “a-b”." in refused
    done = client.post(page, {**GOOD, "campaign": campaign.pk, "add": "1", "note": "Mail"}, follow=True)
    assert "Planned: https://www.example.com/report?lang=de&amp;utm_source=newsletter" in done.content.decode()
    made = UtmLink.objects.get()
    form = {**GOOD, "source": "New S", "note": "", "opened_version": made.row_version}
    assert "Write “new-s”." in client.post(page_of(made), form).content.decode()
    assert client.post(page_of(made), {**form, "source": "other"}).status_code == 302
    assert_same_queries(client, list_of(UtmLink), lambda: [link(planned(author=ops), by=ops) for _ in range(2)])
    assert len(asked_by(client, page_of(made))) <= 25
    sheet = client.get(f"{list_of(UtmLink)}?campaign={campaign.pk}")
    assert sheet.status_code == 200
    assert client.get(reverse("campaign-utm-drift")).status_code == 200
    client.force_login(person_with(Role.AUDITOR))
    assert "Add to the plan" not in client.get(page).content.decode()
    denied = client.post(page, {**GOOD, "content": "x", "campaign": campaign.pk, "add": "1"}).content.decode()
    assert "You may not plan links." in denied
    assert client.post(page_of(made), form).status_code == 403
    client.force_login(person_with())
    assert client.get(page).status_code == 403
    assert client.get(reverse("campaign-utm-drift")).status_code == 403
