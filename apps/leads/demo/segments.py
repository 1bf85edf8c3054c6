"""The segments of the demo: one that decides, with a better version on the way, and one that is still a draft."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core.actors import acting_as
from apps.core.records import kind_of
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.leads.domain.segmenting import refresh_all
from apps.leads.segments import KIND

QUALIFIED = {"field": "stage", "op": "in", "value": ["mql", "sql"]}
DACH = {"field": "territory", "op": "eq", "value": "DACH"}
ENGAGED = {"field": "total_visits", "op": "gte", "value": 5}
UNOWNED = {"all": [{"field": "owner_person", "op": "empty"}, {"field": "owner_team", "op": "empty"}]}


def tell(company: Any) -> None:
    """Make the segments of the demo, through the operations that people use."""
    author, approver, today = company.people["specialist"], company.people["approver"], company.today
    dach = _document("dach-qualified", "Qualified leads in DACH", "For the invitations to the autumn webinar.", author)
    version = _draft(dach, {"all": [DACH, QUALIFIED]}, "First version", author, today)
    send_for_approval(version, by=author)
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type=kind_of(RuleVersion))
    approve(request, by=approver, note="The right people.")
    activate(version, by=author, reason="The campaign starts.")
    without_customers = {"not": {"field": "converted", "op": "eq", "value": True}}
    _draft(dach, {"all": [DACH, QUALIFIED, without_customers]}, "Leave out who has bought meanwhile", author, today)
    quiet = _document("engaged-unowned", "Engaged, but nobody looks after them", "For the weekly review.", author)
    _draft(quiet, {"all": [ENGAGED, UNOWNED]}, "First version", author, today)
    refresh_all()


def _document(key: str, title: str, description: str, owner: User) -> RuleDocument:
    with acting_as(owner):
        return RuleDocument.objects.create(key=key, kind=KIND, title=title, description=description, owner=owner)


def _draft(document: RuleDocument, predicate: Any, note: str, by: User, today: dt.date) -> RuleVersion:
    version = write_rules(start_draft(document, by=by), {"predicate": predicate}, by=by)
    version.change_note, version.review_on = note, today + dt.timedelta(days=90)
    with acting_as(by):
        version.save(update_fields=["change_note", "review_on"])
    return simulate(version, by=by)
