"""Who must say yes (policies), to which exact version (requests), who said what (decisions), and who stands in."""

from apps.approvals.models.decisions import ApprovalCondition, BreakGlass, Decision, Opening
from apps.approvals.models.delegations import Delegation
from apps.approvals.models.policies import ApprovalPolicy, PolicyRule, PolicyStage, PolicyVersion, StageApprover
from apps.approvals.models.requests import ApprovalRequest, StageInstance, SubjectRevision

__all__ = [
    "ApprovalCondition",
    "ApprovalPolicy",
    "ApprovalRequest",
    "BreakGlass",
    "Decision",
    "Delegation",
    "Opening",
    "PolicyRule",
    "PolicyStage",
    "PolicyVersion",
    "StageApprover",
    "StageInstance",
    "SubjectRevision",
]
