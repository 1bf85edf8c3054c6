"""The pages of evaluations: criteria in versions, the need, candidates and their cost."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsTabularInline
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.money import money
from apps.technology.admin.evaluation_forms import CandidateForm, EvaluationForm, choice_form, excuse_form, people_form
from apps.technology.admin.scoring_page import result_panel, scoring_page
from apps.technology.charts import tornado
from apps.technology.domain import criteria, evaluating
from apps.technology.domain.tco import sensitivity_of, unstated
from apps.technology.enums import CriteriaState, EvaluationState
from apps.technology.models import TCO_FIELDS, Candidate, CriteriaSet, Criterion, Evaluation

_STATES = {"Scoring": "info", "Scored": "info", "Decided": "success", "Dropped": "warning"}


class CriterionInline(MopsTabularInline):
    """The criteria of a set."""

    model = Criterion
    fields = ("position", "name", "question", "weight")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Criteria are added to a draft alone."""
        return super().has_add_permission(request, obj) and _is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Criteria are changed in a draft alone."""
        return super().has_change_permission(request, obj) and _is_draft(obj)


def _is_draft(found: Any) -> bool:
    return found is None or found.state == CriteriaState.DRAFT


@admin.register(CriteriaSet)
class CriteriaSetAdmin(MopsAdmin):
    """Sets of criteria."""

    list_display = ("name", "number", "stands", "weights", "updated_at")
    list_filter = ("state",)
    search_fields = ("name", "note")
    fieldsets = ((None, {"fields": ("name", ("number", "stands", "weights"), "note")}),)
    readonly_fields = ("number", "stands", "weights")
    inlines = (CriterionInline,)
    buttons = (
        Button(
            "activate",
            "Put in force",
            criteria.activate_criteria,
            criteria.refuse_activation,
            confirm="New evaluations compare by it; the version before it retires. Criteria in force never change.",
            style="primary",
            hide_when_refused=False,
        ),
        Button("next", "Start the next version", criteria.next_version, criteria.refuse_next_version),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No criteria yet. Add a set whose weights sum to 100 and put it in force."

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A set that has come into force is fixed."""
        return super().has_change_permission(request, obj) and _is_draft(obj)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Sum the weights with the rows."""
        kept = models.Q(criteria__archived_at__isnull=True)
        rows: models.QuerySet[Any] = super().get_queryset(request)
        told: models.QuerySet[Any] = rows.annotate(total=models.Sum("criteria__weight", filter=kept))
        return told

    @display(description="State", ordering="state", label={"In force": "success", "Draft": "warning"})
    def stands(self, found: CriteriaSet) -> str:
        """Whether it is in force."""
        return CriteriaState(found.state).label

    @display(description="Sum of the weights", ordering="total")
    def weights(self, found: Any) -> str:
        """What the weights sum to."""
        total = getattr(found, "total", None) or 0
        return f"{total} of {criteria.WHOLE}"


@admin.register(Evaluation)
class EvaluationAdmin(MopsAdmin):
    """Evaluations."""

    form = EvaluationForm
    list_display = ("title", "capability", "stands", "candidate_count", "submitted", "lead", "due_on", "chosen")
    list_filter = ("state", "capability", "lead", "due_on")
    search_fields = ("title", "need")
    autocomplete_fields = ("capability", "lead")
    fieldsets = (
        (None, {"fields": ("title", "need", ("capability", "criteria"), ("lead", "due_on"), "stands")}),
        ("Outcome", {"fields": ("chosen", "outcome", "closed_at")}),
    )
    readonly_fields = ("stands", "chosen", "outcome", "closed_at")
    buttons = (
        Button(
            "evaluators",
            "Name evaluators",
            evaluating.name_evaluators,
            evaluating.refuse_naming,
            form_for=people_form,
            confirm="They score every candidate by every criterion, and see the others only after submitting.",
        ),
        Button(
            "start",
            "Start scoring",
            evaluating.start_scoring,
            evaluating.refuse_start,
            confirm="The candidates are fixed, and the evaluators are told.",
            style="primary",
            hide_when_refused=False,
        ),
        Button(
            "excuse",
            "Excuse an evaluator",
            evaluating.excuse_evaluator,
            evaluating.refuse_excuse,
            form_for=excuse_form,
            confirm="What this person has scored so far does not count.",
        ),
        Button(
            "close",
            "Close scoring",
            evaluating.close_scoring,
            evaluating.refuse_close,
            confirm="No score comes in or changes any more; a candidate can be chosen then.",
            style="primary",
            hide_when_refused=False,
        ),
        Button(
            "choose",
            "Choose a candidate",
            evaluating.choose_candidate,
            evaluating.refuse_choice,
            form_for=choice_form,
            confirm="A tool request is made of its business case, integration assessment and three-year cost.",
            style="primary",
        ),
        Button(
            "drop",
            "Drop the evaluation",
            evaluating.drop_evaluation,
            evaluating.refuse_drop,
            form=ReasonForm,
            confirm="It ends without a choice; its scores stay on record.",
            style="danger",
        ),
        *ARCHIVE_BUTTONS,
    )
    taggable = True
    in_palette = True
    empty_state = "No evaluation yet. Begin with the need: what must be possible afterwards that is not today?"

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which evaluators score."""
        view = self.admin_site.admin_view(lambda request, pk: scoring_page(self, request, pk))
        return [path("<int:pk>/score/", view, name="technology_evaluation_score"), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The need is fixed once it is decided about."""
        open_one = obj is None or obj.state in (EvaluationState.DRAFT, EvaluationState.SCORING)
        return super().has_change_permission(request, obj) and open_one

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The criteria are fixed once scoring has started."""
        fixed = () if obj is None or obj.state == EvaluationState.DRAFT else ("criteria",)
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a row names, and count candidates and evaluators."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        rows = rows.select_related("capability", "lead", "chosen", "criteria")
        seats = models.Q(evaluators__excused_at__isnull=True)
        told: models.QuerySet[Any] = rows.annotate(
            compared=models.Count("candidates", filter=models.Q(candidates__archived_at__isnull=True), distinct=True),
            seats=models.Count("evaluators", filter=seats, distinct=True),
            done=models.Count(
                "evaluators", filter=seats & models.Q(evaluators__submitted_at__isnull=False), distinct=True
            ),
        )
        return told

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the candidates, who scores, and how they stand by the scores this person may see."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            extra["row_panels"] = [*extra.get("row_panels", []), result_panel(request, found)]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="State", ordering="state", label=_STATES)
    def stands(self, found: Evaluation) -> str:
        """How far it has come."""
        return EvaluationState(found.state).label

    @display(description="Candidates", ordering="compared")
    def candidate_count(self, found: Any) -> int:
        """How many are compared."""
        return int(found.compared)

    @display(description="Scores in", ordering="done")
    def submitted(self, found: Any) -> str:
        """How many evaluators have submitted."""
        return f"{found.done} of {found.seats}"


@admin.register(Candidate)
class CandidateAdmin(MopsAdmin):
    """Candidates."""

    form = CandidateForm
    list_display = ("name", "evaluation", "tool", "total", "range", "complete")
    list_filter = ("evaluation__state", "evaluation")
    search_fields = ("name", "tool__name", "evaluation__title")
    autocomplete_fields = ("evaluation", "tool")
    fieldsets = (
        (None, {"fields": ("evaluation", ("tool", "name"), "integration_assessment")}),
        (
            "What three years cost in total",
            {
                "fields": ("currency", *(TCO_FIELDS[start : start + 3] for start in range(0, len(TCO_FIELDS), 3))),
                "description": "Licence, implementation, people and exit, year by year; 0 where it costs nothing.",
            },
        ),
        (
            "How far the estimates may be off",
            {"fields": (("licence_spread", "implementation_spread"), ("people_spread", "exit_spread"))},
        ),
    )
    buttons = ARCHIVE_BUTTONS
    empty_state = "No candidate yet. Add what could meet the need of an evaluation: tools of the inventory, or names."

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The figures are fixed once a candidate was chosen or the evaluation dropped."""
        over = obj is not None and obj.evaluation.state in (EvaluationState.DECIDED, EvaluationState.DROPPED)
        return super().has_change_permission(request, obj) and not over

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the evaluations and tools with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("evaluation", "tool")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what three years cost and what each estimate does to it."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            sensed = sensitivity_of(found)
            panel = {
                "template": "admin/technology/tornado_panel.html",
                "sensed": sensed,
                "chart": tornado(sensed),
                "currency": found.currency,
                "missing": unstated(found),
                "back": reverse("admin:technology_evaluation_change", args=(found.evaluation_id,)),
                "evaluation": found.evaluation,
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Three years")
    def total(self, found: Candidate) -> str:
        """What three years cost."""
        return money(sensitivity_of(found).total, found.currency)

    @display(description="Least to most")
    def range(self, found: Candidate) -> str:
        """Between what the total lies."""
        sensed = sensitivity_of(found)
        return f"{money(sensed.least)} – {money(sensed.most, found.currency)}"

    @display(description="Cost stated", boolean=True)
    def complete(self, found: Candidate) -> bool:
        """Whether every year of every type is stated."""
        return not unstated(found)
