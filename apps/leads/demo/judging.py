"""The demo's first review of scoring and first fit: both say that an installation of today has little to judge yet."""

from typing import Any

from apps.core import clock
from apps.leads.domain.predicting.refitting import refit
from apps.leads.domain.scoring.reviewing import open_review


def tell(company: Any) -> None:
    """Open the review of this month and fit the predictive score, as their jobs do."""
    now = clock.now()
    open_review(at=now)
    refit(at=now)
