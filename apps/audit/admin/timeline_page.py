"""A timeline: everything that happened to one record, or what one person did and what was done to them."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.accounts.models import User
from apps.audit.belonging import entries_of, has_parts
from apps.audit.domain.people import about_person, did_or_had_done
from apps.audit.domain.reading import Reader, Things
from apps.audit.kinds import kind_of, models_by_table
from apps.audit.models import AuditEvent
from apps.core import access
from apps.core.access_log import note_read
from apps.core.admin_kit.links import url_of

PAGE = 30
LONGEST_NUMBER = 18  # digits that a key of a record can have


def timeline_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show a timeline: `?person=7`, or `?kind=technology_tool&record=7`, `&parts=1` with what belongs to it.

    `&before=` goes further back.
    """
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    viewer: Any = request.user
    rows, title, subject = _chosen(request)
    before, kind, record = (request.GET.get(name, "") for name in ("before", "kind", "record"))
    if before.isdecimal():
        rows = rows.filter(id__lt=int(before))
    events = list(rows.select_related("actor").order_by("-id")[: PAGE + 1])
    shown = events[:PAGE]
    things, reader = Things(shown, viewer), Reader(shown, by=viewer)
    query = request.GET.copy()
    if len(events) > PAGE:
        query["before"] = str(shown[-1].pk)
    about = subject if subject is not None else next((things.of(event) for event in shown), None)
    if about is not None:
        note_read(viewer, about, "timeline")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "lines": [_line(event, things.of(event), reader, subject) for event in shown],
        "older": f"?{query.urlencode()}" if len(events) > PAGE else "",
        "subject": subject,
        "own": f"?{urlencode({'kind': kind, 'record': record})}" if kind and _seen(request, viewer) else "",
        "which": request.GET.get("which", ""),
        "with_parts": bool(request.GET.get("parts")),
    }
    return TemplateResponse(request, "admin/audit/timeline.html", context)


def _chosen(request: HttpRequest) -> "tuple[models.QuerySet[AuditEvent], str, User | None]":
    viewer: Any = request.user
    person = request.GET.get("person", "")
    if person:
        found = access.visible(viewer, User).filter(pk=person).first() if person.isdecimal() else None
        if found is None:
            raise Http404("There is no such person.")
        which = request.GET.get("which", "")
        rows = did_or_had_done(found)
        if which == "did":
            rows = AuditEvent.objects.filter(actor=found)
        elif which == "had":
            rows = AuditEvent.objects.filter(about_person(found))
        return rows, f"Timeline of {found}", found
    kind, record = request.GET.get("kind", ""), request.GET.get("record", "")
    if not kind or not record:
        raise Http404("Say whose timeline: a person, or a kind and the number of a record.")
    own = AuditEvent.objects.filter(table_name=kind, object_id=record)
    newest = own.first()
    if newest is None and _found(request, viewer) is None:
        # the page that says so is the same for what is not there and for what the reader may not see
        raise Http404(f"The ledger knows no {kind_of(kind)} of the number {record}.")
    name = newest.object_label if newest and newest.object_label else f"#{record}"
    whole = _seen(request, viewer) if request.GET.get("parts") else None
    if whole is None:
        return own, f"Timeline of {kind_of(kind)} {name}", None
    story = AuditEvent.objects.filter(entries_of(whole))
    return story, f"Timeline of {kind_of(kind)} {whole}, with all that belongs to it", None


def _seen(request: HttpRequest, viewer: User) -> models.Model | None:
    """Return the record asked for, where the viewer sees it and something may belong to it."""
    found = _found(request, viewer)
    return found if found is not None and has_parts(type(found)) else None


def _found(request: HttpRequest, viewer: User) -> models.Model | None:
    """Return the record asked for, where the viewer sees it."""
    model: Any = models_by_table().get(request.GET.get("kind", ""))
    record = request.GET.get("record", "")
    if model is None or not record.isdecimal() or len(record) > LONGEST_NUMBER:
        return None
    found: models.Model | None = access.visible(viewer, model).filter(pk=record).first()
    return found


def _line(event: AuditEvent, thing: models.Model | None, reader: Reader, subject: User | None) -> dict[str, Any]:
    return {
        "event": event,
        "who": str(event.actor) if event.actor is not None else event.actor_label,
        "kind": kind_of(event.table_name),
        "what": str(thing) if thing is not None else event.object_label or f"#{event.object_id}",
        "url": url_of(thing) if thing is not None else "",
        "changes": reader.changes_of(event, whole=False) if event.action == AuditEvent.Action.UPDATE else [],
        "had": subject is not None and event.actor_id != subject.pk,
    }
