"""Questions about SOPs that other pages ask."""

import datetime as dt
from typing import TYPE_CHECKING

from apps.accounts.domain.ownership import owned_by
from apps.core.access import visible
from apps.core.overdue import Overdue
from apps.processes.domain.reading import refuse_unqualified
from apps.processes.models import Process

if TYPE_CHECKING:
    from apps.accounts.models import User

SHOWN = 20


def overdue_reviews(person: "User", today: dt.date) -> list[Overdue]:
    """Return the SOPs of `person` (or of their teams) whose review is due, longest first."""
    rows = (Process.objects.due_for_review(today).filter(owned_by(person)) & visible(person, Process)).order_by(
        "next_review_on"
    )
    return [Overdue(process, "is due for review", process.next_review_on) for process in rows[:SHOWN]]


def is_qualified(person: "User", process: Process) -> bool:
    """Whether `person` may take a gated step of `process`; `reading.refuse_unqualified` says why not."""
    return refuse_unqualified(person, process) is None
