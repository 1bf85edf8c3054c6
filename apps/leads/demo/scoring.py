"""The demo's companies, what its leads did, and the rules that score them: one version decides, a better one waits."""

import datetime as dt
import random
from dataclasses import replace
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.campaigns.models import UtmLink
from apps.content.models import Distribution
from apps.core import access, clock
from apps.core.actors import Channel, acting_as
from apps.core.records import kind_of
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.leads.demo.earlier import bring_touches
from apps.leads.domain.consent import record_consent
from apps.leads.domain.handoff import accept, expire_due, offer, reject
from apps.leads.domain.intake import receive
from apps.leads.domain.scoring.overriding import set_score
from apps.leads.domain.scoring.rehearsal import backfill
from apps.leads.domain.touches import Touch, take_touches
from apps.leads.enums import Stage
from apps.leads.models import Company, IntakeSource, Lead
from apps.leads.scoring_rules import DOCUMENT, HALF_LIFE, KIND

SEED, MOST_OFFERS = 20260102, 5
HUB = "hubspot"  # leads of the CRM before are told in earlier.py
TITLES = (
    "Chief Marketing Officer",
    "Vice President Sales",
    "Director of Operations",
    "Head of Digital",
    "Marketing Manager",
    "IT Manager",
    "Analyst",
    "Buyer",
    "",
)
NEWSLETTER, SHARE_BY_LINK = "Autumn newsletter", 0.35
SIZES = (12, 35, 80, 140, 260, 640, 1400, 5200, None)
DID = (
    ("visit", 50, ("Pricing", "Product tour", "Customers", "Blog: lead scoring", "Integrations")),
    ("email", 22, (NEWSLETTER, "Webinar invitation", "Product news")),
    ("download", 10, ("Buyer's guide.pdf", "Benchmark report.pdf", "Security paper.pdf")),
    ("webinar", 6, ("Scoring without secrets", "Clean data in ten steps")),
    ("demo", 3, ("Demo of the platform",)),
    ("trial", 3, ("Trial workspace",)),
    ("unsubscribe", 1, ("Newsletter",)),
)
FORM = {
    "key": "website-contact-form",
    "title": "Contact form of the website",
    "fields": {"work_email": "email", "full_name": "name", "position": "job_title", "company_name": "company"},
    "required": ["email", "name"],
    "precedence": 60,
    "touch_type": "form",
    "is_web_form": True,
    "takes_visits": True,
    "origins": ["https://www.example.com"],
    "honeypot": "website",
    "consent_field": "newsletter",
    "consent_wording": "Yes, write to me about products and events. I can take this back at any time.",
    "asks": ["job_title", "company", "phone", "country"],
    "asks_again_after": 365,
}


def tell(company: Any) -> None:
    """Make what the pages of touches and scores show, through the operations that people use."""
    dice = random.Random(SEED)  # noqa: S311  # the same every time, no secret
    specialist, today = company.people["specialist"], company.today
    _companies(dice, specialist)
    _touches(dice, company)
    bring_touches(company)
    _intake(specialist)
    _rules(company)
    _handoffs(company)
    sales_lead = company.people["sales_lead"]
    first = access.visible(sales_lead, Lead, verb="change").exclude(external_id="").order_by("external_id").first()
    if first is not None:
        record_consent(
            first,
            purpose="marketing_email",
            is_given=True,
            by=specialist,
            evidence="Tick on the webinar form, version 3.",
        )
        set_score(
            first,
            value=75,
            until=max(today, clock.today()) + dt.timedelta(days=60),
            reason="Met the team at the fair; they decide this quarter.",
            by=sales_lead,
        )


def _handoffs(company: Any) -> None:
    """Offer MQLs to sales: some wait, one was taken, one came back, one nobody answered."""
    specialist = company.people["specialist"]
    rows = Lead.objects.live().filter(stage=Stage.MQL, owner_person__isnull=False).order_by("external_id")
    leads = list(rows.select_related("owner_person")[:6])
    offers = [offer(lead, by=specialist, note="Asked for prices.") for lead in leads[:-1]]
    takers = [each.to_person for each in offers if each.to_person is not None]
    if len(takers) == MOST_OFFERS:
        accept(offers[0], by=takers[0], reason="Good first call; they decide this quarter.")
        words = "The budget for this year is spent; call again in spring."
        reject(offers[1], by=takers[1], rejection="too_early", reason=words)
        offer(leads[-1], by=specialist, at=company.at(5))
        expire_due()


def _companies(dice: random.Random, by: User) -> None:
    with acting_as(by, channel=Channel.SYNC, reason="Companies as the enrichment service knows them"):
        named = Lead.objects.filter(record_source=HUB).exclude(company="")
        for name in sorted(set(named.values_list("company", flat=True))):
            made = Company.objects.create(
                name=name,
                domain=f"{name.lower().replace(' ', '-')}.example",
                industry=name.rpartition(" ")[2] if dice.random() < 0.9 else "",
                employees=dice.choice(SIZES),
                is_competitor=name == "Nimbus Software",
            )
            Lead.objects.filter(company=name).update(account=made)
        for lead in Lead.objects.filter(record_source=HUB).order_by("external_id"):
            lead.job_title = dice.choice(TITLES)
            if lead.job_title:
                lead.save(update_fields=["job_title"])


def _touches(dice: random.Random, company: Any) -> None:
    kinds, weights = [each[0] for each in DID], [each[1] for each in DID]
    words = {kind: said for kind, _, said in DID}
    touches: list[Touch] = []
    for key in Lead.objects.filter(record_source=HUB).order_by("external_id").values_list("pk", flat=True):
        for _ in range(min(30, int(dice.expovariate(0.16)))):
            kind = dice.choices(kinds, weights)[0]
            days = min(350, 1 + int(dice.expovariate(0.018)))
            touches.append(
                Touch(
                    lead_id=key,
                    type=kind,
                    occurred_at=company.at(days, dice.randint(6, 20)) + dt.timedelta(minutes=dice.randint(0, 59)),
                    source="hubspot",
                    source_event_id=f"demo-{len(touches) + 1}",
                    value=dice.choice(words[kind]),
                    machine_reason="All links of the mail opened within a second"
                    if kind == "email" and dice.random() < 0.12
                    else "",
                )
            )
    take_touches(_come_by(touches), by=company.people["specialist"])


def _come_by(touches: list[Touch]) -> list[Touch]:
    """Let some visits come by a link of a campaign that was running then, and mails be the version that was sent."""
    dice = random.Random(SEED + 1)  # noqa: S311  # the same every time, no secret
    links = list(UtmLink.objects.live().filter(campaign__launched_at__isnull=False).select_related("campaign"))
    sent = Distribution.objects.filter(published_at__isnull=False, main_channel="email").order_by("pk").first()
    found = []
    for each in touches:
        day = each.occurred_at.date()
        ran = [
            link
            for link in links
            if each.type in ("visit", "download") and link.campaign.launched_at <= each.occurred_at
            if link.campaign.ends_on is not None and day <= link.campaign.ends_on
        ]
        if ran and dice.random() < SHARE_BY_LINK:
            link = dice.choice(ran)
            utm = {"source": link.source, "medium": link.medium, "campaign": link.campaign_tag, "content": link.content}
            found.append(replace(each, utm=utm))
        elif each.value == NEWSLETTER and sent is not None and sent.published_at <= each.occurred_at:
            found.append(replace(each, content_version_id=sent.version_id))
        else:
            found.append(each)
    return found


def _intake(by: User) -> None:
    with acting_as(by):
        source = IntakeSource.objects.create(**FORM)
    deliveries = (
        {
            "work_email": "ines.marchetti@alpenblick-software.example",
            "full_name": "Ines Marchetti",
            "position": "Head of IT",
        },
        {"work_email": "lead7@example.org", "full_name": "Somebody Known", "position": "Director of Data"},
        {"work_email": "jo at example", "full_name": "Jo Without"},
        {"full_name": "No Address", "position": "Buyer"},
    )
    for number, payload in enumerate(deliveries, 1):
        receive(source, payload, key=f"entry-{number}", by=by)


def _rules(company: Any) -> None:
    author, approver, today = company.people["specialist"], company.people["approver"], company.today
    with acting_as(author):
        document = RuleDocument.objects.create(
            key=DOCUMENT,
            kind=KIND,
            title="Lead scoring",
            description="Who is ready for sales. Agreed with sales every quarter.",
            owner=author,
        )
    first = _draft(
        document, start_draft(document, by=author).body, "The point model agreed at the kick-off", author, today
    )
    send_for_approval(first, by=author)
    request = ApprovalRequest.objects.open().get(object_id=first.pk, content_type=kind_of(RuleVersion))
    approve(request, by=approver, note="As agreed with sales.")
    activate(first, by=author, reason="Agreed with sales.")
    first.refresh_from_db()
    backfill(
        first, None, as_of=first.activated_at or clock.now()
    )  # what the queued job does as well, and then finds done
    body = {**first.body, "rules": [_fading(rule) for rule in first.body["rules"]]}
    _draft(document, body, "Visits and e-mails of last year say little: they halve every 30 days", author, today)


def _fading(rule: dict[str, Any]) -> dict[str, Any]:
    if rule["outcome"].get("touch") not in ("visit", "email"):
        return rule
    return {**rule, "outcome": {**rule["outcome"], "decay": HALF_LIFE, "days": 30}}


def _draft(document: RuleDocument, body: Any, note: str, by: User, today: dt.date) -> RuleVersion:
    version = document.versions.filter(state="draft").first() or start_draft(document, by=by)
    version = write_rules(version, body, by=by)
    version.change_note, version.review_on = note, today + dt.timedelta(days=30)
    with acting_as(by):
        version.save(update_fields=["change_note", "review_on"])
    return simulate(version, by=by)
