"""The demo's sales: an SLA both sides signed and its next version, leads that were answered in time and not, deals."""

import datetime as dt
from decimal import Decimal
from typing import Any

from apps.approvals.domain.decisions import approve
from apps.approvals.domain.policies import ensure_policy
from apps.approvals.models import ApprovalRequest
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.calendars.domain.publishing import ensure_default_calendar
from apps.core.records import kind_of
from apps.leads.domain import answer_clocks, sla_signing
from apps.leads.domain.opportunities import lose, open_opportunity, step_on, win
from apps.leads.domain.sla import record_contact
from apps.leads.enums import Stage
from apps.leads.models import Lead, LeadSla

DEALS = (
    ("Campaign desk, 40 seats", 18_000, 0),
    ("Analytics for a year", 9_600, 1),
    ("Pilot in two countries", 24_000, 2),
    ("Migration and training", 6_500, 0),
)
# those that cost most when they wait are answered within the hour
LARGE: dict[str, Any] = {
    "applies_to": {"predicate": {"all": [{"field": "employees", "op": "gte", "value": 250}]}},
    "speed_minutes": 60,
    "touch_minutes": 60,
}


def tell(company: Any) -> None:
    """Make what the pages of SLAs, contacts and opportunities show, through the operations that people use."""
    people = company.people
    ensure_default_calendar(by=people["specialist"])
    _agreement(people)
    seller = people["sales_lead"]
    waiting = Lead.objects.live().filter(stage__in=answer_clocks.WAITING_STAGES, owner_person__isnull=False)
    leads = list(waiting.select_related("owner_person").order_by("external_id")[:12])
    now = clock.now()
    for place, lead in enumerate(leads):
        answer_clocks.begin([lead.pk], at=now - dt.timedelta(minutes=20 + 50 * place))
    for lead in leads[:4]:
        if lead.owner_person is not None and access.can(lead.owner_person, "change", lead):
            record_contact(lead, kind="call", note="Wants a demo next week.", by=lead.owner_person)
    sqls = Lead.objects.live().filter(stage=Stage.SQL, owner_person__isnull=False).select_related("owner_person")
    for lead, (name, amount, steps) in zip(sqls.order_by("external_id")[: len(DEALS)], DEALS, strict=False):
        owner = lead.owner_person or seller
        made = open_opportunity(
            lead, name=name, amount=Decimal(amount), by=owner, expected_on=company.today + dt.timedelta(days=30)
        )
        for _ in range(steps):
            step_on(made, by=owner)
        if name.startswith("Migration"):
            lose(made, loss="price", reason="A partner does it for half.", by=owner)
        if name.startswith("Pilot"):
            win(made, reason="The pilot paid for itself.", by=owner)


def _agreement(people: dict[str, Any]) -> None:
    author, approver = people["specialist"], people["approver"]
    ensure_policy("leads.leadsla", "SLAs of leads", definition=sla_signing.both_sides())
    signer = people["sales_lead"]
    for name, given in (("First answer to large companies", LARGE), ("First answer to new leads", {})):
        with acting_as(author, reason="Agreed in the quarterly review"):
            sla = LeadSla.objects.create(
                name=name, owner_person=author, marketing_signatory=approver, sales_signatory=signer, **given
            )
        sla_signing.submit_sla(sla, by=author, note="As agreed in the quarterly review.")
        request = ApprovalRequest.objects.open().get(object_id=sla.pk, content_type=kind_of(LeadSla))
        for signs in (approver, signer):
            approve(request, by=signs, note="Agreed.")
            request.refresh_from_db()
    sla_signing.write_next(LeadSla.objects.get(pk=sla.pk), by=author)
