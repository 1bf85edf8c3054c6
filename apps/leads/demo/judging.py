"""The demo's first review of scoring, first fit and first trial: an installation of today has little to judge yet."""

from typing import Any

from apps.core import clock
from apps.core.actors import acting_as
from apps.leads.domain.predicting.refitting import refit
from apps.leads.domain.scoring.reviewing import open_review
from apps.leads.domain.scoring.trials import candidates, start_trial
from apps.leads.models import ScoringTrial


def tell(company: Any) -> None:
    """Open the review of this month, fit the predictive score, and let the next rules score beside those in force."""
    now = clock.now()
    open_review(at=now)
    refit(at=min(now, company.at(0, 23)))  # what came of earlier leads is told up to the day of the story
    challenger, specialist = candidates().order_by("number").first(), company.people["specialist"]
    if challenger is not None and not ScoringTrial.objects.exists():
        with acting_as(specialist):
            trial = ScoringTrial.objects.create(
                challenger=challenger,
                purpose="Does fading of visits and e-mails tell better who buys? Looked at with sales in a quarter.",
            )
        start_trial(trial, by=specialist, at=now)
