"""The page that says how leads move: who is in which stage, how long they stay, and how many of a month go on."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.core import access, clock
from apps.leads.domain.opportunities import pipeline
from apps.leads.domain.stages import GOAL, cohorts, figures_by_stage
from apps.leads.models import Lead, Opportunity

MONTHS = 12


@admin.site.admin_view
def lifecycle_page(request: HttpRequest) -> HttpResponse:
    """Show the stages and the cohorts of the leads that the person sees."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", Lead):
        raise PermissionDenied
    leads = reverse("admin:leads_lead_changelist")
    context = {
        **admin.site.each_context(request),
        "title": "Lifecycle of leads",
        "stages": [
            (each, f"{leads}?stage__exact={each.stage.value}") for each in figures_by_stage(person, now=clock.now())
        ],
        "cohorts": [(each, f"{each.share:.0%}") for each in cohorts(person, months=MONTHS, now=clock.now())],
        "goal": f"{GOAL:.0%}",
        "pipeline": pipeline(person) if access.has_model_permission(person, "view", Opportunity) else [],
        "deals": reverse("admin:leads_opportunity_changelist"),
        "stuck": f"{leads}?stuck=30",
    }
    return TemplateResponse(request, "admin/leads/lifecycle.html", context)
