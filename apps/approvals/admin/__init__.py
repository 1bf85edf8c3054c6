"""The approver's desk: the inbox, what exactly is decided, who may decide and why not, and the policies."""

from apps.approvals.admin import policies, requests, stand_ins

__all__ = ["policies", "requests", "stand_ins"]
