"""The jobs of approvals: telling people what waits for them and what was decided."""

from apps.approvals.domain import telling
from apps.approvals.models import ApprovalRequest
from apps.core.jobs.api import Run, job


@job("approvals.tell_approvers", title="Tell approvers what waits for them", timeout=60)
def tell_approvers(run: Run, request_id: int) -> dict[str, int]:
    """Tell those who may decide."""
    return {"told": telling.tell_approvers(ApprovalRequest.objects.select_related("requester").get(pk=request_id))}


@job("approvals.tell_about_decision", title="Tell the requester what was decided", timeout=60)
def tell_about_decision(run: Run, request_id: int) -> dict[str, int]:
    """Tell the requester and who worked on it."""
    return {"told": telling.tell_about_decision(ApprovalRequest.objects.select_related("requester").get(pk=request_id))}
