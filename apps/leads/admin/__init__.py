"""The pages of leads."""

from apps.leads.admin.handoffs import HandoffAdmin
from apps.leads.admin.leads import LeadAdmin
from apps.leads.admin.ledger import (
    CompanyAdmin,
    ConsentAdmin,
    IntakeAdmin,
    IntakeSourceAdmin,
    ScoreOverrideAdmin,
    ScoreRunAdmin,
    TouchpointAdmin,
)

__all__ = [
    "CompanyAdmin",
    "ConsentAdmin",
    "HandoffAdmin",
    "IntakeAdmin",
    "IntakeSourceAdmin",
    "LeadAdmin",
    "ScoreOverrideAdmin",
    "ScoreRunAdmin",
    "TouchpointAdmin",
]
