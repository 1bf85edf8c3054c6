"""What the clock brings: approvals that take effect today, requests that expire, stages nobody could decide."""

import datetime as dt

from apps.approvals.domain.effects import carry_out, expire, waits_for
from apps.approvals.domain.policies import problems
from apps.approvals.domain.telling import able_now
from apps.approvals.enums import RequestState, StageState
from apps.approvals.models import ApprovalPolicy, ApprovalRequest, BreakGlass, StageInstance
from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import AlertState
from apps.core.alerts.models import Alert

SINGLY = 3  # so many policies that cannot work are told one by one; more of them have one cause
TOGETHER = "approvals.policies"
ASK = "Resolve its approvers again on its page, give somebody the role, or have it withdrawn and sent again."


def carry_out_due(*, now: dt.datetime | None = None) -> int:
    """Let take effect what was approved for a day that has come; each in a transaction of its own.

    Returns:
        How many took effect or turned out to be void.
    """
    moment, done = now or clock.now(), 0
    waiting = ApprovalRequest.objects.filter(state=RequestState.WAITING)
    for row in waiting.order_by("effective_at", "pk"):
        if not waits_for(row, at=moment):
            carry_out(row, at=moment)
            done += 1
    return done


def expire_due(*, now: dt.datetime | None = None) -> int:
    """Close the requests whose time is over.

    Returns:
        How many.
    """
    moment = now or clock.now()
    over = list(ApprovalRequest.objects.unsettled().filter(expires_at__lte=moment).order_by("pk"))
    for row in over:
        expire(row, at=moment)
    return len(over)


def watch_stages() -> dict[str, int]:
    """Raise an alert for every stage that nobody could decide any more, and resolve those of the others.

    Returns:
        How many stages are stuck, how many are not any more.
    """
    raised = Alert.objects.filter(fingerprint__startswith="approvals.stuck:").exclude(state=AlertState.RESOLVED)
    alarmed = set(raised.values_list("fingerprint", flat=True))
    stuck, freed = 0, 0
    suspects = StageInstance.objects.filter(state=StageState.ACTIVE).select_related("approval__content_type")
    for stage in suspects:
        if watch_stage(stage):
            stuck += 1
        elif _fingerprint(stage) in alarmed:
            freed += 1
    return {"stuck": stuck, "freed": freed}


def watch_stage(stage: StageInstance) -> bool:
    """Raise or resolve the alert of one stage; return whether nobody could decide it."""
    request = stage.approval
    if stage.state == StageState.ACTIVE and request.is_open and not able_now(request):
        raise_alert(
            _fingerprint(stage),
            title=f"Nobody could decide about {request} any more.",
            severity="warning",
            detail=f"Stage {stage.position}, {stage.name}: those it names have left, lost the role, or worked on it.",
            subject=request,
            runbook=ASK,
        )
        return True
    resolve_alert(_fingerprint(stage), why="Somebody can decide again, or it is decided.")
    return False


def watch_policies() -> int:
    """Raise an alert for every policy in force under which some stage has no approver, and resolve the others.

    Where many cannot work, as in an installation in which the roles are not given yet, one alert names them all.

    Returns:
        How many cannot work.
    """
    policies = list(ApprovalPolicy.objects.live().filter(active_version__isnull=False).select_related("active_version"))
    broken = {policy: found for policy in policies if (found := problems(policy.active_version))}
    together = len(broken) > SINGLY
    for policy in policies:
        if policy in broken and not together:
            raise_alert(
                f"approvals.policy:{policy.pk}",
                title=f"The approval policy {policy} cannot work.",
                severity="warning",
                detail=" ".join(broken[policy]),
                subject=policy,
                runbook="Start a new version of the policy and have it approved.",
            )
        else:
            why = "It is told together with others." if policy in broken else "Every stage has approvers."
            resolve_alert(f"approvals.policy:{policy.pk}", why=why)
    if together:
        raise_alert(
            TOGETHER,
            title=f"{len(broken)} of {len(policies)} approval policies cannot work.",
            severity="warning",
            detail="\n".join(f"{policy}: {' '.join(found)}" for policy, found in broken.items()),
            runbook="Give people the roles that the stages name, or start new versions of the policies.",
        )
    else:
        resolve_alert(
            TOGETHER, why="What is left is told policy by policy." if broken else "Every stage has approvers."
        )
    return len(broken)


def alert_emergency(request: ApprovalRequest) -> None:
    """Keep an alert open until the emergency has been reviewed by somebody else."""
    emergency = BreakGlass.objects.select_related("declared_by").get(approval=request)
    raise_alert(
        f"approvals.emergency:{emergency.pk}",
        title=f"{emergency.declared_by} approved {request} alone, in an emergency.",
        severity="critical",
        detail=emergency.reason,
        subject=emergency,
        runbook="Somebody else must review it: open the emergency and write down what you found.",
    )


def close_emergency_alert(emergency: BreakGlass) -> None:
    """Resolve the alert of an emergency that has been reviewed."""
    if emergency.reviewed_at is not None:
        resolve_alert(f"approvals.emergency:{emergency.pk}", why=f"Reviewed: {emergency.get_finding_display()}.")


def _fingerprint(stage: StageInstance) -> str:
    return f"approvals.stuck:{stage.pk}"
