"""The alarm at sending: nobody could decide about what somebody wanted to send."""

from functools import partial

from apps.approvals.models import ApprovalPolicy
from apps.core.alerts.domain.alerting import raise_alert
from apps.core.errors import DomainError, WrongState


def without_approvers(policy: ApprovalPolicy, *, thing: str, sentence: str) -> DomainError:
    """Return the refusal of a request that nobody could decide; once it is rolled back, administrators are told."""
    refusal = WrongState(sentence)
    refusal.aftermath = partial(alert_without_approvers, policy, thing=thing, sentence=sentence)
    return refusal


def alert_without_approvers(policy: ApprovalPolicy, *, thing: str, sentence: str) -> None:
    """Tell the administrators that something could not even be sent."""
    raise_alert(
        f"approvals.no_approver:{policy.pk}",
        title=f"Nobody could decide about {thing}, which somebody wanted to send for approval.",
        severity="warning",
        detail=sentence,
        subject=policy,
        runbook="Name more approvers in a new version of the policy, or give somebody the role.",
    )
