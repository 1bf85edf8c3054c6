"""The demo's chapter on campaigns: requests in every state, audiences, and what was planned, ordered and paid."""

import datetime as dt
from decimal import Decimal
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain import audiences, budget, intake, performance, request_form, shifting
from apps.campaigns.domain.money import first_of
from apps.campaigns.domain.performance import Figure
from apps.campaigns.domain.utm import suggestion
from apps.campaigns.domain.utm_plan import MEDIUM_OF, plan_link
from apps.campaigns.enums import RUNNING, Channel, Money
from apps.campaigns.models import Audience, BudgetEntry, BudgetShift, Campaign, Threshold
from apps.core.actors import acting_as
from apps.core.records import kind_of

MOST_MONTHS = 4
# who asks, title, objective, audience, channel, product, region, starts in days, days long, budget, success metrics
WISHES: tuple[tuple[Any, ...], ...] = (
    (
        *("sales", "Reporting for manufacturers", "Get a foot in the door of twenty manufacturers."),
        *("Heads of marketing in manufacturing, DACH; no customers.", "webinar", "Reporting", "DACH", 60, 30, 6000),
        "120 registrations, 20 MQL.",
    ),
    (
        *("sales_2", "Winter letter on the product", "Remind customers in the north of what is new."),
        *("Customers in the Nordics with consent.", "email", "Reporting", "Nordics", 10, 14, 800),
        "30 % opens, 5 % clicks.",
    ),
    (
        *("copywriter", "Handbook as a printed book", "Something to give away at fairs."),
        *("Visitors of three fairs.", "event", "Handbook", "DACH", 90, 60, 14000),
        "400 conversations.",
    ),
    (
        *("designer", "Pictures of the team", "Show who we are."),
        *("Everybody who visits the website.", "organic_social", "", "", 45, 30, 0),
        "Time on the page about us: 60 seconds.",
    ),
    (
        *("sales", "Free pens for everybody", "Be on every desk."),
        *("Everybody.", "partner", "", "North America", 50, 20, 90000),
        "Pens given away: 20,000.",
    ),
)


def tell(company: Any) -> None:
    """Publish a form, ask by it, decide; then order, pay and move money, through the operations that people use."""
    manager, triage = company.people["manager"], company.people["specialist"]
    request_form.publish_form(by=manager, required=request_form.STANDARD, questions="Why now?", lead_days=7)
    made = [_ask(company, wish, number) for number, wish in enumerate(WISHES)]
    intake.accept_request(made[0], by=triage, note="A good fit for the first quarter.", at=company.at(6))
    reason = "Is this another letter than the one that is scheduled? What would be different?"
    intake.ask_information(made[1], by=triage, reason=reason, at=company.at(3))
    intake.decline_request(
        made[4], by=triage, reason="Nobody could say afterwards what it brought; ask for something that is measured."
    )
    _spend(company)
    _figures(company)


def plan_money(campaign: Campaign, by: User) -> None:
    """Spread the budget of a planned campaign over its months, to the cent."""
    if not campaign.budget or campaign.starts_on is None or campaign.ends_on is None:
        return
    length = (campaign.ends_on - campaign.starts_on).days + 1
    days = (campaign.starts_on + dt.timedelta(days=day) for day in range(length))
    months = sorted({first_of(day) for day in days})[:MOST_MONTHS]
    share = (campaign.budget / len(months)).quantize(Decimal("0.01"))
    for number, month in enumerate(months):
        last = number == len(months) - 1
        amount = campaign.budget - share * (len(months) - 1) if last else share
        given: dict[str, Any] = {"channel": campaign.main_channel, "month": month, "amount": amount}
        budget.enter(campaign, by=by, kind=Money.PLANNED, note="As planned", **given)


def plan_links(campaign: Campaign, by: User) -> None:
    """Plan two tagged links, told apart by where they stand."""
    tag, medium = suggestion(campaign.name), MEDIUM_OF.get(Channel(campaign.main_channel), "referral")
    source = {"email": "newsletter", "cpc": "google", "social": "linkedin", "paid-social": "linkedin"}.get(
        medium, "web"
    )
    for content, note in (("button-top", "The first thing people see"), ("link-end", "At the end, for who reads on")):
        landing = f"https://www.example.com/{tag}"
        given = {"landing_url": landing, "source": source, "medium": medium, "campaign_tag": tag, "content": content}
        plan_link(campaign, by=by, note=note, **given)


def agree_thresholds(campaign: Campaign, by: User) -> None:
    """Agree on the figure that is watched."""
    with acting_as(by):
        Threshold.objects.create(
            campaign=campaign,
            metric="clicks",
            low=Decimal(250),
            runbook="Look at the landing page and the bids first; pause it when both are as they should be.",
        )


def choose_audience(campaign: Campaign, by: User) -> None:
    """Select leads for a campaign by mail, and freeze them."""
    with acting_as(by):
        audience: Audience = Audience.objects.create(
            campaign=campaign,
            name="Known leads in Europe",
            provider="leads",
            selection={"territory": ["DACH", "Nordics", "Benelux"], "stage": ["known_lead", "mql"]},
        )
    audiences.freeze_audience(audience, by=by)


def _ask(company: Any, wish: tuple[Any, ...], number: int) -> Any:
    who, title, objective, audience, channel, product, region, starts, days, cost, metrics = wish
    first = company.today + dt.timedelta(days=starts)
    values = {
        "title": title,
        "objective": objective,
        "audience": audience,
        "main_channel": channel,
        "product": product,
        "region": region,
        "starts_on": first,
        "ends_on": first + dt.timedelta(days=days),
        "budget": Decimal(cost),
        "currency": "EUR",
        "success_metrics": metrics,
    }
    given = {"why_now": "Sales asked for it twice this month."}
    return intake.ask_for_campaign(
        by=company.people[who], values=values, answers=given, at=company.at(9 - number, 9 + number)
    )


def _spend(company: Any) -> None:
    """Order and pay for what is live, nearly too much in one case; propose to move money in another."""
    specialist = company.people["specialist"]
    shares = {"Search: reporting software": ("0.55", "0.50"), "Nordic partner road show": ("0.90", "0.93")}
    for name, (ordered, paid) in shares.items():
        campaign = Campaign.objects.get(name=name)
        order, total = f"PO-{campaign.pk:04d}", campaign.budget or Decimal(0)
        given: dict[str, Any] = {
            "channel": campaign.main_channel,
            "month": campaign.starts_on,
            "reference": order,
        }
        amounts = {Money.COMMITTED: total * Decimal(ordered), Money.ACTUAL: total * Decimal(paid)}
        for kind, amount in amounts.items():
            note = "Frame order" if kind == Money.COMMITTED else "Invoices until now"
            budget.enter(campaign, by=specialist, kind=kind, amount=amount, note=note, **given)
    _shift(company, Campaign.objects.get(name="Search: reporting software"))


def _figures(company: Any) -> None:
    """Three weeks of figures for what is live; one campaign has lost its clicks a few days ago."""
    rows = []
    for number, campaign in enumerate(Campaign.objects.filter(state__in=RUNNING).order_by("pk")):
        for ago in range(21, 0, -1):
            day = company.today - dt.timedelta(days=ago)
            clicks = 60 + (number * 17 + ago * 7) % 23 - (45 if number == 1 and ago < 6 else 0)
            shown = {"impressions": clicks * 41, "clicks": clicks, "conversions": clicks // 9}
            rows += [Figure(campaign.pk, name, day, Decimal(value), "Web analytics") for name, value in shown.items()]
    performance.write_figures(rows)
    performance.watch(company.today, now=company.at(0, 6))


def _shift(company: Any, campaign: Campaign) -> None:
    author, planned = (
        company.people["campaign_manager_2"],
        BudgetEntry.objects.filter(campaign=campaign, kind="planned"),
    )
    last = planned.order_by("-month").first()
    if last is None:
        return
    with acting_as(author):
        shift: BudgetShift = BudgetShift.objects.create(
            campaign=campaign,
            amount=Decimal(2000),
            from_channel=last.spent_on,
            from_month=last.month,
            to_channel="paid_social",
            to_month=last.month,
            reason="Searches have reached their ceiling: the last 2,000 EUR brought four leads.",
            evidence="Cost per lead in the last three weeks: search 96 EUR, social 58 EUR (report of Monday).",
        )
    shifting.submit_shift(shift, by=author)
    request = ApprovalRequest.objects.open().get(object_id=shift.pk, content_type=kind_of(BudgetShift))
    approve(request, by=company.people["demand_lead"], note="The figures are clear.")
