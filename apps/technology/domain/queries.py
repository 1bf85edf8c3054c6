"""Questions about tools that other pages ask."""

import datetime as dt
from typing import TYPE_CHECKING

from apps.accounts.domain.ownership import owned_by
from apps.core.access import visible
from apps.core.overdue import Overdue
from apps.technology.models import Tool

if TYPE_CHECKING:
    from apps.accounts.models import User

SHOWN = 20


def tools_without_backup(person: "User", today: dt.date) -> list[Overdue]:
    """Return the tools in use of `person` (or of their teams) for which nobody stands in."""
    rows = Tool.objects.in_use().without_backup().filter(owned_by(person)) & visible(person, Tool)
    return [Overdue(tool, "has nobody to stand in: name a backup") for tool in rows.order_by("name")[:SHOWN]]
