"""The page with the figures of a process: value, formula, and the rows behind each."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from apps.core import access, clock
from apps.processes.domain.figures import report
from apps.processes.models import Process, RunStepEvent

PERIODS = (30, 90, 365)


def figures_page(request: HttpRequest, process_id: int) -> HttpResponse:
    """Show what the runs of a process say about it."""
    person: Any = request.user
    process = access.visible(person, Process).filter(pk=process_id).first()
    if process is None or not access.has_model_permission(person, "view", RunStepEvent):
        raise Http404
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(each) for each in PERIODS} else PERIODS[1]
    since = clock.now() - dt.timedelta(days=days)
    found = report(process, person, since)
    context = {
        **admin.site.each_context(request),
        "title": f"Figures of {process}",
        "process": process,
        "report": found,
        "figures": [(each, _rows(process, each.rows, since)) for each in found.figures],
        "days": days,
        "periods": PERIODS,
        "events": reverse("admin:processes_runstepevent_changelist"),
        "register": f"{reverse('admin:processes_automation_changelist')}?steps__process__id__exact={process.pk}",
    }
    return TemplateResponse(request, "admin/processes/figures.html", context)


def _rows(process: Process, deed: str, since: dt.datetime) -> str:
    """Return the address of the list with the rows that a figure was counted from."""
    query: dict[str, str | int]
    if deed in ("run", "conforms"):
        query = {"process__id__exact": process.pk, "state__exact": "done", "started_at__gte": since.isoformat()}
        query |= {"conforms": "no"} if deed == "conforms" else {}
        return f"{reverse('admin:processes_run_changelist')}?{urlencode(query)}"
    query = {"run__process__id__exact": process.pk, "deed__exact": deed, "run__started_at__gte": since.isoformat()}
    return f"{reverse('admin:processes_runstepevent_changelist')}?{urlencode(query)}"
