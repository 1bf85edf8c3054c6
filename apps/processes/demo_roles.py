"""The roles in processes of the demo's company: who plays each, agreed before the first procedure was written."""

from typing import Any

from apps.core.actors import acting_as
from apps.processes.models import ProcessRole

# role → who plays it, by the keys of the demo's people
PLAYERS = {
    "Campaign manager": ("campaign_manager", "campaign_manager_2"),
    "Automation specialist": ("specialist", "specialist_2"),
    "Data analyst": ("analyst",),
    "Marketing analyst": ("analyst",),
    "Author": ("copywriter",),
    "Editor": ("approver", "copywriter"),
    "Content lead": ("approver",),
    "Creative lead": ("creative_lead",),
    "Legal": ("legal",),
    "Finance": ("finance",),
    "Sales": ("sales_lead", "sales"),
    "Sales lead": ("sales_lead",),
    "Demand generation": ("demand_lead", "campaign_manager"),
    "Head of demand generation": ("demand_lead",),
    "Operations manager": ("manager",),
    "Process owner": ("manager", "demand_lead"),
    "Marketing operations manager": ("manager",),
    "Marketing operations director": ("director",),
    "Technology administrator": ("technology_administrator",),
}


def fill_roles(company: Any) -> None:
    """Name who plays each role: a procedure whose steps name one that nobody plays is not sent for approval."""
    with acting_as(company.people["manager"], reason="Roles agreed at the kick-off"):
        for name, keys in PLAYERS.items():
            role = ProcessRole.objects.create(name=name)
            role.people.set([company.people[key] for key in keys])
