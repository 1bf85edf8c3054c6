"""The pages of A/B tests: what is compared, how it stands, and what was decided."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.campaigns.domain import experiments
from apps.campaigns.models import Experiment, Variant
from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsTabularInline
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.days import DayInput


def counts_form(experiment: Experiment) -> type[forms.Form]:
    """Return the form that asks for the counts of a day, offering the variants there are."""
    choices = [(each.letter, str(each)) for each in experiments.variants_of(experiment)]

    class CountsForm(forms.Form):
        """Asks what a variant came to."""

        letter = forms.ChoiceField(choices=choices, label="Variant")
        day = forms.DateField(initial=clock.today, widget=DayInput())
        people = forms.IntegerField(min_value=0, help_text="Who saw it on this day.")
        successes = forms.IntegerField(min_value=0, help_text="Those of them who did what counts as success.")

    return CountsForm


def decision_form(experiment: Experiment) -> type[forms.Form]:
    """Return the form that asks with which variant it goes on."""
    found = experiments.variants_of(experiment)
    choices = [*((each.letter, f"On with {each}") for each in found), ("", "There is no difference")]

    class DecisionForm(forms.Form):
        """Asks what was found."""

        letter = forms.ChoiceField(choices=choices, required=False, label="Decision")
        reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="What it stands on.")

    return DecisionForm


class VariantInline(MopsTabularInline):
    """What is compared."""

    model = Variant
    fields = ("letter", "weight", "version", "note")
    autocomplete_fields = ("version",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the versions with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("version__asset")
        return rows

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a test compares stays once it has begun."""
        return super().has_add_permission(request, obj) and (obj is None or obj.state == "draft")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a test compares stays once it has begun."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == "draft")


@admin.register(Experiment)
class ExperimentAdmin(MopsAdmin):
    """A/B tests."""

    list_display = ("name", "campaign", "success", "standing", "started_at", "ended_at", "chosen", "decided_by")
    list_filter = ("state", "started_at")
    search_fields = ("name", "campaign__name", "question")
    autocomplete_fields = ("campaign",)
    allowed_lookups = ("campaign",)
    fieldsets = (
        (None, {"fields": ("campaign", "name", "standing", "question", "success", ("least", "confidence"))}),
        ("What came of it", {"fields": (("started_at", "ended_at"), ("chosen", "decided_by"), "reason", "salt")}),
    )
    readonly_fields = ("standing", "started_at", "ended_at", "chosen", "decided_by", "reason", "salt")
    inlines = (VariantInline,)
    buttons = (
        Button(
            "start",
            "Begin",
            experiments.start_experiment,
            experiments.refuse_start,
            confirm="What it compares stays from now on; people are split by it.",
            style="primary",
            explains=lambda _, test: test.state == "draft",
        ),
        Button(
            "counts",
            "Enter counts",
            experiments.enter_counts,
            experiments.refuse_counting,
            form_for=counts_form,
            confirm="Another count of the same day and variant is replaced.",
        ),
        Button(
            "decide",
            "Decide",
            experiments.decide,
            experiments.refuse_decision,
            form_for=decision_form,
            confirm="The figures as they stand are kept with your decision and your name; it is not taken back.",
            style="primary",
            explains=lambda _, test: test.state == "running",
        ),
        Button(
            "stop",
            "Stop",
            experiments.stop,
            experiments.refuse_stop,
            form=ReasonForm,
            confirm="The test ends without a decision; what was counted stays.",
            style="danger",
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No test yet. Add one: what is expected to do better, what counts as success, and two variants."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load campaigns and people with the rows."""
        return super().get_queryset(request).select_related("campaign", "decided_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A test stays with its campaign."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "campaign") if obj is not None else fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts alone are edited; the buttons do the rest."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == "draft")

    @display(description="State", ordering="state", label={"Running": "info", "Decided": "success"})
    def standing(self, experiment: Experiment) -> str:
        """Where it stands."""
        return str(experiment.get_state_display())

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how the variants do."""
        experiment, extra = self.get_object(request, object_id), dict(extra_context or {})
        if experiment is not None and request.method == "GET":
            panel = {
                "template": "admin/campaigns/experiment_panel.html",
                "experiment": experiment,
                "result": experiments.result_of(experiment),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
