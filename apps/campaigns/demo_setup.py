"""The demo's chapter on setting campaigns up: templates in force, a campaign that came from one, days kept free."""

import datetime as dt
from decimal import Decimal
from typing import Any

from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain import experiments, tasks, templates, working
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Blackout, Campaign, CampaignTask, CampaignTemplate, Experiment, Variant
from apps.core.actors import acting_as
from apps.core.records import kind_of
from apps.core.rules.catalog import catalog_of
from apps.core.rules.predicates import in_words
from apps.processes.domain.compliance import evaluate
from apps.processes.models import ComplianceRule

# name, channel, guidelines, what it sets up
TEMPLATES: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    (
        *("Webinar", "webinar", "For webinars of our own; partner webinars are planned with the partner."),
        {
            "tasks": "Book the speaker | 42\nRehearse with the speaker | 5\nTell sales who registered | 1\n"
            "Send the recording",
            "checklist": "legal | Recording: everybody is told before it begins\n"
            "audience | Customers are told apart from prospects",
            "budget": "paid_social | 60\nemail | 15\nwebinar | 25",
            "links": "newsletter | email | invitation | Invitation by mail\nnewsletter | email | reminder | Last call\n"
            "linkedin | paid-social | video | Video with the speaker",
            "briefs": "landing_page | Registration | Register in two steps; say what people take home.\n"
            "email | Invitation | Why these forty minutes are worth it, for heads of marketing.",
            "success_metrics": "150 registrations, 60 guests, 25 MQL.",
        },
    ),
    (
        *("Newsletter", "email", "For regular letters; product news alone."),
        {
            "tasks": "Collect the news | 14\nProof-read | 3",
            "budget": "email | 100",
            "links": "newsletter | email | top | First story\nnewsletter | email | more | All other stories",
            "briefs": "email | Letter | Three pieces of news, each with one link.",
            "success_metrics": "30 % opens, 5 % clicks, fewer than 0.2 % leave.",
        },
    ),
)


def tell(company: Any) -> None:
    """Put templates in force, set a campaign up from one, and keep some days free."""
    boss, author = company.people["manager"], company.people["campaign_manager_2"]
    versions = [_template(company, boss, *each) for each in TEMPLATES]
    first = company.today + dt.timedelta(days=50)
    with acting_as(author):
        campaign: Campaign = Campaign.objects.create(
            name="Webinar: planning the year",
            main_channel="webinar",
            objective="Show how a year of marketing is planned in a week, and win teams that plan by spreadsheet.",
            audience="Heads of marketing in DACH and the Nordics; no customers.",
            region="DACH, Nordics",
            starts_on=first,
            ends_on=first + dt.timedelta(days=40),
            budget=Decimal("7500.00"),
            owner_person=author,
            owner_team=company.teams["Demand Generation"],
        )
    given = {"landing_url": "https://www.example.com/webinar-year", "campaign_tag": "webinar-planning-the-year"}
    templates.set_up(campaign, by=author, version=versions[0], **given)
    done = CampaignTask.objects.filter(campaign=campaign).order_by("due_on", "pk").first()
    if done is not None:
        tasks.do_task(done, by=author, note="The head of analytics speaks.")
    # with the creative work begins the standard process in its five stages, on the page of the campaign
    working.begin_creative(campaign, by=author, note="The plan stands; the texts can be written.")
    _blackouts(company, boss)
    _experiment(company, author)
    _held_to(company, boss)


def _template(company: Any, boss: Any, name: str, channel: str, guidelines: str, says: dict[str, str]) -> Any:
    with acting_as(boss):
        row = CampaignTemplate.objects.create(name=name, main_channel=channel, guidelines=guidelines, owner_person=boss)
    version = templates.write_version(row, by=boss, **says)
    templates.submit_version(version, by=boss, at=company.at(20))
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type=kind_of(version))
    approve(request, by=company.people["director"], at=company.at(19))
    version.refresh_from_db()
    return version


def _blackouts(company: Any, boss: Any) -> None:
    year = company.today.year
    with acting_as(boss):
        Blackout.objects.create(
            name="Between the years",
            first_day=dt.date(year, 12, 24),
            last_day=dt.date(year + 1, 1, 2),
            reason="Nobody is there when something goes wrong. Exceptions: the head of marketing operations.",
        )
        Blackout.objects.create(
            name="Spring fair",
            first_day=dt.date(year + 1, 4, 20),
            last_day=dt.date(year + 1, 4, 24),
            only_region="DACH",
            is_strict=False,
            reason="Everybody is at the fair and mailboxes are full.",
        )


def _experiment(company: Any, author: Any) -> None:
    """A test that is running on something live, a few days before it can be decided."""
    campaign = Campaign.objects.filter(state=CampaignState.LIVE).order_by("pk").first()
    if campaign is None:
        return
    with acting_as(author):
        test: Experiment = Experiment.objects.create(
            campaign=campaign,
            name="Price on the page",
            question="Who reads the price before the form asks fewer questions later and registers more often.",
            success="registered",
            least=400,
        )
        for letter, note in (("A", "without the price"), ("B", "with the price")):
            Variant.objects.create(experiment=test, letter=letter, note=note)
    experiments.start_experiment(test, by=author, at=company.at(6))
    for ago, counts in ((5, (61, 5, 58, 7)), (4, (66, 4, 70, 9)), (3, (59, 6, 63, 6)), (2, (72, 5, 69, 11))):
        day = company.today - dt.timedelta(days=ago)
        for letter, people, successes in (("A", *counts[:2]), ("B", *counts[2:])):
            experiments.enter_counts(test, by=author, letter=letter, day=day, people=people, successes=successes)


def _held_to(company: Any, boss: Any) -> None:
    """What the law wants in one region, in the channels that address single people: two campaigns still owe it."""
    where = {"field": "region", "op": "contains", "value": "DACH"}
    how = {"field": "main_channel", "op": "in", "value": ["email", "webinar"]}
    scope = {"predicate": {"all": [where, how]}}
    with acting_as(boss, reason="Agreed with legal"):
        rule: ComplianceRule = ComplianceRule.objects.create(
            title="Mail and webinars in DACH name their consent basis",
            check_key="campaigns.consent_basis",
            severity="critical",
            scope=scope,
            scope_words=in_words(scope["predicate"], catalog_of(Campaign)),
            effective_from=company.today - dt.timedelta(days=30),
            owner_person=boss,
        )
    evaluate(rule)
