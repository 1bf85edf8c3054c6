"""Approval policies: the ones mops starts with, and the rows that cannot work."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.models import ApprovalPolicy, PolicyApprover
from apps.core.actors import acting_as

SHIPPED = {
    "processes.sopversion": "SOP versions",
    "campaigns.campaign": "Campaigns",
    "technology.toolrequest": "Tool requests",
    "technology.waiver": "Waivers",
    "rules.ruleversion": "Rules",
    "technology.renewaldecision": "Renewal decisions",
}


def ensure_default_policies(*, by: User | None = None) -> int:
    """Make sure that every shipped kind has a policy in force: one approver decides. Running it again changes nothing.

    A migration makes the same policies on a new database; this puts them back where the tables were emptied since.

    Returns:
        How many were missing.
    """
    made = 0
    with transaction.atomic(), acting_as(by, reason="Shipped with mops."):
        for kind, name in SHIPPED.items():
            if not ApprovalPolicy.objects.live().filter(subject_kind=kind).exists():
                ApprovalPolicy.objects.create(subject_kind=kind, name=name, approver_role=Role.APPROVER)
                made += 1
    return made


def naming_nobody(policies: QuerySet[ApprovalPolicy]) -> QuerySet[ApprovalPolicy]:
    """Return the policies in force under which nobody could ever decide."""
    named = PolicyApprover.objects.filter(policy=OuterRef("pk"), archived_at__isnull=True)
    return policies.filter(Q(approver_role="") & Q(approver_team__isnull=True) & ~Exists(named), archived_at=None)
