"""Which approval stands behind a change: for the ledger's pages and for what auditors take away."""

from collections.abc import Iterator
from typing import Any

from django.db import models

from apps.accounts.models import User
from apps.approvals.models import ApprovalRequest, Decision
from apps.audit.kinds import models_by_table
from apps.audit.models import AuditEvent
from apps.audit.related import Related
from apps.core import access
from apps.core.records import kind_of


def approval_of(event: AuditEvent, person: User) -> Iterator[Related]:
    """Yield the approval a change belongs to: the request itself, a decision's, or the first that covers the change."""
    requests = (
        access.visible(person, ApprovalRequest)
        .select_related("revision", "policy_version")
        .prefetch_related("decisions__stage", "decisions__principal")
    )
    model = models_by_table().get(event.table_name)
    if model is None or not event.object_id.isdigit():
        return
    if model is ApprovalRequest:
        found = requests.filter(pk=event.object_id)
    elif model is Decision:
        found = requests.filter(decisions__pk=event.object_id)
    else:
        kind = {"content_type__app_label": model._meta.app_label, "content_type__model": model._meta.model_name}
        about = requests.filter(**kind, object_id=event.object_id, ledger_mark__isnull=False)
        covering = about.filter(ledger_mark__gte=event.pk).order_by("ledger_mark")
        # what approving itself changed comes after its mark, in the transaction of the decision
        found = covering if covering.exists() else about.filter(decided_at__gte=event.at).order_by("decided_at")
    for request in found[:1]:
        yield Related("Approval", request, _sentence(request), _data(request))


def _sentence(request: ApprovalRequest) -> str:
    said = ", ".join(
        f"{each.get_verdict_display().lower()} by {each.approver_label}" for each in request.decisions.all()
    )
    return f"{request.title}: {request.get_state_display().lower()}{f' ({said})' if said else ''}"


def _data(request: ApprovalRequest) -> dict[str, Any]:
    return {
        "request": request.pk,
        "title": request.title,
        "round": request.round,
        "state": request.state,
        "policy": request.policy_id,
        "policy_version": request.policy_version.number,
        "policy_digest": request.policy_version.digest,
        "revision": request.revision.number,
        "files": request.revision.files,
        "in_an_emergency": request.break_glass,
        "required": request.required,
        "requester": request.requester_label,
        "editors": request.editors,
        "submitted_at": request.submitted_at.isoformat(),
        "decided_at": request.decided_at.isoformat() if request.decided_at else None,
        "covers_entries_up_to": request.ledger_mark,
        "digest": request.digest,
        "payload": request.payload,
        "before": request.before,
        "decisions": [
            {
                "approver": each.approver_label,
                "on_behalf_of": each.principal.get_username() if each.principal_id != each.approver_id else None,
                "stage": each.stage.name,
                "why": each.why,
                "verdict": each.verdict,
                "reason": each.reason,
                "digest": each.digest,
                "at": each.at.isoformat(),
            }
            for each in request.decisions.all()
        ],
    }


def requests_about(thing: models.Model) -> Iterator[models.Model]:
    """Yield the requests about a record: they belong to its story."""
    yield from ApprovalRequest.objects.filter(content_type=kind_of(thing), object_id=thing.pk)


def parts_of_request(request: Any) -> Iterator[models.Model]:
    """Yield what a request is made of: stages, decisions, conditions, an emergency."""
    yield from request.stages.all()
    yield from request.decisions.all()
    yield from request.conditions.all()
    if request.break_glass:
        yield request.emergency
