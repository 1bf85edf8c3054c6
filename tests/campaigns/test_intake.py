"""Requests for campaigns: complete by their form, looked through, taken over without retyping."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.campaigns.domain import intake, request_form
from apps.campaigns.models import Campaign, CampaignRequest, IntakeForm
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import planned

pytestmark = pytest.mark.django_db
WISH = {
    "title": "Spring webinar on reporting",
    "objective": "More trials.",
    "audience": "Marketing managers in DACH.",
    "main_channel": "webinar",
    "product": "Reporting",
    "region": "DACH",
    "starts_on": dt.date(2099, 3, 1),
    "ends_on": dt.date(2099, 4, 1),
    "budget": Decimal("1200.00"),
    "currency": "EUR",
    "success_metrics": "80 registrations.",
}


def asked(by=None, **changed):
    return intake.ask_for_campaign(by=by or person_with(Role.SALES), values=WISH | changed)


def test_every_gap_is_told_at_once():
    with pytest.raises(InvalidInput) as caught:
        asked(title=" ", objective="", budget=None, ends_on=dt.date(2099, 1, 1), currency="EURO")
    assert caught.value.fields == {
        "title": "Give it a name in one line.",
        "objective": "Objective is missing; work cannot begin without it.",
        "budget": "Budget is missing; work cannot begin without it.",
        "ends_on": "A campaign cannot end before it starts; look at the two dates.",
        "currency": "“EURO” is no currency of ISO 4217; write its three letters, for instance EUR.",
    }
    with pytest.raises(InvalidInput, match="A budget cannot be less than nothing"):
        asked(budget=Decimal(-1))
    gone = person_with(Role.SALES, is_active=False)
    with pytest.raises(NotAllowed, match="is deactivated"):
        asked(by=gone)
    assert CampaignRequest.objects.count() == 0


def test_a_published_form_adds_questions_and_lead_time_and_stays():
    ops = person_with(Role.OPS)
    said = request_form.publish_form(
        by=ops, required=["objective", "region"], questions="Landing page?* | Its address\nNotes", lead_days=10
    )
    assert said == "Request form 1 asks for 2 fields and 2 further answers from now on."
    with pytest.raises(InvalidInput, match="Nothing has changed"):
        request_form.publish_form(
            by=ops, required=["objective", "region"], questions="Landing page?* | Its address\nNotes", lead_days=10
        )
    for questions, sentence in (("* | x", "Line 1 asks nothing"), ("A\nA", "Line 2 asks “A” a second time")):
        with pytest.raises(InvalidInput, match=sentence):
            request_form.publish_form(by=ops, required=[], questions=questions)
    with pytest.raises(InvalidInput, match="There is no such field: colour"):
        request_form.publish_form(by=ops, required=["colour"])
    with pytest.raises(NotAllowed, match="You may not publish request forms"):
        request_form.publish_form(by=person_with(Role.AUDITOR), required=[])
    at = dt.datetime(2099, 2, 25, tzinfo=dt.UTC)
    with pytest.raises(InvalidInput) as caught:
        intake.ask_for_campaign(by=ops, values=WISH | {"region": ""}, answers={"notes": "x"}, at=at)
    assert caught.value.fields == {
        "region": "Region is missing; work cannot begin without it.",
        "starts_on": "It takes 10 days to prepare a campaign: 7 March 2099 is the first day possible.",
        "landing_page": "“Landing page?” needs an answer.",
    }
    made = intake.ask_for_campaign(by=ops, values=WISH | {"budget": None}, answers={"landing_page": "/a", "other": "x"})
    assert (made.form.number, made.answers, made.budget) == (1, {"landing_page": "/a"}, None)
    with pytest.raises(DatabaseError), transaction.atomic():
        IntakeForm.objects.update(required=[])


def test_it_becomes_a_campaign_with_everything_it_says():
    seller, ops = person_with(Role.SALES), person_with(Role.OPS)
    request = asked(by=seller)
    assert request.campaign is None
    said = intake.accept_request(request, by=ops, note="Good idea.")
    campaign = Campaign.objects.get()
    assert (
        said
        == "“Spring webinar on reporting” became the campaign Spring webinar on reporting, with everything it said."
    )
    assert {name: getattr(campaign, name) for name in intake.TAKEN_OVER} == {
        name: WISH[name] for name in intake.TAKEN_OVER
    }
    assert (campaign.name, campaign.owner_person, campaign.checklist.count()) == (WISH["title"], ops, 5)
    request.refresh_from_db()
    assert (request.stage, request.campaign, request.triaged_by) == ("accepted", campaign, ops)
    told = Notification.objects.get(recipient=seller)
    assert (told.title, told.body) == ("Accepted: Spring webinar on reporting", "Good idea.")
    with pytest.raises(WrongState, match="is accepted; nothing is left to decide"):
        intake.decline_request(request, by=ops, reason="No.")
    twin = asked(by=seller)
    with pytest.raises(InvalidInput, match="There is a campaign called “Spring webinar on reporting” already"):
        intake.accept_request(twin, by=ops)
    assert [(each.thing, each.why) for each in intake.twins_of(twin, reader=ops)] == [
        (campaign, "100% of the words of the name in common, same channel, planning")
    ]
    intake.accept_request(twin, by=ops, name="Second spring webinar", owner=seller)
    assert Campaign.objects.get(name="Second spring webinar").owner_person == seller


def test_a_question_goes_back_and_forth_and_a_refusal_has_its_reason():
    seller, ops = person_with(Role.SALES), person_with(Role.OPS)
    request = asked(by=seller)
    for operation, sentence in (
        (intake.ask_information, "Say what is missing"),
        (intake.decline_request, "Say why it is declined"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            operation(request, by=ops, reason=" ")
    assert intake.ask_information(request, by=ops, reason="Which product?").endswith(f"waits for {seller}.")
    with pytest.raises(NotAllowed, match="Only who asked changes a request"):
        intake.answer_information(request, by=ops, values=WISH)
    intake.answer_information(request, by=seller, values=WISH | {"product": "Reporting 2"})
    request.refresh_from_db()
    assert (request.stage, request.product) == ("asked", "Reporting 2")
    assert Notification.objects.filter(recipient=ops, title__startswith="Answered").count() == 1
    assert intake.decline_request(request, by=ops, reason="No budget.").endswith(f"is declined; {seller} is told why.")
    with pytest.raises(WrongState, match="is declined; ask anew"):
        intake.withdraw_request(request, by=seller)
    other = asked(by=seller)
    assert intake.withdraw_request(other, by=seller) == "“Spring webinar on reporting” is withdrawn."


def test_who_asked_does_not_decide_nor_who_has_no_right():
    ops = person_with(Role.OPS)
    with pytest.raises(WrongState, match="You asked for it yourself; somebody else looks it through"):
        intake.accept_request(asked(by=ops), by=ops)
    for role in (Role.SALES, Role.APPROVER, Role.AUDITOR, Role.ADMINISTRATOR, Role.EXECUTIVE):
        with pytest.raises(NotAllowed, match="You may not decide about requests for campaigns"):
            intake.accept_request(asked(), by=person_with(role))


def test_the_database_lets_no_edit_triage():
    request = asked()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        CampaignRequest.objects.update(stage="declined", verdict="x")
    assert sentence_of(caught.value) == "A request is triaged by the buttons on its page, not by an edit."
    assert intake.twins_of(request, reader=person_with(Role.OPS)) == []


def posted(**changed):
    return {name: str(value) for name, value in (WISH | changed).items()}


def test_anybody_asks_on_their_page_and_sees_their_own_alone(client):
    seller, other, ops = person_with(), person_with(), person_with(Role.OPS)
    client.force_login(seller)
    page = client.get(reverse("campaign-ask")).content.decode()
    assert "You have not asked for a campaign yet." in page
    page = client.post(reverse("campaign-ask"), posted(objective="", starts_on="soon")).content.decode()
    assert "Objective is missing; work cannot begin without it." in page or "Enter a valid date." in page
    page = client.post(reverse("campaign-ask"), posted(objective="")).content.decode()
    assert "Objective is missing; work cannot begin without it." in page
    done = client.post(reverse("campaign-ask"), posted(), follow=True).content.decode()
    assert "is asked for. You are told what becomes of it." in done
    request = CampaignRequest.objects.get()
    own = reverse("campaign-request", args=(request.pk,))
    client.force_login(other)
    assert client.get(own).status_code == 404
    planned(name="Spring webinar on reporting again", starts_on=dt.date(2099, 3, 1))
    client.force_login(ops)
    page = client.get(page_of(request)).content.decode()
    assert "May be the same" in page
    client.post(button_of(request, "ask"), {"reason": "Which product?"})
    client.force_login(seller)
    page = client.get(own).content.decode()
    assert ("Waits for your answer" in page, "Which product?" in page, "There may be such a campaign" in page) == (
        True,
        True,
        True,
    )
    assert 'name="starts_on" value="2099-03-01"' in page  # as browsers read a day, or the box looks empty
    page = client.post(own, posted(budget="")).content.decode()
    assert "Budget is missing; work cannot begin without it." in page
    page = client.post(own, posted(product="New"), follow=True).content.decode()
    assert "is asked again; you are told what becomes of it." in page
    client.post(own, {"withdraw": "1"})
    assert "Send again" not in client.get(own).content.decode()


def test_pages_of_the_desk(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    asked()
    assert_same_queries(client, list_of(CampaignRequest), lambda: [asked(title=f"Wish {n}") for n in range(2)])
    request_form.publish_form(by=ops, required=["objective"], questions="Why now?*")
    form = IntakeForm.objects.get()
    page = client.get(button_of(form, "next")).content.decode()
    assert "Why now?*" in page
    given = {"required": ["objective", "budget"], "questions": "Why now?*", "lead_days": "5"}
    page = client.post(button_of(form, "next"), given, follow=True).content.decode()
    assert "Request form 2 asks for 2 fields and 1 further answers from now on." in page
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(list_of(IntakeForm)).status_code == 200
    client.post(button_of(form, "next"), given | {"lead_days": "6"})
    assert IntakeForm.objects.count() == 2
