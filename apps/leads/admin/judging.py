"""The pages of reviews of scoring, and of what the predictive score was learnt from."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.rules.models import RuleVersion
from apps.core.words import NOTHING
from apps.leads.domain.scoring.reviewing import GOAL, advice, conclude, refuse_conclusion
from apps.leads.enums import RejectReason, ReviewState, Verdict
from apps.leads.models import PredictiveFit, ScoringReview


class ConclusionForm(forms.Form):
    """Asks what a review ends with."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
    conclusion = forms.CharField(
        label="What you found", widget=forms.Textarea(attrs={"rows": 4}), help_text="The next review begins with it."
    )


@admin.register(ScoringReview)
class ScoringReviewAdmin(ReadOnlyAdmin):
    """Monthly reviews of scoring."""

    list_display = ("month_of", "standing", "version", "accuracy", "gain", "due_on", "verdict", "closed_by")
    list_filter = ("state", "verdict")
    search_fields = ("conclusion",)
    fields = (("month", "version"), ("as_of", "due_on"), ("verdict", "closed_by", "closed_at"), "conclusion")
    empty_state = "No review yet. One opens at the beginning of each month, once rules of scoring are in force."
    buttons = (
        Button(
            "conclude",
            "Conclude the review",
            conclude,
            refuse_conclusion,
            form=ConclusionForm,
            confirm="The review ends; its figures stay.",
            style="primary",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load version and person with the rows."""
        return super().get_queryset(request).select_related("version__document", "closed_by")

    @display(description="Month", ordering="month")
    def month_of(self, review: ScoringReview) -> str:
        """Which month."""
        return f"{review.month:%B %Y}"

    @display(
        description="State",
        ordering="state",
        label={ReviewState.OPEN.label: "info", ReviewState.CLOSED.label: "success"},
    )
    def standing(self, review: ScoringReview) -> str:
        """Whether it is done."""
        return ReviewState(review.state).label

    @display(description="AUC", ordering="month")
    def accuracy(self, review: ScoringReview) -> str:
        """How well the rules in force tell who becomes an SQL."""
        return three(_champion(review).get("auc"))

    @display(description="Gained", ordering="month")
    def gain(self, review: ScoringReview) -> str:
        """How much more accurate than the first version."""
        return _percent(_champion(review).get("gained"))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the figures of every version, the lift of each rule, and what sales gave back."""
        review, extra = self.get_object(request, object_id), dict(extra_context or {})
        if review is not None and self.has_view_permission(request, review):
            extra["row_panels"] = [*extra.get("row_panels", []), _panel(request, review)]
        return super().change_view(request, object_id, form_url, extra)


def _champion(review: ScoringReview) -> dict[str, Any]:
    versions: list[dict[str, Any]] = review.figures.get("versions", [])
    return next((each for each in versions if each["role"] == "Champion"), {})


def three(figure: float | None) -> str:
    """Return a figure with three digits."""
    return NOTHING if figure is None else f"{figure:.3f}"


def _percent(figure: float | None) -> str:
    return NOTHING if figure is None else f"{figure:+.0%}".replace("+0%", "0%")


def share(part: int, of: int) -> str:
    """Return a part in per cent."""
    return f"{part / of:.0%}" if of else NOTHING


def told_band(band: dict[str, Any]) -> dict[str, Any]:
    """Return a band of points with its shares in per cent; figures of before bands told who was ready say nothing."""
    ready = band.get("ready", 0)
    return {
        "ready": NOTHING,
        **band,
        "share": share(band["sql"], band["leads"]),
        "ready_share": share(band.get("ready_sql", 0), ready),
    }


def _panel(request: HttpRequest, review: ScoringReview) -> dict[str, Any]:
    person: Any = request.user
    versions = review.figures.get("versions", [])
    seen = set(
        access.visible(person, RuleVersion).filter(pk__in=[e["version"] for e in versions]).values_list("pk", flat=True)
    )
    ceiling = max((band["leads"] for each in versions for band in each["bands"]), default=1)
    champion = _champion(review)
    return {
        "template": "admin/leads/review_panel.html",
        "advice": advice(review),
        "goal": f"{GOAL:.0%}",
        "facts_now": review.figures.get("facts_now", False),
        "versions": [
            {
                **each,
                "auc": three(each["auc"]),
                "gained": _percent(each["gained"]),
                "met": each["gained"] is not None and each["gained"] >= GOAL,
                "precision": share(each["ready_sql"], each["ready"]),
                "url": reverse("admin:rules_ruleversion_change", args=(each["version"],))
                if each["version"] in seen
                else "",
                "bands": [{**told_band(band), "width": round(100 * band["leads"] / ceiling)} for band in each["bands"]],
            }
            for each in versions
        ],
        "criteria": [_told(each) for each in champion.get("criteria", [])] if champion.get("leads") else [],
        "rules": [_told(each) for each in champion.get("rules", [])] if champion.get("leads") else [],
        "rejections": [
            (each["rule"], [f"{RejectReason(key).label}: {number}" for key, number in each["reasons"].items()])
            for each in review.figures.get("rejections", [])
        ],
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a rule or a criterion reached, in words."""
    lift = NOTHING if row["lift"] is None else f"{row['lift']:.2f}"
    return {**row, "share": share(row["sql"], row["leads"]), "lift": lift}


@admin.register(PredictiveFit)
class PredictiveFitAdmin(ReadOnlyAdmin):
    """What the predictive score was learnt from, and how good it was."""

    list_display = ("fitted_at", "is_used", "rows", "positives", "auc_of", "brier_of", "drift_of", "sentence")
    list_filter = ("is_used",)
    fields = (
        ("fitted_at", "as_of"),
        ("rows", "positives"),
        ("method", "is_used"),
        ("auc_of", "brier_of", "drift_of"),
    )
    readonly_fields = ("auc_of", "brier_of", "drift_of")
    empty_state = "No fit yet. The model is fitted once a month, from leads whose outcome is known."

    @display(description="AUC", ordering="auc")
    def auc_of(self, fit: PredictiveFit) -> str:
        """How well it ranked leads it had not seen."""
        return three(fit.auc)

    @display(description="Brier", ordering="brier")
    def brier_of(self, fit: PredictiveFit) -> str:
        """How far its probabilities were off."""
        return three(fit.brier)

    @display(description="Drift", ordering="drift")
    def drift_of(self, fit: PredictiveFit) -> str:
        """How much leads have changed since the fit before."""
        return three(fit.drift)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show weights and calibration."""
        fit, extra = self.get_object(request, object_id), dict(extra_context or {})
        if fit is not None and self.has_view_permission(request, fit):
            weights = fit.model.get("weights", [])
            panel = {
                "template": "admin/leads/fit_panel.html",
                "fit": fit,
                "weights": [
                    (name, f"{weight:+.2f}".replace("-", "−"))
                    for name, weight, _ in sorted(weights, key=lambda row: -abs(row[1]))
                ],
                "tenths": [(f"{p:.0%}", f"{s:.0%}", round(n)) for p, s, n in fit.calibration],
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
