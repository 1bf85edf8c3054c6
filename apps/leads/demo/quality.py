"""Data quality of the demo company: four checks in force since a month, counted every night."""

import datetime as dt
from typing import Any

from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.records import kind_of
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.leads.domain.quality import count_quality
from apps.leads.models import QualityCount
from apps.leads.quality_rules import DOCUMENT, KIND

MONTH = 28


def _empty(field: str) -> dict[str, Any]:
    return {"field": field, "op": "empty"}


def tell(company: Any) -> None:
    """Make the checks through the operations that people use, and the counts of the nights before."""
    author, approver, today = company.people["specialist"], company.people["approver"], company.today
    with acting_as(author):
        document = RuleDocument.objects.create(
            key=DOCUMENT, kind=KIND, title="Data quality of leads", description="Agreed with sales.", owner=author
        )
    wanted = {"field": "stage", "op": "in", "value": ["known_lead", "mql", "sql"]}
    rules = [
        _rule("No e-mail and no phone", {"all": [_empty("email"), _empty("phone")]}, 2, author, bars=True),
        _rule("No country", {"all": [wanted, _empty("country")]}, 20, author, how="Ask the form for it."),
        _rule("Nobody looks after it", {"all": [wanted, _empty("owner_person"), _empty("owner_team")]}, 5, author),
        _rule("No job title", {"all": [wanted, _empty("job_title")]}, 30, author),
    ]
    version = write_rules(start_draft(document, by=author), {"rules": rules}, by=author)
    version.change_note, version.review_on = "The first four", today + dt.timedelta(days=90)
    with acting_as(author):
        version.save(update_fields=["change_note", "review_on"])
    send_for_approval(simulate(version, by=author), by=author)
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type=kind_of(RuleVersion))
    approve(request, by=approver, note="As agreed.")
    version.refresh_from_db()
    activate(version, by=author, reason="Agreed with sales.")
    count_quality()
    _nights_before(clock.today())


def _nights_before(today: dt.date) -> None:
    rows = list(QualityCount.objects.filter(day=today))
    QualityCount.objects.bulk_create(
        QualityCount(
            version_id=row.version_id,
            check_key=row.check_key,
            day=today - dt.timedelta(days=ago),
            asked=row.asked,
            wrong=min(row.asked, row.wrong + ago * (1 + place) // 3),
        )
        for place, row in enumerate(rows)
        for ago in range(1, MONTH)
    )


def _rule(name: str, predicate: Any, goal: int, owner: Any, **more: Any) -> dict[str, Any]:
    outcome = {"owner": owner.pk, "goal": goal, **more}
    return {"name": name, "predicate": predicate, "outcome": outcome, "enabled": True, "reason": ""}
