"""The pages of the technology stack."""

from apps.technology.admin import (
    cases,
    data,
    evaluations,
    flow_map_page,
    flows,
    implementing,
    money,
    renewals,
    reviews,
    tools,
    use,
    vendors,
)

__all__ = [
    "cases",
    "data",
    "evaluations",
    "flow_map_page",
    "flows",
    "implementing",
    "money",
    "renewals",
    "reviews",
    "tools",
    "use",
    "vendors",
]
