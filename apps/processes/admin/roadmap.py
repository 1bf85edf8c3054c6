"""The roadmap: its page with numbers, and the phases behind it."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsTabularInline
from apps.core.errors import DomainError
from apps.core.measures import measures
from apps.processes.domain import roadmap
from apps.processes.models import ExitCriterion, RoadmapPhase


class CriterionForm(forms.ModelForm):  # type: ignore[type-arg]  # forms are not generic when they run
    """Offers the measures there are."""

    class Meta:
        model = ExitCriterion
        fields = ("title", "measure", "at_least")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "measure" in self.fields:
            choices = [("", "Choose a measure"), *((each.key, each.title) for each in measures())]
            self.fields["measure"] = forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget)


class CriterionInline(MopsTabularInline):
    """What a phase must reach."""

    model = ExitCriterion
    form = CriterionForm
    fields = ("title", "measure", "at_least")


@admin.register(RoadmapPhase)
class RoadmapPhaseAdmin(MopsAdmin):
    """The phases of the roadmap."""

    list_display = ("title", "position", "starts_on", "ends_on", "demands")
    search_fields = ("title", "focus")
    list_filter = ("starts_on", "ends_on")
    fields = (("title", "position"), ("starts_on", "ends_on"), "focus")
    inlines = (CriterionInline,)
    list_before_template = "admin/processes/phases_before.html"
    empty_state = "No phase yet. The page of the roadmap brings in the three standard phases; or add your own."
    buttons = ARCHIVE_BUTTONS

    def get_queryset(self, request: HttpRequest) -> Any:
        """Load the criteria with the rows."""
        return super().get_queryset(request).prefetch_related("criteria")

    @display(description="Exit criteria")
    def demands(self, phase: RoadmapPhase) -> str:
        """How many criteria it has."""
        return str(len(phase.criteria.all()))


def roadmap_page(request: HttpRequest) -> HttpResponse:
    """Show each phase with what is met and what is not; POST brings in the standard phases."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", RoadmapPhase):
        raise PermissionDenied
    if request.method == "POST":
        try:
            phases = roadmap.bring_in_standard(by=person, starts_on=_day(request.POST.get("starts_on", "")))
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"{len(phases)} phases are planned; their criteria are measured from now on.")
        return HttpResponseRedirect(reverse("processes-roadmap"))
    context = {
        **admin.site.each_context(request),
        "title": "Roadmap",
        "phases": roadmap.roadmap(),
        "may_bring_in": roadmap.refuse_standard(person) is None,
        "may_change": access.has_model_permission(person, "change", RoadmapPhase),
        "today": clock.today(),
    }
    return TemplateResponse(request, "admin/processes/roadmap.html", context)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
