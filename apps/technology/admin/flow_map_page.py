"""The data-flow map as a page to move about in, and as files; and the report of conflicts."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString, mark_safe

from apps.core import access, clock
from apps.core.access_log import log_access
from apps.technology.domain.flow_files import graphml_of, mermaid_of, page_facts, svg_of
from apps.technology.domain.flow_map import flow_map
from apps.technology.domain.records import conflicts
from apps.technology.enums import FlowHealth
from apps.technology.models import Integration

# as Django escapes it in `json_script`
_IN_A_SCRIPT = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}
TITLE = "Data flows between our tools"
FILES: dict[str, tuple[Callable[[Any], str], str]] = {
    "svg": (lambda drawn: svg_of(drawn, TITLE), "image/svg+xml; charset=utf-8"),
    "mmd": (mermaid_of, "text/plain; charset=utf-8"),
    "graphml": (graphml_of, "application/xml; charset=utf-8"),
}


@admin.site.admin_view
def map_page(request: HttpRequest) -> HttpResponse:
    """Show the map.

    Raises:
        PermissionDenied: this person may not see integrations.
    """
    person = _allowed(request)
    drawn = flow_map(person)
    context = {
        **admin.site.each_context(request),
        "title": "Data-flow map",
        "drawn": drawn,
        "facts": _script(page_facts(drawn)),
        "picture": TITLE,
        "healths": FlowHealth.choices,
        "may_add": access.has_model_permission(person, "add", Integration),
        "conflicting": sum(bool(edge.conflicts) for edge in drawn.edges),
    }
    return TemplateResponse(request, "admin/technology/map.html", context)


@admin.site.admin_view
def map_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Give the map as a file; a PNG is made by the browser from the SVG.

    Raises:
        Http404: there is no such kind of file.
        PermissionDenied: this person may not see integrations.
    """
    person = _allowed(request)
    if kind not in FILES:
        raise Http404
    write, media = FILES[kind]
    log_access("export", by=person, thing=None, detail={"format": kind, "what": "data-flow map"})
    answer = HttpResponse(write(flow_map(person)), content_type=media)
    answer["Content-Disposition"] = f'attachment; filename="data-flows-{clock.today():%Y-%m-%d}.{kind}"'
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return answer


@admin.site.admin_view
def conflicts_page(request: HttpRequest) -> HttpResponse:
    """Show everything that writes what another tool decides.

    Raises:
        PermissionDenied: this person may not see integrations.
    """
    _allowed(request)
    found = conflicts()
    context = {
        **admin.site.each_context(request),
        "title": "Conflicts of record",
        "overwriting": [each for each in found if each.overwrites],
        "elsewhere": [each for each in found if not each.overwrites],
    }
    return TemplateResponse(request, "admin/technology/conflicts.html", context)


def _script(facts: dict[str, Any]) -> SafeString:
    """Return the facts as JSON within a page, without the blanks that `json_script` would send."""
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False)
    return mark_safe(text.translate(_IN_A_SCRIPT))  # noqa: S308  # what could end the script is escaped


def _allowed(request: HttpRequest) -> Any:
    person: Any = request.user
    if not access.has_model_permission(person, "view", Integration):
        raise PermissionDenied
    return person
