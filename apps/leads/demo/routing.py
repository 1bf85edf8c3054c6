"""The demo's routing: two pools of sales people, and the rules in force, approved by a second person."""

from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.records import kind_of
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.leads.domain.routing.reassigning import reassign
from apps.leads.domain.routing.routing import route_new
from apps.leads.models import Company, Lead, Pool, PoolMember, RoutingDecision
from apps.leads.routing_rules import ACCOUNT, DOCUMENT, KIND, OWNER, POOL

SALES = ("sales_lead", "sales", "sales_2", "sales_3")
NAMED, ROUTED = 4, 60


def tell(company: Any) -> None:
    """Make pools, put rules into force, and route what nobody looks after."""
    author, approver = company.people["specialist"], company.people["approver"]
    sellers = _sellers(company)
    with acting_as(author, reason="Agreed with sales"):
        pools = _pools(sellers, company)
        for place, account in enumerate(Company.objects.filter(employees__gte=1000).order_by("name")[:NAMED]):
            account.account_manager = sellers[place % len(sellers)]
            account.save(update_fields=["account_manager"])
        for place, lead in enumerate(Lead.objects.unowned().order_by("external_id")[:40]):
            lead.product_interest = ("Campaign desk", "Analytics", "")[place % 3]
            lead.save(update_fields=["product_interest"])
        document = RuleDocument.objects.create(
            key=DOCUMENT,
            kind=KIND,
            title="Who gets a lead",
            description="Read from the top at every new lead; the first rule that fits decides.",
            owner=author,
        )
    version = start_draft(document, by=author)
    version = write_rules(version, _rules(pools, company), by=author)
    version.change_note = "As walked through with sales in the weekly review"
    with acting_as(author):
        version.save(update_fields=["change_note"])
    simulate(version, by=author)
    send_for_approval(version, by=author)
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type=kind_of(RuleVersion))
    approve(request, by=approver, note="Fair, and nothing is lost.")
    version.refresh_from_db()
    activate(version, by=author, reason="Agreed with sales.")
    some = Lead.objects.unowned().order_by("external_id").values_list("pk", flat=True)[:ROUTED]
    route_new(list(some), at=clock.now())
    given = RoutingDecision.objects.filter(to_person=sellers[0]).select_related("lead").first()
    if given is not None and len(sellers) > 1:
        reassign(given.lead, person=sellers[1], reason="They know each other from the last fair.", by=author)


def _sellers(company: Any) -> list[User]:
    found = [company.people[key] for key in SALES if key in company.people]
    return found or [company.people["specialist"]]


def _pools(sellers: list[User], company: Any) -> dict[str, Pool]:
    found = {}
    for name, purpose, weights in (
        ("Everyday sales", "Whatever no special rule takes.", (3, 2, 1, 1)),
        ("Large companies", "1,000 people and more; long decisions, few leads.", (1, 1)),
    ):
        found[name] = pool = Pool.objects.create(name=name, purpose=purpose)
        for place, (person, weight) in enumerate(zip(sellers, weights, strict=False)):
            PoolMember.objects.create(
                pool=pool, person=person, weight=weight, most_open=400, most_a_day=60 if place == 0 else None
            )
    return found


def _rules(pools: dict[str, Pool], company: Any) -> dict[str, Any]:
    def rule(key: str, name: str, predicate: Any, reason: str, **outcome: Any) -> dict[str, Any]:
        return {"key": key, "name": name, "predicate": predicate, "outcome": outcome, "enabled": True, "reason": reason}

    def asks(field: str, op: str, value: Any = None) -> dict[str, Any]:
        return {"field": field, "op": op} | ({} if value is None else {"value": value})

    large, everyday = pools["Large companies"].pk, pools["Everyday sales"].pk
    europe = asks("territory", "in", ["DACH", "Nordics", "Benelux"])
    rules = [
        rule("owner", "Who has it keeps it", asks("owner_person", "filled"), "Nobody explains twice.", to=OWNER),
        rule("account", "Named accounts", asks("account_manager", "filled"), "One face for a company.", to=ACCOUNT),
        rule(
            "territory",
            "Large, in our home market",
            {"all": [europe, asks("employees", "gte", 200)]},
            "",
            to=POOL,
            pool=large,
        ),
        rule("size", "Large companies", asks("employees", "gte", 1000), "Two of us know tenders.", to=POOL, pool=large),
        rule("product", "Asked for analytics", asks("product_interest", "eq", "Analytics"), "", to=POOL, pool=large),
        rule("rest", "Everybody else, in turn", {"all": []}, "", to=POOL, pool=everyday),
    ]
    return {"rules": rules, "settings": {"fallback": company.teams["Sales"].pk}}
