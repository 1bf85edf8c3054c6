"""The process map on the page and as a file: SVG, BPMN, and a PNG that the browser makes of the SVG."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.text import slugify

from apps.core import access
from apps.processes.domain.bpmn import bpmn_of
from apps.processes.domain.drawing import svg_of
from apps.processes.domain.flow import flow_of
from apps.processes.domain.layout import lay_out
from apps.processes.domain.overlay import overlay_of
from apps.processes.models import SOPVersion


def map_panel(request: HttpRequest, version: SOPVersion | None) -> list[dict[str, Any]]:
    """Return the box with the map of `version`; none where it has no steps."""
    if version is None or not version.flow:
        return []
    person: Any = request.user
    steps = dict(version.steps.values_list("key", "pk"))
    links = {key: reverse("admin:processes_step_change", args=(pk,)) for key, pk in steps.items()}
    flow = flow_of(version)
    figures = overlay_of(version.process, person)
    drawn = svg_of(lay_out(flow), f"Map of {version}", figures=figures, links=links)
    return [
        {
            "template": "admin/processes/map_panel.html",
            "version": version,
            "svg": mark_safe(drawn),  # noqa: S308  # every text in it is escaped by svg_of
            "has_figures": bool(figures),
            "raci": flow.steps,
            "svg_url": reverse("admin:processes_sopversion_svg", args=(version.pk,)),
            "bpmn_url": reverse("admin:processes_sopversion_bpmn", args=(version.pk,)),
            "name": slugify(str(version)),
        }
    ]


def map_file(request: HttpRequest, object_id: str, *, kind: str) -> HttpResponse:
    """Answer with the map of one version as a file.

    Raises:
        Http404: there is no such version, this person may not see it, or it has no steps.
    """
    person: Any = request.user
    version = access.visible(person, SOPVersion).select_related("process").filter(pk=object_id).first()
    if version is None or not version.flow:
        raise Http404("There is no map of this version.")
    drawn = lay_out(flow_of(version))
    if kind == "svg":
        content: str | bytes = svg_of(drawn, f"Map of {version}", alone=True)
        media = "image/svg+xml"
    else:
        content, media = bpmn_of(drawn, version.process.title, version.process.summary), "application/xml"
    answer = HttpResponse(content, content_type=f"{media}; charset=utf-8")
    # a browser that shows the file runs nothing of it
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    answer["Content-Disposition"] = f'attachment; filename="{slugify(str(version))}.{kind}"'
    return answer
