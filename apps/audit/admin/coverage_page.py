"""“Coverage”: how complete the evidence is, on one page."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.audit.domain.coverage import coverage
from apps.audit.domain.evidence import refuse_evidence
from apps.audit.models import EvidencePackage
from apps.audit.standalone import FIRST

PACKAGES = 5


def coverage_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the figures."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    found = coverage()
    lag = found.lag
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Coverage of the ledger",
        "found": found,
        "is_late": lag.seconds > 60,
        "lag": f"{int(lag.seconds)} seconds" if lag.unsealed else "none",
        "digest": found.newest.digest if found.newest else FIRST,
        "packages": EvidencePackage.objects.select_related("made_by")[:PACKAGES],
        "may_export": refuse_evidence(request.user) is None,
    }
    return TemplateResponse(request, "admin/audit/coverage.html", context)
