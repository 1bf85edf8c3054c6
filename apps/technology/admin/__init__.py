"""The pages of the technology stack."""

from apps.technology.admin import (
    cases,
    data,
    duties,
    evaluations,
    flow_map_page,
    flows,
    implementing,
    money,
    naming,
    renewals,
    reviews,
    tools,
    use,
    vendors,
)

__all__ = [
    "cases",
    "data",
    "duties",
    "evaluations",
    "flow_map_page",
    "flows",
    "implementing",
    "money",
    "naming",
    "renewals",
    "reviews",
    "tools",
    "use",
    "vendors",
]
