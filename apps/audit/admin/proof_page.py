"""The proof that one entry is in its seal: shown, explained, and handed out."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.audit.domain.proving import prove
from apps.core.access_log import log_access
from apps.core.admin_kit.links import url_of
from apps.core.errors import DomainError


def proof_page(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the proof of an entry, or send it as a file."""
    person: Any = request.user
    event = model_admin.get_object(request, object_id)
    if event is None or not model_admin.has_view_permission(request, event):
        raise Http404
    try:
        proof = prove(event.pk)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(url_of(event))
    if "download" in request.GET:
        log_access("export", by=person, detail={"proof of entry": event.pk})
        text = json.dumps(proof, indent=1, ensure_ascii=False) + "\n"
        disposition = f'attachment; filename="entry-{event.pk}-proof.json"'
        return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": disposition})
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Proof of entry {event.pk}",
        "event": event,
        "proof": proof,
    }
    return TemplateResponse(request, "admin/audit/proof.html", context)
