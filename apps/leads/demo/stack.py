"""The demo's technology stack beyond the inventory: contracts and prices, rates, capabilities, requests and waivers."""

import datetime as dt
from decimal import Decimal
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.leads.demo.choosing import choose_mutiny
from apps.technology.domain.attesting import attest
from apps.technology.domain.cases import submit_request, submit_waiver
from apps.technology.domain.cost_lines import add_cost, change_price
from apps.technology.domain.rates import set_rate
from apps.technology.enums import Basis, CostType, Health, Known, Lifecycle, Period
from apps.technology.models import (
    TCO_FIELDS,
    Capability,
    Contract,
    CostLine,
    StackPolicy,
    Tool,
    ToolCapability,
    ToolRequest,
    Vendor,
    VendorContact,
    Waiver,
)

People = dict[str, User]
# capability → (what it belongs to, whether we need it, tools with their fit)
CAPABILITIES: dict[str, tuple[str, bool, dict[str, int]]] = {
    "Engage": ("", True, {}),
    "Send e-mail": (
        "Engage",
        True,
        {"HubSpot Marketing Hub": 5, "Marketo Engage": 4, "Customer.io": 4, "Outreach": 3},
    ),
    "Run webinars": ("Engage", True, {"Zoom Webinars": 4, "ON24": 4}),
    "Publish on social media": ("Engage", True, {"Hootsuite": 4, "HubSpot Marketing Hub": 3}),
    "Run events": ("Engage", False, {"Eventbrite": 4}),
    "Personalise the website": ("Engage", True, {"Mutiny": 4}),
    "Know": ("", True, {}),
    "Keep contacts": ("Know", True, {"Salesforce Sales Cloud": 5, "HubSpot Marketing Hub": 4}),
    "Enrich contacts": ("Know", True, {"ZoomInfo": 4, "Clearbit": 4, "6sense": 3}),
    "Measure the website": ("Know", True, {"Google Analytics 4": 5, "Semrush": 2}),
    "Report": ("Know", True, {"Tableau": 5, "Looker Studio": 4, "HubSpot Marketing Hub": 2}),
    "Attribute revenue": ("Know", True, {"HubSpot Marketing Hub": 2}),
    "Create": ("", True, {}),
    "Design": ("Create", True, {"Figma": 5, "Adobe Creative Cloud": 5, "Canva": 4}),
    "Keep assets": ("Create", True, {"Bynder": 5, "Google Workspace": 2}),
    "Publish pages": ("Create", True, {"WordPress": 4, "Webflow": 4, "Contentful": 4}),
}
CURRENCIES = ("EUR", "EUR", "USD", "EUR", "GBP", "USD")
CONTRACTS = ("subscription", "order form", "enterprise agreement")
TODAYS_RATES = {"USD": Decimal("0.8714"), "GBP": Decimal("1.1529")}
SEAT_PRICE = {"EUR": Decimal(48), "USD": Decimal(55), "GBP": Decimal(42)}


def fill_stack(people: People, today: dt.date) -> None:
    """Give the inventory of the demo its money, its capabilities, its vendors and its owners' word."""
    administrator = people["technology_administrator"]
    with acting_as(administrator):
        StackPolicy.objects.get_or_create(only=True)
        _rates(administrator, today)
        _capabilities()
        _vendors(people, today)
    for number, tool in enumerate(Tool.objects.filter(lifecycle__in=("active", "sunsetting")).order_by("pk")):
        if tool.annual_cost:
            _money(tool, number, administrator, today)
        owner = tool.owner_person
        if owner is not None and number % 3 == 0 and owner.is_active:
            attest(tool, by=owner, note="Checked with the team.", at=_at(today, 20 + 7 * (number % 40)))
    _open_cases(people, today)


def make_case(tool: Tool, people: People, today: dt.date) -> None:
    """Take the request for a tool through approval, so that it may be bought."""
    owner = tool.owner_person or people["specialist"]
    request = _request(
        tool,
        owner,
        f"{tool.name} for onboarding mails",
        "Onboarding sends 14 mails by hand-made lists. A tool for it saves two days a month and the mails arrive.",
        "Reads contacts and stages from the CRM through its API every 15 minutes; writes opens and clicks back.",
        (19_200, 19_200, 20_160, 6_000, 0, 0, 9_500, 7_200, 7_200, 0, 0, 3_500),
    )
    submit_request(request, by=owner, at=_at(today, 60))
    approval = ApprovalRequest.objects.get(
        object_id=request.pk, content_type__model="toolrequest", content_type__app_label="technology"
    )
    approve(approval, by=people["approver"], note="The case holds.", at=_at(today, 56))
    approval.refresh_from_db()
    approve(approval, by=people["administrator"], note="Single sign-on works; no objection.", at=_at(today, 55))


def _at(today: dt.date, days_ago: int) -> dt.datetime:
    return dt.datetime.combine(today - dt.timedelta(days=days_ago), dt.time(10), dt.UTC)


def _rates(by: User, today: dt.date) -> None:
    for months_ago in range(26):
        day = today - dt.timedelta(days=30 * months_ago)
        for number, (code, rate) in enumerate(TODAYS_RATES.items()):
            drift = Decimal((months_ago * (7 + number)) % 11 - 5) / 500
            set_rate(code, "EUR", day, (rate * (1 + drift)).quantize(Decimal("0.0001")), by=by, source="ECB")


def _capabilities() -> None:
    made: dict[str, Capability] = {}
    for name, (parent, required, _) in CAPABILITIES.items():
        made[name] = Capability.objects.create(name=name, parent=made.get(parent), required=required)
    for name, (_, _, fits) in CAPABILITIES.items():
        for tool in Tool.objects.filter(name__in=fits):
            ToolCapability.objects.create(tool=tool, capability=made[name], fit=fits[tool.name])


def _vendors(people: People, today: dt.date) -> None:
    judged = {
        "HubSpot": (Health.GOOD, "No outage worth the name this year; support answers within the hour."),
        "Salesforce": (Health.GOOD, "Stable; the account team changed in spring."),
        "Clearbit": (Health.WATCH, "Bought by another vendor; nobody says what becomes of the API."),
        "ON24": (Health.POOR, "Two failed webinars, no answer from support for nine days."),
    }
    for name, (health, why) in judged.items():
        vendor = Vendor.objects.filter(name=name).first()
        if vendor is None:
            continue
        vendor.health, vendor.health_note, vendor.health_on = health, why, today - dt.timedelta(days=40)
        vendor.owner_person, vendor.processing_agreement = people["technology_administrator"], Known.YES
        vendor.save()
        VendorContact.objects.create(
            vendor=vendor,
            name=f"Account manager of {name}",
            role="Account manager",
            email=f"{name.lower()}@example.com",
        )


def _money(tool: Tool, number: int, by: User, today: dt.date) -> None:
    currency, started = CURRENCIES[number % len(CURRENCIES)], today - dt.timedelta(days=800 + 11 * number % 200)
    ends = today + dt.timedelta(days=25 + 37 * number % 420)
    with acting_as(by):
        contract = Contract.objects.create(
            tool=tool,
            vendor=tool.vendor,
            name=f"{tool.name} {CONTRACTS[number % len(CONTRACTS)]} {ends - dt.timedelta(days=364):%Y}",
            reference=f"MO-{2400 + number}",
            starts_on=ends - dt.timedelta(days=364),
            ends_on=ends,
            auto_renew=number % 4 != 1,
            notice_length=(30, 60, 90, 3)[number % 4],
            notice_unit="months" if number % 4 == 3 else "days",  # every fourth counts in months
            owner_person=tool.owner_person,
        )
    yearly = Decimal(tool.annual_cost or 0)
    if number % 3 == 0:
        price, seats = SEAT_PRICE[currency], max(int(yearly / 12 / SEAT_PRICE[currency]), 3)
        amount, basis, quantity, period = price, Basis.SEAT, Decimal(seats), Period.MONTH
        label = "Seats"
    else:
        amount, basis, quantity, period, label = yearly, Basis.FLAT, None, Period.YEAR, "Subscription"
    common: dict[str, Any] = {"tool": tool, "contract": contract, "currency": currency}
    before = (amount * Decimal("0.93")).quantize(Decimal("0.01"))
    line = add_cost(
        CostLine(
            **common, label=label, basis=basis, amount=before, quantity=quantity, period=period, valid_from=started
        ),
        by=by,
    )
    change_price(
        line, amount=amount, starts_on=today - dt.timedelta(days=300), by=by, note="Renewed at the list price."
    )
    if number % 5 == 0:
        more = {"label": "Administration", "cost_type": CostType.PEOPLE, "amount": Decimal(420), "period": Period.MONTH}
        add_cost(CostLine(tool=tool, currency="EUR", valid_from=started, **more), by=by)
    if number % 8 == 0:
        once = {"label": "Set-up", "cost_type": CostType.IMPLEMENTATION, "amount": Decimal(3500), "period": Period.ONCE}
        add_cost(CostLine(tool=tool, currency="EUR", valid_from=started, **once), by=by)


def _open_cases(people: People, today: dt.date) -> None:
    jasper, mutiny = (Tool.objects.filter(name=name).first() for name in ("Jasper", "Mutiny"))
    if jasper is not None:
        _request(
            jasper,
            people["copywriter"],
            "Jasper for the newsletter team",
            "Two teams try it on the newsletter; drafts take a third of the time.",
            "",
            (7_200, 7_200, 7_200, 0, 0, 0, 2_400, 1_200, 1_200, 0, 0, None),
        )
    if mutiny is not None:
        request = choose_mutiny(mutiny, people, today)
        submit_request(request, by=people["demand_lead"], note="Before the spring campaign, please.", at=_at(today, 3))
    tool = Tool.objects.filter(lifecycle=Lifecycle.ACTIVE).order_by("-pk").first()
    if tool is not None:
        by = people["technology_administrator"]
        with acting_as(by):
            waiver = Waiver.objects.create(
                tool=tool,
                requester=by,
                reason="Its request waits for the security review; the survey of the summer cannot.",
                expires_on=max(today, clock.today()) + dt.timedelta(days=75),
            )
        submit_waiver(waiver, by=by, at=_at(today, 2))


def _request(
    tool: Tool, by: User, title: str, case: str, integration: str, figures: tuple[int | None, ...]
) -> ToolRequest:
    with acting_as(by):
        stated = {name: None if each is None else Decimal(each) for name, each in zip(TCO_FIELDS, figures, strict=True)}
        return ToolRequest.objects.create(
            tool=tool,
            title=title,
            requester=by,
            business_case=case,
            integration_assessment=integration,
            currency="EUR",
            **stated,
        )
