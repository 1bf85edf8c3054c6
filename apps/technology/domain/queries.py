"""Questions about tools that other pages ask."""

import datetime as dt
from typing import TYPE_CHECKING

from apps.accounts.domain.ownership import owned_by
from apps.core.access import visible
from apps.core.overdue import LateRows
from apps.technology.models import Tool

if TYPE_CHECKING:
    from apps.accounts.models import User


def tools_without_backup(person: "User", today: dt.date) -> LateRows:
    """Return the tools in use of `person` (or of their teams) for which nobody stands in."""
    rows = Tool.objects.in_use().without_backup().filter(owned_by(person)) & visible(person, Tool)
    return LateRows(rows.order_by("name"), "has nobody to stand in: name a backup", "")
