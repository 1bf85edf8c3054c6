"""How mature processes are: the overview, what one level stands on, its history, and asking for another level."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core import access, clock
from apps.core.access import visible
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.days import DayInput
from apps.core.errors import DomainError
from apps.core.jobs.api import enqueue
from apps.processes.admin.exceptions import ShowsApproval
from apps.processes.domain import maturity, maturity_criteria
from apps.processes.enums import Family, MaturityLevel, WaiverState
from apps.processes.models import MaturityAssessment, MaturityOverride, Process

LEVELS = {
    MaturityLevel.BELOW.label: "default",
    MaturityLevel.FOUNDATIONAL.label: "warning",
    MaturityLevel.MANAGED.label: "info",
    MaturityLevel.OPTIMISED.label: "success",
}
SHOWN = 20
REAL_LEVELS = (MaturityLevel.FOUNDATIONAL, MaturityLevel.MANAGED, MaturityLevel.OPTIMISED)


class OverrideForm(forms.Form):
    """Asks which level counts instead, why, and until when."""

    level = forms.TypedChoiceField(choices=MaturityLevel.choices, coerce=int, widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="Why the computed level is wrong, and what shows it."
    )
    until = forms.DateField(
        label="Until",
        widget=DayInput(),
        help_text="The last day it counts; within a year.",
    )


def _seen(request: HttpRequest) -> Any:
    person: Any = request.user
    if not access.has_model_permission(person, "view", MaturityAssessment):
        raise PermissionDenied
    return person


def _process(request: HttpRequest, process_id: int) -> Process | None:
    """Return the process of a page; None for the whole, which goes by 0."""
    if not process_id:
        return None
    person: Any = request.user
    rows = visible(person, Process).select_related(
        "effective_version", "owner_person", "owner_team", "backup_person", "backup_team"
    )
    process: Process | None = rows.filter(pk=process_id).first()
    if process is None:
        raise Http404
    return process


def maturity_page(request: HttpRequest) -> HttpResponse:
    """Show the level of the whole and of every process; POST computes them anew."""
    person = _seen(request)
    if request.method == "POST":
        if refused := maturity.refuse_assess(person):
            messages.error(request, refused)
        else:
            enqueue("processes.assess_maturity", by=person)
            messages.success(request, "The levels are being computed; load this page again in a moment.")
        return HttpResponseRedirect(reverse("processes-maturity"))
    newest = MaturityAssessment.objects.filter(process=models.OuterRef("pk")).order_by("-at", "-id")
    rows = visible(person, Process).filter(archived_at__isnull=True).order_by("family", "title")
    rows = rows.annotate(
        stands=models.Subquery(newest.values("level")[:1]),
        since=models.Subquery(newest.values("at")[:1]),
        overridden=models.Subquery(newest.values("override")[:1]),
    )
    lines = list(rows)
    counts = {level: sum(each.stands == level for each in lines) for level in MaturityLevel}
    whole = maturity.newest(None)
    context = {
        **admin.site.each_context(request),
        "title": "Maturity",
        "lines": [
            {"process": each, "family": Family(each.family).label, "level": _label(each.stands)} for each in lines
        ],
        "counts": [(level.label, counts[level]) for level in reversed(MaturityLevel)],
        "whole": whole,
        "whole_level": _label(whole.level if whole else None),
        "may_assess": maturity.refuse_assess(person) is None,
    }
    return TemplateResponse(request, "admin/processes/maturity.html", context)


def _label(level: int | None) -> str:
    return "Not assessed yet" if level is None else MaturityLevel(level).label


def level_page(request: HttpRequest, process_id: int) -> HttpResponse:
    """Show what the level of a process (or of the whole, 0) stands on now, and how it came about."""
    person, process = _seen(request), _process(request, process_id)
    now = clock.now()
    criteria = maturity_criteria.criteria_of(process, now) if process else maturity_criteria.criteria_of_whole()
    override = maturity.override_of(process, now.date())
    overrides = visible(person, MaturityOverride).filter(process=process).select_related("asked_by")
    context = {
        **admin.site.each_context(request),
        "title": f"Maturity of {process or maturity.WHOLE}",
        "process": process,
        "process_id": process_id,
        "computed": maturity_criteria.level_of(criteria).label,
        "override": override,
        "groups": [
            {
                "label": level.label,
                "criteria": [each for each in criteria if each.level == level],
                "met": all(each.met for each in criteria if each.level == level),
            }
            for level in REAL_LEVELS
        ],
        "history": list(maturity.history_of(process)[:SHOWN]),
        "overrides": list(overrides[:SHOWN]),
        "refused": maturity.refuse_override(person, process),
    }
    return TemplateResponse(request, "admin/processes/level.html", context)


def override_page(request: HttpRequest, process_id: int) -> HttpResponse:
    """Ask for another level than the computed one."""
    person, process = _seen(request), _process(request, process_id)
    back = reverse("processes-level", args=(process_id,))
    if refused := maturity.refuse_override(person, process):
        messages.error(request, refused)
        return HttpResponseRedirect(back)
    form = OverrideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            maturity.ask_override(process, by=person, **form.cleaned_data)
        except DomainError as refusal:
            refusal.settle()
            messages.error(request, refusal.message)
        else:
            messages.success(request, "Asked; the computed level counts until somebody else has approved.")
        return HttpResponseRedirect(back)
    context = {
        **admin.site.each_context(request),
        "title": f"Ask for another level: {process or maturity.WHOLE}",
        "form": form,
        "back": back,
        "media": form.media,
    }
    return TemplateResponse(request, "admin/processes/override.html", context)


@admin.register(MaturityOverride)
class MaturityOverrideAdmin(ShowsApproval, ReadOnlyAdmin):
    """Which levels were asked for, and what became of it."""

    list_display = ("about", "wanted", "standing", "until", "asked_by", "created_at")
    list_filter = ("state", "level", "process", "until")
    search_fields = ("reason", "process__title")
    fields = ("about", "wanted", "standing", "until", "asked_by", "reason")
    list_select_related = ("process", "asked_by")
    empty_state = "No override yet. “Ask for another level” on the page of a level asks for one."

    @display(description="About", ordering="process__title")
    def about(self, row: MaturityOverride) -> str:
        """What it is about."""
        return str(row.process or maturity.WHOLE)

    @display(description="Level", ordering="level", label=LEVELS)
    def wanted(self, row: MaturityOverride) -> str:
        """Which level counts."""
        return MaturityLevel(row.level).label

    @display(
        description="State",
        ordering="state",
        label={WaiverState.IN_REVIEW.label: "info", WaiverState.APPROVED.label: "success", "Ended": "warning"},
    )
    def standing(self, row: MaturityOverride) -> str:
        """What became of it."""
        ended = row.state == WaiverState.APPROVED and row.until < clock.today()
        return "Ended" if ended else WaiverState(row.state).label
