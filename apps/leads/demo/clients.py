"""Clients of the demo company: rules of health, simulated and approved, and what they made of the months told."""

import datetime as dt
from typing import Any

from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core.actors import acting_as
from apps.core.records import kind_of
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.leads.client_rules import BODY, DOCUMENT, KIND
from apps.leads.domain.clients import judge_clients


def tell(company: Any) -> None:
    """Bring rules of health in force by the operations that people use, and judge the clients of three months."""
    author, approver, today = company.people["specialist"], company.people["approver"], company.today
    with acting_as(author):
        document = RuleDocument.objects.create(
            key=DOCUMENT, kind=KIND, title="Client health", description="Agreed with customer success.", owner=author
        )
    version = write_rules(start_draft(document, by=author), BODY.start(), by=author)
    version.change_note, version.review_on = "The signs we know", today + dt.timedelta(days=90)
    with acting_as(author):
        version.save(update_fields=["change_note", "review_on"])
    send_for_approval(simulate(version, by=author), by=author)
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type=kind_of(RuleVersion))
    approve(request, by=approver, note="As agreed with customer success.")
    version.refresh_from_db()
    activate(version, by=author, reason="Agreed with customer success.")
    for ago in (60, 30, 0):
        judge_clients(day=today - dt.timedelta(days=ago))
