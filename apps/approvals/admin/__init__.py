"""The approver's desk: the inbox, what exactly is decided, who may decide and why not, and the policies."""

from apps.approvals.admin import conditions, policies, requests, stand_ins

__all__ = ["conditions", "policies", "requests", "stand_ins"]
