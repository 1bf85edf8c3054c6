"""The order in which everybody locks: the request first, then its subject."""

from typing import Any

from apps.approvals.domain.eligibility import subject_row
from apps.approvals.models import ApprovalRequest


def locked(request: ApprovalRequest) -> tuple[ApprovalRequest, Any]:
    """Lock a request, then its subject; return both as they are now."""
    rows = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("content_type", "requester")
    row: ApprovalRequest = rows.get(pk=request.pk)
    return row, subject_row(row, lock=True)
