"""Sales material at a glance: what ends when, what is used, what helps."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from apps.content.domain.using import USED_DAYS, material
from apps.content.enums import SALES_KINDS
from apps.content.models import ContentVersion
from apps.core import access, clock


@admin.site.admin_view
@require_GET
def material_page(request: HttpRequest) -> HttpResponse:
    """Show the material that the person may use, what ends first on top; `?kind=` narrows it."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", ContentVersion):
        raise PermissionDenied
    kind = request.GET.get("kind", "")
    context = {
        **admin.site.each_context(request),
        "title": "Sales material",
        "rows": material(person, clock.today(), kind=kind),
        "kinds": [("", "All"), *((each.value, each.label) for each in SALES_KINDS)],
        "kind": kind if kind in SALES_KINDS else "",
        "days": USED_DAYS,
    }
    return TemplateResponse(request, "admin/content/material.html", context)
