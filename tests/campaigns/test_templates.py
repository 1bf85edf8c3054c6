"""Templates: what they say is read line by line, approved, and sets a campaign up in one go; times with and without."""

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain import budget, intervals, tasks, templates
from apps.campaigns.domain.template_lines import months_of, problem_of, spread
from apps.campaigns.domain.working import BEGUN
from apps.campaigns.models import Campaign, CampaignTask, CampaignTemplate, CampaignTemplateVersion, TemplateUse
from apps.campaigns.models.template import PARTS
from apps.content.models import ContentAsset, ContentLink
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.processes.models import Process, Run
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, whole_page_of
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for
from tests.factories.campaigns import in_state, planned
from tests.factories.processes import ProcessFactory, effective, steps

pytestmark = pytest.mark.django_db
SAYS = {
    "tasks": "Book the speaker | 30\nTell sales",
    "checklist": "legal | Prize draw: terms are on the page",
    "budget": "paid_social | 66.67\nemail | 33.33",
    "links": "newsletter | email | button-top | First mail\nlinkedin | paid-social",
    "briefs": "landing_page | Page | Register in two steps",
    "success_metrics": "120 registrations.",
}
LANDING = {"landing_url": "https://www.example.com/webinar", "campaign_tag": "webinar-may"}


def in_force(by, **said):
    policy_for("campaigns.campaigntemplateversion")
    approver = person_with(Role.APPROVER)
    with acting_as(by):
        template = CampaignTemplate.objects.create(name=f"Webinar {CampaignTemplate.objects.count()}")
    version = templates.write_version(template, by=by, **{**SAYS, **said})
    templates.submit_version(version, by=by)
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type__model="campaigntemplateversion")
    approve(request, by=approver)
    version.refresh_from_db()
    return version


@pytest.mark.parametrize(
    ("part", "text", "sentence"),
    [
        ("tasks", "Book | soon", "Tasks, line 1: “soon” is no number of days between 0 and 730."),
        ("tasks", "a\na", "Tasks, line 2: it stands there twice."),
        ("tasks", "x" * 201, "Tasks, line 1: a part has at most 200 characters."),
        ("tasks", "\n".join(map(str, range(61))), "Tasks: at most 60 lines."),
        ("checklist", "legal", "Checklist, line 1: write for instance “legal | Prize draw: terms are on the page”."),
        ("checklist", "moon | Full", "Checklist, line 1: “moon” is none of creative, legal, utm"),
        ("budget", "email | 60", "Budget: the lines come to 60 percent; they must come to 100."),
        ("budget", "email | -5", "“-5” is no percentage above 0 and up to 100."),
        ("budget", "email | 50\nE-mail | 50", "Budget, line 2: E-mail stands there twice; add the two together."),
        ("links", "News Letter | email", "UTM plan, line 1: “News Letter”. A tag is written in small letters"),
        ("briefs", "poem | Ode | Praise us", "Briefs, line 1: “poem” is none of email, landing_page"),
        ("tasks", "", "There is nothing to approve yet: a template sets up at least one thing."),
    ],
)
def test_a_line_that_cannot_be_read_is_named(part, text, sentence):
    said = dict.fromkeys(PARTS, "")
    assert sentence in problem_of(SimpleNamespace(**{**said, part: text}))


def test_a_budget_is_spread_over_the_months_it_runs():
    months = months_of(dt.date(2026, 12, 15), dt.date(2027, 2, 1))
    assert months == [dt.date(2026, 12, 1), dt.date(2027, 1, 1), dt.date(2027, 2, 1)]
    lines = spread(Decimal("100.00"), [("email", Decimal(100))], months, 2)
    assert [amount for _, _, amount in lines] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]


def test_a_campaign_is_set_up_in_one_go_and_once():
    ops = person_with(Role.OPS)
    made = effective(
        ProcessFactory(title="Campaign delivery"), flow=steps("Plan", "Create", "Launch", "Watch", "Close")
    )
    Process.objects.filter(pk=made.process_id).update(starts_with=BEGUN)
    campaign = planned(
        author=ops,
        name="Spring",
        owner_person=ops,
        success_metrics="",
        starts_on=dt.date(2027, 5, 10),
        ends_on=dt.date(2027, 6, 20),
        budget=Decimal("100.01"),
    )
    assert templates.refuse_set_up(ops, campaign).startswith("No template is in force; write one")
    version = in_force(ops)
    with pytest.raises(InvalidInput, match="The template plans links: say where they lead"):
        templates.set_up(campaign, by=ops, version=version)
    with pytest.raises(InvalidInput, match="holds an e-mail address"):
        templates.set_up(campaign, by=ops, version=version, **{**LANDING, "campaign_tag": "a.b@example.com"})
    assert (CampaignTask.objects.count(), TemplateUse.objects.count()) == (0, 0)
    with pytest.raises(NotAllowed, match="You may not change Spring"):
        templates.set_up(campaign, by=person_with(Role.AUDITOR), version=version, **LANDING)
    said = templates.set_up(campaign, by=ops, version=version, **LANDING)
    assert said == (
        "Spring is set up from Webinar 0, version 1: 2 tasks, 6 checklist lines, 4 budget lines, 2 links, "
        "1 content briefs. Campaign delivery: Spring was started: 5 steps."
    )
    assert [(each.title, each.due_on) for each in campaign.tasks.all()] == [
        ("Book the speaker", dt.date(2027, 4, 10)),
        ("Tell sales", dt.date(2027, 5, 10)),
    ]
    campaign.refresh_from_db()
    assert campaign.success_metrics == "120 registrations."
    assert budget.standing(campaign).total.planned == Decimal("100.01")
    assert {each.campaign_tag for each in campaign.utm_links.all()} == {"webinar-may"}
    assert ContentLink.objects.get().asset == ContentAsset.objects.get(title="Spring: Page")
    assert Run.objects.get().subject == campaign
    assert templates.refuse_set_up(ops, campaign) == "Spring was set up from Webinar 0, version 1 already."
    with pytest.raises(DatabaseError), transaction.atomic():
        TemplateUse.objects.update(by_label="x")
    live = in_state("live", name="Now")
    assert templates.refuse_set_up(ops, live) == "Now is live; only what is planned is set up from a template."


def test_what_a_template_needs_is_asked_for():
    ops = person_with(Role.OPS)
    version = in_force(ops, links="")
    bare = planned(author=ops, name="Bare", starts_on=None, ends_on=None, budget=None)
    with pytest.raises(InvalidInput, match="Bare has no dates yet"):
        templates.set_up(bare, by=ops, version=version)
    poor = planned(author=ops, name="Poor", budget=None)
    with pytest.raises(InvalidInput, match="Poor has no budget yet; the template spreads it"):
        templates.set_up(poor, by=ops, version=version)
    rich = planned(author=ops, name="Rich", starts_on=dt.date(2027, 1, 1), ends_on=dt.date(2027, 1, 31))
    budget.enter(rich, by=ops, kind="planned", channel="email", month=dt.date(2027, 1, 1), amount=Decimal(5))
    with pytest.raises(InvalidInput, match="Money is planned for Rich already"):
        templates.set_up(rich, by=ops, version=version)
    draft = templates.write_version(version.template, by=ops)
    assert draft.tasks == SAYS["tasks"]
    with pytest.raises(InvalidInput, match="choose what is in force"):
        templates.set_up(rich, by=ops, version=draft)
    assert templates.refuse_submission(ops, draft) == "Say what is new in this version, for whoever approves it."


def test_tasks_are_done_and_opened_again():
    ops = person_with(Role.OPS)
    with acting_as(ops):
        task = CampaignTask.objects.create(campaign=planned(author=ops), title="Tell sales")
    with pytest.raises(NotAllowed, match="You may not change tasks of campaigns"):
        tasks.do_task(task, by=person_with(Role.AUDITOR))
    assert tasks.do_task(task, by=ops) == "“Tell sales” is done."
    with pytest.raises(WrongState, match="is done already"):
        tasks.do_task(task, by=ops)
    with pytest.raises(InvalidInput, match="Say what is still to be done"):
        tasks.reopen_task(task, by=ops, reason=" ")
    assert tasks.reopen_task(task, by=ops, reason="They forgot.") == "“Tell sales” is open again."
    with pytest.raises(WrongState, match="is open"):
        tasks.reopen_task(task, by=ops, reason="x")


def test_times_are_told_with_and_without_a_template():
    ops, now = person_with(Role.OPS), clock.now()
    version = in_force(ops, links="", budget="")
    in_state("live")
    quick = planned(author=ops)
    templates.set_up(quick, by=ops, version=version)
    lines = {each.label: each for each in intervals.cycle_times_by_template(now - dt.timedelta(days=1))}
    assert list(lines) == ["Without a template", "With a template", "Webinar 0"]
    assert (lines["Without a template"].cycle.launched, lines["With a template"].campaigns) == (1, 1)
    assert lines["Webinar 0"].cycle.set_up_hours is None
    cycle = intervals.Cycle
    made = [
        intervals.CycleLine("w", 1, cycle(1, 0, 8.0, None), True, False),
        intervals.CycleLine("t", 1, cycle(1, 0, 2.0, None), True, True),
    ]
    assert intervals.saved_percent(made) == 75
    assert intervals.saved_percent(made[:1]) is None


def test_pages(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    version = in_force(ops)
    assert "Register in two steps" in client.get(page_of(version)).content.decode()
    assert "Book the speaker" in client.get(page_of(version)).content.decode()
    assert_same_queries(client, list_of(CampaignTemplate), lambda: [in_force(ops) for _ in range(2)])
    assert client.get(list_of(CampaignTemplateVersion)).status_code == 200
    campaign = planned(author=ops, name="Spring", starts_on=dt.date(2027, 5, 10), ends_on=dt.date(2027, 6, 20))
    asked = client.get(button_of(campaign, "set-up")).content.decode()
    assert 'value="spring"' in asked
    done = client.post(button_of(campaign, "set-up"), {"version": version.pk, **LANDING}, follow=True).content.decode()
    assert "Spring is set up from Webinar 0, version 1" in done
    assert "2 of 2 are open." in client.get(whole_page_of(campaign)).content.decode()

    def more():
        with acting_as(ops):
            CampaignTask.objects.create(campaign=planned(author=ops), title="x")

    assert_same_queries(client, list_of(CampaignTask), more)
    assert "With a template" in client.get(reverse("campaign-times")).content.decode()
    client.force_login(person_with(Role.AUDITOR))
    task = CampaignTask.objects.first()
    client.post(button_of(task, "done"), {"note": ""})
    task.refresh_from_db()
    assert not task.is_done
    assert client.get(page_of(task)).status_code == 200
    client.force_login(person_with())
    assert client.get(reverse("campaign-times")).status_code == 403


def test_the_currency_stays_while_money_is_entered():
    ops = person_with(Role.OPS)
    campaign = planned(author=ops, starts_on=dt.date(2027, 1, 1), ends_on=dt.date(2027, 1, 31))
    entry = budget.enter(
        campaign, by=ops, kind="planned", channel="email", month=dt.date(2027, 1, 1), amount=Decimal(5)
    )
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), acting_as(ops):
        Campaign.objects.filter(pk=campaign.pk).update(currency="USD")
    assert sentence_of(caught.value) == (
        "Money is entered in the currency of this campaign; take it back before you change the currency."
    )
    budget.take_back(entry, by=ops, reason="Wrong currency.")
    with acting_as(ops):
        assert Campaign.objects.filter(pk=campaign.pk).update(currency="USD") == 1
