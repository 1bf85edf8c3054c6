"""Champion and challenger, live: two versions score the same leads at the same moment, one of them decides nothing."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel
from apps.core.rules.models import RuleVersion
from apps.core.transitions import guarded_columns
from apps.leads.enums import TrialState
from apps.leads.models.lead import Lead


class ScoringTrial(GovernedModel):
    """A version of the scoring rules that scores beside the one in force, until somebody ends it."""

    challenger = models.ForeignKey(
        RuleVersion,
        models.PROTECT,
        related_name="scoring_trials",
        help_text="A version that does not decide yet: a draft, in review, or approved.",
    )
    purpose = models.CharField(max_length=500, help_text="What it should show, and until when.")
    champion = models.ForeignKey(RuleVersion, models.PROTECT, null=True, related_name="+", editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False, help_text="Of the challenger's rules.")
    state = models.CharField(max_length=8, choices=TrialState.choices, default=TrialState.PLANNED, editable=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    started_at = models.DateTimeField("started", null=True, editable=False)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False)
    ended_at = models.DateTimeField("ended", null=True, editable=False)
    conclusion = models.CharField(max_length=500, blank=True, editable=False)
    figures = models.JSONField(default=dict, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "trial of scoring rules"
        verbose_name_plural = "trials of scoring rules"
        ordering = ("-created_at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("state",),
                condition=Q(state="running"),
                name="scoring_trial_one_running",
                violation_error_message="Another trial is running; end it first.",
            ),
            models.CheckConstraint(
                condition=Q(state="planned", started_at__isnull=True, ended_at__isnull=True)
                | Q(state="running", started_at__isnull=False, champion__isnull=False, ended_at__isnull=True)
                | Q(state="ended", ended_at__isnull=False) & ~Q(conclusion=""),
                name="scoring_trial_told",
                violation_error_message="A trial says when it began, and ends with what was found.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "champion_id", "digest", "started_by_id", "started_at"),
                *("ended_by_id", "ended_at", "conclusion", "figures"),
                starts={"state": TrialState.PLANNED.value},
                sentence="A trial is started and ended by the buttons on its page, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return f"Trial of {self.challenger}"


class ShadowScore(models.Model):
    """One lead as both versions scored it when the trial first saw it. Derived: written once, nothing decides by it."""

    trial = models.ForeignKey(ScoringTrial, models.CASCADE, related_name="shadows")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    champion = models.FloatField()
    challenger = models.FloatField()
    champion_ready = models.BooleanField()
    challenger_ready = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("trial", "lead"), name="shadow_score_once")]

    def __str__(self) -> str:
        return f"Lead {self.lead_id}: {self.champion:g} and {self.challenger:g}"
