"""Questions about campaigns that other pages ask."""

import datetime as dt
from typing import TYPE_CHECKING

from apps.accounts.domain.ownership import owned_by
from apps.campaigns.enums import RUNNING
from apps.campaigns.models import Campaign
from apps.core.access import visible
from apps.core.overdue import Overdue

if TYPE_CHECKING:
    from apps.accounts.models import User

SHOWN = 20


def overdue_campaigns(person: "User", today: dt.date) -> list[Overdue]:
    """Return the campaigns of `person` (or of their teams) that should be live, or should have ended."""
    late = Campaign.objects.late_to_launch(today) | Campaign.objects.past_their_end(today)
    rows = (late.filter(owned_by(person)) & visible(person, Campaign)).order_by("starts_on")[:SHOWN]
    return [
        Overdue(row, "is past its last day: complete it", row.ends_on)
        if row.state in RUNNING
        else Overdue(row, "should have been launched", row.starts_on)
        for row in rows
    ]
