"""The jobs of approvals: telling people what waits for them and what was decided."""

from apps.approvals.domain import telling, watching
from apps.approvals.models import ApprovalRequest, BreakGlass, Delegation, StageInstance
from apps.core.jobs.api import Run, job

LATE_AT = 100  # percent of the time a stage has


@job("approvals.tell_approvers", title="Tell approvers what waits for them", timeout=60)
def tell_approvers(run: Run, request_id: int) -> dict[str, int]:
    """Tell those who may decide."""
    return {"told": telling.tell_approvers(ApprovalRequest.objects.select_related("requester").get(pk=request_id))}


@job("approvals.tell_about_decision", title="Tell the requester what was decided", timeout=60)
def tell_about_decision(run: Run, request_id: int) -> dict[str, int]:
    """Tell the requester and who worked on it."""
    return {"told": telling.tell_about_decision(ApprovalRequest.objects.select_related("requester").get(pk=request_id))}


@job("approvals.tell_stage_due", title="Remind approvers of what is due", timeout=60)
def tell_stage_due(run: Run, stage_id: int, percent: int) -> dict[str, int]:
    """Remind those who have not decided."""
    stage = StageInstance.objects.select_related("approval__content_type", "approval__requester").get(pk=stage_id)
    return {"told": telling.tell_stage_due(stage, late=percent >= LATE_AT, percent=percent)}


@job("approvals.tell_stand_in", title="Tell who stands in for whom", timeout=60)
def tell_stand_in(run: Run, delegation_id: int) -> dict[str, int]:
    """Tell both sides."""
    given = Delegation.objects.select_related("from_person", "to_person").get(pk=delegation_id)
    return {"told": telling.tell_stand_in(given)}


@job("approvals.tell_emergency", title="Tell approvers of an emergency", timeout=60)
def tell_emergency(run: Run, request_id: int) -> dict[str, int]:
    """Tell everybody who would have decided, and keep an alert open until it is reviewed."""
    request = ApprovalRequest.objects.get(pk=request_id)
    watching.alert_emergency(request)
    return {"told": telling.tell_emergency(request)}


@job("approvals.close_emergency", title="Close the alert of a reviewed emergency", timeout=60)
def close_emergency(run: Run, emergency_id: int) -> dict[str, int]:
    """Resolve the alert."""
    watching.close_emergency_alert(BreakGlass.objects.get(pk=emergency_id))
    return {"closed": 1}


@job("approvals.carry_out_due", title="Let approvals take effect on their day, close what expired", timeout=600)
def carry_out_due(run: Run) -> dict[str, int]:
    """Carry out what is due, and close what expired."""
    return {"effects": watching.carry_out_due(), "expired": watching.expire_due()}


@job("approvals.watch", title="Watch for stages and policies that nobody could decide", timeout=600)
def watch(run: Run) -> dict[str, int]:
    """Raise and resolve the alerts."""
    return {**watching.watch_stages(), "policies": watching.watch_policies()}
