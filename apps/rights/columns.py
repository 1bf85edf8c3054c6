"""Columns that a role does not see of a record it otherwise sees: only the data that the work needs.

A person sees a column as soon as one of their roles may. Who has no role, and sees a record because it was shared,
sees no limited column at all.
"""

from django.db import models

from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.accounts.models import User

COSTS = frozenset({"annual_cost", "currency"})
BUDGET = frozenset({"budget", "currency"})
# role → kind of record → hidden fields
COLUMN_LIMITS: dict[Role, dict[str, frozenset[str]]] = {
    Role.SALES: {"technology.tool": COSTS, "campaigns.campaign": BUDGET},
    Role.EXECUTIVE: {"technology.tool": COSTS},
}
LIMITED = {kind for limits in COLUMN_LIMITS.values() for kind in limits}


def hidden_columns(user: User, model: type[models.Model]) -> frozenset[str]:
    """Return the fields of `model` that none of the roles of `user` may see."""
    kind = model._meta.label_lower
    if kind not in LIMITED or user.is_system or user.is_superuser:
        return frozenset()
    hidden = [COLUMN_LIMITS.get(role, {}).get(kind, frozenset()) for role in roles_of(user)]
    if not hidden:
        return frozenset[str]().union(*(limits.get(kind, frozenset()) for limits in COLUMN_LIMITS.values()))
    return frozenset.intersection(*hidden)
