"""How good scores are: monthly reviews of the rules, and what a fitted model predicts beside them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import localtime

from apps.core.governed import GovernedModel, append_only_triggers
from apps.core.rules.models import RuleVersion
from apps.core.transitions import guarded_columns, written_once
from apps.leads.enums import ReviewState, Verdict
from apps.leads.models.lead import Lead


class ScoringReview(GovernedModel):
    """The monthly look at the rules of scoring: how well each version tells who becomes an SQL, and what follows."""

    month = models.DateField(unique=True, editable=False)
    version = models.ForeignKey(
        RuleVersion, models.PROTECT, related_name="+", editable=False, verbose_name="in force (champion)"
    )
    opened_at = models.DateTimeField("opened", editable=False)
    due_on = models.DateField("due", editable=False)
    as_of = models.DateTimeField("scored as of", editable=False, help_text="What came after it is what counts.")
    figures = models.JSONField(default=dict, editable=False)
    state = models.CharField(max_length=8, choices=ReviewState.choices, default=ReviewState.OPEN, editable=False)
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True, editable=False)
    conclusion = models.TextField(blank=True, editable=False)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False)
    closed_at = models.DateTimeField("closed", null=True, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "review of scoring"
        verbose_name_plural = "reviews of scoring"
        ordering = ("-month",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | Q(state="closed", closed_at__isnull=False) & ~Q(verdict="") & ~Q(conclusion=""),
                name="scoring_review_concluded",
                violation_error_message="A review ends with a verdict and what was found.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "verdict", "conclusion", "closed_by_id", "closed_at"),
                starts={"state": ReviewState.OPEN.value},
                sentence="A review is concluded by the button on its page, not by an edit.",
            ),
            *written_once(("month", "version_id", "as_of", "figures"), "What a review found stays as it was."),
        ]

    def __str__(self) -> str:
        return f"Scoring in {self.month:%B %Y}"


class PredictiveFit(models.Model):
    """One fit of the predictive model: what it learnt from, how well it told what came later. Evidence."""

    fitted_at = models.DateTimeField("fitted")
    as_of = models.DateTimeField("learnt as of")
    rows = models.PositiveIntegerField("leads")
    positives = models.PositiveIntegerField("of them became SQL")
    method = models.CharField(max_length=40)
    is_used = models.BooleanField("used", help_text="Not where there was too little data, or it told nothing.")
    sentence = models.CharField("in words", max_length=300)
    auc = models.FloatField("AUC", null=True)
    brier = models.FloatField("Brier score", null=True)
    drift = models.FloatField(null=True, help_text="Population stability index against the fit before; 0.25 is a lot.")
    model = models.JSONField(default=dict, help_text="Intercept, weight and usual value of each feature.")
    calibration = models.JSONField(default=list, help_text="Predicted and seen, by tenth.")

    class Meta:
        ordering = ("-fitted_at", "-id")
        verbose_name = "predictive model"
        triggers = append_only_triggers("What a model was learnt from, and how good it was, stays on record.")

    def __str__(self) -> str:
        return f"Fit of {localtime(self.fitted_at):%-d %b %Y}"


class Prediction(models.Model):
    """The probability that a lead becomes an SQL, with its reasons. Derived; never part of the points."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="prediction")
    fit = models.ForeignKey(PredictiveFit, models.PROTECT, related_name="+", db_index=False)
    probability = models.FloatField()
    reasons = models.JSONField(default=list, help_text="Feature and what it adds, the strongest first.")
    at = models.DateTimeField("as of")

    def __str__(self) -> str:
        return f"{self.probability:.0%}"
