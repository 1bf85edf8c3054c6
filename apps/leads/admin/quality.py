"""The page of data quality: each check in force, how it stands, whether it gets better, and who answers for it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from apps.core import access
from apps.leads.domain.quality import DAYS, Standing, failing, standings
from apps.leads.models import Lead
from apps.leads.quality_rules import checks_in_force

WIDTH, HEIGHT = 120, 24


class QualityFilter(admin.SimpleListFilter):
    """The leads that a check in force finds."""

    title = "data quality"
    parameter_name = "check"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The checks in force."""
        return [(rule.key, rule.name) for rule in checks_in_force()[1]]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list, which holds only what the person sees."""
        key = self.value()
        return failing(queryset, key) if key else queryset


@admin.site.admin_view
def quality_page(request: HttpRequest) -> HttpResponse:
    """Show every check in force."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", Lead):
        raise PermissionDenied
    version, told = standings(person)
    leads = reverse("admin:leads_lead_changelist")
    may_see = version is not None and access.can(person, "view", version)
    context = {
        **admin.site.each_context(request),
        "title": "Data quality of leads",
        "version": version,
        "rules": reverse("admin:rules_ruleversion_change", args=(version.pk,)) if version and may_see else "",
        "rows": [
            (each, f"{each.share:.1%}", _line(each), f"{leads}?{urlencode({'check': each.rule.key})}") for each in told
        ],
        "days": DAYS,
        "width": WIDTH,
        "height": HEIGHT,
    }
    return TemplateResponse(request, "admin/leads/quality.html", context)


def _line(each: Standing) -> str:
    """Return the points of the trend, the first day on the left, nothing found at the bottom."""
    if len(each.trend) < 2:
        return ""
    most = max(row.wrong for row in each.trend) or 1
    step = WIDTH / (len(each.trend) - 1)
    points = ((place * step, HEIGHT - 2 - (HEIGHT - 4) * row.wrong / most) for place, row in enumerate(each.trend))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
